--[[
ksyms.lua: the kernel's own symbol table, for backtraces. The kernel is linked twice: first with an empty table, then with
the one that this program writes from the first link; its section lies behind everything else, so no function moves.

	lua5.4 tools/ksyms.lua write ELF OUT.c NM       functions of ELF, sorted by address
	lua5.4 tools/ksyms.lua check FIRST SECOND NM    fails unless both have the same functions at the same addresses
Offsets count from the symbol kernel_image_start; code linked below it (the boot code's) is left out.
]]
package.path = "./?.lua;" .. package.path
local fs = require "tools.lib.fs"

local ksyms = {}

function ksyms.source(functions)
	local offsets, names, strings, at = {}, {}, {}, 0
	for i, entry in ipairs(functions) do
		offsets[i] = ("0x%x,"):format(entry.offset)
		names[i] = at .. ","
		strings[i] = ('\t"%s\\0"'):format(entry.name)
		at = at + #entry.name + 1
	end
	local function lines(list)
		local text = {}
		for i = 1, #list, 12 do
			text[#text + 1] = "\t" .. table.concat(list, " ", i, math.min(i + 11, #list))
		end
		return #text > 0 and table.concat(text, "\n") or "\t0,"
	end
	return table.concat({
		"/* Generated from the linked kernel: its functions, sorted by address. */",
		'#define KSYMS __attribute__((section(".ksyms"), used))',
		("extern const unsigned int ksyms_count;\nKSYMS const unsigned int ksyms_count = %d;"):format(#functions),
		"extern const unsigned int ksyms_offsets[];\nKSYMS const unsigned int ksyms_offsets[] = {\n" .. lines(offsets) .. "\n};",
		"extern const unsigned int ksyms_names[];\nKSYMS const unsigned int ksyms_names[] = {\n" .. lines(names) .. "\n};",
		"extern const char ksyms_strings[];\nKSYMS const char ksyms_strings[] =\n"
			.. (#strings > 0 and table.concat(strings, "\n") or '\t""') .. ";\n",
	}, "\n")
end

-- Functions of an ELF file as { name, offset }, sorted; one name an address.
function ksyms.functions(elf, nm)
	local lines, ok = fs.lines(nm .. " -n " .. fs.quote(elf))
	if not ok then
		error("nm failed on " .. elf, 0)
	end
	local start, list = nil, {}
	for _, line in ipairs(lines) do
		local address = line:match("^(%x+) %a kernel_image_start$")
		if address then
			start = math.tointeger(tonumber("0x" .. address))
		end
	end
	if not start then
		error(elf .. " has no symbol kernel_image_start", 0)
	end
	local last
	for _, line in ipairs(lines) do
		local address, name = line:match("^(%x+) [tTwW] (%S+)$")
		-- Names that begin with two dots are the assembler's own.
		if address and name ~= "kernel_image_start" and name:sub(1, 2) ~= ".." then
			local offset = math.tointeger(tonumber("0x" .. address)) - start
			if offset >= 0 and offset < 0x40000000 and offset ~= last then
				list[#list + 1] = { name = name, offset = offset }
				last = offset
			end
		end
	end
	return list
end

local function check(first, second, nm)
	local a, b = ksyms.functions(first, nm), ksyms.functions(second, nm)
	for i = 1, math.max(#a, #b) do
		local x, y = a[i], b[i]
		if not x or not y or x.name ~= y.name or x.offset ~= y.offset then
			error(("functions moved between the two links, first %s: .ksyms must lie behind all other sections")
				:format((x or y).name), 0)
		end
	end
end

if arg and arg[0] and arg[0]:match("ksyms%.lua$") then
	local ok, reason = pcall(function()
		if arg[1] == "write" then
			fs.write_if_changed(arg[3], ksyms.source(ksyms.functions(arg[2], arg[4])))
		else
			check(arg[2], arg[3], arg[4])
		end
	end)
	if not ok then
		io.stderr:write("ksyms: ", tostring(reason), "\n")
		os.exit(1)
	end
end

return ksyms
