--[[
shell.lua: a machine whose serial line is a shell, driven as a person would, and the archives that tests boot.

	local machine = shell.start(t, { smp = 2, append = "..." })     nil, and a failed check, if no prompt comes
	local output, status = shell.ask(machine, "uname -r", 10)
]]
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local vm = require "tests.lib.vm"

local shell = { PROMPT = "/ # " }

-- A machine at its prompt. options: those of vm.start; name (for the checks), seconds until the prompt.
function shell.start(t, options)
	local machine = vm.start(options)
	local what = (options.name and options.name .. ": " or "") .. "reaches the prompt"
	if not t.check(machine:expect(shell.PROMPT, options.seconds or 60), what, machine:tail(30)) then
		machine:kill()
		return nil
	end
	return machine
end

-- Runs a command line; returns its output without carriage returns, and its status (nil if no end came).
function shell.ask(machine, command, seconds)
	machine:send('echo "@@""begin"; ' .. command .. '; echo "@@""end $?"\n')
	if not machine:expect("@@begin\r\n", seconds or 20) then
		return machine:tail(10), nil
	end
	local from = machine.position
	local ending = machine:expect("@@end %d+\r\n", seconds or 20, true)
	if not ending then
		return machine.text:sub(from), nil
	end
	machine:expect("# ", 5)
	local last = machine.text:find("@@end %d+\r\n", from)
	return (machine.text:sub(from, last - 1):gsub("\r", "")), tonumber(ending:match("%d+"))
end

-- Checks a command's whole output.
function shell.says(t, machine, command, expected, seconds)
	local output = shell.ask(machine, command, seconds)
	return t.equal(output, expected, command:gsub("%s+", " "):sub(1, 60))
end

-- Switches the machine off; a machine that does not go is a failure.
function shell.finish(t, machine, name)
	machine:send("poweroff -f\n")
	t.check(machine:wait(20), (name and name .. ": " or "") .. "switches off", machine:tail(10))
end

-- Writes an archive of { name, mode, data } entries (see tools/cpio.lua); returns its path.
function shell.archive(t, name, entries)
	local path = t.options.scratch .. "/" .. name .. ".cpio"
	fs.write(path, cpio.pack(entries))
	return path
end

-- Output without what the kernel's log put in between.
function shell.without_log(text)
	return (text:gsub("%[ *%d+%.%d+%][^\n]*\n", ""))
end

return shell
