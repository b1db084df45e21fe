-- What happens when nothing can go on: a message, the backtrace of every processor with names, and what panic= asks for.
local process = require "tests.lib.process"

-- Lines of the panic, from its message on.
local function report_of(machine)
	return machine.text:gsub("\r", ""):match("Kernel panic.*") or ""
end

local function check_backtrace(t, name, text, symbols)
	for _, symbol in ipairs(symbols) do
		t.check(text:find(symbol .. "%+0x%x+/0x%x+"), name .. ": the backtrace has " .. symbol, text)
	end
	t.check(text:match("CPU %d+ %b():\n[^\n]*%+0x%x+/0x%x+"), name .. ": the other processor's backtrace", text)
	t.check(not text:match("panic in panic"), name .. ": one panic", text)
end

return function(t)
	local function boot(append, options)
		options = options or {}
		options.direct, options.smp, options.mem, options.append = true, 2, 128, append
		return t.vm.start(options)
	end

	local machine = boot "panic=-1 rdinit=/nonexistent init=/neither"
	t.check(machine:wait(30), "no init: restarts at once", machine:tail(20))
	local text = report_of(machine)
	t.check(text:match("/neither cannot be run"), "no init: says which", text)
	check_backtrace(t, "no init", text, { "linux_start_init", "start_thread" })
	t.check(text:match("linux_start_init[^\n]*%[linux%+0x%x+%]"), "no init: module and offset", text)

	machine = boot "panic=-1 rdinit=/bin/true"
	t.check(machine:wait(30), "init ends: restarts at once", machine:tail(20))
	text = report_of(machine)
	t.check(text:match("init ended"), "init ends: says so", text)
	check_backtrace(t, "init ends", text, { "sys_exit_group", "thread_exit" })

	machine = boot "panic=-1 modules=cred,vfs"
	t.check(machine:wait(30), "no personality: restarts", machine:tail(20))
	t.check(report_of(machine):match("linux is not loaded"), "no personality: says what is missing", report_of(machine))

	machine = boot "panic=1 rdinit=/bin/false"
	local begun = process.now()
	t.check(machine:expect("restart in 1 seconds", 30), "panic=1: announces the restart", machine:tail(20))
	t.check(machine:wait(20), "panic=1: restarts", machine:tail(20))
	t.check(process.now() - begun > 0.5, "panic=1: waits before it")

	machine = boot "rdinit=/bin/false"
	t.check(machine:expect("halted", 30), "without panic=: halts", machine:tail(20))
	t.check(not machine:wait(1), "without panic=: stays")

	machine = boot("panic=-1 rdinit=/bin/true", { reboot = true })
	t.check(machine:expect("Kernel panic", 30) and machine:expect("command line:", 30), "panic=-1: the machine starts again",
		machine:tail(20))
	machine:kill()

	machine = boot "panic=-1 debugexit=1 rdinit=/bin/true"
	local status = machine:wait(30)
	t.check(status and status.code == 3, "debugexit=1: a panic is a failure to the emulator", machine:tail(20))
end
