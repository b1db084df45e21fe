--[[
guest.lua: user programs as tests of the kernel: each is built with both C libraries (programs.lua), packed into an archive, run on the
kernel with 1 and 4 processors, and run on the build machine's Linux, whose answers must pass too.

tests/guest/X.c, one behaviour a file; header lines:
	// arch: aarch64            only there
	// linux: no (reason)       not run on the build machine
	// flags: -pthread          for the compiler
	// libc: gcc                only this one (musl or gcc)
	// timeout: 20              seconds that it may take (default 30; pace.lua says whose)
	// calls: futex clone       calls whose behaviour it proves, for the coverage page
	// errors: futex            calls whose refusals it proves
]]
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local programs_of = require "tests.lib.programs"
local report = require "tests.lib.report"
local tap = require "tests.lib.tap"
local vm = require "tests.lib.vm"

local guest = {}

local CPUS = { 1, 4 }
local RESTARTS = 4

local function pack(options, programs)
	local tree = options.scratch .. "/guest"
	fs.mkdir(tree .. "/tests")
	local init = { path = options.dir .. "/guest/runner-init", source = "tests/guest/runner/init.c", compiler = vm.build.arch.test_cc.musl, flags = "" }
	local refused = programs_of.make(options.dir .. "/guest", "runner", { init })[init.path]
	if refused then
		error("the runner does not compile: " .. refused, 0)
	end
	os.execute(("cp %s/guest/runner-init %s/tests/init"):format(options.dir, tree))
	local list = {}
	for i, program in ipairs(programs) do
		os.execute(("cp %s %s/tests/"):format(fs.quote(program.path), fs.quote(tree)))
		list[i] = program.name .. " " .. program.seconds
	end
	fs.write(tree .. "/tests/list", table.concat(list, "\n") .. "\n")
	local archive = options.scratch .. "/guest.cpio"
	assert(os.execute(("lua5.4 tools/initrd.lua tree %s %s"):format(archive, tree)))
	return archive
end

-- What a program that did not end said: how it began, and the last of it, where a panic shows every processor.
local function excerpt(text)
	if #text <= 24000 then return text end
	return text:sub(1, 8000) .. "\n[...]\n" .. text:sub(-16000)
end

-- What the runner says when the program has ended, by itself or because it had its seconds; nil if
-- the machine says nothing.
local function await_end(machine, program)
	local what = "@@ end " .. program.name .. " %a+ ?%d*%s*\n"
	local ending = machine:expect(what, program.seconds, true)
	if not ending and not machine.eof then
		machine:send("stop " .. program.name .. "\n")
		ending = machine:expect(what, 30, true)
	end
	return ending
end

-- Runs programs from `first` on in one machine; returns the number of the next one to run (past the end: all done).
local function boot_from(options, programs, archive, cpus, first)
	local machine = vm.start {
		direct = true, smp = cpus, mem = 512, initrd = { archive },
		-- What programs make the kernel complain of would stand in the middle of lines that are still on their way.
		append = "rdinit=/tests/init panic=-1 loglevel=3 start=" .. first,
	}
	local number = first
	while number <= #programs do
		local program = programs[number]
		local name = ("guest/%s smp=%d"):format(program.name, cpus)
		local begun = machine:expect("@@ run " .. program.name, number == first and 120 or 30)
		local from = machine.position
		local ending = begun and await_end(machine, program)
		if not ending then
			report.result(false, name .. (begun and ": ends" or ": starts"), begun and excerpt(machine.text:sub(from)) or machine:tail(60))
			machine:kill()
			return number + 1
		end
		local kind, code = ending:match(" (%a+) ?(%d*)%s*$")
		tap.judge(name, machine.text:sub(from, machine.position), kind, tonumber(code) or -1)
		number = number + 1
	end
	local ended = machine:wait(30)
	report.result(ended, ("guest smp=%d: switches off"):format(cpus), machine:tail(10))
	return number
end

local function run_native(programs)
	for _, program in ipairs(programs) do
		if program.native then
			local scratch = process.temporary_directory()
			local text, code = process.run({ fs.lines("readlink -f " .. fs.quote(program.path))[1] }, program.seconds,
				{ directory = scratch })
			tap.judge("linux/" .. program.name, text, code and "exited" or "killed", code or 0)
			os.execute("rm -rf " .. fs.quote(scratch))
		end
	end
end

local function run_guest(options, programs, cpu_counts)
	if #programs == 0 then
		return
	end
	local archive = pack(options, programs)
	for _, cpus in ipairs(cpu_counts) do
		local number, boots = 1, 0
		while number <= #programs and boots <= RESTARTS do
			vm.forget()
			number = boot_from(options, programs, archive, cpus, number)
			boots = boots + 1
		end
		if number <= #programs then
			report.result(false, ("guest smp=%d: %d programs not reached after %d boots"):format(cpus, #programs - number + 1, boots))
		end
		report.note(("%d programs on %d processors, %d boots"):format(#programs, cpus, boots))
	end
end

local function number_option(options, name)
	local number = math.tointeger(tonumber(options[name]))
	if options[name] and not (number and number > 0) then
		error(("--%s wants a number from 1 on, not %s"):format(name, options[name]), 0)
	end
	return number
end

function guest.build(options, files)
	return programs_of.guest(options.dir .. "/guest", files)
end

-- On the kernel. With --smp N: on N processors only. With --repeat N: N times on four processors or so many, each time in a new machine.
function guest.run(options, files)
	local rounds, cpus = number_option(options, "repeat"), number_option(options, "smp")
	local programs = guest.build(options, files)
	if not rounds then
		run_guest(options, programs, cpus and { cpus } or CPUS)
		return
	end
	for round = 1, rounds do
		report.note(("round %d of %d"):format(round, rounds))
		run_guest(options, programs, { cpus or 4 })
	end
end

-- On the build machine's Linux, if it is one of this port.
function guest.linux(options, files)
	if not vm.build.arch.native then
		report.note("not the build machine's port")
		return
	end
	run_native(guest.build(options, files))
end

-- The generated smoke test of every row.
function guest.smoke(options)
	local directory = options.dir .. "/guest"
	local smoke = { name = "smoke", path = directory .. "/smoke", source = options.dir .. "/gen/smoke.c", seconds = 60, native = true,
		compiler = vm.build.arch.test_cc.gcc, flags = "" }
	local refused = programs_of.make(directory, "smoke-test", { smoke })[smoke.path]
	if refused then
		report.result(false, "smoke: compiles", refused)
		return
	end
	if vm.build.arch.native then
		run_native { smoke }
	end
	run_guest(options, { smoke }, { 2 })
end

return guest
