--[[
picture.lua: a machine's screen read as text, by the console's own font, and its keyboard typed on,
both by QEMU's monitor.

	picture.lines(dir, machine:screendump())    the rows of a graphics mode's picture, as text
	picture.expect(dir, machine, "text", 60)    waits until a row has it; the rows, or nil and
	                                            the last that were seen
	picture.type(machine, "echo Hello; ls\n")   keys of a US keyboard

A row has a "?" for what is no Latin character. `dir`: the build's directory, where the
generated font is.
]]
local fs = require "tools.lib.fs"

local picture = {}

local WIDTH, HEIGHT = 8, 16
local BLANK = ("\0"):rep(HEIGHT)
local fonts = {}

-- From a glyph's 16 bytes to its character.
local function font_of(dir)
	if not fonts[dir] then
		local text = assert(fs.read(dir .. "/gen/tty_font.c"))
		local glyphs, font = {}, {}
		for row in text:gmatch("\t{ (%d+, [%d, ]+) },\n") do
			local bytes = {}
			for number in row:gmatch("%d+") do
				bytes[#bytes + 1] = string.char(tonumber(number))
			end
			glyphs[#glyphs + 1] = table.concat(bytes)
		end
		for character, glyph in text:gmatch("{ (0x%x+), (%d+) }") do
			character, glyph = tonumber(character), glyphs[tonumber(glyph) + 1]
			if character >= 32 and character < 0x250 and not font[glyph] then
				font[glyph] = utf8.char(character)
			end
		end
		font[BLANK] = " "
		fonts[dir] = font
	end
	return fonts[dir]
end

local function inverted(cell)
	return (cell:gsub(".", function(byte) return string.char(byte:byte() ~ 255) end))
end

-- The lit pixels of one scan line, a byte for each cell.
local function bits_of(line)
	local list, n = {}, 0
	for first = 1, #line - 3 * WIDTH + 1, 3 * WIDTH do
		local bits = 0
		for at = first, first + 3 * WIDTH - 1, 3 do
			local r, g, b = line:byte(at, at + 2)
			bits = bits << 1 | (r + g + b > 150 and 1 or 0)
		end
		n = n + 1
		list[n] = bits
	end
	return list
end

local function pixels_of(shot, row)
	local size = shot.width * 3 * HEIGHT
	return shot.text:sub(row * size + 1, row * size + size)
end

local function read_row(font, shot, row)
	local stride = shot.width * 3
	local from, black = row * HEIGHT * stride, ("\0"):rep(stride)
	if pixels_of(shot, row) == black:rep(HEIGHT) then
		return ""
	end
	local scans, text = {}, {}
	for y = 0, HEIGHT - 1 do
		local start = from + y * stride
		scans[y + 1] = bits_of(shot.text:sub(start + 1, start + stride))
	end
	for column = 1, shot.width // WIDTH do
		local bytes = {}
		for y = 1, HEIGHT do
			bytes[y] = string.char(scans[y][column])
		end
		local cell = table.concat(bytes)
		text[column] = font[cell] or font[inverted(cell)] or "?"
	end
	return (table.concat(text):gsub("%s+$", ""))
end

-- `before`, `known`: a picture of the same size and its rows; those that look the same say the same.
function picture.lines(dir, shot, before, known)
	local font, rows = font_of(dir), {}
	for row = 0, shot and shot.height // HEIGHT - 1 or -1 do
		local same = before and before.width == shot.width and pixels_of(before, row) == pixels_of(shot, row)
		rows[row + 1] = same and known[row + 1] or read_row(font, shot, row)
	end
	return rows
end

-- `what`: a part of a row, or a pattern when `pattern` is true; it must stand in `count` rows (1).
function picture.expect(dir, machine, what, seconds, pattern, count)
	local own, rows, last = machine:pace(), {}, nil
	repeat
		local shot = machine:screendump()
		if shot and not (last and shot.text == last.text) then
			last, rows = shot, picture.lines(dir, shot, last, rows)
			local found = 0
			for _, row in ipairs(rows) do
				found = found + (row:find(what, 1, not pattern) and 1 or 0)
			end
			if found >= (count or 1) then
				return rows
			end
		end
		machine:read_some(0.2)
	until machine.eof or own:elapsed() > seconds
	return nil, table.concat(rows, "\n"):gsub("\n+$", "")
end

local KEYS = {
	[" "] = "spc", ["\n"] = "ret", ["-"] = "minus", ["="] = "equal", [";"] = "semicolon",
	["'"] = "apostrophe", ["`"] = "grave_accent", ["\\"] = "backslash", [","] = "comma",
	["."] = "dot", ["/"] = "slash", ["["] = "bracket_left", ["]"] = "bracket_right",
	["_"] = "shift-minus", ["+"] = "shift-equal", [":"] = "shift-semicolon",
	['"'] = "shift-apostrophe", ["~"] = "shift-grave_accent", ["|"] = "shift-backslash",
	["<"] = "shift-comma", [">"] = "shift-dot", ["?"] = "shift-slash",
	["{"] = "shift-bracket_left", ["}"] = "shift-bracket_right",
}
for i, character in ipairs { "!", "@", "#", "$", "%", "^", "&", "*", "(", ")" } do
	KEYS[character] = "shift-" .. i % 10
end

function picture.type(machine, text)
	for character in text:gmatch(".") do
		local key = KEYS[character] or character:match("^[%l%d]$")
			or (character:match("^%u$") and "shift-" .. character:lower())
		machine:command("sendkey " .. assert(key, character) .. " 20")
	end
end

return picture
