--[[
vm.lua: a virtual machine for a test. The serial line is the process's input and output, the monitor a socket.

	local vm = vm.start { direct = true, smp = 2, mem = 256, append = "loglevel=7", initrd = { "x.cpio" } }
	vm:expect("/ #", 60)   vm:send("echo hi\n")   vm:wait(10)   vm:screendump("x.ppm")   vm:kill()
Options besides those of `build.lua run`: kernel, archives (the whole list instead of the default two), initrd_file (used as it
is), cpu, machine, emulator (words instead of the port's QEMU), reboot (a restart does not end QEMU), qemu (list of further words), iso (file),
serial ("none": no serial line; then only the monitor reaches the machine), disk (the ISO is one),
no_medium (`qemu` names one).
]]
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local socket = require "posix.sys.socket"
local unistd = require "posix.unistd"

local vm = {}

-- Set once by the driver: { dir, arch }.
vm.build = nil

local number, started = 0, {}

-- What the machines of this test file said so far, for the log of a failure; and the end of the
-- file.
function vm.said()
	local list = {}
	for i, machine in ipairs(started) do
		local words = table.concat(machine.words, " ")
		list[i] = ("== machine %d: %s\n%s\n"):format(i, words, machine.text)
	end
	return table.concat(list)
end

-- Puts a machine among those of this test file.
function vm.note(machine)
	started[#started + 1] = machine
end

function vm.forget()
	started = {}
end

local function joined(archives, path)
	local parts = {}
	for i, name in ipairs(archives) do
		local text = assert(fs.read(name), name)
		parts[i] = text .. ("\0"):rep(-#text % 4096)
	end
	fs.write(path, table.concat(parts))
	return path
end

local function machine_words(arch, options)
	local words = {}
	for i, word in ipairs(arch.machine) do
		if options.cpu and arch.machine[i - 1] == "-cpu" then
			word = options.cpu
		elseif options.machine and arch.machine[i - 1] == "-M" then
			word = options.machine
		end
		words[#words + 1] = word
	end
	return words
end

function vm.start(options)
	local build = vm.build
	number = number + 1
	local scratch = ("%s/vm%d"):format(vm.scratch, number)
	local words = { table.unpack(options.emulator or { build.arch.qemu }) }
	local function add(...)
		for _, word in ipairs { ... } do
			words[#words + 1] = tostring(word)
		end
	end
	add(table.unpack(machine_words(build.arch, options)))
	add("-smp", options.smp or 2, "-m", options.mem or 256, "-display", "none")
	add("-serial", options.serial or "stdio")
	if not options.reboot then
		add("-no-reboot")
	end
	add("-monitor", "unix:" .. scratch .. ".monitor,server,nowait")
	if options.direct then
		local archives = options.archives or { build.dir .. "/modules.cpio", build.dir .. "/rootfs.cpio" }
		local list = { table.unpack(archives) }
		for _, path in ipairs(options.initrd or {}) do
			list[#list + 1] = path
		end
		add("-kernel", options.kernel or build.dir .. "/" .. build.arch.kernel, "-initrd",
			options.initrd_file or joined(list, scratch .. ".cpio"))
		add("-append", ("console=%s %s"):format(build.arch.console, options.append or ""))
	else
		if options.uefi then
			add("-bios", build.arch.firmware[1])
		end
		local iso = options.iso or build.dir .. "/mortise.iso"
		if options.no_medium then
			options.disk = nil
		elseif options.disk then
			add("-drive", "if=virtio,format=raw,readonly=on,file=" .. iso)
		else
			add("-cdrom", iso)
		end
	end
	add(table.unpack(options.qemu or {}))
	local self = process.start(words)
	self.words = words
	vm.note(self)
	self.monitor_path = scratch .. ".monitor"
	for name, fn in pairs(vm.methods) do
		self[name] = fn
	end
	return self
end

vm.methods = {}

local function monitor(self)
	if not self.monitor_fd then
		local fd = assert(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0))
		local address = { family = socket.AF_UNIX, path = self.monitor_path }
		local own = self:pace()
		local ok, reason = socket.connect(fd, address)
		while not ok and not self.eof and own:elapsed() < 60 do
			self:read_some(0.05)
			ok, reason = socket.connect(fd, address)
		end
		assert(ok, reason)
		self.monitor_fd = fd
	end
	return self.monitor_fd
end

-- One command of QEMU's human monitor; returns what it answers up to the next prompt.
function vm.methods:command(text)
	local fd = monitor(self)
	local poll = require "posix.poll"
	local function until_prompt()
		local got, own = "", self:pace()
		while not got:find("%(qemu%) $") and own:elapsed() < 30 do
			if poll.rpoll(fd, 500) == 1 then
				local part = unistd.read(fd, 4096)
				if not part or part == "" then
					break
				end
				got = got .. part
			end
		end
		return got
	end
	if not self.monitor_ready then
		until_prompt()
		self.monitor_ready = true
	end
	unistd.write(fd, text .. "\n")
	return until_prompt()
end

-- The picture on the screen as { width, height, text = RGB bytes }.
function vm.methods:screendump()
	local path = self.monitor_path .. ".ppm"
	self:command("screendump " .. path)
	local text = fs.read(path) or ""
	local width, height, start = text:match("^P6%s+(%d+)%s+(%d+)%s+255%s()")
	if not width then
		return nil
	end
	return { width = tonumber(width), height = tonumber(height), text = text:sub(start) }
end

-- Sends keys by their names in QEMU ("a", "ret", "ctrl-c", "shift-a").
function vm.methods:keys(list)
	for key in list:gmatch("%S+") do
		self:command("sendkey " .. key)
	end
end

return vm
