-- How init is started: its group and session, the usual last line of an /init script, what is tried and what the panic says when
-- nothing can be run.
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

local MODE = 0x1ed

local function boot(t, name, entries, append)
	return t.vm.start {
		direct = true, smp = 1, append = "panic=-1 " .. (append or ""), initrd = { shell.archive(t, name, entries) },
	}
end

-- A program with number 1 that checks what it began with.
local function first_program(t)
	local path = t.options.scratch .. "/first"
	local words = { table.unpack(t.vm.build.arch.test_cc.musl) }
	table.move({ "-std=gnu11", "-O2", "-Wall", "-static", "-Itests/guest/include", "-o", path, "tests/boot/first/first.c" }, 1, 8,
		#words + 1, words)
	local output, code = process.run(words, 120)
	if not t.check(code == 0, "the first program compiles", output) then
		return
	end
	local machine = boot(t, "first", { cpio.file("first", fs.read(path), MODE) }, "rdinit=/first loglevel=3")
	t.check(machine:expect("@@done", 60), "the first program ends its checks", machine:tail(20))
	t.check(machine.text:find("ok 1 ") and not machine.text:find("not ok"), "group 0, session 0, and its own ones", machine:tail(80))
	machine:kill()
end

-- `exec setsid cttyhack sh`, the last line of most /init scripts: a shell with job control.
local function last_line(t)
	local machine = boot(t, "setsid", { cpio.file("init",
		"#!/bin/sh\nmount -t proc proc /proc\nmount -t sysfs sys /sys\nmount -t devtmpfs dev /dev\nexec setsid cttyhack sh\n", MODE) })
	if t.check(machine:expect("# ", 60), "exec setsid cttyhack sh: a prompt", machine:tail(20)) then
		shell.says(t, machine, "cut -d' ' -f1,5,6 /proc/1/stat", "1 1 1\n")
		machine:send("sh -c 'echo asl\"\"eep; sleep 1000'\n")
		machine:expect("asleep", 20)
		machine:send("\3")
		machine:expect("# ", 20)
		shell.says(t, machine, "echo alive", "alive\n")
		shell.finish(t, machine, "setsid")
	end
end

-- What the panic says, or the shell that comes instead.
local function refused(t, name, entries, append, ...)
	local machine = boot(t, "refused", entries, append)
	t.check(machine:wait(60), name .. ": ends", machine:tail(20))
	local text = machine.text:gsub("\r", ""):match("Kernel panic[^\n]*") or machine:tail(5)
	for _, words in ipairs { ... } do
		t.check(text:find(words, 1, true), name .. ": the panic says " .. words, text)
	end
end

-- An ELF program of its headers alone, that names an interpreter.
local function program_with(interpreter, machine)
	local name = interpreter .. "\0"
	local at = 64 + 2 * 56
	local function segment(kind, offset, size, align)
		return string.pack("<I4I4I8I8I8I8I8I8", kind, 5, offset, offset, offset, size, size, align)
	end
	return "\127ELF\2\1\1" .. ("\0"):rep(9) .. string.pack("<I2I2I4I8I8I8I4I2I2I2I2I2I2", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
		.. segment(3, at, #name, 1) .. segment(1, 0, at + #name, 4096) .. name
end

-- No place that is tried without being asked for can be run.
local function without_places()
	local entries = {}
	for _, name in ipairs { "sbin/init", "etc/init", "bin/init", "bin/sh" } do
		entries[#entries + 1] = cpio.file(name, "", 0x1a4)
	end
	return entries
end

local function with(list, ...)
	for _, entry in ipairs { ... } do
		list[#list + 1] = entry
	end
	return list
end

local function missing_interpreters(t)
	local machine = t.vm.build.arch.name == "x86_64" and 62 or 183
	refused(t, "script", with(without_places(), cpio.file("init", "#!/usr/bin/none -x\n", MODE)), nil,
		"Requested init /init failed: interpreter /usr/bin/none is missing")
	refused(t, "script of a script", with(without_places(), cpio.file("init", "#!/second\n", MODE), cpio.file("second", "#!/third/x\n", MODE)),
		nil, "Requested init /init failed: interpreter /third/x is missing")
	refused(t, "program", with(without_places(), cpio.file("x", program_with("/lib64/ld-none.so.2", machine), MODE)), "init=/x",
		"Requested init /x failed: interpreter /lib64/ld-none.so.2 is missing")
	refused(t, "program without rights", with(without_places(), cpio.file("init", "#!/bin/sh\n", 0x1a4)), nil,
		"init: /init cannot be run (error 13)", "no init found")
	refused(t, "nothing", without_places(), "init=/gone", "init: /gone cannot be run (error 2)")
end

-- The usual places, in Linux's order.
local function places(t)
	local said = "#!/bin/busybox sh\necho \"@@ran $0\"\n/bin/busybox poweroff -f\n"
	local list = { "bin/sh", "bin/init", "etc/init", "sbin/init" }
	for _, wanted in ipairs(list) do
		local entries, mode = { cpio.link("init", "nowhere") }, MODE
		for _, name in ipairs(list) do
			entries[#entries + 1] = cpio.file(name, said, mode)
			mode = name == wanted and 0x1a4 or mode
		end
		local machine = boot(t, "places", entries)
		t.check(machine:wait(60), wanted .. ": ends", machine:tail(20))
		t.check(machine.text:find("@@ran /" .. wanted, 1, true), "init is /" .. wanted, machine:tail(20))
	end
end

return function(t)
	first_program(t)
	last_line(t)
	missing_interpreters(t)
	places(t)
end
