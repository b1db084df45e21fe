-- A session at the terminal as a person has it: editing, pipelines, interrupting, job control, an editor, and the tools that look at the system.
local fs = require "tools.lib.fs"
local shell = require "tests.lib.shell"

-- Starts a command that says when it runs: keys sent before that would be the shell's.
local function start(machine, command)
	machine:send("sh -c 'echo go; exec " .. command .. "'\n")
	return machine:expect("\r\ngo\r\n", 10)
end

local function job_control(t, machine)
	t.check(start(machine, "sleep 100"), "sleep runs", machine:tail(5))
	machine:send("\3")
	t.check(machine:expect("^C", 10) and machine:expect(shell.PROMPT, 10), "Ctrl-C ends sleep", machine:tail(5))
	machine:send("echo st$?\n")
	t.check(machine:expect("\r\nst130\r\n", 10), "its status says SIGINT", machine:tail(5))
	machine:expect(shell.PROMPT, 10)
	-- A job that tells when it goes on: keys for it are sent only then.
	machine:send("sh -c 'trap \"echo on\"\"ward\" CONT; echo go; while :; do sleep 1; done'\n")
	machine:expect("\r\ngo\r\n", 10)
	machine:send("\26")
	t.check(machine:expect("Stopped", 10), "Ctrl-Z stops it", machine:tail(5))
	machine:expect(shell.PROMPT, 10)
	t.check(shell.ask(machine, "jobs"):find("Stopped"), "jobs lists it")
	machine:send("bg\n")
	t.check(machine:expect("onward", 10), "bg lets it run", machine:tail(5))
	machine:send("fg\n")
	t.check(machine:expect("onward", 10), "fg brings it back", machine:tail(5))
	machine:send("\3")
	t.check(machine:expect("^C", 10) and machine:expect(shell.PROMPT, 10), "Ctrl-C ends it", machine:tail(5))
	t.check(not shell.ask(machine, "jobs"):find("Running"), "nothing is left")
	t.check(shell.ask(machine, "sleep 300 & sleep 0.3; kill %1; wait; jobs"):find("Terminated"), "kill of a job")
end

local function editor(t, machine)
	machine:send("vi /tmp/text\n")
	t.check(machine:expect("- /tmp/text", 10), "vi starts", machine:tail(5))
	machine:send("i")
	machine:expect("I /tmp/text", 10)
	machine:send("first line\rsecond lien")
	machine:expect("second lien", 10)
	machine:send("\27")
	machine:expect("- /tmp/text", 10)
	machine:send("xxa")
	machine:expect("I /tmp/text", 10)
	machine:send("ne\27")
	machine:expect("- /tmp/text", 10)
	machine:send(":wq\r")
	t.check(machine:expect(shell.PROMPT, 10), "vi ends", machine:tail(5))
	t.equal(shell.ask(machine, "cat /tmp/text"), "first line\nsecond line\n", "vi saved what was typed and mended")
end

local function editing(t, machine)
	machine:send("ecko one\127\127\127\127\127\127ho two\n")
	t.check(machine:expect("\r\ntwo\r\n", 10), "erasing", machine:tail(5))
	machine:expect(shell.PROMPT, 10)
	machine:send("\27[A\n")
	t.check(machine:expect("\r\ntwo\r\n", 10), "the line before comes back with the arrow", machine:tail(5))
	machine:expect(shell.PROMPT, 10)
	start(machine, "cat")
	machine:send("abc\n\4")
	t.check(machine:expect("abc\r\nabc\r\n", 10) and machine:expect(shell.PROMPT, 10), "Ctrl-D ends the input", machine:tail(5))
end

local function tools(t, machine)
	shell.says(t, machine, "for i in 1 2 3; do echo $i; done | wc -l", "3\n")
	shell.says(t, machine, "echo a b c | awk '{print $2}' | tr b X", "X\n")
	shell.says(t, machine, "cd /tmp; mkdir d; echo x >d/f; tar cf t.tar d; rm -r d; tar xf t.tar; cat d/f; cd /", "x\n")
	shell.says(t, machine, "find /etc -name pass*", "/etc/passwd\n")
	shell.says(t, machine, "seq 1 1000 | sort -rn | head -n 1", "1000\n")
	shell.says(t, machine, "uname -sr", "Linux 6.1.0-mortise\n")
	local built = fs.read(t.dir .. "/gen/version.h"):match('BUILD_VERSION "([^"]+)"')
	built = "#1 SMP PREEMPT Mortise " .. built .. "\n"
	shell.says(t, machine, "uname -v", built)
	shell.says(t, machine, "cat /proc/sys/kernel/version", built)
	local version = shell.ask(machine, "cat /proc/version")
	t.check(version:find(built, 1, true), "/proc/version has it, too", version)
	shell.says(t, machine, "test -t 0 && tty", "/dev/" .. t.vm.build.arch.console .. "\n")
	t.check(shell.ask(machine, "ps"):find("1 root"), "ps shows init")
	t.check(shell.ask(machine, "top -b -n1 | head -n 5"):find("Load average"), "top")
	t.check(shell.ask(machine, "free"):find("Mem: +%d+ +%d+ +%d+"), "free")
	local modules = shell.ask(machine, "lsmod")
	for _, name in ipairs { "cred", "vfs", "tmpfs", "devfs", "linux", "procfs", "tty", "futex", "posix_timers", "rseq" } do
		t.check(modules:find("\n" .. name .. " "), "lsmod lists " .. name, modules)
	end
	t.check(shell.ask(machine, "dmesg | head -n 1"):find("Mortise"), "dmesg")
	local maps = shell.ask(machine, "cat /proc/self/maps")
	for _, part in ipairs { "r%-xp .*/bin/busybox", "%[heap%]", "%[stack%]", "%[vdso%]" } do
		t.check(maps:find(part), "maps has " .. part, maps)
	end
	t.check(shell.ask(machine, "mount"):find("proc on /proc"), "mount")
	shell.says(t, machine, "mkdir /tmp/m; mount -t tmpfs none /tmp/m && echo y >/tmp/m/f && cat /tmp/m/f; umount /tmp/m; ls /tmp/m", "y\n")
	local free = tonumber(shell.ask(machine, "awk '/MemFree/ {print $2}' /proc/meminfo"):match("%d+"))
	t.check(free and free > 100000, "most of the memory is free", free)
end

return function(t)
	for _, cpus in ipairs { 1, 4 } do
		local machine = shell.start(t, { direct = true, smp = cpus, append = "panic=-1", name = cpus .. " processors" })
		if machine then
			tools(t, machine)
			editing(t, machine)
			job_control(t, machine)
			editor(t, machine)
			shell.finish(t, machine)
		end
	end
	local machine = shell.start(t, { direct = true, smp = 2, reboot = true, append = "panic=-1", name = "restart" })
	if machine then
		machine:send("reboot -f\n")
		t.check(machine:expect("loaded by", 60) and machine:expect(shell.PROMPT, 60), "reboot starts the machine anew", machine:tail(10))
		shell.finish(t, machine)
	end
end
