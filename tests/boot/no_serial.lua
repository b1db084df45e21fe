--[[
A PC without a serial line: screen and keyboard alone, under both firmwares and several graphics
cards. The shell on the screen answers, Ctrl-C and Ctrl-\ reach programs, an ended shell comes
back, and the machine switches off and restarts when it is asked.
]]
-- ports: x86_64 (the other port has no screen)
local picture = require "tests.lib.picture"
local vm = require "tests.lib.vm"

-- Firmwares and cards; a text mode of the BIOS has another font, so only what GRUB finds a
-- graphics mode for.
local MACHINES = {
	{ name = "BIOS, std", card = "std", all = true },
	{ name = "BIOS, cirrus", card = "cirrus" },
	{ name = "UEFI, std", card = "std", uefi = true, last = "halt" },
	{ name = "UEFI, ramfb", card = "none", uefi = true, qemu = { "-device", "ramfb" } },
}

local function start(t, which)
	local words = { "-vga", which.card, table.unpack(which.qemu or {}) }
	-- The firmware gives up reading a CD where the build machine is slow, but no virtio disk.
	local machine = vm.start {
		disk = which.uefi,
		mem = 512, serial = "none", uefi = which.uefi, reboot = true, qemu = words,
	}
	function machine.shows(_, what, says, pattern, count)
		local rows, last = picture.expect(t.dir, machine, what, 120, pattern, count)
		return t.check(rows, which.name .. ": " .. says, last)
	end
	if not machine:shows("^/ #", "the prompt is on the screen", true) then
		machine:kill()
		return nil
	end
	return machine
end

-- Runs a command whose output is not in its own line.
local function asks(machine, command, answer, says)
	picture.type(machine, command .. "\n")
	return machine:shows("^" .. answer, says or command, true)
end

local function interrupted(machine, key, status)
	-- The row of the one before may still be there.
	picture.type(machine, ("clear; echo run''s %d; sleep 1000\n"):format(status))
	machine:shows("^runs " .. status, "a program runs", true)
	machine:keys(key)
	asks(machine, "echo is $?", "is " .. status, key .. " ends it")
end

local function interrupts(machine)
	local command = "grep SigIgn /proc/self/status"
	asks(machine, command, "SigIgn:%s+0000000000000000", "no signal is ignored")
	interrupted(machine, "ctrl-c", 130)
	interrupted(machine, "ctrl-backslash", 131)
	machine:keys("ctrl-c")
	asks(machine, "echo here $((1+1))", "here 2", "Ctrl-C at the prompt does not end the shell")
end

local function respawns(machine)
	for _ = 1, 2 do
		picture.type(machine, "clear; exit\n")
		machine:shows("Try:", "exit brings a new shell with its greeting")
		machine:shows("^/ #", "and a prompt", true)
	end
	-- One shell alone reads the keyboard: nothing of a long line is lost.
	local line = "echo abcdefghijklmnopqrstuvwxyz0123456789 >/tmp/x; wc -c /tmp/x"
	asks(machine, line, "37 /tmp/x", "no key is lost")
end

-- The machine starts anew: what was written to /tmp is gone.
local function restarts(machine, ask, says)
	asks(machine, "touch /tmp/mark; clear; ls /tmp/mark", "/tmp/mark")
	ask()
	machine:shows("SIGTERM", says .. " goes through init")
	machine:shows("Try:", says .. " starts the machine anew")
	asks(machine, "clear; ls /tmp/mark", "ls: /tmp/mark: No", says .. ": it is another boot")
end

local function ends(machine)
	restarts(machine, function() picture.type(machine, "reboot\n") end, "reboot")
	restarts(machine, function() machine:keys("ctrl-alt-delete") end, "Ctrl-Alt-Del")
end

return function(t)
	for _, which in ipairs(MACHINES) do
		local machine = start(t, which)
		if machine then
			asks(machine, "echo sum $((40+2))", "sum 42")
			if which.all then
				interrupts(machine)
				respawns(machine)
				ends(machine)
			end
			picture.type(machine, (which.last or "poweroff") .. "\n")
			if which.last then
				machine:shows("%] halted$", "halt ends in a halted machine", true)
				machine:kill()
			else
				t.check(machine:wait(60), which.name .. ": poweroff switches off")
			end
		end
	end
end
