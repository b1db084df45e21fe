--[[
The tools for modules, busybox's and Debian's kmod: one session of every verb and every error, with what each of them says.
]]
-- ports: x86_64 (Debian's tools are those of the build machine)
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local shell = require "tests.lib.shell"
local tamper = require "tests.lib.tamper"

local DIR = "/" .. tamper.directory() .. "/"
local VERBS = { "insmod", "rmmod", "lsmod", "modprobe", "modinfo", "depmod" }

-- kmod with its libraries, and its names in /opt/kmod.
local function kmod_entries()
	local path = fs.lines("readlink -f $(command -v kmod || echo /usr/bin/kmod)")[1]
	local entries, made = {}, {}
	local function add(file, mode)
		local at = ""
		for part in file:match("^/(.*)/[^/]*$"):gmatch("[^/]+") do
			at = at .. (at == "" and "" or "/") .. part
			if not made[at] then
				made[at] = true
				entries[#entries + 1] = cpio.directory(at)
			end
		end
		entries[#entries + 1] = cpio.file(file:sub(2), assert(fs.read(file)), mode)
	end
	add(path, 0x1ed)
	for _, line in ipairs(fs.lines("ldd " .. path)) do
		local library = line:match("(/%S+)")
		if library then
			add(library, 0x1ed)
		end
	end
	entries[#entries + 1] = cpio.directory("opt")
	entries[#entries + 1] = cpio.directory("opt/kmod")
	for _, verb in ipairs(VERBS) do
		entries[#entries + 1] = cpio.link("opt/kmod/" .. verb, path)
	end
	return entries
end

-- What differs in the tools' words.
local SAYS = {
	busybox = {
		exists = "File exists", format = "nvalid module format", symbol = "nknown symbol", parameter = "Invalid argument",
		permission = "Operation not permitted", missing = "No such file", needed = "temporarily unavailable", busy = "resource busy",
	},
	kmod = {
		exists = "File exists", format = "nvalid module format", symbol = "nknown symbol", parameter = "nvalid parameters",
		permission = "Operation not permitted", missing = "not currently loaded", needed = "in use by", busy = "resource busy",
	},
}

local function session(t, machine, name, prefix)
	local says = SAYS[name]
	local function good(command, pattern)
		local output, status = shell.ask(machine, prefix .. command .. " 2>&1")
		t.equal(status, 0, name .. ": " .. command)
		if pattern then
			t.check(output:find(pattern), name .. ": " .. command .. ": its output", output)
		end
	end
	local function bad(command, reason)
		local output, status = shell.ask(machine, prefix .. command .. " 2>&1")
		t.check(status ~= 0, name .. ": " .. command .. ": fails", output)
		t.check(output:lower():find(reason:lower(), 1, true), name .. ": " .. command .. ": says why", output)
	end
	local function loaded(module, yes)
		local _, status = shell.ask(machine, "grep -q '^" .. module .. " ' /proc/modules")
		t.equal(status == 0, yes, name .. ": " .. module .. (yes and " is loaded" or " is not loaded"))
	end

	good("insmod " .. DIR .. "posix_timers.ko")
	loaded("posix_timers", true)
	good("lsmod", "posix_timers%s+%d+%s+0")
	good("lsmod", "vfs%s+%d+%s+%d+ [%w_,]*posix_timers")
	bad("insmod " .. DIR .. "posix_timers.ko", says.exists)
	good("rmmod posix_timers")
	loaded("posix_timers", false)
	bad("rmmod posix_timers", says.missing)
	good("modprobe posix_timers")
	loaded("posix_timers", true)
	good("modprobe posix_timers")
	-- busybox takes it for an error, as on Linux, that what the module needs is needed by others, too.
	shell.ask(machine, prefix .. "modprobe -r posix_timers 2>&1")
	loaded("posix_timers", false)
	good("modprobe tuned")			-- an alias and its options from modprobe.d
	t.equal(shell.ask(machine, "cat /sys/module/sample/parameters/depth"), "7\n", name .. ": options of modprobe.d")
	good("rmmod sample")
	good("insmod /root/sample.ko depth=9 label=\"a,b\" sizes=1,2,3")
	t.equal(shell.ask(machine, "cd /sys/module/sample/parameters; cat depth label sizes"), "9\na,b\n1,2,3\n", name .. ": parameters")
	t.equal(shell.ask(machine, "echo 11 > /sys/module/sample/parameters/depth; cat /sys/module/sample/parameters/depth"), "11\n",
		name .. ": a parameter is changed")
	t.equal(shell.ask(machine, "cat /sys/module/sample/initstate /sys/module/sample/refcnt; ls -1 /sys/module/sample"),
		"live\n0\ncoresize\nholders\ninitsize\ninitstate\nnotes\nparameters\nrefcnt\nsections\ntaint\nuevent\nversion\n", name .. ": files in sysfs")
	good("rmmod sample")
	t.equal(select(2, shell.ask(machine, "test -e /sys/module/sample")), 1, name .. ": they are gone with it")
	-- A refused module is a line or two of the log, once for each time that somebody tries.
	local function told(what, command, reason)
		local count = "dmesg | grep -c '" .. what .. "'"
		local before = tonumber(shell.ask(machine, count):match("%d+"))
		for times = 1, 2 do
			bad(command, reason)
			local now = tonumber(shell.ask(machine, count):match("%d+"))
			t.equal(now and now - before, times, name .. ": " .. command .. ": one line of the log")
		end
	end
	told("parameter depth does not take", "insmod /root/sample.ko depth=x", says.parameter)
	bad("insmod /root/text.ko", says.format)
	bad("insmod /root/abi.ko", says.format)
	told("undefined symbol (error", "insmod /root/symbol.ko", says.symbol)
	bad("rmmod vfs", says.needed)
	bad("rmmod cred", says.busy)
	good("modinfo " .. DIR .. "posix_timers.ko", "depends:%s+vfs,linux")
	good("modinfo posix_timers", "description:%s+clocks")
	good("depmod -n", "linux%.ko: ?[^\n]*vfs%.ko")
end

-- Beside the tools, once.
local function others(t, machine)
	local output, status = shell.ask(machine, "su -s /bin/sh nobody -c '/sbin/insmod " .. DIR .. "sample.ko' 2>&1")
	t.check(status ~= 0 and output:find("Operation not permitted"), "without privilege", output)
	output, status = shell.ask(machine, "modctl replace /root/sample.ko 2>&1")
	t.check(status ~= 0 and output:find("No such file"), "nothing to replace", output)
	shell.ask(machine, "insmod /root/sample.ko depth=3")
	_, status = shell.ask(machine, "modctl replace /root/sample.ko depth=4 2>&1")
	t.equal(status, 0, "a leaf module is replaced")
	t.equal(shell.ask(machine, "cat /sys/module/sample/parameters/depth"), "4\n", "its parameters are those of the new one")
	-- What cannot take its place leaves it as it was.
	for command, reason in pairs {
		["/root/sample.ko depth=101"] = "Invalid argument", ["/root/sample.ko depth=x"] = "Invalid argument",
		["/root/abi.ko"] = "Exec format error", ["/root/symbol.ko"] = "No such file", ["/root/text.ko"] = "Exec format error",
	} do
		output, status = shell.ask(machine, "modctl replace " .. command .. " 2>&1")
		t.check(status == 1 and output:find(reason), "modctl replace " .. command .. " is refused", output)
	end
	t.equal(shell.ask(machine, "cat /sys/module/sample/parameters/depth"), "4\n", "the old one serves as before")
	t.check(shell.ask(machine, "modctl times"):find("median %d+ us"), "the times of the gate")
	t.equal(select(2, shell.ask(machine, "modctl unload sample")), 0, "modctl unloads")
	shell.ask(machine, "echo 1 > /proc/sys/kernel/modules_disabled")
	output, status = shell.ask(machine, "insmod /root/sample.ko 2>&1")
	t.check(status ~= 0 and output:find("Operation not permitted"), "forbidden for good", output)
	_, status = shell.ask(machine, "echo 0 > /proc/sys/kernel/modules_disabled")
	t.check(status ~= 0, "which cannot be taken back")
end

return function(t)
	local sample = require("tests.lib.module_build").build(t, "sample", "tests/boot/sample")
	if not sample then
		return
	end
	local entries = kmod_entries()
	local function add(name, data)
		entries[#entries + 1] = cpio.file(name, data)
	end
	add("root/sample.ko", sample)
	add("root/text.ko", ("no module\n"):rep(100))
	add("root/abi.ko", tamper.set(sample, "abi", "another"))
	add("root/symbol.ko", tamper.undefined_symbol(sample, "log_printf"))
	add(DIR:sub(2) .. "sample.ko", sample)
	entries[#entries + 1] = cpio.directory("etc/modprobe.d")
	add("etc/modprobe.d/sample.conf", "alias tuned sample\noptions sample depth=7\n")
	local machine = shell.start(t, {
		direct = true, smp = 2, mem = 256, name = "kmod", append = "panic=-1 autoload=0 modules=cred,vfs,tmpfs,devfs,procfs,sysfs,linux,tty,futex,rseq",
		initrd = { shell.archive(t, "kmod", entries) },
	})
	if not machine then
		return
	end
	shell.ask(machine, "mountpoint -q /proc || mount -t proc proc /proc; mountpoint -q /sys || mount -t sysfs sys /sys; depmod; /opt/kmod/depmod")
	session(t, machine, "busybox", "")
	session(t, machine, "kmod", "/opt/kmod/")
	others(t, machine)
	t.check(not machine.text:match("Kernel panic"), "no panic", machine:tail(40))
	shell.finish(t, machine, "kmod")
end
