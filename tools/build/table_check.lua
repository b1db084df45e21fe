--[[
table_check.lua: what is wrong with syscalls.tbl, said before anything is built, alone: a row that
cannot be, a number that Linux gave to another call, and a served call that nobody wrote a handler
for, with the prototype to write. The generator and the check of the modules' symbols find the same
later; a handler that is not spelled out in the sources (by a macro, say) is left to the latter.
]]
local ctype = require "tools.gen.ctype"
local fs = require "tools.lib.fs"
local gen = require "tools.gen.main"
local numbers = require "tools.gen.numbers"
local sources = require "tools.build.sources"

local table_check = {}

-- The text of a module's sources for the port, or nil when there is none yet.
local function text_of(module, port)
	local list = {}
	for _, path in ipairs(sources.module(module, port)) do
		list[#list + 1] = fs.read(path)
	end
	return #list > 0 and "\n" .. table.concat(list, "\n")
end

local function missing_handlers(context, only)
	local texts, missing = {}, {}
	for _, row in ipairs(context.rows) do
		local module = row.module
		if module and row.nr[context.port] and (not only or only == module) then
			texts[module] = texts[module] or text_of(module, context.port) or ""
			if not texts[module]:find("%f[%w_]sys_" .. row.name .. "%f[^%w_]%s*%(") then
				local says = "%s:%d: %s is served by %s, which has no handler; "
					.. "write it in a .c of modules/%s/:\n\t%s"
				missing[#missing + 1] = says:format(context.table_path, row.line, row.name,
					module, module, ctype.prototype(row))
			end
		end
	end
	return missing
end

-- An error that names row and remedy. `uapi`: the port's directories of Linux headers; `only`: a
-- module whose handlers matter.
function table_check.check(port, uapi, only)
	local context = gen.context { arch = port, abi_hash = "" }
	numbers.check(context.rows, context.table_path, { [port] = uapi })
	local missing = missing_handlers(context, only)
	if #missing > 0 then
		error(table.concat(missing, "\n"), 0)
	end
end

return table_check
