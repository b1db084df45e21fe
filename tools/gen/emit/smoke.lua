--[[
smoke.lua: smoke.c, a guest program that checks the marks of every row: a pointer argument that points nowhere or into the
kernel is EFAULT, one marked `?` may be null, a refused row is ENOSYS. The program's logic is tests/guest/include/smoke.h.

Where Linux looks at something else before the pointer, tools/gen/smoke_notes.lua gives the other arguments values that get
past that, or the errno that comes first.
]]
local ctype = require "tools.gen.ctype"
local notes = require "tools.gen.smoke_notes"
local types = require "tools.gen.types"

local POINTERS = { ["in"] = true, out = true, inout = true, ext = true, str = true }

local function default_value(row, arg)
	if arg.kind == "val" then
		for _, other in ipairs(row.args) do
			if other.size == arg.name then
				return ("sizeof(%s)"):format(types[other.type].c)
			elseif other.count == arg.name then
				return other.type == "u8" and "64" or "1"
			end
		end
		if arg.name:match("dir$") or arg.name == "dirfd" then
			return "SMOKE_DIR"
		elseif arg.type == "fd" then
			return "SMOKE_FILE"
		elseif arg.type == "usize" then
			return "8"
		end
		return "0"
	elseif arg.kind == "str" then
		return "SMOKE_PATH"
	elseif arg.kind == "addr" or arg.optional then
		return "0"
	end
	return "SMOKE_BUFFER"
end

local function emit_row(row, port)
	local note = notes[row.name] or {}
	local values, subjects, nulls, first = {}, {}, 0, nil
	for i, arg in ipairs(row.args) do
		values[i] = note.values and note.values[arg.name] or default_value(row, arg)
		local expected = note.expect and note.expect[arg.name]
		if POINTERS[arg.kind] and expected ~= "none" then
			subjects[#subjects + 1] = ("{ %d, %s, %s }"):format(i - 1, ctype.string(arg.name), expected or "EFAULT")
			first = first or subjects[#subjects]
		end
		if arg.optional and not row.flags.block and not note.no_null then
			nulls = nulls | (1 << (i - 1))
		end
	end
	if not row.module then
		subjects, nulls = {}, 0
	end
	return ("\t{ %d, %s, %d, %d, { %s }, %d, { %s }, 0x%x },"):format(row.nr[port], ctype.string(row.name),
		row.module and 1 or 0, #row.args, #values > 0 and table.concat(values, ", ") or "0", #subjects,
		#subjects > 0 and table.concat(subjects, ", ") or "{ 0 }", nulls)
end

return function(context)
	local headers, list, rows = {}, {}, {}
	for _, row in ipairs(context.rows) do
		if row.nr[context.port] and not row.flags.noreturn then
			rows[#rows + 1] = emit_row(row, context.port)
			for _, arg in ipairs(row.args) do
				local header = arg.kind == "ext" and types[arg.type].header
				if header and not headers[header] then
					headers[header] = true
					list[#list + 1] = ("#include <%s>"):format(header)
				end
			end
		end
	end
	table.sort(list)
	local text = "/* Generated from syscalls.tbl: checks of the marks of every row. */\n"
		.. '#include "smoke.h"\n' .. table.concat(list, "\n") .. "\n\n"
		.. "static const struct smoke_row smoke_rows[] = {\n" .. table.concat(rows, "\n") .. "\n};\n\n"
		.. "int main(void)\n{\n\treturn smoke_main(smoke_rows, sizeof(smoke_rows) / sizeof(*smoke_rows));\n}\n"
	return { ["smoke.c"] = text }
end
