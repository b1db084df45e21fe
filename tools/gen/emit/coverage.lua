-- coverage.lua: syscalls.md, the coverage page: every call by module and number, both ports, and its tests.
local coverage = require "tools.gen.coverage"

return function(context)
	local counts, order = coverage.count(context.rows)
	local tests = coverage.tests(context.tests)
	local out = {
		"# System calls", "",
		"Generated from syscalls.tbl. *served*: complete; *partial*: with a gap that CAVEATS.md names; *refused*: ENOSYS.", "",
		"| module | served | partial | refused |", "|---|---:|---:|---:|",
	}
	for _, name in ipairs(order) do
		local c = counts[name]
		out[#out + 1] = ("| %s | %d | %d | %d |"):format(name, c.served, c.partial, c.refused)
	end
	for _, name in ipairs(order) do
		out[#out + 1] = ("\n## %s\n"):format(name == "-" and "refused" or name)
		out[#out + 1] = "| x86_64 | aarch64 | call | state | tests |\n|---:|---:|---|---|---:|"
		for _, row in ipairs(context.rows) do
			if (row.module or "-") == name then
				out[#out + 1] = ("| %s | %s | %s | %s | %d |"):format(row.nr.x86_64 or "", row.nr.aarch64 or "", row.name,
					row.reason or coverage.state(row), tests[row.name] or 0)
			end
		end
	end
	return { ["syscalls.md"] = table.concat(out, "\n") .. "\n" }
end
