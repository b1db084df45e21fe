-- ports: x86_64 (what only these emulators have is of PCs)
-- Machines that Debian's own QEMU is not: a later QEMU, which has an x2APIC and whose microvm puts the archive where memory ends;
-- and Bochs, with the processor features that no QEMU has.
local emulators = require "tests.lib.emulators"
local shell = require "tests.lib.shell"

local CELLS = {
	{ name = "QEMU 10, microvm", machine = "microvm", smp = 2 },
	{ name = "QEMU 10, x2APIC", smp = 4, cpu = "max", flag = "x2apic" },
}

local function look(t, machine, name, cpus, mem)
	t.equal(shell.ask(machine, "nproc"), cpus .. "\n", name .. ": nproc")
	local total = tonumber((shell.ask(machine, "awk '/MemTotal/{print $2}' /proc/meminfo")))
	t.check(total and total <= mem * 1024 and total >= mem * 1024 * 0.7, name .. ": MemTotal", tostring(total))
	t.equal(shell.without_log(shell.ask(machine, "sleep 0.5; echo slept")), "slept\n", name .. ": sleep")
	t.check(not machine.text:match("Kernel panic") and not machine.text:match("BUG"), name .. ": no complaint", machine:tail(20))
end

return function(t)
	local qemu, reason = emulators.qemu("x86_64")
	t.check(qemu, "QEMU of the backports is there", reason)
	for _, cell in ipairs(qemu and CELLS or {}) do
		local machine = shell.start(t, {
			emulator = qemu, direct = true, machine = cell.machine, cpu = cell.cpu, smp = cell.smp, append = "panic=-1", name = cell.name,
		})
		if machine then
			look(t, machine, cell.name, cell.smp, 256)
			if cell.flag then
				t.equal(shell.ask(machine, "grep -wc " .. cell.flag .. " /proc/cpuinfo"), cell.smp .. "\n", cell.name .. ": the CPUs")
			end
			shell.finish(t, machine, cell.name)
		end
	end
	local machine = emulators.bochs(t, { cpu = "tigerlake", smp = 1, mem = 256 })
	if machine and t.check(machine:expect(shell.PROMPT, 120), "Bochs: reaches the prompt", machine:tail(30)) then
		look(t, machine, "Bochs", 1, 256)
		machine:send("poweroff\n")
		t.check(machine:powered_off(60), "Bochs: switches off", machine:tail(10))
	end
end
