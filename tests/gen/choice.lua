-- choice.lua: the test driver refuses words that name no tests, instead of running others or none.
local process = require "tests.lib.process"

-- What the driver says to these words, and its exit status.
local function driver(t, ...)
	local words = { "lua5.3", "tests/run.lua", "--arch", t.options.arch, "--config", t.options.config, "--dir", t.options.dir, ... }
	return process.run(words, 60)
end

local function refused(t, says, ...)
	local output, status = driver(t, ...)
	t.check(status == 1 and output:find(says, 1, true) and output:find("0 passed, 1 failed\n", 1, true), says, output)
end

local function wrong_words(t)
	refused(t, "not a kind of tests: gests", "gen", "gests")
	refused(t, "not a test: tests/gen/nothing.lua", "tests/gen/nothing.lua")
	refused(t, "not a test: tests/lib/vm.lua", "tests/lib/vm.lua")
	refused(t, "not a test: tests/guest/runner/init.c", "tests/guest/runner/init.c")
	refused(t, "no test was run", "tests/gen/tiny")
	refused(t, "--part wants a value", "--part")
	refused(t, "--smp wants a number from 1 on, not two", "--smp", "two", "tests/guest/call_listing.c")
	refused(t, "--repeat wants a number from 1 on, not 0", "--repeat", "0", "tests/guest/call_listing.c")
end

local function one_file(t)
	local output, status = driver(t, "tests/gen/process.lua")
	t.check(status == 0 and output:find("gen/process", 1, true) and not output:find("gen/parse", 1, true), "a file alone", output)
end

return { { "wrong words", wrong_words }, { "one file", one_file } }
