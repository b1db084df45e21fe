--[[
report.lua: counts results and prints progress; the last line of a run is `N passed, N failed` alone.

A test gets an object `t`: t.check(condition, what), t.equal(got, expected, what), t.fails(function, pattern, what), t.note(text).
Each check counts as one result; an error that escapes from the test counts as one failure. What
failed leaves a log, and the end of the run names it and the command that runs that file alone.
]]
local fs = require "tools.lib.fs"

-- `options`: the run's; `context`: a function that returns what machines said, for logs. Set by
-- the driver.
local report = { passed = 0, failed = 0, failures = {}, options = nil, context = nil }

-- Where the log of a failure lies, nil before the driver has said where the build is.
local function log_path(name)
	local file = name:gsub("\n.*", ""):gsub("[^%w%.=_-]+", "-"):sub(1, 100)
	return report.options and ("%s/failed/%s.log"):format(report.options.dir, file)
end

local function write_log(name, detail)
	local path = log_path(name)
	if not path then
		return
	end
	fs.mkdir(path:match("^(.*)/"))
	local said = report.context and report.context() or ""
	fs.write(path, ("%s\n%s\n%s"):format(name, detail or "", said))
end

-- The words after `lua5.4 build.lua test` that run the file of a failure alone; nil if it names
-- none.
function report.again(name)
	local kind, file, rest = name:match("^(%l+)/([%w_]+)(.*)$")
	if kind == "guest" or kind == "linux" then
		local cpus = rest:match("^%.?%l* smp=(%d+)")
		return ("tests/guest/%s.c%s"):format(file, cpus and " --smp " .. cpus or "")
	elseif kind == "host" then
		return ("tests/host/%s.c"):format(file)
	elseif kind == "matrix" then
		return "matrix " .. fs.quote(rest:match(": (.*)") or "")
	elseif kind then
		return ("tests/%s/%s.lua"):format(kind, file)
	end
end

local function print_failure(name)
	print("  " .. name)
	local words, path, options = report.again(name), log_path(name), report.options
	if path and fs.exists(path) then
		print("      log: " .. path)
	end
	if words and options and (words:match("^matrix ") or fs.exists(words:match("^%S+"))) then
		print(("      again: lua5.4 build.lua test %s --arch %s --config %s"):format(words,
			options.arch, options.config))
	end
end

function report.result(ok, name, detail)
	if ok then
		report.passed = report.passed + 1
	else
		report.failed = report.failed + 1
		report.failures[#report.failures + 1] = name
		write_log(name, detail)
		io.write("not ok: ", name, "\n")
		if detail and detail ~= "" then
			io.write((detail:gsub("\n$", ""):gsub("[^\n]+", "    %0")), "\n")
		end
		io.flush()
	end
	return ok
end

function report.section(name)
	io.write("== ", name, "\n")
	io.flush()
end

function report.note(text)
	io.write("   ", text, "\n")
	io.flush()
end

local function make_test(name)
	local t = { name = name }
	function t.check(condition, what, detail)
		return report.result(condition and true or false, name .. ": " .. what, detail)
	end
	function t.equal(got, expected, what)
		local detail = ("got      %s\nexpected %s"):format(tostring(got), tostring(expected))
		return t.check(got == expected, what, detail)
	end
	-- The function must raise an error whose text has `pattern` (a plain string).
	function t.fails(fn, pattern, what)
		local ok, reason = pcall(fn)
		reason = tostring(reason)
		return t.check(not ok and reason:find(pattern, 1, true), what, ok and "no error" or reason)
	end
	t.note = report.note
	return t
end

-- Runs one function with a fresh test object; prints its line when it is done.
function report.run(name, fn)
	local before, start = report.failed, os.time()
	local count = report.passed + report.failed
	local ok, reason = xpcall(fn, debug.traceback, make_test(name))
	if not ok then
		report.result(false, name, tostring(reason))
	end
	local results = report.passed + report.failed - count
	local seconds = os.time() - start
	io.write(("%s %s (%d checks%s)\n"):format(report.failed == before and "ok " or "BAD", name, results,
		seconds > 2 and (", %d s"):format(seconds) or ""))
	io.flush()
end

-- Counts that another run left in a file, and the names of what failed there, are this run's, too. False if it left none.
function report.join(path)
	local any = false
	for line in io.lines(path) do
		local passed, failed = line:match("^(%d+) (%d+)$")
		if passed then
			report.passed, report.failed = report.passed + tonumber(passed), report.failed + tonumber(failed)
			any = true
		else
			table.insert(report.failures, line)
		end
	end
	return any
end

function report.leave(path)
	local file = assert(io.open(path, "w"))
	file:write(report.passed, " ", report.failed, "\n")
	for _, name in ipairs(report.failures) do
		file:write((name:gsub("\n.*", "")), "\n")
	end
	file:close()
end

function report.finish()
	if report.passed + report.failed == 0 and not (report.options and report.options.may_be_empty) then
		report.result(false, "no test was run")
	end
	if report.failed > 0 then
		print("\nfailed:")
		for _, name in ipairs(report.failures) do
			print_failure(name)
		end
	end
	print(("%d passed, %d failed"):format(report.passed, report.failed))
	return report.failed == 0 and 0 or 1
end

return report
