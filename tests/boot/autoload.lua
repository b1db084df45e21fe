-- Modules that the boot list leaves out come with the first call that they serve, as the boot line allows it.
local cpio = require "tools.cpio"
local shell = require "tests.lib.shell"
local tamper = require "tests.lib.tamper"

local function start(t, name, append, entries)
	return shell.start(t, {
		direct = true, smp = 4, mem = 256, name = name, append = "panic=-1 " .. append,
		initrd = entries and { shell.archive(t, "autoload", entries) },
	})
end

local function loaded(machine, module)
	local _, status = shell.ask(machine, "mountpoint -q /proc || mount -t proc proc /proc; grep -q '^" .. module .. " ' /proc/modules")
	return status == 0
end

local function count(text, pattern)
	return select(2, text:gsub(pattern, ""))
end

return function(t)
	local machine = start(t, "on", "")
	if machine then
		t.check(loaded(machine, "procfs"), "a file system's module comes with its first mount")
		shell.ask(machine, "for i in 1 2 3 4 5 6 7 8; do sleep 0.01 & done; wait")
		t.check(loaded(machine, "posix_timers"), "a call's module comes with the first call")
		t.equal(count(machine.text, "module posix_timers: loaded by need"), 1, "of several first callers one loads it")
		shell.ask(machine, "rmmod posix_timers && sleep 0.01")
		t.check(loaded(machine, "posix_timers"), "it comes back after it was taken out")
		t.equal(count(machine.text, "%(error %d+%)"), 0, "nothing fails")
		shell.finish(t, machine, "on")
	end

	machine = start(t, "off", "autoload=0 modules=cred,vfs,tmpfs,devfs,procfs,linux,tty")
	if machine then
		shell.ask(machine, "sleep 0.01")
		t.check(machine.text:find("has no module posix_timers loaded"), "off: the call fails", machine:tail(10))
		t.check(not loaded(machine, "posix_timers"), "off: nothing is loaded")
		shell.ask(machine, "echo 1 > /proc/sys/kernel/modules_autoload; sleep 0.01")
		t.check(loaded(machine, "posix_timers"), "switched on later")
		shell.finish(t, machine, "off")
	end

	machine = start(t, "denied", "module_blacklist=rseq,posix_timers")
	if machine then
		shell.ask(machine, "sleep 0.01")
		t.check(machine.text:find("has no module posix_timers loaded"), "denied: the call fails", machine:tail(10))
		local _, status = shell.ask(machine, "modprobe posix_timers && sleep 0.01")
		t.equal(status, 0, "denied: it can be loaded by hand")
		shell.finish(t, machine, "denied")
	end

	local image = tamper.set(tamper.read(t.options, "posix_timers"), "abi", "another")
	machine = start(t, "broken", "", { cpio.file(tamper.directory() .. "/posix_timers.ko", image) })
	if machine then
		shell.ask(machine, "sleep 0.01; sleep 0.01; sleep 0.01")
		t.check(machine.text:find("has no module posix_timers loaded"), "broken: the call fails", machine:tail(10))
		t.equal(count(machine.text, "module posix_timers: [^\n]*%(error %d+%)"), 1, "broken: it is tried once")
		shell.finish(t, machine, "broken")
	end
end
