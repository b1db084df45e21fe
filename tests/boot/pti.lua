--[[
Page-table isolation: on where the processor leaks or the command line says so, and then what a running user program's tables map
of the kernel is a few dozen pages of 4 KiB. Signals, faults, traps and single steps work through it.
]]
-- ports: x86_64 (the processors of the other port that would need it are not supported)
local shell = require "tests.lib.shell"

-- Pages of the upper half that QEMU's monitor finds in the tables of processor 0, at a moment when it is in user mode.
local function kernel_pages(t, machine)
	for _ = 1, 200 do
		machine:command("stop")
		if machine:command("info registers"):match("CS =0033") then
			local pages = 0
			for from, to in machine:command("info mem"):gmatch("ffff(%x+)%-ffff(%x+) ") do
				pages = pages + (tonumber(to, 16) - tonumber(from, 16)) // 4096
			end
			machine:command("cont")
			return pages
		end
		machine:command("cont")
	end
	t.check(false, "processor 0 is in user mode at one of 200 moments")
	return nil
end

local function isolated(t, machine)
	return (shell.ask(machine, "dmesg | grep -c 'pti: user mode runs on tables'"):match("%d+"))
end

local CASES = {
	{ name = "a processor that leaks", cpu = "Haswell", on = true },
	{ name = "mitigations=off", cpu = "Haswell", append = "mitigations=off", on = false },
	{ name = "nopti", cpu = "Haswell", append = "nopti", on = false },
	{ name = "a processor that does not", on = false },
	{ name = "pti=on", append = "pti=on", on = true, smp = 4 },
}

local function boot(t, case)
	local options = { direct = true, smp = case.smp or 1, mem = 128, append = case.append, name = case.name, cpu = case.cpu }
	local machine = shell.start(t, options)
	if not machine then
		return
	end
	t.equal(isolated(t, machine), case.on and "1" or "0", case.name .. ": as it should be")
	machine:send("while :; do :; done & while :; do :; done &\n")
	local pages = kernel_pages(t, machine)
	if case.on then
		t.check(pages and pages > 0 and pages < 100, case.name .. ": user mode sees less than 100 kernel pages", tostring(pages))
	else
		t.check(pages and pages > 1000, case.name .. ": user mode runs on the kernel's tables", tostring(pages))
	end
	shell.ask(machine, "kill %1 %2")
	shell.finish(t, machine, case.name)
end

return function(t)
	for _, case in ipairs(CASES) do
		boot(t, case)
	end
end
