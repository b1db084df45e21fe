--[[
module.lua: <module>_module.c for each module: the wrappers that unpack registers, the bindings, the descriptor that the
loader reads, and the .modinfo strings that the loader and kmod read. Also abi.h, the core's side of the ABI hash.

The ABI hash covers the public headers of the core and of the port, without comments. A module's rows are compiled into the
module alone, so they have a hash of their own (`rows=`), which tells two builds of a module apart and is not compared.
]]
local ctype = require "tools.gen.ctype"
local hash = require "tools.lib.hash"
local types = require "tools.gen.types"

local PARAM_C = { bool = "bool", int = "int", uint = "unsigned int", ulong = "unsigned long", charp = "const char *" }

local function sorted_pairs(map)
	local keys = {}
	for key in pairs(map or {}) do
		keys[#keys + 1] = key
	end
	table.sort(keys)
	local i = 0
	return function()
		i = i + 1
		return keys[i], keys[i] and map[keys[i]]
	end
end

local function emit_wrappers(out, rows, port)
	for _, row in ipairs(rows) do
		local values = {}
		if row.flags.frame then
			values[1] = "frame"
		end
		for i, arg in ipairs(row.args) do
			local register = ("arch_syscall_arg(frame, %d)"):format(i - 1)
			if arg.kind == "val" then
				values[#values + 1] = ("(%s)%s"):format(types[arg.type].c, register)
			else
				values[#values + 1] = ("(%s){ %s }"):format(ctype.of(arg), register)
			end
		end
		out[#out + 1] = ("static long call_%s(struct trap_frame *frame)\n{"):format(row.name)
		if #values == 0 then
			out[#out + 1] = "\t(void)frame;"
		end
		out[#out + 1] = ("\treturn sys_%s(%s);\n}\n"):format(row.name, table.concat(values, ",\n\t\t"))
	end
	if #rows > 0 then
		out[#out + 1] = "static const struct syscall_binding bindings[] = {"
		for _, row in ipairs(rows) do
			out[#out + 1] = ("\t{ %d, call_%s },"):format(row.nr[port], row.name)
		end
		out[#out + 1] = "};\n"
	end
end

local function emit_params(out, module)
	if #module.params == 0 then
		return
	end
	for _, param in ipairs(module.params) do
		local c = PARAM_C[param.type]
		if param.array then
			out[#out + 1] = ("extern %s %s[%d];\nextern unsigned int %s_count;"):format(c, param.variable, param.max,
				param.variable)
		else
			out[#out + 1] = ("extern %s %s;"):format(c, param.variable)
		end
	end
	out[#out + 1] = "static const struct module_param params[] = {"
	for _, param in ipairs(module.params) do
		out[#out + 1] = ("\t{ %s, PARAM_%s, 0%o, %d, %s%s, %s },"):format(ctype.string(param.name), param.type:upper(),
			param.mode, param.max, param.array and "" or "&", param.variable,
			param.array and "&" .. param.variable .. "_count" or "0")
	end
	out[#out + 1] = "};\n"
end

-- Hooks and services: declared with the type of the field, so that a function that does not fit is a compile error.
local function emit_table(out, map, struct, name, form)
	if not next(map or {}) then
		return
	end
	for field, symbol in sorted_pairs(map) do
		out[#out + 1] = ("extern %s__typeof__(*((struct %s *)0)->%s) %s;"):format(form.qualifier, struct, field, symbol)
	end
	out[#out + 1] = ("static const struct %s %s = {"):format(struct, name)
	for field, symbol in sorted_pairs(map) do
		out[#out + 1] = ("\t.%s = %s%s,"):format(field, form.prefix, symbol)
	end
	out[#out + 1] = "};\n"
end

local function emit_data(out, module)
	if not next(module.data or {}) then
		return
	end
	for _, variable in sorted_pairs(module.data) do
		out[#out + 1] = ("extern int %s;"):format(variable)
	end
	out[#out + 1] = "static const struct module_data_slot data_slots[] = {"
	for kind, variable in sorted_pairs(module.data) do
		out[#out + 1] = ("\t{ DATA_%s, &%s },"):format(kind:upper(), variable)
	end
	out[#out + 1] = "};\n"
end

local function emit_descriptor(out, module, rows)
	if module.init then
		out[#out + 1] = ("int %s(void);"):format(module.init)
	end
	if module.fini then
		out[#out + 1] = ("void %s(void);"):format(module.fini)
	end
	if module.state.export then
		out[#out + 1] = ("void %s(struct module_blob *out);\nint %s(struct module_blob *io);")
			:format(module.state.export, module.state.import)
	end
	if module.drop then
		out[#out + 1] = ("void %s(struct thread *t);"):format(module.drop)
	end
	if module.busy then
		out[#out + 1] = ("bool %s(void);"):format(module.busy)
	end
	local function field(name, value)
		out[#out + 1] = ("\t.%s = %s,"):format(name, value)
	end
	local function array(name, count, present)
		if present then
			field(name, name == "syscalls" and "bindings" or name)
			field(count, ("sizeof(%s) / sizeof(*%s)"):format(name == "syscalls" and "bindings" or name,
				name == "syscalls" and "bindings" or name))
		end
	end
	out[#out + 1] = "const struct module_descriptor module_descriptor"
		.. '\n\t__attribute__((section(".mortise.module"), used)) = {'
	field("name", ctype.string(module.name))
	if module.init then
		field("init", module.init)
	end
	if module.fini then
		field("fini", module.fini)
	end
	array("syscalls", "syscall_count", #rows > 0)
	array("data_slots", "data_slot_count", next(module.data or {}))
	array("params", "param_count", #module.params > 0)
	if next(module.hooks or {}) then
		field("hooks", "&hooks")
	end
	if next(module.services or {}) then
		field("services", "&services")
	end
	field("replace", "REPLACE_" .. module.replace:upper())
	if module.state.version then
		field("state_version", module.state.version)
	end
	if module.state.export then
		field("state_export", module.state.export)
		field("state_import", module.state.import)
	end
	if module.drop then
		field("drop", module.drop)
	end
	if module.busy then
		field("busy", module.busy)
	end
	out[#out + 1] = "};\n"
end

local function rows_hash(rows)
	local text = {}
	for _, row in ipairs(rows) do
		local args = {}
		for i, arg in ipairs(row.args) do
			args[i] = ("%s:%s:%s:%s"):format(arg.name, arg.kind, arg.type, arg.count or arg.size or "")
		end
		text[#text + 1] = ("%s %s %s %s %s"):format(row.nr.x86_64 or "-", row.nr.aarch64 or "-", row.name,
			table.concat(row.flag_list, ","), table.concat(args, " "))
	end
	return hash.text(table.concat(text, "\n"))
end

local function emit_modinfo(out, context, module, rows)
	local number = 0
	local function info(key, value)
		number = number + 1
		out[#out + 1] = ("static const char modinfo_%d[] __attribute__((section(\".modinfo\"), used, aligned(1))) =\n\t%s;")
			:format(number, ctype.string(key .. "=" .. value))
	end
	info("name", module.name)
	info("description", module.summary)
	info("license", "Dual BSD/GPL")
	info("vermagic", context.release .. " " .. context.port)
	info("depends", table.concat(module.needs, ","))
	info("abi", context.abi_hash)
	info("rows", rows_hash(rows))
	info("replace", module.replace)
	for _, row in ipairs(rows) do
		info("alias", "syscall:" .. row.nr[context.port])
	end
	for _, alias in ipairs(module.aliases) do
		info("alias", alias)
	end
	for _, param in ipairs(module.params) do
		info("parmtype", param.name .. ":" .. (param.array and "array of " or "") .. param.type)
		if param.summary then
			info("parm", param.name .. ":" .. param.summary)
		end
	end
end

local function module_source(context, module)
	local rows = {}
	for _, row in ipairs(context.rows_of[module.name]) do
		if row.nr[context.port] then
			rows[#rows + 1] = row
		end
	end
	local out = {
		("/* Generated from syscalls.tbl and modules/%s/module.lua: how the loader binds the module. */")
			:format(module.name),
		"#include <gen/" .. module.name .. ".h>\n",
		'#include "core/arch/trap.h"',
		'#include "core/module/descriptor.h"',
		'#include "core/module/hooks.h"',
		'#include "core/module/services.h"\n',
	}
	emit_wrappers(out, rows, context.port)
	emit_params(out, module)
	emit_data(out, module)
	emit_table(out, module.hooks, "module_hooks", "hooks", { qualifier = "", prefix = "" })
	emit_table(out, module.services, "module_services", "services", { qualifier = "const ", prefix = "&" })
	emit_descriptor(out, module, rows)
	emit_modinfo(out, context, module, rows)
	return table.concat(out, "\n") .. "\n"
end

return function(context)
	local files = {
		["abi.h"] = ("/* Generated: the hash of the public headers, which every module carries. */\n"
			.. "#pragma once\n#define ABI_HASH_STRING %s\n"):format(ctype.string(context.abi_hash)),
	}
	for _, module in ipairs(context.modules) do
		files[module.name .. "_module.c"] = module_source(context, module)
	end
	return files
end
