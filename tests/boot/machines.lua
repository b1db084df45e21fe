-- Machines of all sizes: processors, memory, kinds of CPU. Each starts all its processors, reaches the prompt, tells the truth
-- about itself and switches off.
local shell = require "tests.lib.shell"

local MACHINES = {}

MACHINES.x86_64 = {
	{ smp = 1 }, { smp = 2 }, { smp = 4 }, { smp = 8 },
	{ smp = 1, mem = 32 }, { smp = 2, mem = 4096 },
	{ smp = 2, cpu = "Nehalem" }, { smp = 2, cpu = "qemu64" }, { smp = 2, cpu = "max" },
	{ smp = 1, machine = "pc" },
	{ smp = 4, append = "nosmp", online = 1 },
}

MACHINES.aarch64 = {
	{ smp = 1 }, { smp = 2 }, { smp = 4 }, { smp = 8 },
	{ smp = 1, mem = 64 }, { smp = 2, mem = 4096 },
	{ smp = 2, cpu = "cortex-a53" }, { smp = 2, cpu = "cortex-a72" }, { smp = 2, cpu = "max" },
	{ smp = 1, machine = "virt,gic-version=2" }, { smp = 8, machine = "virt,gic-version=2" },
	{ smp = 4, machine = "virt,gic-version=2", cpu = "cortex-a53" },
	{ smp = 4, append = "nosmp", online = 1 },
}

local function name_of(m)
	return ("-smp %d -m %d -cpu %s%s%s"):format(m.smp, m.mem or 256, m.cpu or "max", m.machine and " -M " .. m.machine or "",
		m.append and " " .. m.append or "")
end

return function(t)
	for _, m in ipairs(MACHINES[t.vm.build.arch.name]) do
		local name = name_of(m)
		local memory = m.mem or 256
		local machine = shell.start(t, {
			direct = true, smp = m.smp, mem = memory, cpu = m.cpu, machine = m.machine, name = name,
			append = "panic=-1 " .. (m.append or ""),
		})
		if machine then
			local online = m.online or m.smp
			t.equal(shell.ask(machine, "nproc"), online .. "\n", name .. ": nproc")
			t.equal(shell.ask(machine, "grep -c ^processor /proc/cpuinfo"), online .. "\n", name .. ": /proc/cpuinfo")
			local total = tonumber((shell.ask(machine, "awk '/MemTotal/{print $2}' /proc/meminfo")))
			t.check(total and total <= memory * 1024 and total >= memory * 1024 * 0.7, name .. ": MemTotal",
				tostring(total))
			local output = shell.ask(machine, "for i in 1 2 3 4 5 6 7 8; do (i=0; while [ $i -lt 200 ]; do i=$((i+1)); done; "
				.. "echo $i) & done | sort | uniq -c | tr -s ' '; wait", 60)
			t.equal(output, " 8 200\n", name .. ": eight jobs at once")
			t.check(not machine.text:match("Kernel panic") and not machine.text:match("BUG"), name .. ": no complaint",
				machine:tail(20))
			shell.finish(t, machine, name)
		end
	end
end
