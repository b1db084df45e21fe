--[[
Keyboard and terminals of the screen, by Debian's own kbd programs and QEMU's keys: switching, what
each key sends, the built-in layouts, maps that loadkeys and loadkmap bring; and by the picture,
letters with accents and what is scrolled back to.
]]
-- ports: x86_64 (the other port has no screen)
local fs = require "tools.lib.fs"
local picture = require "tests.lib.picture"
local shell = require "tests.lib.shell"

local PROGRAMS = {
	"fgconsole", "chvt", "deallocvt", "loadkeys", "dumpkeys", "kbd_mode", "setleds",
}

-- Copies of the build machine's programs with their libraries, as an archive.
local function overlay(t)
	local tree = t.options.scratch .. "/kbd"
	local function copy(path)
		local command = "mkdir -p %s%s && cp -L %s %s%s"
		assert(os.execute(command:format(tree, path:match("^(.*)/"), path, tree, path)))
	end
	for _, program in ipairs(PROGRAMS) do
		local path = "/usr/bin/" .. program
		copy(path)
		local pipe = io.popen("ldd " .. path)
		for line in pipe:lines() do
			local library = line:match("(/%S+)")
			if library then
				copy(library)
			end
		end
		pipe:close()
	end
	local archive = t.options.scratch .. "/kbd.cpio"
	assert(os.execute(("lua5.4 tools/initrd.lua tree %s %s"):format(archive, tree)))
	return archive
end

local function start(t, archive, append)
	return shell.start(t, {
		direct = true, smp = 2, mem = 256, initrd = { archive },
		append = append, name = append,
	})
end

local function shown(t, machine, number, says)
	t.equal(shell.ask(machine, "fgconsole"), number .. "\n", says)
end

-- What the terminal that is shown gets for keys, as hexadecimal bytes up to the keypad's "*".
local function typed(t, machine, keys, expected, says)
	machine:send("stty raw -echo </dev/tty7; echo go; "
		.. "while [ \"$b\" != 2a ]; do b=$(dd bs=1 count=1 2>/dev/null </dev/tty7 "
		.. "| hexdump -ve '1/1 \"%02x\"'); printf $b; done; b=; echo ' end'\n")
	machine:expect("\r\ngo\r\n", 20)
	local from = machine.position
	machine:keys(keys)
	machine:keys("kp_multiply")
	machine:expect(" end\r\n", 20)
	local got = machine.text:sub(from):match("^%s*(%x*)2a end") or machine:tail(5)
	t.equal(got, expected, says)
	machine:expect(shell.PROMPT, 10)
end

local function switching(t, machine)
	shown(t, machine, 1, "the first one is shown at the start")
	shell.ask(machine, "exec 7</dev/tty7; exec 8</dev/tty2")
	machine:keys("alt-f2")
	shown(t, machine, 2, "Alt-F2")
	machine:keys("alt-f5")
	shown(t, machine, 2, "Alt-F5: nobody opened it")
	machine:keys("alt-right")
	shown(t, machine, 7, "Alt-Right")
	machine:keys("alt-right")
	shown(t, machine, 1, "Alt-Right goes round")
	machine:keys("alt-left")
	shown(t, machine, 7, "Alt-Left")
	machine:keys("ctrl-alt-f2")
	shown(t, machine, 2, "Ctrl-Alt-F2")
	shell.ask(machine, "chvt 5")
	shown(t, machine, 5, "chvt makes another one")
	local status = shell.ask(machine, "deallocvt 2; echo $?"):match("(%d+)\n$")
	t.equal(status, "1", "deallocvt: in use")
	machine:keys("alt-f7")
	t.equal(shell.ask(machine, "deallocvt 5; echo $?"), "0\n", "deallocvt: free")
	machine:keys("alt-f5")
	shown(t, machine, 7, "it is gone")
end

local KEYS = {
	{ "a shift-a ctrl-c alt-a", "6141031b61" },
	{ "up down right left", "1b5b411b5b421b5b431b5b44" },
	{ "f1 f5 f12 shift-f1", "1b5b5b411b5b5b451b5b32347e1b5b32357e" },
	{ "home end insert delete pgup pgdn", "1b5b317e1b5b347e1b5b327e1b5b337e1b5b357e1b5b367e" },
	{ "tab shift-tab backspace ret esc", "091b5b5a7f0d1b" },
	{ "ctrl-spc ctrl-2 ctrl-backslash ctrl-minus", "00001c1f" },
	{ "caps_lock a 1 shift-b caps_lock a", "41316261" },
	{ "kp_5 num_lock kp_8 kp_5 num_lock kp_8", "351b5b411b5b4738" },
	{ "alt-shift-x shift-semicolon less", "1b583a3c" },
	{ "alt_r-a alt_r-shift-x", "1b611b58" },
}

local LAYOUTS = {
	-- y and z, umlauts, sharp s, AltGr-q, AltGr-e, dead circumflex before e, before a space
	de = {
		{ "y z", "7a79" }, { "semicolon shift-semicolon minus", "c3b6c396c39f" },
		{ "alt_r-q alt_r-e alt_r-7", "40e282ac7b" },
		{ "grave_accent e grave_accent spc", "c3aa5e" },
		{ "equal e shift-equal a", "c3a9c3a0" },
		{ "caps_lock semicolon minus caps_lock", "c396c39f" },
	},
	fr = {
		{ "a w semicolon", "717a6d" }, { "2 shift-2 0 shift-0", "c3a932c3a030" },
		{ "alt_r-0 alt_r-e", "40e282ac" },
		{ "bracket_left o shift-bracket_left u", "c3b4c3bc" },
	},
	uk = {
		{ "shift-3 alt_r-4 shift-2", "c2a3e282ac22" },
		{ "backslash less shift-apostrophe", "235c40" },
	},
}

local MAP = [[
keymaps 0-1,4,8
keycode 30 = b B
keycode 31 = U+20ac
string F1 = "hello"
keycode 59 = F1
compose '^' 'z' to U+017e
keycode 44 = dead_circumflex
keycode 45 = z
]]

local function maps(t, machine)
	shell.ask(machine, "dumpkeys >/tmp/before; dumpkmap </dev/tty7 >/tmp/before.bin")
	local before = shell.ask(machine, "cat /tmp/before")
	t.check(before:find("keycode%s+30 = %+?a"), "dumpkeys shows a map", before)
	local size = shell.ask(machine, "wc -c </tmp/before.bin"):match("%d+")
	t.equal(size, "2823", "dumpkmap writes its whole table")
	local text = MAP:gsub("\n", "\\n"):gsub("'", "'\\''")
	shell.ask(machine, "printf '" .. text .. "' >/tmp/map")
	t.equal(shell.ask(machine, "loadkeys -q /tmp/map </dev/tty7; echo $?"), "0\n", "loadkeys")
	typed(t, machine, "a shift-a s f1 z x", "6242e282ac68656c6c6fc5be",
		"keys of the loaded map")
	shell.ask(machine, "loadkmap </tmp/before.bin")
	typed(t, machine, "a s z x", "61737a78", "loadkmap brings the former one back")
	local flags = shell.ask(machine,
		"setleds -D +caps </dev/tty7; setleds </dev/tty7 | grep Current.flags")
	t.equal(flags:match("CapsLock (%a+)"), "on", "setleds")
	typed(t, machine, "a", "41", "CapsLock by setleds")
	shell.ask(machine, "setleds -D -caps </dev/tty7")
	local mode = shell.ask(machine, "kbd_mode </dev/tty7")
	t.check(mode:find("Unicode"), "kbd_mode", mode)
end

-- An ISO with a German keyboard; its screen has a graphics mode.
local function german_iso(t)
	local base = t.options.scratch .. "/german"
	fs.write(base .. ".cfg", (fs.read("iso/grub.cfg"):gsub("console=tty0", "%0 tty.keymap=de")))
	local lines, ok = fs.lines(("lua5.4 tools/iso.lua %s.iso %s %s.cfg 2>&1"):format(base, t.dir, base))
	return t.check(ok, "an ISO with another keyboard is made", table.concat(lines, "\n")) and base .. ".iso"
end

local function on_screen(t)
	local iso = german_iso(t)
	local machine = iso and t.vm.start { iso = iso, mem = 512 }
	if not machine then
		return
	end
	local function shows(what, says)
		local rows, last = picture.expect(t.dir, machine, what, 120, true)
		t.check(rows, "screen: " .. says, last)
		return rows
	end
	if not shows("^/ #", "the prompt") then
		return
	end
	picture.type(machine, "cat\n")
	shows("^/ # cat$", "a program reads")
	machine:keys("semicolon apostrophe minus shift-bracket_left equal e grave_accent a ret")
	shows("^öäßÜéâ$", "letters with accents, as they are typed")
	machine:keys("ctrl-c")
	picture.type(machine, "seq 300\n")
	shows("^300$", "the end of a long output")
	machine:keys("shift-pgup")
	local rows = shows("^240$", "Shift-PgUp shows what went off the screen") or {}
	t.check(not table.concat(rows, "\n"):find("\n300"), "screen: and not its end")
	machine:keys("shift-pgup shift-pgup shift-pgup")
	shows("^170$", "further back")
	machine:keys("shift-pgdn shift-pgdn shift-pgdn shift-pgdn")
	shows("^300$", "Shift-PgDn goes forward to the end")
	machine:keys("shift-pgup")
	shows("^240$", "back once more")
	picture.type(machine, "echo back\n")
	shows("^back$", "a key shows the end")
	picture.type(machine, "poweroff\n")
	t.check(machine:wait(60), "screen: switches off", machine:tail(10))
end

return function(t)
	on_screen(t)
	local archive = overlay(t)
	local machine = start(t, archive, "loglevel=4")
	if machine then
		switching(t, machine)
		for _, row in ipairs(KEYS) do
			typed(t, machine, row[1], row[2], row[1])
		end
		maps(t, machine)
		shell.finish(t, machine)
	end
	for _, name in ipairs { "de", "fr", "uk" } do
		machine = start(t, archive, "loglevel=4 tty.keymap=" .. name)
		if machine then
			shell.ask(machine, "exec 7</dev/tty7; chvt 7")
			for _, row in ipairs(LAYOUTS[name]) do
				typed(t, machine, row[1], row[2], name .. ": " .. row[1])
			end
			shell.finish(t, machine)
		end
	end
	machine = start(t, archive, "tty.keymap=xx")
	if machine then
		local line = machine.text:find('no keymap "xx", us is used', 1, true)
		t.check(line, "an unknown layout is named in the log")
		shell.finish(t, machine)
	end
end
