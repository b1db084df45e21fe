--[[
trace.lua: trace_formats.h and trace_formats.c, the names and argument formats of the port's calls for the tracer.
An argument is `name:kind:type[:length argument's index]`, as data: the tracer prints what it knows and hexadecimal otherwise.
]]
local ctype = require "tools.gen.ctype"

local HEADER = [[
/* Generated from syscalls.tbl: names and argument formats of the system calls. */
#pragma once

enum trace_kind { TRACE_VAL, TRACE_STR, TRACE_IN, TRACE_OUT, TRACE_INOUT, TRACE_EXT, TRACE_ADDR };

struct trace_arg {
	const char *name;
	enum trace_kind kind;
	const char *type;
	int length;		/* index of the argument that counts the elements or bytes, or -1 */
};

struct trace_format {
	const char *name;
	unsigned int args;
	struct trace_arg arg[6];
};

extern const struct trace_format trace_formats[1024];
]]

local function argument(row, arg)
	local length = -1
	for i, other in ipairs(row.args) do
		if other.name == (arg.count or arg.size) then
			length = i - 1
		end
	end
	return ("{ %s, TRACE_%s, %s, %d }"):format(ctype.string(arg.name), arg.kind:upper(), ctype.string(arg.type), length)
end

return function(context)
	local out = {
		"/* Generated from syscalls.tbl: what the tracer prints for each number of " .. context.port .. ". */",
		"#include <gen/trace_formats.h>",
		"",
		"const struct trace_format trace_formats[1024] = {",
	}
	for _, row in ipairs(context.rows) do
		local number = row.nr[context.port]
		if number then
			local args = {}
			for i, arg in ipairs(row.args) do
				args[i] = "\t\t" .. argument(row, arg) .. ","
			end
			out[#out + 1] = ("\t[%d] = { %s, %d, {"):format(number, ctype.string(row.name), #row.args)
			out[#out + 1] = #args > 0 and table.concat(args, "\n") .. "\n\t} }," or "\t\t{ 0, TRACE_VAL, 0, -1 },\n\t} },"
		end
	end
	out[#out + 1] = "};\n"
	return { ["trace_formats.h"] = HEADER, ["trace_formats.c"] = table.concat(out, "\n") }
end
