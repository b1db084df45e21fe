-- modctl and insmod can be killed wherever they wait: for their turn, and for threads to leave the module. They are gone at once, and
-- do nothing later; the old module goes on, and who was inside ends its call as if nothing had been.
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

local NUMBER = 1000
local CALLER = [[
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	return argc == 2 && printf("held for %%ld\n", syscall(%d, atoi(argv[1]))) > 0 ? 0 : 1;
}
]]

local function compile(t)
	local path = t.options.scratch .. "/caller"
	fs.write(path .. ".c", CALLER:format(NUMBER))
	local words = { table.unpack(t.vm.build.arch.test_cc.musl) }
	table.move({ "-O1", "-static", "-o", path, path .. ".c" }, 1, 5, #words + 1, words)
	local output, code = process.run(words, 120)
	return t.check(code == 0, "the caller compiles", output) and fs.read(path)
end

-- Kills each command while what is started by `before` holds it up; tells its status, and whether `holder` was there still.
local function killed(machine, before, holder, commands)
	return (shell.without_log(shell.ask(machine, before .. " & h=$!; sleep 0.3; for c in " .. commands .. "; do $c & p=$!; sleep 0.3; "
		.. "kill -0 $p && echo waits; kill -9 $p; wait $p; echo $?; pidof " .. holder .. " >/dev/null && echo still; done; wait $h", 60)))
end

return function(t)
	local row = ("%d %d held_wait held - ms:u32\n"):format(NUMBER, NUMBER)
	local module = require("tests.lib.module_build").build(t, "held", "tests/boot/held", row)
	local caller = module and compile(t)
	if not caller then
		return
	end
	local entries = { cpio.file("held.ko", module), cpio.file("caller", caller, 33261) }
	local machine = shell.start(t, { direct = true, smp = 2, append = "panic=-1 loglevel=3", initrd = { shell.archive(t, "held", entries) } })
	if not machine then
		return
	end
	local one = "waits\n.*137\n.*still\n.*"
	local text = killed(machine, "insmod /held.ko hold=6000", "insmod", "'modctl replace /held.ko' 'modctl unload held' 'insmod /held.ko'")
	t.check(text:find(one:rep(3)), "modctl and insmod are killed while they wait for their turn", text)
	t.equal(shell.ask(machine, "cat /sys/module/held/parameters/hold"), "6000\n", "what was loaded meanwhile is as it was told")
	text = killed(machine, "/caller 4000", "caller", "'modctl replace /held.ko' 'modctl unload --drain held'")
	t.check(text:find(one:rep(2)), "modctl is killed while a thread is inside", text)
	t.check(text:find("held for 4000\n"), "the thread's call ends as ever", text)
	t.equal(shell.ask(machine, "cat /sys/module/held/parameters/hold"), "6000\n", "the old module goes on")
	text = shell.ask(machine, "modctl replace /held.ko hold=0 && cat /sys/module/held/parameters/hold && /caller 1", 60)
	t.equal(shell.without_log(text), "0\nheld for 1\n", "a later replacement works")
	t.check(not machine.text:match("Kernel panic"), "no panic", machine:tail(40))
	shell.finish(t, machine)
end
