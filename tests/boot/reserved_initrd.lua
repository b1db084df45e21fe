-- ports: aarch64 (QEMU's machines of the other port take no memory map of ours; tests/boot/emulators.lua has one that reserves)
-- A boot loader may reserve the memory of the archive and of the device tree itself, as U-Boot does: both are read all the same,
-- and none of those pages becomes ordinary memory.
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

local HEADER = ">I4I4I4I4I4I4I4I4I4I4"
-- QEMU puts the archive at half of the memory, and the tree behind it.
local FROM, SIZE = 0x48000000, 0x4000000

-- The machine's tree with one more reservation, which stands before the others. QEMU makes room for a megabyte; what is used is
-- less, and the boot protocol allows two.
local function reserve(tree)
	local magic, _, structure, strings, reservations, version, last, cpu, strings_size, structure_size = HEADER:unpack(tree)
	local entry = (">I8I8"):pack(FROM, SIZE)
	local function moved(offset)
		return offset > reservations and offset + #entry or offset
	end
	local size = math.max(structure + structure_size, strings + strings_size)
	return HEADER:pack(magic, size + #entry, moved(structure), moved(strings), reservations, version, last, cpu, strings_size,
		structure_size) .. tree:sub(41, reservations) .. entry .. tree:sub(reservations + 1, size)
end

return function(t)
	local arch = t.vm.build.arch
	local path = t.options.scratch .. "/machine.dtb"
	local words = { arch.qemu, "-M", arch.machine[2] .. ",dumpdtb=" .. path, "-cpu", "max", "-smp", "2", "-m", "256", "-display", "none" }
	process.run(words, 30)
	local tree = fs.read(path)
	if not t.check(tree and HEADER:unpack(tree) == 0xd00dfeed, "QEMU writes its device tree") then
		return
	end
	fs.write(path, reserve(tree))
	local machine = shell.start(t, { direct = true, smp = 2, mem = 256, append = "panic=-1", qemu = { "-dtb", path } })
	if machine then
		local total = tonumber((shell.ask(machine, "awk '/MemTotal/{print $2}' /proc/meminfo")))
		t.check(total and total <= (256 << 10) - (SIZE >> 10), "what is reserved is not ordinary memory", tostring(total))
		t.equal(shell.ask(machine, "ls /lib/modules | head -n 1"), "6.1.0-mortise\n", "the archive's files")
		shell.finish(t, machine)
	end
end
