--[[
run.lua: boots in QEMU. The serial port is the terminal (Ctrl-C goes to the guest, Ctrl-A X ends QEMU, Ctrl-A C is the
monitor); QEMU ends when the guest switches off, and also when it writes to the debug-exit port.
]]
local config = require "tools.build.config"
local fs = require "tools.lib.fs"
local ninja = require "tools.build.ninja"

local run = {}

local function firmware(arch)
	for _, path in ipairs(arch.firmware) do
		if fs.exists(path) then
			return path
		end
	end
	error("UEFI firmware is not installed: " .. table.concat(arch.firmware, ", "), 0)
end

-- Several archives as one file, each beginning at a multiple of 512 as the writer pads them.
local function join_archives(build, extra)
	local parts = { fs.read(build.dir .. "/modules.cpio"), fs.read(build.dir .. "/rootfs.cpio") }
	for _, path in ipairs(extra) do
		local text, reason = fs.read(path)
		if not text then
			error(reason, 0)
		end
		parts[#parts + 1] = text .. ("\0"):rep(-#text % 4096)
	end
	for i = 1, 2 do
		parts[i] = parts[i] .. ("\0"):rep(-#parts[i] % 4096)
	end
	local path = build.dir .. "/all.cpio"
	fs.write(path, table.concat(parts))
	return path
end

-- An ISO with the extra archives and words, beside the plain one.
local function special_iso(build, options)
	local text = fs.read(build.arch.grub.config)
	local words = table.concat(options.append, " ")
	for _, command in ipairs { "multiboot2", "linux" } do
		text = text:gsub("(\t" .. command .. " [^\n]*)", "%1 " .. words:gsub("%%", "%%%%"))
	end
	local path = build.dir .. "/run.grub.cfg"
	if #options.initrd > 0 then
		join_archives(build, options.initrd)
		text = text:gsub("\tmodule2 /boot/modules.cpio.gz modules\n", "")
			:gsub("module2 /boot/rootfs.cpio.gz rootfs", "module2 /boot/all.cpio.gz all")
			:gsub("initrd /boot/modules.cpio /boot/rootfs.cpio", "initrd /boot/all.cpio")
	end
	fs.write(path, text)
	local out = build.dir .. "/run.iso"
	local command = ("lua5.4 tools/iso.lua %s %s %s %s"):format(out, build.dir, path, #options.initrd > 0 and "all.cpio" or "")
	if not os.execute(command) then
		error("no ISO", 0)
	end
	return out
end

-- The display that QEMU opens its window with. Whether it can is asked only when it is to.
local function window(build, options)
	if not build.arch.screen then
		error("--gui: the port " .. build.arch.name .. " has no screen", 0)
	end
	local can = {}
	for _, line in ipairs(fs.lines(build.arch.qemu .. " -display help 2>/dev/null")) do
		can[line] = true
	end
	local display = can.sdl and not can.gtk and "sdl" or "gtk"
	if not options.dry then
		if not can[display] then
			error("--gui: QEMU here cannot open windows; `apt-get install qemu-system-gui` "
				.. "(tools/dev does it)", 0)
		elseif not (os.getenv("DISPLAY") or os.getenv("WAYLAND_DISPLAY")) then
			error("--gui: there is no desktop to open a window on (neither DISPLAY nor "
				.. "WAYLAND_DISPLAY is set)", 0)
		end
	end
	return display
end

-- The words of the QEMU command. `boot`: what boots, prepared by the caller of the tests too.
function run.command(build, options)
	local arch = build.arch
	local words = { arch.qemu }
	local function add(...)
		for _, word in ipairs { ... } do
			words[#words + 1] = tostring(word)
		end
	end
	add(table.unpack(arch.machine))
	add("-smp", options.smp or 2, "-m", options.mem)
	add("-display", options.gui and window(build, options) or "none")
	add(table.unpack(arch.screen or {}))
	add("-serial", "mon:stdio")
	if options.gdb then
		add("-s", "-S")
		table.insert(options.append, "nokaslr")		-- addresses as in mortise.elf.debug
	end
	if options.direct then
		local append = "console=" .. arch.console .. " " .. table.concat(options.append, " ")
		add("-kernel", build.dir .. "/" .. arch.kernel, "-initrd", join_archives(build, options.initrd))
		add("-append", (append:gsub("%s+$", "")))
	else
		local iso = build.dir .. "/mortise.iso"
		if #options.append > 0 or #options.initrd > 0 then
			iso = special_iso(build, options)
		end
		if options.uefi or arch.uefi_only then
			add("-bios", firmware(arch))
		end
		add("-cdrom", iso)
	end
	return words
end

function run.run(options)
	for _, path in ipairs(options.initrd) do
		if not fs.exists(path) then
			error("--initrd: no such file: " .. path, 0)
		end
	end
	if options.gui then
		window(config.load(options), options)
	end
	local targets = { "kernel", "modules.cpio", "rootfs.cpio" }
	if not options.direct then
		targets[#targets + 1] = "mortise.iso"
	end
	local status, build = ninja.targets(options, targets)
	if status ~= 0 then
		return status
	end
	local words = run.command(build, options)
	for i, word in ipairs(words) do
		words[i] = word:match("^[%w_./,=:-]+$") and word or fs.quote(word)
	end
	local command = table.concat(words, " ")
	if options.dry then
		print(command)
		return 0
	end
	io.stderr:write(command, "\n")
	local _, kind, code = os.execute(command)
	return kind == "exit" and code or 1
end

return run
