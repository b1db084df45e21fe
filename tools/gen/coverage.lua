--[[
coverage.lua: how far the table is served, and which guest tests prove it. A test says so in header lines:

	// calls: a b c     whose behaviour it proves
	// errors: a b c    whose refusals it proves (of a call that cannot fail: that it does not)
]]
local fs = require "tools.lib.fs"

local coverage = {}

coverage.KINDS = { "calls", "errors" }

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

-- The tests of a directory: { calls = { call name to list of tests' names }, errors = the same }.
function coverage.tests(directory)
	local tests = {}
	for _, kind in ipairs(coverage.KINDS) do
		tests[kind] = {}
	end
	for _, path in ipairs(fs.find(directory, "-maxdepth 1 -name '*.c'")) do
		local text, name = fs.read(path) or "", path:match("([^/]+)%.c$")
		for _, kind in ipairs(coverage.KINDS) do
			local seen = {}
			for line in text:gmatch("// " .. kind .. ":([^\n]*)") do
				for call in line:gmatch("%S+") do
					if not seen[call] then
						seen[call] = true
						tests[kind][call] = tests[kind][call] or {}
						table.insert(tests[kind][call], name)
					end
				end
			end
		end
	end
	return tests
end

-- Served rows, those with tests of each kind, and what lacks one as "name: no test of its calls|errors".
function coverage.proof(rows, tests)
	local proof = { served = 0, calls = 0, errors = 0, lacking = {} }
	for _, row in ipairs(rows) do
		if row.module then
			proof.served = proof.served + 1
			for _, kind in ipairs(coverage.KINDS) do
				if tests[kind][row.name] then
					proof[kind] = proof[kind] + 1
				else
					proof.lacking[#proof.lacking + 1] = ("%s (%s): no test under `%s:`"):format(row.name, row.module, kind)
				end
			end
		end
	end
	return proof
end

-- What a header line claims wrongly: calls that the table lacks or refuses, and calls that the program never names.
function coverage.false_claims(rows, directory)
	local known, problems = {}, {}
	for _, row in ipairs(rows) do
		known[row.name] = row.module and "served" or "refused"
	end
	for kind, calls in pairs(coverage.tests(directory)) do
		for call, tests in pairs(calls) do
			for _, test in ipairs(tests) do
				local where = ("%s/%s.c: %s: %s"):format(directory, test, kind, call)
				-- The library's name of a call lacks the kernel's prefixes and the numbers of its versions.
				local stem = call:gsub("^rt_", ""):gsub("^new", ""):gsub("%d+$", "")
				local text = (fs.read(("%s/%s.c"):format(directory, test)) or ""):gsub("//[^\n]*", "")
				if known[call] ~= "served" then
					problems[#problems + 1] = where .. " is not a served call"
				elseif not text:find(stem, 1, true) then
					problems[#problems + 1] = where .. " is not named by the program"
				end
			end
		end
	end
	table.sort(problems)
	return problems
end

return coverage
