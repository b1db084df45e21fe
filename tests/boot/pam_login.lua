--[[
A Debian root with sysvinit: init reads its inittab, agetty asks on the serial line, login(1) lets in by PAM with the modules that Debian
names (pam_loginuid and pam_limits among them), a wrong password does not, and poweroff goes through the runlevels. All
of it from the port's own packages, unpacked.
]]
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"

local PACKAGES = { "sysvinit-core", "login", "libpam0g", "libpam-modules", "libpam-modules-bin", "util-linux", "dash", "coreutils", "libc6",
	"libaudit1", "libcap-ng0", "libcrypt1", "libselinux1", "libpcre2-8-0" }

local FILES = {
	["etc/inittab"] = [[
id:2:initdefault:
si::sysinit:/etc/rc.start
l0:0:wait:/sbin/halt -d -f -i -p
S0:23:respawn:/sbin/agetty --noclear -L %s 115200 vt100
]],
	["etc/rc.start"] = [[
#!/bin/busybox sh
busybox mount -t devtmpfs dev /dev
busybox mount -t proc proc /proc
busybox mount -t tmpfs run /run
busybox mount -t tmpfs tmp /tmp
]],
	["etc/passwd"] = "root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000::/home/tester:/bin/sh\n",
	["etc/group"] = "root:x:0:\nstaff:x:50:tester\ntester:x:1000:\n",
	["etc/hostname"] = "debian\n",
	["etc/pam.d/common-auth"] = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
	["etc/pam.d/common-account"] = "account required pam_unix.so\n",
	["etc/pam.d/common-session"] = "session required pam_unix.so\n",
	["etc/pam.d/common-password"] = "password required pam_unix.so obscure yescrypt\n",
	["etc/pam.d/other"] = "auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\n",
	["etc/security/limits.d/tester.conf"] = "tester hard nofile 333\ntester soft nofile 222\ntester hard core 0\n",
}
local DIRECTORIES = "dev proc run tmp root home/tester var/log var/mail etc/default"

-- Debian's packages where they stand on an installed system: bin, sbin and lib are links.
local function unpacked(t, tree)
	local arch = t.vm.build.arch
	local debian = arch.foreign and arch.foreign.debian or fs.lines("dpkg --print-architecture")[1]
	local where = "build/foreign/" .. debian
	local lines, ok = fs.lines(("lua5.4 tools/foreign.lua %s %s %s 2>&1"):format(debian, where, table.concat(PACKAGES, " ")))
	if not t.check(ok, "Debian's packages are there", table.concat(lines, "\n")) then
		return false
	end
	local script = ("set -e; mkdir -p %s/usr; for p in %s; do cp -a %s/$p/. %s/; done; cd %s; rm -rf usr/share .complete; "
		.. "for d in bin sbin lib lib64; do if [ -d $d ]; then mkdir -p usr/$d; cp -a $d/. usr/$d/; rm -r $d; fi; "
		.. "if [ -d usr/$d ]; then ln -s usr/$d $d; fi; done; rm -rf usr/lib/*/gconv usr/lib/systemd; mkdir -p %s; ln -sf dash usr/bin/sh; "
		.. "ln -s usr/sbin/init init"):format(tree, table.concat(PACKAGES, " "), where, tree, tree, DIRECTORIES)
	local output, code = process.run({ "sh", "-c", script }, 60)
	return t.check(code == 0, "the root is made", output)
end

local function root(t)
	local arch = t.vm.build.arch
	local tree = t.options.scratch .. "/pam"
	fs.mkdir(tree)
	if not unpacked(t, tree) then
		return nil
	end
	for name, text in pairs(FILES) do
		fs.mkdir(tree .. "/" .. name:match("^(.*)/"))
		fs.write(tree .. "/" .. name, name == "etc/inittab" and text:format(arch.console) or text)
	end
	local shadow = {}
	for _, user in ipairs { "root", "tester" } do
		local hash = fs.lines("openssl passwd -6 -salt mortise " .. user .. ".secret")[1]
		shadow[#shadow + 1] = ("%s:%s:19000:0:99999:7:::\n"):format(user, hash)
	end
	fs.write(tree .. "/etc/shadow", table.concat(shadow))
	assert(os.execute(("cd %s && chmod 640 etc/shadow && chmod 755 etc/rc.start && chown 1000:1000 home/tester && cp %s/%s usr/bin/busybox")
		:format(tree, arch.busybox:match("^/") and "" or fs.lines("pwd")[1], arch.busybox)))
	local archive = t.options.scratch .. "/pam.cpio"
	assert(os.execute(("lua5.4 tools/initrd.lua tree %s %s"):format(archive, tree)))
	return archive
end

-- Logs in; true when the prompt comes.
local function log_in(t, machine, user, password, prompt)
	if not t.check(machine:expect("login: ", 60), user .. ": is asked for a name", machine:tail(30)) then
		return false
	end
	machine:send(user .. "\n")
	machine:expect("Password: ", 30)
	machine:send(password .. "\n")
	return machine:expect(prompt, 60)
end

local function says(t, machine, command, expected, what)
	machine:send(command .. "; echo @@'end'\n")
	local from = machine.position
	machine:expect("@@end\r\n", 30)
	local to = machine.position - 1
	machine:expect("[$#] ", 30, true)
	local got = machine.text:sub(from, to):gsub("\r", ""):match("\n(.*)@@end\n$")
	t.equal(got, expected, what)
end

return function(t)
	local archive = root(t)
	if not archive then
		return
	end
	local machine = t.vm.start {
		direct = true, smp = 2, mem = 512, archives = { t.dir .. "/modules.cpio", archive }, append = "panic=-1 loglevel=3",
	}
	t.check(log_in(t, machine, "tester", "another", "Login incorrect"), "a wrong password is refused", machine:tail(20))
	if t.check(log_in(t, machine, "tester", "tester.secret", "$ "), "tester: logs in", machine:tail(30)) then
		says(t, machine, "id", "uid=1000(tester) gid=1000(tester) groups=1000(tester),50(staff)\n", "id")
		says(t, machine, "cat /proc/self/loginuid; echo", "1000\n", "pam_loginuid")
		says(t, machine, "ulimit -Hn; ulimit -n; ulimit -c", "333\n222\n0\n", "pam_limits")
		says(t, machine, "tty; pwd", ("/dev/%s\n/home/tester\n"):format(t.vm.build.arch.console), "the terminal and the directory")
		machine:send("exit\n")
	end
	if t.check(log_in(t, machine, "root", "root.secret", "# "), "root: the line asks again, and logs in", machine:tail(30)) then
		says(t, machine, "cat /proc/self/loginuid /proc/1/comm", "0init\n", "pam_loginuid of root, and who is the first process")
		machine:send("poweroff\n")
	end
	t.check(machine:wait(60), "poweroff goes through init", machine:tail(20))
end
