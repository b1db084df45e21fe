--[[
modcheck.lua: every symbol that a module leaves undefined must be exported by the core (KAPI) or by a module that it needs
(MODAPI); otherwise loading would fail, so the build does. And a module that is replaced live exports nothing.

	lua5.4 tools/modcheck.lua NM KERNEL.elf MODULE.ko...
Exports are found by the symbols ksymtab_name_<symbol> that core/module/export.h makes.
]]
package.path = "./?.lua;" .. package.path
local fs = require "tools.lib.fs"
local manifest = require "tools.lib.manifest"

local function symbols(nm, path)
	local exported, undefined = {}, {}
	local lines, ok = fs.lines(nm .. " " .. fs.quote(path))
	if not ok then
		error("nm failed on " .. path, 0)
	end
	for _, line in ipairs(lines) do
		local export = line:match(" [rRdD] ksymtab_name_(%S+)$")
		local missing = line:match("^%s+U (%S+)$")
		if export then
			exported[export] = true
		elseif missing then
			undefined[#undefined + 1] = missing
		end
	end
	return exported, undefined
end

local function main(words)
	local nm = words[1]
	local core = symbols(nm, words[2])
	local exports, wanted, names = {}, {}, {}
	for i = 3, #words do
		local name = words[i]:match("([^/]+)%.ko$")
		exports[name], wanted[name] = symbols(nm, words[i])
		names[#names + 1] = name
	end
	local modules = manifest.load_all("modules")
	local failures = {}
	for _, name in ipairs(names) do
		-- Others would be linked to the old one.
		if modules[name].replace ~= "never" and next(exports[name]) then
			failures[#failures + 1] = ("%s.ko: is replaced live and exports %s: reach it through a socket, or let it say never")
				:format(name, next(exports[name]))
		end
		for _, symbol in ipairs(wanted[name]) do
			local found = core[symbol]
			for _, need in ipairs(modules[name].needs) do
				found = found or (exports[need] and exports[need][symbol])
			end
			if not found then
				failures[#failures + 1] = ("%s.ko: undefined symbol %s: not exported by the core or by a module it needs")
					:format(name, symbol)
			end
		end
	end
	if #failures > 0 then
		error(table.concat(failures, "\n"), 0)
	end
end

local ok, reason = pcall(main, arg)
if not ok then
	io.stderr:write(tostring(reason), "\n")
	os.exit(1)
end
