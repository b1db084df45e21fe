-- beside.lua: what a process beside finds is counted, and shown, as if the run had found it itself; one that says nothing is a failure.
local process = require "tests.lib.process"

local SCRIPT = [[
package.path = "./?.lua;" .. package.path
local beside, report = require "tests.lib.beside", require "tests.lib.report"
beside.start({ scratch = %q, arch = %q, config = %q, dir = %q }, %q)
report.result(true, "meanwhile")
%s
beside.finish()
os.exit(report.finish())
]]

local function beside(t, what, meanwhile)
	local scratch = process.temporary_directory()
	local script = SCRIPT:format(scratch, t.options.arch, t.options.config, t.options.dir, what, (meanwhile or ""):format(scratch))
	local output, status = process.run({ "lua5.3", "-e", script }, 60)
	os.execute("rm -rf " .. scratch)
	return output, status
end

local function counted(t)
	local output, status = beside(t, "tests/gen/archive.lua")
	local shown = 0
	for count in output:gmatch("ok  gen/archive: [^\n]*%((%d+) checks") do
		shown = shown + tonumber(count)
	end
	t.check(shown > 0 and output:find(("\n%d passed, 0 failed\n"):format(shown + 1), 1, true) and status == 0, "its results", output)
	t.check(select(2, output:gsub("passed", "")) == 1, "one line of totals", output)
end

local function failures(t)
	local output, status = beside(t, "gests")
	t.check(status == 1 and output:find("not a kind of tests: gests", 1, true) and output:find("\n1 passed, ", 1, true), "refused words", output)
	output, status = beside(t, "tests/gen/archive.lua", [[os.execute("ln -sf /dev/null %s/beside")]])
	t.check(status == 1 and output:find("ends, and says what it found", 1, true), "a process without results", output)
end

return { { "results", counted }, { "failures", failures } }
