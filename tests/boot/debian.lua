--[[
Debian's dynamically linked programs from an overlay: what they print here is what they print on the build machine's Linux. Where
its programs are of the port, they are its own files with the libraries that they name; else the port's packages, unpacked.
]]
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local vm = require "tests.lib.vm"

local PROGRAMS = { "dash", "bash", "lua5.4", "gawk", "perl", "seq", "sort", "cat", "ls", "wc", "tr", "md5sum", "head", "stat", "cp", "mv", "rm",
	"mkdir", "env", "sleep", "printf", "tail", "cut", "date" }

-- What the programs above, and python3, are in, with all that these need.
local PACKAGES = { "dash", "bash", "lua5.4", "gawk", "perl-base", "coreutils", "libc6", "libgcc-s1", "libtinfo6", "libreadline8", "libmpfr6",
	"libgmp10", "libsigsegv2", "libselinux1", "libacl1", "libattr1", "libpcre2-8-0", "libcrypt1", "python3.11-minimal",
	"libpython3.11-minimal", "libexpat1", "zlib1g" }

local PYTHON = [[import sys, os, threading
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(w, b"child")
    os._exit(4)
print(os.read(r, 10), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
total = []
threads = [threading.Thread(target=lambda n=n: total.append(sum(range(n)))) for n in range(0, 1000, 100)]
[t.start() for t in threads]
[t.join() for t in threads]
print(sum(total), 2 ** 100, sys.version_info[:2])
]]
local PYTHON_PRINTS = "b'child' 4\n1422750 1267650600228229401496703205376 (3, 11)\n"

local SCRIPTS = {
	dash = [[for i in 1 2 3; do echo $i; done | cat; (exit 7); echo $?; trap 'echo usr1' USR1; kill -USR1 $$; x=$(echo sub); echo $x; sleep 0.1 & wait; echo waited]],
	bash = [==[a=(1 2 3); echo ${a[@]} $((2**40)); f() { local x=$1; echo f$x; }; f 3 | tr f g; cat <(echo a) <(echo b); for i in {1..30}; do (exit $i); done; echo $?; trap "echo int" INT; kill -INT $$; printf '%05.2f\n' 3.14159; [[ abc =~ a(.)c ]] && echo ${BASH_REMATCH[1]}; coproc cat; echo hi >&${COPROC[1]}; read -u ${COPROC[0]} l; echo got $l]==],
	gawk = [[gawk 'BEGIN { for (i = 0; i < 5; i++) s += sqrt(i); printf "%.6f\n", s; "echo sub" | getline y; print y; print substr("hello", 2, 3) | "cat"; close("cat"); n = split("c b a", p); asort(p); print p[1], n }']],
	lua = [[lua5.4 -e 'local t = {} for i = 1, 1000 do t[i] = i * 1.5 end table.sort(t, function(a, b) return a > b end) print(t[1], #t, math.pi) local p = io.popen("echo popen") print(p:read("a")) print(string.format("%.3f", math.sin(1)), 2^53, 7 // 2)']],
	perl = [[perl -e 'my $pid = fork(); if (!$pid) { exit 3 } waitpid($pid, 0); print $? >> 8, "\n"; $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; sleep 5; }; print $@; pipe(R, W); if (!fork) { print W "through\n"; exit } close W; print <R>; print join(",", map { $_ * 2 } 1 .. 5), "\n"; printf "%.5f\n", exp(1); open(F, ">/tmp/debian.f"); print F "x" x 100000; close F; print -s "/tmp/debian.f", "\n"; unlink "/tmp/debian.f"']],
	coreutils = [[seq 1 1000 | sort -rn | head -n 3; seq 1 100 | md5sum; stat -c '%a %F' /etc/passwd; date -u -d @0; mkdir /tmp/debian.d; cp /etc/passwd /tmp/debian.d/p; mv /tmp/debian.d/p /tmp/debian.d/q; ls /tmp/debian.d; rm -r /tmp/debian.d; printf '%s\n' b a | sort; seq 5 | tail -n 2 | cut -c1; env -i A=b env]],
}
local ORDER = { "dash", "bash", "gawk", "lua", "perl", "coreutils" }

-- The build machine's programs with the libraries that they name.
local function copy_native(tree)
	for _, program in ipairs(PROGRAMS) do
		local path = "/usr/bin/" .. program
		assert(fs.exists(path), program .. " is not installed")
		assert(os.execute(("cp -L %s %s/usr/bin/%s"):format(path, tree, program)))
		for _, line in ipairs(fs.lines("ldd " .. path .. " 2>/dev/null")) do
			local library = line:match("(/%S+)")
			if library then
				fs.mkdir(tree .. library:match("^(.*)/"))
				assert(os.execute(("cp -L %s %s%s"):format(library, tree, library)))
			end
		end
	end
end

-- The port's packages, kept from one run to the next; the directories that are links on an installed system are so here.
local function copy_foreign(tree, architecture)
	local where = "build/foreign/" .. architecture
	assert(os.execute(("lua5.4 tools/foreign.lua %s %s %s"):format(architecture, where, table.concat(PACKAGES, " "))))
	for _, package in ipairs(PACKAGES) do
		assert(os.execute(("cp -a %s/%s/. %s/"):format(where, package, tree)))
	end
	assert(os.execute(("cd %s && rm -rf usr/share .complete && for d in bin sbin lib; do if [ -d $d ]; then cp -a $d/. usr/$d/ && rm -r $d; fi; "
		.. "done && mkdir lib && cp -L usr/lib/*-linux-gnu/ld-linux-*.so.1 lib/"):format(tree)))
end

-- The programs as an archive, with a script each.
local function overlay(options)
	local tree = options.scratch .. "/debian"
	local foreign = vm.build.arch.foreign
	fs.mkdir(tree .. "/usr/bin")
	if foreign then
		fs.mkdir(tree .. "/usr/lib")
		copy_foreign(tree, foreign.debian)
		fs.write(tree .. "/python.py", PYTHON)
	else
		copy_native(tree)
	end
	local lines = { "#!/bin/busybox sh", "mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t tmpfs tmp /tmp", "export PATH=/usr/bin:/bin LC_ALL=C" }
	for _, name in ipairs(ORDER) do
		fs.write(tree .. "/" .. name .. ".script", SCRIPTS[name] .. "\n")
		lines[#lines + 1] = ("echo '@@begin %s'; %s /%s.script 2>&1; echo '@@end %s'"):format(name, name == "bash" and "bash" or "dash", name, name)
	end
	if foreign then
		lines[#lines + 1] = "echo '@@begin python'; python3.11 -I /python.py 2>&1; echo '@@end python'"
	end
	lines[#lines + 1] = "sleep 0.2; busybox poweroff -f"
	fs.write(tree .. "/init", table.concat(lines, "\n") .. "\n")
	os.execute("chmod 755 " .. tree .. "/init")
	local archive = options.scratch .. "/debian.cpio"
	assert(os.execute(("lua5.4 tools/initrd.lua tree %s %s"):format(archive, tree)))
	return archive, tree
end

return function(t)
	local archive, tree = overlay(t.options)
	for _, cpus in ipairs { 1, 4 } do
		local machine = vm.start { direct = true, smp = cpus, mem = 512, initrd = { archive }, append = "panic=-1 quiet" }
		machine:wait(120)
		local text = machine.text:gsub("\r", "")
		for _, name in ipairs(ORDER) do
			local expected = process.run({ "/usr/bin/env", "LC_ALL=C", name == "bash" and "bash" or "dash", tree .. "/" .. name .. ".script" }, 30)
			local got = text:match("@@begin " .. name .. "\n(.-)@@end " .. name .. "\n")
			t.check(got, name .. " ends", machine:tail(10))
			t.equal(got, expected, ("%s prints what it prints on Linux (%d processors)"):format(name, cpus))
		end
		if vm.build.arch.foreign then
			t.equal(text:match("@@begin python\n(.-)@@end python\n"), PYTHON_PRINTS, ("python3 (%d processors)"):format(cpus))
		end
	end
end
