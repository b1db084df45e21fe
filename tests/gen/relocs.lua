-- relocs.lua: which places of a linked image are found, and what is refused.
local fs = require "tools.lib.fs"
local relocs = require "tools.relocs"

local SCRIPT = [[
SECTIONS
{
	. = 0x100000;
	.boot : { *(.boot.text) }
	. = 0xffffffff80101000;
	kernel_image_start = .;
	.text : AT(0x101000) { *(.text) }
	.data : AT(ADDR(.data) - 0xffffffff80000000) { *(.data) }
	kernel_end = .;
	/DISCARD/ : { *(.note*) *(.comment) }
}
]]

local function link(t, name, text)
	local base = t.options.scratch .. "/" .. name
	fs.write(base .. ".s", text)
	fs.write(base .. ".lds", SCRIPT)
	local lines, ok = fs.lines(("as --64 -o %s.o %s.s 2>&1 && ld -m elf_x86_64 --emit-relocs -static -T %s.lds -o %s.elf %s.o 2>&1")
		:format(base, base, base, base, base))
	t.check(ok, name .. " links", table.concat(lines, "\n"))
	return base .. ".elf"
end

local function refused(t, name, text, reason)
	local ok, message = pcall(relocs.places, link(t, name, text))
	t.check(not ok and message:find(reason, 1, true), name .. " is refused", tostring(message))
end

local function places(t)
	local path = link(t, "good", [[
		.text
		.globl one
	one:	mov $one, %rax
		movabs $two, %rax
		mov two(,%rcx,8), %rax
		call one
		lea two(%rip), %rax
		mov $low, %rax
		.data
	two:	.quad one, 7, two + 8
		.section .boot.text, "ax"
	low:	mov $one, %rax
	]])
	local list = relocs.places(path)
	t.equal(#list, 5, "three in the text, two in the data; none of the start-up code, of low addresses, of relative ones")
	t.equal(list[1], 3, "the first is behind its opcode")
	local packed = relocs.pack(list)
	t.equal(#packed, 20, "four bytes each")
	t.equal(string.unpack("<I4", packed), 3, "little-endian")
	for i = 2, #list do
		t.check(list[i - 1] < list[i], "ascending")
	end
end

local function refusals(t)
	refused(t, "folded", "\t.text\none:\tmovabs $one + 0x80000000, %rax\n", "not an address of the image")
	refused(t, "narrow", "\t.text\none:\tmov $one + 0x80000000, %eax\n", "not an address of the image")
	refused(t, "apart", "\t.text\none:\tnop\n\t.section .boot.text, \"ax\"\n\t.quad one - .\n", "do not move together")
	fs.write(t.options.scratch .. "/text", "no object")
	local ok, message = pcall(relocs.places, t.options.scratch .. "/text")
	t.check(not ok and message:find("not a 64-bit", 1, true), "a file of another kind is refused", tostring(message))
end

return { { "places", places }, { "refusals", refusals } }
