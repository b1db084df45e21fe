--[[
numbers.lua: compares the table's numbers with the Linux headers installed for each port. A call that the headers have and
the table lacks, a number that differs, and a row that the headers lack are refused. Calls younger than the headers stand in
BEYOND with the number that Linux gave them; they are checked against this list. Calls of our own
have the same number on both ports, from parse.OWN on.
]]
local fs = require "tools.lib.fs"
local parse = require "tools.gen.parse"

local numbers = {}

local BEYOND = { futex_wake = 454, futex_wait = 455, futex_requeue = 456 }

-- Names that the headers define and that are no calls.
local NOT_CALLS = { syscalls = true, arch_specific_syscall = true }

-- Name to number, from the preprocessed asm/unistd.h below the include directories; nil where it is not installed.
function numbers.from_headers(directories)
	local command = "gcc -E -dM -nostdinc -x c"
	for _, directory in ipairs(directories) do
		command = command .. " -I" .. fs.quote(directory)
	end
	local lines, ok = fs.lines(command .. " -include asm/unistd.h /dev/null 2>/dev/null")
	if not ok then
		return nil
	end
	local macros, calls = {}, {}
	for _, line in ipairs(lines) do
		local name, value = line:match("^#define (__NR%S*) (%S+)$")
		if name then
			macros[name] = value
		end
	end
	for name, value in pairs(macros) do
		local call = name:match("^__NR_(.+)$")
		while value and not value:match("^%d+$") do
			value = macros[value]
		end
		if call and value and not NOT_CALLS[call] then
			calls[call] = math.tointeger(value)
		end
	end
	return calls
end

function numbers.check_port(rows, path, port, calls)
	local have = {}
	for _, row in ipairs(rows) do
		local function fail(reason)
			error(("%s:%d: %s"):format(path, row.line, reason), 0)
		end
		local expected = calls[row.name] or BEYOND[row.name]
		local number = row.nr[port]
		have[row.name] = true
		if number and not expected and number >= parse.OWN then
			if row.nr.x86_64 ~= row.nr.aarch64 then
				fail(("%s is a call of our own and needs one number on both ports"):format(row.name))
			end
		elseif number and not expected then
			local says = "%s has no call %s; calls of our own have numbers from %d to %d"
			fail(says:format(port, row.name, parse.OWN, parse.TABLE_SIZE - 1))
		elseif number ~= expected then
			fail(("%s is %s on %s, not %s"):format(row.name, expected, port, number or "-"))
		end
	end
	local missing = {}
	for name in pairs(calls) do
		if not have[name] then
			missing[#missing + 1] = name
		end
	end
	table.sort(missing)
	if #missing > 0 then
		error(("%s:1: %s has calls without a row: %s"):format(path, port, table.concat(missing, " ")), 0)
	end
end

-- `headers`: port to list of include directories. Returns the ports that could not be checked.
function numbers.check(rows, path, headers)
	local unchecked = {}
	for _, port in ipairs(parse.PORTS) do
		local calls = headers[port] and numbers.from_headers(headers[port])
		if calls then
			numbers.check_port(rows, path, port, calls)
		else
			unchecked[#unchecked + 1] = port
		end
	end
	return unchecked
end

return numbers
