--[[
iso.lua: the ISO by grub-mkrescue, for CD and USB stick (x86_64: BIOS and UEFI, aarch64: UEFI), small and reproducible.

	lua5.4 tools/iso.lua OUT.iso BUILD-DIRECTORY [GRUB.CFG] [ARCHIVE]
ARCHIVE: one more file of the build directory; with it the two plain archives are left out. What the
configuration names with `.gz` is compressed.
Two builds of the same inputs are the same bytes: file times, volume dates, GUID and the FAT serial number are fixed.
]]
package.path = "./?.lua;" .. package.path
local fs = require "tools.lib.fs"

local DATE = "2024010100000000"
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
	local arch = dofile(("arch/%s/arch.lua"):format(dir:match("^build/([%w_]+)") or "x86_64"))
	local tree = out .. ".tree"
	assert(os.execute(("rm -rf %s && mkdir -p %s/boot/grub"):format(tree, tree)))
	local names = { arch.kernel, "modules.cpio", "rootfs.cpio" }
	if words[4] then
		names = { arch.kernel, words[4] }
	end
	local config = fs.read(words[3] or arch.grub.config)
	for _, name in ipairs(names) do
		local packed = config:find("/" .. name .. ".gz", 1, true)
		local copy = packed and "gzip -9n <%s/%s >%s/boot/%s.gz" or "cp %s/%s %s/boot/%s"
		assert(os.execute(copy:format(dir, name, tree, name)))
	end
	assert(os.execute(("cp %s %s/boot/grub/grub.cfg"):format(fs.quote(words[3] or arch.grub.config), tree)))
	write_mformat(dir .. "/bin")
	assert(os.execute(("find %s -exec touch -h -d @1704067200 {} +"):format(tree)))
	local command = ("PATH=%s/bin:$PATH SOURCE_DATE_EPOCH=1704067200 grub-mkrescue %s --fonts= --locales= --themes= "
		.. "--install-modules=%s -o %s %s -- -volume_date uuid %s -volume_date all_file_dates %s "
		.. "-boot_image any gpt_disk_guid=4d4f525449534500900000000000a001 >%s.log 2>&1"):format(
		dir, arch.grub.directory and "-d " .. arch.grub.directory or "", fs.quote(arch.grub.modules), out, tree, DATE, DATE, out)
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
