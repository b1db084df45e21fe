--[[
emulators.lua: machines beside the ones of Debian's own QEMU.

	local words, reason = emulators.qemu("x86_64")      QEMU of the backports, for vm.start's `emulator`
	local machine = emulators.bochs(t, { cpu = "tigerlake", smp = 1, mem = 256 })     Bochs, as vm.start's machines

The backports' QEMU is fetched once and unpacked below build/foreign; nothing is installed. It has x2APIC, RDPID and later CPUs.
Bochs has PCID, INVPCID, the TSC deadline and XSAVES; it boots an ISO without a graphics mode, since its terminal has
none, and nothing in that ISO is compressed: its processor is slow.
]]
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local vm = require "tests.lib.vm"

local emulators = {}

local SUITE = "bookworm-backports"
local WHERE = "build/foreign/" .. SUITE
local PACKAGES = {
	x86_64 = { "qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios" },
	aarch64 = { "qemu-system-arm", "qemu-system-common", "qemu-system-data" },
}

function emulators.qemu(port)
	local packages = PACKAGES[port]
	local command = ("lua5.4 tools/foreign.lua suite=%s %s %s 2>&1"):format(SUITE, WHERE, table.concat(packages, " "))
	local lines, ok = fs.lines(command)
	if not ok then
		return nil, ("QEMU of %s cannot be had: %s"):format(SUITE, table.concat(lines, "\n"))
	end
	local modules = fs.find(WHERE .. "/qemu-system-common/usr/lib", "-type d -name qemu")
	modules = modules[1] and modules[1]:match("%-linux%-gnu/qemu$") and modules[1] or modules[2]
	local words = { "env", "QEMU_MODULE_DIR=" .. modules, WHERE .. "/" .. packages[1] .. "/usr/bin/qemu-system-" .. port }
	-- The last one is the installed QEMU's: ROMs of network cards are packages of their own.
	for _, directory in ipairs { WHERE .. "/seabios/usr/share/seabios", WHERE .. "/qemu-system-data/usr/share/qemu", "/usr/share/qemu" } do
		table.move({ "-L", directory }, 1, 2, #words + 1, words)
	end
	return words
end

local GRUB = [[
set timeout_style=hidden
set timeout=0
menuentry "Mortise" {
	multiboot2 /boot/mortise.elf console=ttyS0 panic=-1
	module2 /boot/modules.cpio modules
	module2 /boot/rootfs.cpio rootfs
}
]]

local RC = [[
plugin_ctrl: unmapped=true, biosdev=true, serial=true
display_library: term
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.stdvga.bin
cpu: model=%s, count=%d, ips=50000000, reset_on_triple_fault=0
memory: guest=%d, host=%d
ata0-master: type=cdrom, path=%s, status=inserted
boot: cdrom
com1: enabled=1, mode=term, dev=@TTY@
log: %s
panic: action=fatal
error: action=report
info: action=ignore
]]

-- The wish for a graphics mode in the kernel's multiboot2 header: the tag's type, that it is optional, and its data.
local FRAMEBUFFER = ("<I2I2I4I4I4I4"):pack(5, 1, 20, 1024, 768, 32)

-- The ISO for Bochs; made once.
local iso
local function make_iso(t)
	if iso then
		return iso
	end
	local base = t.options.scratch .. "/bochs-iso"
	fs.mkdir(base)
	for _, name in ipairs { "modules.cpio", "rootfs.cpio" } do
		assert(os.execute(("cp %s/%s %s/"):format(t.dir, name, base)))
	end
	local kernel = fs.read(t.dir .. "/mortise.elf")
	local at = kernel:find(FRAMEBUFFER, 1, true)
	if not t.check(at and at < 32768, "the kernel's header wishes for a graphics mode") then
		return nil
	end
	-- A type that nobody knows.
	fs.write(base .. "/mortise.elf", kernel:sub(1, at - 1) .. ("<I2"):pack(0x7fff) .. kernel:sub(at + 2))
	fs.write(base .. "/grub.cfg", GRUB)
	local lines, ok = fs.lines(("lua5.4 tools/iso.lua %s.iso %s %s/grub.cfg 2>&1"):format(base, base, base))
	iso = t.check(ok, "the ISO for Bochs is made", table.concat(lines, "\n")) and base .. ".iso"
	return iso
end

local number = 0

-- The serial line is a terminal of ours, the screen one that nobody looks at.
function emulators.bochs(t, options)
	local image = make_iso(t)
	if not image then
		return nil
	end
	number = number + 1
	local base = ("%s/bochs%d"):format(t.options.scratch, number)
	local mem = options.mem or 256
	fs.write(base .. ".rc", RC:format(options.cpu or "tigerlake", options.smp or 1, mem, mem, image, base .. ".log"))
	fs.write(base .. ".go", "c\n")
	fs.write(base .. ".sh", ([[stty raw -echo
sed -i "s|@TTY@|$(tty)|" %s.rc
script -qfc 'bochs -q -f %s.rc -rc %s.go' /dev/null </dev/null >%s.screen 2>&1
]]):format(base, base, base, base))
	local machine = process.start { "script", "-qfc", "sh " .. base .. ".sh", "/dev/null" }
	machine.words = { "bochs", "-q", "-f", base .. ".rc" }
	vm.note(machine)
	-- Of Bochs an orderly end is a panic.
	function machine.powered_off(self, seconds)
		local ended = self:wait(seconds)
		return ended and (fs.read(base .. ".log") or ""):find("soft power off", 1, true) ~= nil
	end
	return machine
end

return emulators
