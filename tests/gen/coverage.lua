-- coverage.lua: what the heads of the guest tests say is read right and is true, and every served call has both kinds of test.
local coverage = require "tools.gen.coverage"
local fs = require "tools.lib.fs"
local main = require "tools.gen.main"

local TINY = { arch = "x86_64", table = "tests/gen/tiny/syscalls.tbl", modules = "tests/gen/tiny/modules", abi_hash = "0", tests = "tests/gen/tiny" }

local function heads(t)
	local tests = coverage.tests("tests/gen/tiny")
	t.equal(table.concat(tests.calls.futex, " "), "first second", "two tests of one call")
	t.equal(table.concat(tests.calls.writev, " "), "first", "a second line adds")
	t.equal(table.concat(tests.errors.futex, " "), "first", "errors are apart")
	t.check(not tests.errors.writev, "no error test")
	local proof = coverage.proof(main.context(TINY).rows, tests)
	t.equal(("%d %d %d"):format(proof.served, proof.calls, proof.errors), "9 3 1", "sums")
	t.equal(#proof.lacking, 6 + 8, "what lacks a test is listed")
	t.check(table.concat(proof.lacking, "\n"):find("writev (futex): no test under `errors:`", 1, true), "and named with its module")
end

local function claims(t)
	local rows = main.context(TINY).rows
	local directory = t.options.scratch .. "/claims"
	local function problems(text)
		fs.mkdir(directory)
		fs.write(directory .. "/a.c", text)
		return table.concat(coverage.false_claims(rows, directory), "\n")
	end
	t.equal(problems("// calls: futex clone3 writev\nSYS_futex; clone(); writev();\n"), "", "calls that the program names")
	t.check(problems("// calls: futx\nfutx\n"):find("calls: futx is not a served call", 1, true), "an unknown call")
	t.check(problems("// errors: sched_yield\nsched_yield();\n"):find("sched_yield is not a served call", 1, true), "a refused call")
	t.check(problems("// errors: futex\n"):find("errors: futex is not named by the program", 1, true), "a call that the program lacks")
end

local function tree(t)
	local rows = main.context { arch = t.options.arch, abi_hash = "0" }.rows

	t.equal(table.concat(coverage.false_claims(rows, "tests/guest"), "\n"), "", "the heads of tests/guest are true")
	t.equal(table.concat(coverage.proof(rows, coverage.tests("tests/guest")).lacking, "\n"), "",
		"every served call has a test of its behaviour and one of its errors")
end

return { { "heads", heads }, { "claims", claims }, { "the tree", tree } }
