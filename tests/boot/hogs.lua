-- One user who takes all the memory of the kernel that he can get, kind by kind: he is refused, or dies alone; the others go on.
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

local KINDS = {
	"pipe", "epoll", "file", "memfd", "inode", "name", "symlink", "xattr", "deep", "sock", "dgram", "flight", "lock", "shm", "msg",
	"sem", "table",
}

local function compile(t)
	local path = t.options.scratch .. "/hog"
	local words = { table.unpack(t.vm.build.arch.test_cc.musl) }
	table.move({ "-std=gnu11", "-O1", "-Wall", "-static", "-o", path, "tests/boot/hogs/hog.c" }, 1, 7, #words + 1, words)
	local output, code = process.run(words, 120)
	return t.check(code == 0, "the hog compiles", output) and path
end

-- A shell whose turn (two reads, a program, 50 ms of sleep) is timed over and over; on a signal it tells the longest.
local WATCH = [[#!/bin/busybox sh
max=0
trap 'echo "turn of $max"; max=0' USR1
sleep 1
while :; do
	read a rest </proc/uptime
	busybox true
	sleep 0.05
	read b rest </proc/uptime
	turn=$((${b%.*}${b#*.} - ${a%.*}${a#*.}))
	[ $turn -gt $max ] && max=$turn
done
]]
-- In hundredths of a second of the guest, which counts instructions: it is the same on a busy machine.
local LONGEST = 200

-- The hog ends with a refusal, or is killed for the memory it has; the shell and the bystanders are there, and have been meanwhile.
local function hog(t, machine, kind)
	machine:send(("{ /hog %s 1000000000 || echo hog %s: killed, error $?; } &\n"):format(kind, kind))
	t.check(machine:expect("hog " .. kind .. ": %w+, error %d+", 120, true), kind .. ": is refused", machine:tail(20))
	local output = shell.ask(machine, "echo alive; pidof sleep | wc -w", 20)
	t.check(shell.without_log(output):match("^alive\n[34]\n$"), kind .. ": the others live", output)
	machine:send("kill -USR1 $watch\n")
	local turn = tonumber((machine:expect("turn of %d+", 60, true) or ""):match("%d+"))
	t.check(turn and turn < LONGEST, kind .. ": a shell answers meanwhile", tostring(turn))
	shell.ask(machine, "p=$(pidof hog) && kill -USR1 $p; wait $!; rm -rf /tmp/*", 120)
end

return function(t)
	local path = compile(t)
	if not path then
		return
	end
	local archive = shell.archive(t, "hog", { cpio.file("hog", fs.read(path), 33261), cpio.file("watch", WATCH, 33261) })
	local machine = shell.start(t, {
		direct = true, smp = 2, mem = 128, initrd = { archive }, qemu = { "-icount", "shift=3" },
	})
	if not machine then
		return
	end
	shell.ask(machine, "chmod 1777 /tmp; for i in 1 2 3; do sleep 100000 & done; /watch & watch=$!", 20)
	for _, kind in ipairs(KINDS) do
		hog(t, machine, kind)
	end
	for name in machine.text:gmatch("killing process %d+ %(([^)]*)%)") do
		t.equal(name, "hog", "who was killed")
	end
	shell.finish(t, machine)
end
