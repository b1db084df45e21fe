--[[
The wide matrix: machines of all kinds, one cell after the other. A cell is good when the prompt comes, nproc, MemTotal, a sleep and the
log are right, and poweroff ends the machine. `test matrix WORD...` runs those whose names have all of the words.

The cells stand in tests/matrix/cells/PORT.lua: name and the options of vm.start; besides, online (processors, when smp is more
than a number or they are not all there), medium (QEMU's words, @ in the place of the ISO's path, @CARD of a copy
that is a power of two large), later (QEMU of the backports), screen (no serial line), bochs, halts (nothing there switches off).
]]
local emulators = require "tests.lib.emulators"
local fs = require "tools.lib.fs"
local picture = require "tests.lib.picture"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

local function memory_right(total, mem)
	total = tonumber(total)
	return total and total <= mem * 1024 and total >= mem * 1024 * (mem < 64 and 0.3 or 0.7)
end

-- Asks a shell; what is wrong, or nil.
local function look(machine, cell)
	local online = ("%d\n"):format(cell.online or cell.smp or 2)
	local got = shell.without_log(shell.ask(machine, "nproc", 60))
	if got ~= online then
		return "nproc: " .. got
	end
	got = shell.without_log(shell.ask(machine, "awk '/MemTotal/{print $2}' /proc/meminfo", 60))
	if not memory_right(got, cell.mem or 256) then
		return "MemTotal: " .. got
	end
	got = shell.without_log(shell.ask(machine, "sleep 0.5; echo slept", 60))
	if got ~= "slept\n" then
		return "sleep: " .. got
	end
	got = shell.ask(machine, "dmesg | grep -c Mortise", 60)
	if not shell.without_log(got):match("^[1-9]") then
		return "dmesg: " .. got
	end
	return machine.text:match("Kernel panic[^\r\n]*") or machine.text:match("BUG[^\r\n]*")
end

local function by_screen(t, cell, machine)
	local rows, last = picture.expect(t.dir, machine, "^/ #", cell.seconds or 300, true)
	if not rows then
		return "no prompt on the screen:\n" .. last
	end
	picture.type(machine, "clear; nproc; sleep 0.5; dmesg | wc -l; grep MemTotal /proc/meminfo\n")
	rows, last = picture.expect(t.dir, machine, "^MemTotal: +%d+", 60, true)
	if not rows then
		return "no answer on the screen:\n" .. last
	end
	local text = shell.without_log("\n" .. table.concat(rows, "\n"))
	if not text:find(("\n%d\n[1-9]%%d+\nMemTotal"):format(cell.smp or 2)) then
		return "other answers:\n" .. text:gsub("\n+$", "")
	end
	picture.type(machine, "poweroff\n")
	return not machine:wait(60) and "does not switch off" or nil
end

-- A card's size must be a power of two.
local function card(t)
	local path = t.options.scratch .. "/card"
	local size = 1 << 20
	while size < #fs.read(t.dir .. "/mortise.iso") do
		size = size * 2
	end
	assert(os.execute(("cp %s/mortise.iso %s && truncate -s %d %s"):format(t.dir, path, size, path)))
	return path
end

local function options_of(t, cell)
	local options = { append = "panic=-1", qemu = {} }
	for name, value in pairs(cell) do
		options[name] = value
	end
	if cell.medium then
		for i, word in ipairs(cell.medium) do
			word = word:gsub("@CARD", function() return card(t) end):gsub("@", t.dir .. "/mortise.iso")
			options.qemu[i] = word
		end
		options.no_medium = true
	end
	if cell.screen then
		options.serial, options.reboot = "none", false
	end
	return options
end

-- What is wrong with the cell, or nil.
local function run(t, cell)
	local machine
	if cell.bochs then
		machine = emulators.bochs(t, cell)
	else
		local options, reason = options_of(t, cell), nil
		if cell.later then
			options.emulator, reason = emulators.qemu(t.options.arch)
			if not options.emulator then
				return reason
			end
		end
		machine = t.vm.start(options)
	end
	if cell.screen then
		return by_screen(t, cell, machine)
	end
	if not machine:expect(shell.PROMPT, cell.seconds or 60) then
		return "no prompt:\n" .. machine:tail(15)
	end
	local wrong = look(machine, cell)
	if wrong then
		return wrong
	end
	if cell.halts then
		machine:send("poweroff -f\n")
		return not machine:expect("halted", 30) and "does not halt:\n" .. machine:tail(10) or nil
	end
	machine:send(cell.bochs and "poweroff\n" or "poweroff -f\n")
	local ended = (machine.powered_off or machine.wait)(machine, cell.bochs and 120 or 30)
	return not ended and "does not switch off:\n" .. machine:tail(10) or nil
end

-- The port's cells whose names have all the words.
local function chosen(port, words)
	local list = {}
	for _, cell in ipairs(dofile(("tests/matrix/cells/%s.lua"):format(port))) do
		local fits = true
		for _, word in ipairs(words) do
			fits = fits and cell.name:find(word, 1, true)
		end
		list[#list + 1] = fits and cell or nil
	end
	table.sort(list, function(a, b)
		return a.name < b.name
	end)
	return list
end

return function(t)
	local words = t.options.cells or {}
	local list = chosen(t.options.arch, words)
	if #list == 0 then
		-- A run of both ports may mean cells of the other.
		local others = t.options.totals and #chosen("x86_64", words) + #chosen("aarch64", words) or 0
		t.options.may_be_empty = others > 0 or t.check(false, "a cell has all the words: " .. table.concat(words, " "))
	end
	for _, cell in ipairs(list) do
		t.vm.forget()
		local begun = process.now()
		local ok, wrong = xpcall(run, debug.traceback, t, cell)
		process.kill_all()
		t.note(("%-4s  %-44s %4.0f s"):format(ok and not wrong and "good" or "BAD", cell.name, process.now() - begun))
		t.check(ok and not wrong, cell.name, wrong)
	end
end
