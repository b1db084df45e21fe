-- coverage.lua: syscalls.md, the coverage page: every call by module and number, both ports, and its tests.
local coverage = require "tools.gen.coverage"

-- The first test's name, and how many more there are.
local function names(list)
	if not list then
		return ""
	end
	return #list == 1 and list[1] or ("%s, %d more"):format(list[1], #list - 1)
end

return function(context)
	local counts, order = coverage.count(context.rows)
	local tests = coverage.tests(context.tests)
	local proof = coverage.proof(context.rows, tests)
	local out = {
		"# System calls", "",
		"Generated from syscalls.tbl. *served*: complete; *partial*: with a gap that CAVEATS.md names; *refused*: ENOSYS.",
		"Tests are those of tests/guest that say so in their head: of what the call does, and of what it refuses.", "",
		("%d served, %d with tests of their behaviour, %d with tests of their errors."):format(proof.served, proof.calls, proof.errors), "",
		"| module | served | partial | refused |", "|---|---:|---:|---:|",
	}
	for _, name in ipairs(order) do
		local c = counts[name]
		out[#out + 1] = ("| %s | %d | %d | %d |"):format(name, c.served, c.partial, c.refused)
	end
	for _, name in ipairs(order) do
		out[#out + 1] = ("\n## %s\n"):format(name == "-" and "refused" or name)
		out[#out + 1] = "| x86_64 | aarch64 | call | state | behaviour | errors |\n|---:|---:|---|---|---|---|"
		for _, row in ipairs(context.rows) do
			if (row.module or "-") == name then
				out[#out + 1] = ("| %s | %s | %s | %s | %s | %s |"):format(row.nr.x86_64 or "", row.nr.aarch64 or "", row.name,
					row.reason or coverage.state(row), names(tests.calls[row.name]), names(tests.errors[row.name]))
			end
		end
	end
	return { ["syscalls.md"] = table.concat(out, "\n") .. "\n" }
end
