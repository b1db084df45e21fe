-- Every way into the kernel ends at the prompt: GRUB under BIOS and UEFI, PVH or the Image without any boot loader.
local shell = require "tests.lib.shell"

local WAYS = {}

WAYS.x86_64 = {
	{ name = "BIOS", loader = "GRUB", options = { smp = 2, mem = 512, seconds = 90 } },
	{ name = "UEFI", loader = "GRUB", options = { uefi = true, smp = 2, mem = 512, seconds = 180 } },
	{ name = "PVH", loader = "PVH", options = { direct = true, smp = 2, mem = 256 } },
}

WAYS.aarch64 = {
	{
		name = "UEFI", loader = "UEFI", options = {
			uefi = true, smp = 2, mem = 512, seconds = 240, machine = "virt,gic-version=3,acpi=off",
		},
	},
	-- The firmware's default: it hands out ACPI's tables and no device tree.
	{
		name = "ACPI", loader = "UEFI with ACPI", options = { uefi = true, smp = 3, mem = 512, seconds = 240 },
	},
	{
		name = "ACPI and a GIC of version 2", loader = "UEFI with ACPI", options = {
			uefi = true, smp = 2, mem = 512, seconds = 240, machine = "virt,gic-version=2",
		},
	},
	{ name = "Image", loader = "device tree", options = { direct = true, smp = 2, mem = 256 } },
	{
		name = "Image at EL2", loader = "device tree",
		options = { direct = true, smp = 2, mem = 256, machine = "virt,gic-version=3,acpi=off,virtualization=on" },
	},
}

return function(t)
	local port = t.vm.build.arch.name
	for _, way in ipairs(WAYS[port]) do
		way.options.name = way.name
		local machine = shell.start(t, way.options)
		if machine then
			t.check(machine.text:match("loaded by " .. way.loader), way.name .. ": the log names the loader", machine:tail(40))
			local before = machine.text:match("^(.-)%[ *%d+%.%d+%] ")
			local missed = not before or before:find("error:") or before:find("not found")
			t.check(not missed, way.name .. ": the loader misses nothing", before)
			local output, status = shell.ask(machine, "for i in 1 2 3; do echo $i; done | wc -l", 30)
			t.equal(output, "3\n", way.name .. ": a pipeline")
			t.equal(status, 0, way.name .. ": its status")
			t.equal(shell.ask(machine, "uname -srm"), "Linux 6.1.0-mortise " .. port .. "\n", way.name .. ": uname")
			shell.finish(t, machine, way.name)
		end
	end
end
