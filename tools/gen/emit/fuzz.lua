--[[
fuzz.lua: the fuzzer's grammar, as data (fuzz_grammar.h: an array that a C fuzzer includes) and as syzlang (syscalls.syz.txt).
Refused rows are left out.
]]
local ctype = require "tools.gen.ctype"
local types = require "tools.gen.types"

local SYZ_INTEGER = {
	u8 = "int8", u32 = "int32", u64 = "int64", i32 = "int32", i64 = "int64", usize = "intptr", isize = "intptr",
	word = "intptr", fd = "fd", pid = "pid", uid = "uid", gid = "gid", mode = "int32", off = "fileoff", clockid = "int32",
	timer_id = "int32", sigset = "int64",
}

local function syz_type(arg, counted)
	if arg.kind == "val" then
		if counted[arg.name] then
			return ("%s[%s]"):format(counted[arg.name].bytes and "bytesize" or "len", counted[arg.name].name)
		end
		return SYZ_INTEGER[arg.type]
	elseif arg.kind == "str" then
		return "ptr[in, string]"
	elseif arg.kind == "addr" then
		return "vma"
	end
	local direction = arg.kind == "ext" and "inout" or arg.kind
	local element = SYZ_INTEGER[arg.type] or arg.type
	if arg.count then
		element = ("array[%s]"):format(element)
	end
	return ("ptr[%s, %s%s]"):format(direction, element, arg.optional and ", opt" or "")
end

local function syz_line(row)
	local counted, args = {}, {}
	for _, arg in ipairs(row.args) do
		local length = arg.count or arg.size
		if length then
			counted[length] = { name = arg.name, bytes = arg.kind == "ext" }
		end
	end
	for i, arg in ipairs(row.args) do
		args[i] = arg.name .. " " .. syz_type(arg, counted)
	end
	return ("%s(%s)"):format(row.name, table.concat(args, ", "))
end

local function grammar_line(row, port)
	local args = {}
	for i, arg in ipairs(row.args) do
		local length = -1
		for j, other in ipairs(row.args) do
			if other.name == (arg.count or arg.size) then
				length = j - 1
			end
		end
		args[i] = ("{ FUZZ_%s, %s, sizeof(%s), %d, %d }"):format(arg.kind:upper(), ctype.string(arg.type),
			types[arg.type].c, arg.optional and 1 or 0, length)
	end
	return ("\t{ %d, %s, %d, { %s } },"):format(row.nr[port], ctype.string(row.name), #row.args,
		#args > 0 and table.concat(args, ", ") or "{ FUZZ_VAL, 0, 0, 0, -1 }")
end

return function(context)
	local syz, data, headers, list = { "# Generated from syscalls.tbl.", "" }, {}, {}, {}
	for _, row in ipairs(context.rows) do
		if row.module then
			syz[#syz + 1] = syz_line(row)
			if row.nr[context.port] then
				data[#data + 1] = grammar_line(row, context.port)
				for _, arg in ipairs(row.args) do
					local header = types[arg.type].header
					if header and not headers[header] then
						headers[header] = true
						list[#list + 1] = "#include <" .. header .. ">"
					end
				end
			end
		end
	end
	table.sort(list)
	local text = "/* Generated from syscalls.tbl: what the fuzzer knows of each served call. */\n#pragma once\n\n"
		.. "#include <stddef.h>\n#include <stdint.h>\n" .. table.concat(list, "\n") .. "\n\n"
		.. "enum fuzz_kind { FUZZ_VAL, FUZZ_STR, FUZZ_IN, FUZZ_OUT, FUZZ_INOUT, FUZZ_EXT, FUZZ_ADDR };\n"
		.. "struct fuzz_arg { enum fuzz_kind kind; const char *type; size_t size; int optional; int length; };\n"
		.. "struct fuzz_call { int number; const char *name; int args; struct fuzz_arg arg[6]; };\n\n"
		.. "static const struct fuzz_call fuzz_calls[] = {\n" .. table.concat(data, "\n") .. "\n};\n"
	return { ["fuzz_grammar.h"] = text, ["syscalls.syz.txt"] = table.concat(syz, "\n") .. "\n" }
end
