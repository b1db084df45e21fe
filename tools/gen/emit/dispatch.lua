-- dispatch.lua: dispatch.c, what the core knows of each number of one port: name, owner, flags.
local ctype = require "tools.gen.ctype"

return function(context)
	local out = {
		"/* Generated from syscalls.tbl. The calls of " .. context.port .. " by number: name, owner, flags. */",
		'#include "core/trap/syscall.h"',
		"",
		"const struct syscall_info syscall_info[SYSCALL_TABLE_SIZE] = {",
	}
	local rows = {}
	for _, row in ipairs(context.rows) do
		if row.nr[context.port] then
			rows[#rows + 1] = row
		end
	end
	table.sort(rows, function(a, b) return a.nr[context.port] < b.nr[context.port] end)
	for _, row in ipairs(rows) do
		out[#out + 1] = ("\t[%d] = { %s, %s, %s },"):format(row.nr[context.port], ctype.string(row.name),
			row.module and ctype.string(row.module) or "0", ctype.flags(row))
	end
	out[#out + 1] = "};\n"
	return { ["dispatch.c"] = table.concat(out, "\n") }
end
