--[[
parse.lua: syscalls.tbl as a list of rows. Every refusal is `file:line: reason`; the first one ends the parse.

A row: { line, nr = { x86_64 = n or nil, aarch64 = n or nil }, name, module = name or nil, reason = text or nil,
flags = { set }, flag_list, args }. An argument: { name, kind = val|str|in|out|inout|ext|addr, type, optional, count, size }.
]]
local types = require "tools.gen.types"

local parse = {}

parse.PORTS = { "x86_64", "aarch64" }
parse.TABLE_SIZE = 1024
parse.MAX_ARGS = 6

local FLAGS = { block = true, frame = true, noreturn = true, path = true, partial = true }
local KINDS = { ["in"] = true, out = true, inout = true, addr = true, ext = true }

local function parse_pointer(arg, kind, inner, rest, fail)
	if not KINDS[kind] then
		fail("unknown direction " .. kind)
	end
	arg.kind = kind
	if kind == "ext" then
		arg.type, arg.size = inner:match("^([%l%d_]+),([%l%d_]+)$")
		if not arg.type then
			fail("ext needs (type,size): " .. inner)
		end
	else
		arg.type = inner
	end
	if not types[arg.type] then
		fail("unknown type " .. arg.type)
	end
	if rest ~= "" then
		arg.count = rest:match("^%[([%l%d_]+)%]$")
		if not arg.count or kind == "ext" or kind == "addr" then
			fail("text after the type: " .. rest)
		end
	end
end

local function parse_argument(text, fail)
	local name, spec = text:match("^([%l_][%l%d_]*):(.+)$")
	if not name then
		fail("argument is not name:type: " .. text)
	end
	local arg = { name = name }
	local kind, optional, inner, rest = spec:match("^(%w+)(%??)%(([^()]*)%)(.*)$")
	if kind then
		arg.optional = optional == "?"
		parse_pointer(arg, kind, inner, rest, fail)
	elseif spec == "str" then
		arg.kind, arg.type = "str", "u8"
	else
		local known = types[spec]
		if not known then
			fail("unknown type " .. spec)
		elseif not known.value then
			fail("type " .. spec .. " does not fit a register")
		end
		arg.kind, arg.type = "val", spec
	end
	return arg
end

local function parse_arguments(text, fail)
	local args, by_name = {}, {}
	for word in text:gmatch("%S+") do
		local arg = parse_argument(word, fail)
		if by_name[arg.name] then
			fail("argument " .. arg.name .. " twice")
		end
		by_name[arg.name] = arg
		args[#args + 1] = arg
	end
	if #args > parse.MAX_ARGS then
		fail("more than six arguments")
	end
	for _, arg in ipairs(args) do
		local length = arg.count or arg.size
		if length and (not by_name[length] or by_name[length].kind ~= "val") then
			fail("length " .. length .. " is not an argument by value")
		end
	end
	return args
end

-- Calls of our own have the numbers from here to the table's end, which Linux will not reach soon.
parse.OWN = 600

-- Those that no row of the text has, on either port, as ranges: "601-619, 621-1023".
function parse.free_numbers(text)
	local taken, ranges = {}, {}
	for line in text:gmatch("[^\n]+") do
		local x86, arm = line:match("^(%d+)%s"), line:match("^%S+%s+(%d+)%s")
		for _, number in ipairs { x86 or "-1", arm or "-1" } do
			taken[math.tointeger(number) or -1] = true
		end
	end
	local number = parse.OWN
	while number < parse.TABLE_SIZE do
		local last = number
		while not taken[last] and last < parse.TABLE_SIZE do
			last = last + 1
		end
		if last - number == 1 then
			ranges[#ranges + 1] = tostring(number)
		elseif last > number then
			ranges[#ranges + 1] = number .. "-" .. last - 1
		end
		number = last + 1
	end
	return #ranges > 0 and table.concat(ranges, ", ") or "none"
end

local function parse_number(text, port, name, seen, fail)
	local function fail_free(why)
		fail(why .. "; free for calls of our own: " .. parse.free_numbers(seen.text))
	end
	if text == "-" then
		return nil
	end
	if not text:match("^%d+$") then
		fail("bad number " .. text)
	end
	local number = math.tointeger(text)
	if not number or number >= parse.TABLE_SIZE then
		fail_free("number " .. text .. " is beyond the table")
	end
	if seen[port][number] then
		fail_free(port .. " number " .. number .. " is taken by " .. seen[port][number])
	end
	seen[port][number] = name
	return number
end

local function parse_flags(text, fail)
	local flags, list = {}, {}
	if text ~= "-" then
		for flag in (text .. ","):gmatch("([^,]*),") do
			if not FLAGS[flag] then
				fail("unknown flag " .. (flag == "" and "(empty)" or flag))
			elseif flags[flag] then
				fail("flag " .. flag .. " twice")
			end
			flags[flag] = true
			list[#list + 1] = flag
		end
	end
	return flags, list
end

local function parse_row(line, seen, modules, fail)
	local x86, arm, name, module, flags, rest =
		line:match("^(%S+)%s+(%S+)%s+(%S+)%s+(%S+)%s+(%S+)%s*(.-)%s*$")
	if not x86 then
		fail("a row has six columns")
	end
	if not name:match("^[%l_][%l%d_]*$") then
		fail("bad name " .. name)
	end
	if seen.name[name] then
		fail("name " .. name .. " is taken by line " .. seen.name[name])
	end
	if x86 == "-" and arm == "-" then
		fail("no port has " .. name)
	end
	local row = { name = name, nr = {} }
	row.nr.x86_64 = parse_number(x86, "x86_64", name, seen, fail)
	row.nr.aarch64 = parse_number(arm, "aarch64", name, seen, fail)
	if module ~= "-" then
		if not modules[module] then
			fail("no such module " .. module)
		end
		row.module = module
	end
	row.flags, row.flag_list = parse_flags(flags, fail)
	row.args = parse_arguments(rest, fail)
	return row
end

-- `modules`: set of module names. A row that names a module outside it is refused.
function parse.text(text, path, modules)
	local rows, seen = {}, { x86_64 = {}, aarch64 = {}, name = {}, text = text }
	local number, reason = 0, nil
	for line in (text .. "\n"):gmatch("([^\n]*)\n") do
		number = number + 1
		local function fail(why)
			error(("%s:%d: %s"):format(path, number, why), 0)
		end
		local comment = line:match("^#%s*(.*)$")
		if comment then
			reason = comment ~= "" and comment or nil
		elseif not line:match("%S") then
			reason = nil
		else
			local row = parse_row(line, seen, modules, fail)
			seen.name[row.name] = number
			row.line = number
			if row.module then
				reason = nil
			elseif not reason then
				fail("refused call " .. row.name .. " has no reason in a comment above")
			else
				row.reason = reason
			end
			rows[#rows + 1] = row
		end
	end
	return rows
end

return parse
