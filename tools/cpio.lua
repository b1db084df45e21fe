--[[
cpio.lua: writes newc archives, reproducibly: entries in the order given, times and inode numbers fixed.

The data of regular files larger than 4 KiB begins at a multiple of 4096 in the archive: the kernel can then use the pages in
place. The gap is filled by NULs behind the name, which its length field counts; Linux and cpio(1) take such
names up to 4096 bytes. A larger gap begins with an entry for the root directory, padded in the same way.
]]
local cpio = {}

local PAGE = 4096
local PATH_MAX = 4096
local HEADER_SIZE = 110

local function header(entry, inode, name_size, data_size)
	local fields = {
		inode, entry.mode, entry.uid or 0, entry.gid or 0, entry.nlink or 1, entry.mtime or 0, data_size,
		0, 0, entry.major or 0, entry.minor or 0, name_size, 0,
	}
	local text = { "070701" }
	for _, value in ipairs(fields) do
		text[#text + 1] = ("%08X"):format(value)
	end
	return table.concat(text)
end

local function padding(size, unit)
	return ("\0"):rep(-size % unit)
end

-- The archive's text. `entries`: { name, mode (with type bits), data, major, minor }.
function cpio.pack(entries)
	local parts, at = {}, 0
	local function add(text)
		parts[#parts + 1] = text
		at = at + #text
	end
	local function member(entry, inode)
		local data = entry.data or ""
		local name = entry.name .. "\0"
		if #data > PAGE then
			if #name + -(at + HEADER_SIZE + #name) % PAGE > PATH_MAX then
				local filler = "." .. ("\0"):rep(PATH_MAX // 2)
				add(header({ mode = 0x41ed, nlink = 2 }, 0, #filler, 0))
				add(filler)
				add(padding(at, 4))
			end
			name = name .. padding(at + HEADER_SIZE + #name, PAGE)
		end
		add(header(entry, inode, #name, #data))
		add(name)
		add(padding(at, 4))
		add(data)
		add(padding(at, 4))
	end
	for i, entry in ipairs(entries) do
		member(entry, i)
	end
	member({ name = "TRAILER!!!", mode = 0 }, 0)
	add(padding(at, 512))
	return table.concat(parts)
end

function cpio.directory(name, permissions)
	return { name = name, mode = 0x4000 | (permissions or 0x1ed), nlink = 2 }
end

function cpio.file(name, data, permissions)
	return { name = name, mode = 0x8000 | (permissions or 0x1a4), data = data }
end

function cpio.link(name, target)
	return { name = name, mode = 0xa000 | 0x1ff, data = target }
end

function cpio.device(name, major, minor, permissions)
	return { name = name, mode = 0x2000 | (permissions or 0x1b6), major = major, minor = minor }
end

return cpio
