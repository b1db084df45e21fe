--[[
iso.lua: the hybrid ISO (BIOS and UEFI, CD and USB stick) by grub-mkrescue, small and reproducible.

	lua5.4 tools/iso.lua OUT.iso BUILD-DIRECTORY [GRUB.CFG] [ARCHIVE]
ARCHIVE: one more file of the build directory; with it the two plain archives are left out.
Two builds of the same inputs are the same bytes: file times, volume dates, GUID and the FAT serial number are fixed.
]]
package.path = "./?.lua;" .. package.path
local fs = require "tools.lib.fs"

local DATE = "2024010100000000"
local GRUB_MODULES = "multiboot2 normal serial terminal part_gpt part_msdos iso9660 fat all_video gfxterm search "
	.. "search_label echo test boot configfile font"

-- grub-mkrescue takes a random FAT serial number from mformat; a wrapper earlier in PATH fixes it.
local function write_mformat(directory)
	local real = fs.lines("command -v mformat")[1]
	if not real then
		error("mformat is not installed", 0)
	end
	fs.mkdir(directory)
	fs.write(directory .. "/mformat", ("#!/bin/sh\nexec %s -N 4d4f5254 \"$@\"\n"):format(real))
	assert(os.execute("chmod 755 " .. directory .. "/mformat"))
end

local function main(words)
	local out, dir = words[1], words[2]
	local tree = out .. ".tree"
	assert(os.execute(("rm -rf %s && mkdir -p %s/boot/grub"):format(tree, tree)))
	local names = { "mortise.elf", "modules.cpio", "rootfs.cpio" }
	if words[4] then
		names = { "mortise.elf", words[4] }
	end
	for _, name in ipairs(names) do
		assert(os.execute(("cp %s/%s %s/boot/%s"):format(dir, name, tree, name)))
	end
	assert(os.execute(("cp %s %s/boot/grub/grub.cfg"):format(fs.quote(words[3] or "iso/grub.cfg"), tree)))
	write_mformat(dir .. "/bin")
	assert(os.execute(("find %s -exec touch -h -d @1704067200 {} +"):format(tree)))
	local command = ("PATH=%s/bin:$PATH SOURCE_DATE_EPOCH=1704067200 grub-mkrescue --fonts= --locales= --themes= "
		.. "--install-modules=%s -o %s %s -- -volume_date uuid %s -volume_date all_file_dates %s "
		.. "-boot_image any gpt_disk_guid=4d4f525449534500900000000000a001 >%s.log 2>&1"):format(
		dir, fs.quote(GRUB_MODULES), out, tree, DATE, DATE, out)
	if not os.execute(command) then
		io.stderr:write(fs.read(out .. ".log") or "")
		error("grub-mkrescue failed", 0)
	end
	os.execute("rm -rf " .. tree)
end

local ok, reason = pcall(main, arg)
if not ok then
	io.stderr:write("iso: ", tostring(reason), "\n")
	os.exit(1)
end
