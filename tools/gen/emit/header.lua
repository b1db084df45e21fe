--[[
header.lua: <module>.h for each module: typed user pointers, their copies, and the prototypes of its handlers.

Each pointer type is declared once even where two of these headers meet, by a guard of its own. Copies return 0 or -EFAULT.
An inout(T) pointer goes to the same copies through as_in_T() and as_out_T().
]]
local ctype = require "tools.gen.ctype"
local types = require "tools.gen.types"

-- Lines that declare one pointer type; %T is the table's type, %C the C type.
local BODY = {
	["in"] = [[
struct uin_%T { uintptr_t addr; };
static inline int copy_in_%T(%C *dst, struct uin_%T src)
{
	return copy_from_user(dst, src.addr, sizeof(%C));
}
static inline int copy_in_%T_at(%C *dst, struct uin_%T src, size_t index)
{
	return copy_from_user(dst, src.addr + index * sizeof(%C), sizeof(%C));
}
static inline int copy_in_%T_array(%C *dst, struct uin_%T src, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, sizeof(%C), &bytes))
		return -EFAULT;
	return copy_from_user(dst, src.addr, bytes);
}]],
	out = [[
struct uout_%T { uintptr_t addr; };
static inline int copy_out_%T(struct uout_%T dst, const %C *src)
{
	return copy_to_user(dst.addr, src, sizeof(%C));
}
static inline int copy_out_%T_at(struct uout_%T dst, size_t index, const %C *src)
{
	return copy_to_user(dst.addr + index * sizeof(%C), src, sizeof(%C));
}
static inline int copy_out_%T_array(struct uout_%T dst, const %C *src, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, sizeof(%C), &bytes))
		return -EFAULT;
	return copy_to_user(dst.addr, src, bytes);
}]],
	inout = [[
struct uinout_%T { uintptr_t addr; };
static inline struct uin_%T as_in_%T(struct uinout_%T p)
{
	return (struct uin_%T){ p.addr };
}
static inline struct uout_%T as_out_%T(struct uinout_%T p)
{
	return (struct uout_%T){ p.addr };
}]],
	addr = "struct uaddr_%T { uintptr_t addr; };",
	ext = [[
struct uext_%T { uintptr_t addr; };
static inline int copy_in_ext_%T(%C *dst, struct uext_%T src, size_t size)
{
	return copy_struct_from_user(dst, sizeof(%C), src.addr, size);
}]],
}

local function emit_type(out, made, kind, name)
	local key = kind .. "_" .. name
	if made[key] then
		return
	end
	made[key] = true
	if kind == "inout" then
		emit_type(out, made, "in", name)
		emit_type(out, made, "out", name)
	end
	local guard = ("GEN_U%s_%s"):format(kind:upper(), name:upper())
	local body = BODY[kind]:gsub("%%T", name):gsub("%%C", (types[name].c:gsub("%%", "%%%%")))
	out[#out + 1] = ("#ifndef %s\n#define %s\n%s\n#endif\n"):format(guard, guard, body)
end

local function module_header(module, rows)
	local headers, list = {}, {}
	for _, row in ipairs(rows) do
		for _, arg in ipairs(row.args) do
			local header = types[arg.type].header
			if header and not headers[header] then
				headers[header] = true
				list[#list + 1] = header
			end
		end
	end
	table.sort(list)
	local out = {
		("/* Generated from syscalls.tbl: the user pointers and handlers of the module %s. */"):format(module.name),
		"#pragma once\n",
		"#include <asm/errno.h>",
	}
	for _, header in ipairs(list) do
		out[#out + 1] = ("#include <%s>"):format(header)
	end
	out[#out + 1] = '\n#include "core/lib/types.h"\n#include "core/mem/uaccess.h"\n\nstruct trap_frame;\n'
	local made = {}
	for _, row in ipairs(rows) do
		for _, arg in ipairs(row.args) do
			if arg.kind ~= "val" and arg.kind ~= "str" then
				emit_type(out, made, arg.kind, arg.type)
			end
		end
	end
	for _, row in ipairs(rows) do
		local suffix = row.flags.noreturn and " __attribute__((noreturn))" or ""
		out[#out + 1] = ctype.prototype(row) .. suffix .. ";"
	end
	return table.concat(out, "\n") .. "\n"
end

return function(context)
	local files = {}
	for _, module in ipairs(context.modules) do
		files[module.name .. ".h"] = module_header(module, context.rows_of[module.name])
	end
	return files
end
