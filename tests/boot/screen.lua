--[[
The framebuffer console: GRUB sets a mode, the kernel writes its log and the shell its prompt; the picture is read back with the console's own font.
]]
-- ports: x86_64 (the other port has no screen)
local shell = require "tests.lib.shell"
local vm = require "tests.lib.vm"

-- Lit pixels of the picture as rows of booleans by character cell: each cell a string of 16 bytes, as in the font.
local function cell_bits(picture, column, row)
	local bytes = {}
	for y = 0, 15 do
		local bits = 0
		for x = 0, 7 do
			local at = ((row * 16 + y) * picture.width + column * 8 + x) * 3
			local r, g, b = picture.text:byte(at + 1, at + 3)
			bits = bits << 1 | ((r + g + b > 150) and 1 or 0)
		end
		bytes[#bytes + 1] = string.char(bits)
	end
	return table.concat(bytes)
end

-- Glyphs that occur, by their picture: a line of text is legible if equal characters look alike and different ones differ.
local function row_cells(picture, row, count)
	local cells = {}
	for column = 0, count - 1 do
		cells[#cells + 1] = cell_bits(picture, column, row)
	end
	return cells
end

-- Does the row show `text`, as far as equality of its characters tells? The blank cell is known.
local function shows(picture, row, text)
	local cells, seen, taken = row_cells(picture, row, #text), {}, {}
	for i = 1, #text do
		local character, cell = text:sub(i, i), cells[i]
		if (character == " ") ~= (cell == ("\0"):rep(16)) then
			return false
		end
		if seen[character] and seen[character] ~= cell then
			return false
		end
		if not seen[character] and taken[cell] then
			return false
		end
		seen[character] = cell
		taken[cell] = true
	end
	return true
end

local function find_row(picture, text)
	for row = 0, picture.height // 16 - 1 do
		if shows(picture, row, text) then
			return row
		end
	end
end

return function(t)
	local machine = vm.start { mem = 512, smp = 2 }
	if not t.check(machine:expect(shell.PROMPT, 90), "the ISO reaches the prompt on the serial line", machine:tail(20)) then
		machine:kill()
		return
	end
	shell.ask(machine, "printf '\\nSphinx of black quartz, judge my vow 0123456789\\n' >/dev/tty0")
	local picture
	for _ = 1, 20 do
		picture = machine:screendump()
		if picture and find_row(picture, "Sphinx of black quartz, judge my vow 0123456789") then
			break
		end
	end
	t.check(picture, "there is a picture")
	if picture then
		t.check(picture.width >= 640 and picture.height >= 400, "of a graphics mode", picture.width .. "x" .. picture.height)
		t.check(find_row(picture, "Sphinx of black quartz, judge my vow 0123456789"), "the line written to tty0 is legible on it")
	end
	shell.finish(t, machine)
end
