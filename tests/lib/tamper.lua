--[[
tamper.lua: damaged modules for the tests of the loader. Works on the text of a .ko (ELF64, little-endian, relocatable).
]]
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"

local tamper = { RELEASE = "6.1.0-mortise" }

function tamper.directory()
	return "lib/modules/" .. tamper.RELEASE
end

-- Sections by name: { offset, size, header } (header: offset of the section header, from 0).
function tamper.sections(image)
	local table_at = string.unpack("<I8", image, 0x28 + 1)
	local count, names_index = string.unpack("<I2I2", image, 0x3c + 1)
	local function header(i)
		local at = table_at + 64 * i
		local name = string.unpack("<I4", image, at + 1)
		local offset, size = string.unpack("<I8I8", image, at + 0x18 + 1)
		return { name = name, offset = offset, size = size, header = at }
	end
	local names, list = header(names_index), {}
	for i = 1, count - 1 do
		local section = header(i)
		list[string.unpack("z", image, names.offset + section.name + 1)] = section
	end
	return list
end

local function replace_at(image, offset, text)
	return image:sub(1, offset) .. text .. image:sub(offset + #text + 1)
end
tamper.replace_at = replace_at

-- The image with a new .modinfo, appended at the end of the file. `change` gets and returns the text of the section.
function tamper.modinfo(image, change)
	local section = tamper.sections(image)[".modinfo"]
	local text = change(image:sub(section.offset + 1, section.offset + section.size))
	-- Not shorter than before: symbols refer to places in it.
	text = text .. ("\0"):rep(section.size - #text)
	local out = image .. ("\0"):rep(-#image % 8)
	local at = #out
	return replace_at(out, section.header + 0x18, string.pack("<I8I8", at, #text)) .. text
end

-- Sets a key of .modinfo.
function tamper.set(image, key, value)
	return tamper.modinfo(image, function(text)
		local changed, count = ("\0" .. text):gsub("%z" .. key .. "=[^\0]*%z", "\0" .. key .. "=" .. value .. "\0", 1)
		assert(count == 1, key)
		return changed:sub(2)
	end)
end

-- Renames one undefined symbol, so that nothing has it.
function tamper.undefined_symbol(image, symbol)
	local strings = tamper.sections(image)[".strtab"]
	local at = image:find("\0" .. symbol .. "\0", strings.offset + 1, true)
	assert(at, symbol)
	return replace_at(image, at, ("z"):rep(#symbol))
end

-- Flips `count` bits at places that the seed chooses (a linear congruential generator: the same on every machine).
function tamper.flip(image, seed, count)
	local state = seed * 2654435761 + 12345
	for _ = 1, count do
		state = (state * 6364136223846793005 + 1442695040888963407)
		local bit = (state >> 33) % (#image * 8)
		local byte = image:byte((bit >> 3) + 1) ~ (1 << (bit & 7))
		image = replace_at(image, bit >> 3, string.char(byte))
	end
	return image
end

-- The same within one part of the image: [from, from + size).
function tamper.flip_part(image, from, size, seed, count)
	return replace_at(image, from, tamper.flip(image:sub(from + 1, from + size), seed, count))
end

-- A module as it was built.
function tamper.read(options, name)
	return assert(fs.read(options.dir .. "/modules/" .. name .. ".ko"))
end

-- Archive entries that replace modules; `modules`: name = image.
function tamper.entries(modules, list)
	local entries = {}
	for name, image in pairs(modules) do
		entries[#entries + 1] = cpio.file(tamper.directory() .. "/" .. name .. ".ko", image)
	end
	table.sort(entries, function(a, b) return a.name < b.name end)
	if list then
		entries[#entries + 1] = cpio.file(tamper.directory() .. "/modules.boot", table.concat(list, "\n") .. "\n")
	end
	return entries
end

-- The names in the list of modules to load at boot, as built.
function tamper.boot_list(options)
	local list = {}
	local command = ("cpio -i --quiet --to-stdout %s/modules.boot <%s/modules.cpio 2>/dev/null"):format(tamper.directory(),
		fs.quote(options.dir))
	for _, name in ipairs(fs.lines(command)) do
		list[#list + 1] = name
	end
	assert(#list > 0, "no list of modules in modules.cpio")
	return list
end

return tamper
