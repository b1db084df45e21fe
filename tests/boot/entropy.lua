--[[
Random numbers on a machine whose processor has no source of them: who waits for them gets them, and what an
ordinary user writes to the devices counts for nothing.
]]
-- ports: x86_64 (its oldest model has no RDRAND)
local shell = require "tests.lib.shell"

local AVAILABLE = "cat /proc/sys/kernel/random/entropy_avail"

return function(t)
	local machine = shell.start(t, { direct = true, smp = 1, cpu = "qemu64", name = "without RDRAND" })
	if not machine then
		return
	end
	local before = tonumber((shell.ask(machine, AVAILABLE) or ""):match("%d+"))
	t.check(before and before < 64, "hardly any entropy was credited at the prompt", before)
	shell.ask(machine, "adduser -D -H one 2>/dev/null; chmod 666 /dev/random /dev/urandom")
	shell.ask(machine, "for i in 1 2 3 4 5 6 7 8; do su -s /bin/sh nobody -c 'head -c 65536 /dev/zero >/dev/random' || " ..
		"head -c 65536 /dev/zero >/dev/random; done")
	local after = tonumber((shell.ask(machine, AVAILABLE) or ""):match("%d+"))
	t.check(after and after < 128, "writes are credited with nothing", after)
	shell.says(t, machine, "head -c 16 /dev/urandom | wc -c", "16\n")
	shell.says(t, machine, "head -c 16 /dev/random | wc -c", "16\n")
	shell.says(t, machine, AVAILABLE, "256\n")
	shell.finish(t, machine)
end
