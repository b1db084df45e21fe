--[[
run.lua: Linux's self-tests on a port that the conformance kit does not boot. Lua 5.3 with luaposix.

	lua5.3 tools/kselftest/run.lua ARCH BUILD KIT [PATTERN] [SECONDS]
KIT is the kit's directory: its list and its baseline say what is run: what passes on Linux. PATTERN is searched in "group/name". The
tests are cross-built once and kept in the cache as an archive. A guest that hangs or panics is ended, and a new one does the rest.
]]
package.path = "./?.lua;" .. package.path

local fs = require "tools.lib.fs"
local hash = require "tools.lib.hash"
local process = require "tests.lib.process"
local vm = require "tests.lib.vm"
local cpio = require "tools.cpio"

local GROUPS = { "futex_functional", "timers", "rseq", "sigaltstack", "clone3", "pidfd", "capabilities", "membarrier", "prctl", "rlimits",
	"kcmp", "core", "exec", "proc", "size", "sched" }
local PACKAGES = "libcap-dev libcap-ng-dev bash libtinfo6 coreutils"
local LIMIT, BOOT, SLACK = 45, 120, 30
local INTERRUPTED = { [124] = true, [130] = true, [137] = true, [143] = true }

local function must(command, what)
	if not os.execute(command) then
		error(what, 0)
	end
end

-- The archive with the tests, built unless the cache has it for these very scripts.
local function stage(arch)
	local cache = (os.getenv("XDG_CACHE_HOME") or os.getenv("HOME") .. "/.cache") .. "/mortise-conformance"
	local key = hash.text(fs.read("tools/kselftest/stage.sh") .. fs.read("tools/kselftest/guest.sh"))
	local path = ("%s/kselftest-%s-%s.cpio"):format(cache, arch.foreign.debian, key)
	if not fs.exists(path) then
		local foreign = fs.lines("pwd")[1] .. "/build/foreign/" .. arch.foreign.debian
		print("building the self-tests")
		fs.mkdir(cache)
		must(("lua5.4 tools/foreign.lua %s build/foreign/%s %s"):format(arch.foreign.debian, arch.foreign.debian, PACKAGES),
			"packages of the port are missing")
		must(("sh tools/kselftest/stage.sh %s %s %s %s"):format(arch.foreign.debian, arch.prefix, fs.quote(foreign), fs.quote(path)),
			"the self-tests cannot be built")
	end
	return path
end

local function read_list(kit, pattern)
	local wanted, baseline, tests = {}, {}, {}
	for _, group in ipairs(GROUPS) do
		wanted[group] = true
	end
	for line in io.lines(kit .. "/baseline/kselftest.csv") do
		local group, name, class = line:match("^kselftest,([^,]+),([^,]+),[^,]*,([^,]+),")
		if group then
			baseline[group .. "/" .. name] = class
		end
	end
	for line in io.lines(kit .. "/lists/kselftest.list") do
		local group, name, command = line:match("^(%S+) (%S+) (.+)$")
		local full = (group or "") .. "/" .. (name or "")
		if wanted[group] and baseline[full] == "pass" and full:find(pattern) then
			tests[#tests + 1] = { group = group, name = name, command = command }
		end
	end
	return tests
end

local function class_of(status)
	return status == 0 and "pass" or status == 4 and "skip" or INTERRUPTED[status] and "timeout" or status == 126 and "absent"
		or status == 127 and "absent" or "fail"
end

local function settle(test, class, detail)
	test.class = class
	print(("RESULT %s/%s %s%s"):format(test.group, test.name, class, detail and " " .. detail or ""))
	io.flush()
end

-- The last lines that a test printed: they come between its result and the next start, which stays to be read.
local function output_after(machine)
	local from = machine.position
	machine:expect("%f[^\n]%u%u%u%u%u", SLACK, true)
	local text = machine.text:sub(from, machine.position - 1):gsub("\r", "")
	machine.position = from
	local lines = {}
	for line in text:gmatch("[^\n]+") do
		lines[#lines + 1] = line:match("^ | .*")
	end
	return #lines > 0 and "\n" .. table.concat(lines, "\n") or ""
end

-- One boot for the tests from `first` on; the number of the first that it did not settle.
local function boot(tests, first, archive, limit)
	local lines = {}
	for i = first, #tests do
		lines[#lines + 1] = ("%s %s %s\n"):format(tests[i].group, tests[i].name, tests[i].command)
	end
	local path = vm.scratch .. "/list.cpio"
	fs.write(path, cpio.pack {
		cpio.file("list", table.concat(lines)), cpio.file("limit", limit .. "\n"),
	})
	local machine = vm.start { direct = true, smp = 2, mem = 1024, append = "quiet panic=-1 rdinit=/kselftest", initrd = { archive, path } }
	local seconds = BOOT
	for i = first, #tests do
		local test = tests[i]
		local started = machine:expect(("START %s %s\r?\n"):format(test.group, test.name:gsub("%p", "%%%0")), seconds, true)
		local begin = process.now()
		local result = started and machine:expect(("RESULT %s %s %%d+ %%d+ %%d+\r?\n"):format(test.group, test.name:gsub("%p", "%%%0")),
			limit + 3 + SLACK, true)
		if not result then
			if started then
				settle(test, machine.eof and "panic" or "hang", machine:tail(8))
			end
			machine:kill()
			return started and i + 1 or i
		end
		local status, good, bad = result:match(" (%d+) (%d+) (%d+)\r?\n$")
		settle(test, class_of(tonumber(status)), ("(%s) ok %s not-ok %s, %.0f s%s"):format(status, good, bad, process.now() - begin,
			status ~= "0" and output_after(machine) or ""))
		seconds = SLACK
	end
	machine:wait(20)
	return #tests + 1
end

-- A table of the groups and the names of what does not pass; their number. A test that is not there is not the port's.
local function summary(tests)
	local groups, order, others = {}, {}, {}
	local failed = 0
	for _, test in ipairs(tests) do
		local group = groups[test.group]
		if not group then
			group = { run = 0, pass = 0, absent = 0, failed = 0 }
			groups[test.group] = group
			order[#order + 1] = test.group
		end
		local class = test.class == "pass" and "pass" or test.class == "absent" and "absent" or "failed"
		group[class] = group[class] + 1
		group.run = group.run + (class == "absent" and 0 or 1)
		failed = failed + (class == "failed" and 1 or 0)
		if class ~= "pass" then
			others[#others + 1] = ("  %s/%s: %s"):format(test.group, test.name, test.class or "not run")
		end
	end
	print(("\n%-20s %5s %5s %7s %7s"):format("group", "run", "pass", "missing", "absent"))
	for _, name in ipairs(order) do
		local g = groups[name]
		print(("%-20s %5d %5d %7d %7d"):format(name, g.run, g.pass, g.failed, g.absent))
	end
	if #others > 0 then
		print("\npass on Linux (x86_64), not here:\n" .. table.concat(others, "\n"))
	end
	return failed
end

local function main(words)
	local arch = dofile("arch/" .. words[1] .. "/arch.lua")
	local limit = tonumber(words[5]) or LIMIT
	local tests = read_list(words[3], words[4] or "")
	if #tests == 0 then
		error("no test is called " .. words[4], 0)
	end
	vm.build, vm.scratch = { dir = words[2], arch = arch }, process.temporary_directory()
	local archive, next_test, idle = stage(arch), 1, 0
	while next_test <= #tests and idle < 2 do
		local reached = boot(tests, next_test, archive, limit)
		idle = reached == next_test and idle + 1 or 0
		next_test = reached
	end
	local missing = summary(tests)
	if next_test <= #tests then
		error(("two boots in a row ended before a test: %d tests were not run"):format(#tests - next_test + 1), 0)
	end
	return missing == 0 and 0 or 1
end

local ok, result = pcall(main, arg)
process.kill_all()
if vm.scratch then
	os.execute("rm -rf " .. fs.quote(vm.scratch))
end
if not ok then
	io.stderr:write("kselftest: ", tostring(result), "\n")
end
os.exit(ok and result or 2)
