-- The cells of x86_64. What a cell may have: see tests/matrix/matrix.lua.
local cells = {}

local function cell(name, options)
	options.name = name
	cells[#cells + 1] = options
end

local function direct(name, options)
	options.direct = true
	cell("pvh " .. name, options)
end

-- Machines.
for _, machine in ipairs { "q35", "pc", "microvm", "microvm,ioapic2=on,pcie=on", "microvm,pit=off", "microvm,pic=off", "microvm,rtc=off",
	"q35,hpet=off", "q35,i8042=off", "q35,acpi=off", "q35,smm=off" } do
	direct(machine, { machine = machine })
end
direct("microvm,acpi=off", { machine = "microvm,acpi=off", online = 1, halts = true })
direct("pc,acpi=off", { machine = "pc,acpi=off", online = 1, halts = true })
direct("microvm -smp 8", { machine = "microvm", smp = 8 })
direct("isapc -smp 1", { machine = "isapc", smp = 1, halts = true })
direct("q35 -vga none", { machine = "q35", qemu = { "-vga", "none" } })
direct("q35 intel-iommu", { machine = "q35", qemu = { "-device", "intel-iommu" } })
direct("q35 intremap", { machine = "q35,kernel-irqchip=split", qemu = { "-device", "intel-iommu,intremap=on" } })
direct("q35 amd-iommu", { machine = "q35", qemu = { "-device", "amd-iommu" } })
direct("q35 -icount", { machine = "q35", qemu = { "-icount", "shift=3" }, seconds = 120 })

-- Processors.
for _, cpu in ipairs { "Conroe", "Penryn", "Nehalem", "Westmere", "SandyBridge", "IvyBridge", "Haswell", "Broadwell", "Skylake-Client",
	"Skylake-Server", "Icelake-Server", "Cooperlake", "Snowridge", "Denverton", "Opteron_G1", "Opteron_G2", "Opteron_G3",
	"phenom", "EPYC", "EPYC-Rome", "EPYC-Milan", "Dhyana", "qemu64", "kvm64", "max" } do
	direct("-cpu " .. cpu, { cpu = cpu })
end
for _, feature in ipairs { "smap", "smep", "umip", "pku", "fsgsbase", "la57", "xsave", "avx", "rdrand", "rdtscp", "pge", "pdpe1gb", "nx",
	"erms" } do
	direct("-cpu max,-" .. feature, { cpu = "max,-" .. feature })
end

-- How many processors, and how they are said to hang together.
for _, smp in ipairs { 1, 2, 3, 4, 8, 16, 64, 255 } do
	direct("-smp " .. smp, { smp = smp, online = math.min(smp, 64), mem = smp > 8 and 1024 or 256, seconds = 60 + 2 * smp })
end
for words, online in pairs {
	["6,sockets=3,cores=2"] = 6, ["12,sockets=2,cores=3,threads=2"] = 12, ["8,cores=2,threads=4"] = 8, ["5,maxcpus=9"] = 5,
	["2,maxcpus=8"] = 2,
} do
	direct("-smp " .. words, { smp = words, online = online })
end

-- Memory.
for _, mem in ipairs { 16, 20, 24, 32, 48, 64, 3072, 4096, 8192 } do
	direct("-m " .. mem, { smp = mem < 64 and 1 or 2, mem = mem, seconds = 120 })
end
local NODES = { "-object", "memory-backend-ram,id=m0,size=128M", "-object", "memory-backend-ram,id=m1,size=128M" }
direct("two nodes", { smp = 4, qemu = { NODES[1], NODES[2], NODES[3], NODES[4], "-numa", "node,memdev=m0,cpus=0-1", "-numa",
	"node,memdev=m1,cpus=2-3" } })
direct("a node without processors", { smp = 4, qemu = { NODES[1], NODES[2], NODES[3], NODES[4], "-numa", "node,memdev=m0,cpus=0-3",
	"-numa", "node,memdev=m1" } })

-- Media, under both firmwares.
local MEDIA = {
	["CD on AHCI"] = { "q35", "-cdrom", "@" },
	["CD on IDE"] = { "pc", "-cdrom", "@" },
	["CD on LSI"] = { "q35", "-device", "lsi53c895a", "-drive", "if=none,id=d,media=cdrom,file=@", "-device", "scsi-cd,drive=d,bootindex=0" },
	["CD on virtio-scsi"] = { "q35", "-device", "virtio-scsi-pci", "-drive", "if=none,id=d,media=cdrom,file=@", "-device",
		"scsi-cd,drive=d,bootindex=0" },
	["stick on xHCI"] = { "q35", "-device", "qemu-xhci", "-drive", "if=none,id=d,format=raw,readonly=on,file=@", "-device",
		"usb-storage,drive=d,bootindex=0" },
	["stick on EHCI"] = { "q35", "-device", "usb-ehci", "-drive", "if=none,id=d,format=raw,readonly=on,file=@", "-device",
		"usb-storage,drive=d,bootindex=0" },
	["NVMe"] = { "q35", "-drive", "if=none,id=d,format=raw,readonly=on,file=@", "-device", "nvme,drive=d,serial=1,bootindex=0" },
	["disk on AHCI"] = { "q35", "-drive", "if=none,id=d,format=raw,snapshot=on,file=@", "-device", "ide-hd,drive=d,bootindex=0" },
	["virtio disk"] = { "q35", "-drive", "if=none,id=d,format=raw,readonly=on,file=@", "-device", "virtio-blk-pci,drive=d,bootindex=0" },
	["SD card"] = { "q35", "-device", "sdhci-pci", "-drive", "if=none,id=d,format=raw,snapshot=on,file=@CARD", "-device", "sd-card,drive=d" },
}
for name, words in pairs(MEDIA) do
	for _, uefi in ipairs { false, true } do
		-- Debian's OVMF finds nothing on those.
		if not (uefi and (name == "CD on LSI" or name == "SD card")) then
			cell(("iso %s %s"):format(uefi and "uefi" or "bios", name), {
				uefi = uefi, machine = words[1], mem = 512, medium = { table.unpack(words, 2) }, seconds = 300,
			})
		end
	end
end

-- Screen and keyboard alone.
local CARDS = {
	std = { "-vga", "std" }, cirrus = { "-vga", "cirrus" }, qxl = { "-vga", "qxl" }, vmware = { "-vga", "vmware" },
	ramfb = { "-vga", "none", "-device", "ramfb" }, ["bochs-display"] = { "-vga", "none", "-device", "bochs-display" },
	virtio = { "-vga", "virtio" },
}
for name, words in pairs(CARDS) do
	for _, uefi in ipairs { false, true } do
		cell(("screen %s %s"):format(uefi and "uefi" or "bios", name), { uefi = uefi, mem = 512, screen = true, qemu = words, disk = true })
	end
end

-- QEMU of the backports.
local function later(name, options)
	options.later = true
	cell("qemu10 " .. name, options)
end
later("microvm", { direct = true, machine = "microvm" })
for _, cpu in ipairs { "max", "SapphireRapids", "GraniteRapids", "EPYC-Genoa", "SierraForest" } do
	later("-cpu " .. cpu, { direct = true, cpu = cpu })
end
for _, smp in ipairs { 8, 64 } do
	later("-smp " .. smp, { direct = true, smp = smp, mem = 512, seconds = 60 + 2 * smp })
end
later("iso bios", { mem = 512, seconds = 120 })
later("iso uefi", { mem = 512, seconds = 300, uefi = true })

-- Bochs. Several processors there take minutes.
for _, smp in ipairs { 1, 2, 4 } do
	cell("bochs tigerlake -smp " .. smp, { bochs = true, cpu = "tigerlake", smp = smp, seconds = 300 * smp })
end
for _, cpu in ipairs { "corei7_icelake_u", "corei7_skylake_x", "corei7_haswell_4770", "corei7_sandy_bridge_2600k", "core2_penryn_t9600",
	"ryzen", "trinity_apu", "phenom_8650_toliman", "athlon64_clawhammer", "p4_prescott_celeron_336", "bx_generic" } do
	cell("bochs " .. cpu, { bochs = true, cpu = cpu, smp = 1, seconds = 300 })
end

return cells
