--[[
ctype.lua: how arguments look in C. A pointer argument is a struct around a number, one struct a direction and type, so
that copying the wrong way does not compile:
	in(T) struct uin_T   out(T) struct uout_T   inout(T) struct uinout_T   addr(T) struct uaddr_T   ext(T,n) struct uext_T   str struct ustr
]]
local types = require "tools.gen.types"

local ctype = {}

function ctype.of(arg)
	if arg.kind == "val" then
		return types[arg.type].c
	elseif arg.kind == "str" then
		return "struct ustr"
	end
	return ("struct u%s_%s"):format(arg.kind, arg.type)
end

-- `long sys_name(...)`, without a semicolon.
function ctype.prototype(row)
	local params = {}
	if row.flags.frame then
		params[1] = "struct trap_frame *frame"
	end
	for _, arg in ipairs(row.args) do
		params[#params + 1] = ctype.of(arg) .. " " .. arg.name
	end
	return ("long sys_%s(%s)"):format(row.name, #params > 0 and table.concat(params, ", ") or "void")
end

-- A C string literal.
function ctype.string(text)
	return '"' .. text:gsub('[\\"]', "\\%0"):gsub("\n", "\\n") .. '"'
end

-- The SYSCALL_* constants of a row.
function ctype.flags(row)
	local list = {}
	for _, flag in ipairs(row.flag_list) do
		list[#list + 1] = "SYSCALL_" .. flag:upper()
	end
	return #list > 0 and table.concat(list, " | ") or "0"
end

return ctype
