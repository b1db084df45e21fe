-- coverage.lua: how far the table is served: counts by module, and the tests that mention each call.
local fs = require "tools.lib.fs"

local coverage = {}

function coverage.state(row)
	if not row.module then
		return "refused"
	end
	return row.flags.partial and "partial" or "served"
end

-- Module to counts, in the table's order of first appearance; refused rows stand under "-".
function coverage.count(rows)
	local counts, order = {}, {}
	for _, row in ipairs(rows) do
		local name = row.module or "-"
		if not counts[name] then
			counts[name] = { served = 0, partial = 0, refused = 0 }
			order[#order + 1] = name
		end
		local state = coverage.state(row)
		counts[name][state] = counts[name][state] + 1
	end
	return counts, order
end

-- Call name to the number of guest test files that name it in a comment line `// calls: a b c`.
function coverage.tests(directory)
	local tests = {}
	for _, path in ipairs(fs.find(directory, "-name '*.c'")) do
		for line in (fs.read(path) or ""):gmatch("// calls:([^\n]*)") do
			for name in line:gmatch("%S+") do
				tests[name] = (tests[name] or 0) + 1
			end
		end
	end
	return tests
end

return coverage
