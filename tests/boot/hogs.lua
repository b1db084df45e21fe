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

-- The hog ends with a refusal, or is killed for the memory it has; the shell and the bystanders are there.
local function hog(t, machine, kind)
	machine:send(("/hog %s 1000000000 &\n"):format(kind))
	local ending = machine:expect("hog " .. kind .. ": %d+, error %d+", 120, true)
		or machine.text:match("killing process %d+ %(hog%)")
	t.check(ending, kind .. ": is refused", machine:tail(20))
	local output = shell.ask(machine, "echo alive; pidof sleep | wc -w", 20)
	t.equal(shell.without_log(output), "alive\n3\n", kind .. ": the others live")
	shell.ask(machine, "kill -USR1 $(pidof hog); wait $!; rm -rf /tmp/*", 120)
end

return function(t)
	local path = compile(t)
	if not path then
		return
	end
	local archive = shell.archive(t, "hog", { cpio.file("hog", fs.read(path), 33261) })
	local machine = shell.start(t, { direct = true, smp = 2, mem = 192, initrd = { archive } })
	if not machine then
		return
	end
	shell.ask(machine, "chmod 1777 /tmp; for i in 1 2 3; do sleep 100000 & done", 20)
	for _, kind in ipairs(KINDS) do
		hog(t, machine, kind)
	end
	for name in machine.text:gmatch("killing process %d+ %(([^)]*)%)") do
		t.equal(name, "hog", "who was killed")
	end
	shell.finish(t, machine)
end
