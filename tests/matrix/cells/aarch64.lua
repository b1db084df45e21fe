-- The cells of aarch64. What a cell may have: see tests/matrix/matrix.lua. sbsa-ref is left out: Debian has no firmware for it.
local cells = {}

local function cell(name, options)
	options.name = name
	cells[#cells + 1] = options
end

local function direct(name, options)
	options.direct = true
	cell("image " .. name, options)
end

for _, version in ipairs { 2, 3 } do
	for _, words in ipairs { "", ",virtualization=on", ",secure=on", ",mte=on", ",highmem=off" } do
		direct(("gic %d%s"):format(version, words), {
			machine = ("virt,gic-version=%d,acpi=off%s"):format(version, words),
			-- What QEMU 7.2 has in the place of secure firmware forbids pointer authentication to all but the first CPU.
			cpu = words == ",secure=on" and "max,pauth=off" or nil,
		})
	end
	for _, smp in ipairs { 1, 3, 4, 8, 16, 64 } do
		if version == 3 or smp <= 8 then
			direct(("gic %d -smp %d"):format(version, smp), {
				machine = ("virt,gic-version=%d,acpi=off"):format(version), smp = smp, mem = smp > 8 and 1024 or 256, seconds = 60 + 4 * smp,
			})
		end
	end
end
direct("virt-6.2", { machine = "virt-6.2,gic-version=3,acpi=off" })
direct("gic 4", { machine = "virt,gic-version=4,virtualization=on,acpi=off" })

for _, cpu in ipairs { "cortex-a35", "cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "neoverse-n1", "a64fx", "max", "max,sve=off",
	"max,pauth=off", "max,lpa2=off" } do
	direct("-cpu " .. cpu, { cpu = cpu })
end
for _, mem in ipairs { 32, 64, 4096, 8192 } do
	direct("-m " .. mem, { smp = mem < 64 and 1 or 2, mem = mem, seconds = 120 })
end

for _, version in ipairs { 2, 3 } do
	for _, acpi in ipairs { "on", "off" } do
		cell(("uefi gic %d acpi=%s"):format(version, acpi), {
			uefi = true, mem = 512, machine = ("virt,gic-version=%d,acpi=%s"):format(version, acpi), seconds = 300,
		})
	end
end

local function later(name, options)
	options.later = true
	cell("qemu10 " .. name, options)
end
for _, cpu in ipairs { "max", "cortex-a710", "neoverse-v1" } do
	later("-cpu " .. cpu, { direct = true, cpu = cpu })
end
later("secure=on", { direct = true, machine = "virt,gic-version=3,secure=on,acpi=off" })
later("gic 4", { direct = true, machine = "virt,gic-version=4,virtualization=on,acpi=off" })
later("uefi with ACPI", { uefi = true, mem = 512, machine = "virt,gic-version=3", seconds = 300 })

return cells
