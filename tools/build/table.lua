-- table.lua: the verb `table`: what syscalls.tbl serves, by module.
local coverage = require "tools.gen.coverage"
local main = require "tools.gen.main"

local summary = {}

function summary.table(options)
	local context = main.context { arch = options.arch, abi_hash = "0" }
	local counts, order = coverage.count(context.rows)
	local total = { served = 0, partial = 0, refused = 0 }
	print(("%-14s %7s %8s %8s"):format("module", "served", "partial", "refused"))
	for _, name in ipairs(order) do
		local c = counts[name]
		print(("%-14s %7d %8d %8d"):format(name, c.served, c.partial, c.refused))
		for state, n in pairs(c) do
			total[state] = total[state] + n
		end
	end
	print(("%-14s %7d %8d %8d"):format("all", total.served, total.partial, total.refused))
	local proof = coverage.proof(context.rows, coverage.tests(context.tests))
	print(("\n%d served, %d with behaviour tests, %d with error tests"):format(proof.served, proof.calls, proof.errors))
	for _, lack in ipairs(proof.lacking) do
		print("  " .. lack)
	end
	print("\nby module and number, both ports: build/" .. options.arch .. "/gen/syscalls.md")
	return 0
end

return summary
