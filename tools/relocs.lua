--[[
relocs.lua: the places of the kernel image that hold addresses of the image, so that it can run elsewhere than where it is linked.
The kernel is linked with --emit-relocs; the table is made from the first link and lies behind all places that it names.

	lua5.4 tools/relocs.lua write ELF OUT.bin      offsets from kernel_image_start, 32 bits each, ascending
	lua5.4 tools/relocs.lua check ELF TABLE.bin    fails unless a later link has the same places
Every place is good for an addition to its low 32 bits: the image lies in the last 2 GiB and stays there. What the tool does not
understand is an error: so is a constant that the compiler made of an address and a number (where the symbol is loaded, say), and a
reference relative to the instruction between the start-up code, which runs where it is loaded, and the image.
]]
package.path = "./?.lua;" .. package.path
local fs = require "tools.lib.fs"

local relocs = {}

local EM_X86_64, SHT_SYMTAB, SHT_RELA, SHF_ALLOC = 62, 2, 4, 2
local R_64, R_PC32, R_PLT32, R_32, R_32S, R_PC64 = 1, 2, 4, 10, 11, 24
local RELATIVE = { [R_PC32] = true, [R_PLT32] = true, [R_PC64] = true }
local ABSOLUTE = { [R_64] = true, [R_32] = true, [R_32S] = true }
local SLACK = 0x1000000			-- how far an index may lead out of the image

local function sections_of(elf, path)
	if elf:sub(1, 6) ~= "\127ELF\2\1" then
		error(path .. " is not a 64-bit little-endian ELF file", 0)
	end
	local machine, offset, size, count = string.unpack("<H", elf, 19), string.unpack("<I8", elf, 41), string.unpack("<HH", elf, 59)
	if machine ~= EM_X86_64 then
		error(("%s: relocations of machine %d are not known"):format(path, machine), 0)
	end
	local list = {}
	for i = 0, count - 1 do
		local s = {}
		s.name, s.type, s.flags, s.address, s.offset, s.size, s.link, s.info =
			string.unpack("<I4I4I8I8I8I8I4I4", elf, offset + i * size + 1)
		list[i] = s
	end
	return list
end

local function cstring(elf, at)
	return elf:sub(at + 1, elf:find("\0", at + 1, true) - 1)
end

-- The symbols' values, and those of the names that bound the image.
local function symbols_of(elf, sections, index)
	local table_, values, bounds = sections[index], {}, {}
	for i = 0, table_.size // 24 - 1 do
		local name, _, _, _, value = string.unpack("<I4BBHI8", elf, table_.offset + i * 24 + 1)
		values[i] = { value = value, name = name }
	end
	local strings = sections[table_.link].offset
	for _, symbol in pairs(values) do
		symbol.name = cstring(elf, strings + symbol.name)
		bounds[symbol.name] = symbol.value
	end
	return values, bounds.kernel_image_start, bounds.kernel_end
end

-- The places of one relocation section, added to `places`.
local function read_section(elf, section, values, first, last, places)
	local function inside(address, slack)
		return math.ult(first - slack - 1, address) and math.ult(address, last + slack)
	end
	for at = section.offset, section.offset + section.size - 24, 24 do
		local place, kind, index, addend = string.unpack("<I8I4I4i8", elf, at + 1)
		local symbol, here = values[index], inside(place, 0)
		local function refuse(reason)
			error(("relocation of type %d against %s at %x: %s"):format(kind, symbol.name, place, reason), 0)
		end
		if RELATIVE[kind] then
			if symbol.value ~= 0 and here ~= inside(symbol.value, 1) then
				refuse("the start-up code and the image do not move together")
			end
		elseif not ABSOLUTE[kind] then
			refuse("unknown type")
		elseif here and inside(symbol.value, 1) then
			if kind == R_32 or not inside(symbol.value + addend, SLACK) then
				refuse("not an address of the image")
			end
			places[#places + 1] = place - first
		end
	end
end

-- The offsets of the places in an ELF file, ascending, and its sections' end.
function relocs.places(path)
	local elf = fs.read(path) or error("cannot read " .. path, 0)
	local sections, places = sections_of(elf, path), {}
	local values, first, last
	for i = 0, #sections do
		if sections[i].type == SHT_SYMTAB then
			values, first, last = symbols_of(elf, sections, i)
		end
	end
	if not first or not last then
		error(path .. " lacks kernel_image_start or kernel_end", 0)
	end
	for i = 0, #sections do
		local s = sections[i]
		if s.type == SHT_RELA and sections[s.info].flags & SHF_ALLOC ~= 0 then
			read_section(elf, s, values, first, last, places)
		end
	end
	table.sort(places)
	return places
end

function relocs.pack(places)
	local words = {}
	for i, place in ipairs(places) do
		words[i] = string.pack("<I4", place)
	end
	return table.concat(words)
end

if arg and arg[0] and arg[0]:match("relocs%.lua$") then
	local ok, reason = pcall(function()
		local text = relocs.pack(relocs.places(arg[2]))
		if arg[1] == "write" then
			fs.write_if_changed(arg[3], text)
		elseif fs.read(arg[3]) ~= text then
			error("places moved between the two links: the tables must lie behind all other sections", 0)
		end
	end)
	if not ok then
		io.stderr:write("relocs: ", tostring(reason), "\n")
		os.exit(1)
	end
end

return relocs
