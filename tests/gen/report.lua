-- report.lua: what failed names the command that runs it alone, with the options that it failed
-- under.
local process = require "tests.lib.process"
local report = require "tests.lib.report"

local function again(t)
	local cases = {
		["guest/leader_threads.musl smp=4: rounds"] = "tests/guest/leader_threads.c --smp 4",
		["linux/leader_threads.gcc: ends"] = "tests/guest/leader_threads.c",
		["host/slab: compiles"] = "tests/host/slab.c",
		["boot/screen: there is a picture"] = "tests/boot/screen.lua",
		["gen/parse: refusals: x"] = "tests/gen/parse.lua",
	}
	for name, words in pairs(cases) do
		t.equal(report.again(name), words, name)
	end
	t.equal(report.again("guest smp=2: switches off"), nil, "a failure of no file")
end

-- A run with a test that fails: a file that is no test of its own, by a driver that reads it.
local function failing(t)
	local script = [[
		package.path = "./?.lua;" .. package.path
		local report = require "tests.lib.report"
		report.options = { arch = "x86_64", config = "debug", dir = arg[1] }
		report.context = function() return "what the machine said" end
		report.result(false, "boot/screen: there is a picture", "none")
		os.exit(report.finish())
	]]
	local path = t.options.scratch .. "/failing.lua"
	local file = assert(io.open(path, "w"))
	file:write(script)
	file:close()
	local output, status = process.run({ "lua5.3", path, t.options.scratch }, 60)
	t.equal(status, 1, "it fails")
	local log = output:match("\n      log: (%S+)\n")
	t.check(log, "the log is named", output)
	local command = "again: lua5.4 build.lua test tests/boot/screen.lua --arch x86_64 --config debug\n"
	t.check(output:find(command, 1, true), "and the command", output)
	t.check(output:find("\n0 passed, 1 failed\n$"), "the last line is the sum", output)
	local text = log and io.open(log):read("a") or ""
	t.check(text:find("what the machine said", 1, true), "the log has it", text)
end

return { { "the command", again }, { "a run", failing } }
