-- The command line: what the kernel takes, what it reports, and what init gets.
local cpio = require "tools.cpio"
local shell = require "tests.lib.shell"

-- An init that shows what it was given, as a shell script.
local SHOW = [[#!/bin/sh
/bin/mount -t proc proc /proc
echo "@@arguments"
for word in "$@"; do echo "<$word>"; done
echo "@@environment"
/usr/bin/tr '\0' '\n' </proc/1/environ
echo "@@cmdline"
/bin/cat /proc/cmdline
echo "@@name $0"
for n in 0 1 2; do echo "@@fd $n $(/bin/busybox readlink /proc/1/fd/$n)"; done
echo "@@done"
/sbin/poweroff -f
]]

local function boot(t, append)
	local machine = t.vm.start {
		direct = true, smp = 1, append = append,
		initrd = { shell.archive(t, "show", { cpio.file("show", SHOW, 0x1ed), cpio.file("bin/shown", SHOW, 0x1ed),
			cpio.file("notexec", "#!/bin/sh\n", 0x1a4), cpio.file("nothing", "", 0x1ed) }) },
	}
	machine:wait(60)
	return (machine.text:gsub("\r", ""))
end

local function section(text, name)
	return text:match("@@" .. name .. "\n(.-)@@") or ""
end

return function(t)
	local text = boot(t, 'rdinit=/show panic=-1 first x=y "quoted word" HOME=/elsewhere loglevel=7 quoted="a b" futex.hash_bits=4 -- last quiet')
	t.equal(section(text, "arguments"), "<first>\n<quoted word>\n<last>\n<quiet>\n", "arguments: unknown words, all after --")
	local environment = "\n" .. section(text, "environment")
	for _, word in ipairs { "x=y", "HOME=/elsewhere", "TERM=linux", "quoted=a b" } do
		t.check(environment:find("\n" .. word .. "\n", 1, true), "environment: " .. word, environment)
	end
	for _, word in ipairs { "rdinit", "panic", "loglevel", "futex.hash_bits", "console" } do
		t.check(not environment:find("\n" .. word .. "=", 1, true), "environment: not " .. word, environment)
	end
	t.check(not environment:find("\nHOME=/\n", 1, true), "environment: HOME once", environment)
	t.equal(section(text, "cmdline"),
		'console=' .. t.vm.build.arch.console .. ' rdinit=/show panic=-1 first x=y "quoted word" HOME=/elsewhere loglevel=7 quoted="a b" futex.hash_bits=4 -- last quiet\n',
		"/proc/cmdline is the whole line")
	t.check(text:match("@@name /show\n"), "rdinit= names the program", text:sub(-600))
	for number = 0, 2 do
		t.check(text:find(("@@fd %d /dev/console\n"):format(number), 1, true), "descriptor " .. number .. " is the console",
			text:match("@@fd " .. number .. "[^\n]*"))
	end
	t.check(text:find('command line: "first" is not a word of the kernel', 1, true), "unknown words are reported", text:sub(1, 1500))
	t.check(text:find('command line: "x=y" is not a word of the kernel', 1, true), "unknown settings are reported", text:sub(1, 1500))
	t.check(not text:find('"loglevel=7" is not', 1, true) and not text:find('"futex.hash_bits=4" is not', 1, true),
		"known ones are not", text:sub(1, 1500))

	text = boot(t, "rdinit=/bin/shown panic=-1 quiet")
	t.check(text:match("@@done"), "rdinit=/bin/shown runs", text:sub(-600))
	t.check(not text:match("Mortise 6"), "quiet: no notices on the console", text:sub(1, 600))

	text = boot(t, "rdinit=/missing init=/show panic=-1")
	t.check(text:match("@@done"), "init= after a missing rdinit", text:sub(-600))
	t.check(text:match("/missing cannot be run"), "the missing rdinit is reported", text:sub(-900))

	text = boot(t, "rdinit=/notexec init=/show panic=-1")
	t.check(text:match("/notexec cannot be run %(error 13%)") and text:match("@@done"), "an rdinit without execute permission",
		text:sub(-600))
	text = boot(t, "rdinit=/nothing init=/show panic=-1")
	t.check(text:match("/nothing cannot be run %(error 8%)") and text:match("@@done"), "an rdinit that is no program",
		text:sub(-600))

	text = boot(t, "rdinit=/show loglevel=lots panic=soon")
	t.check(text:match("loglevel=lots is not"), "loglevel= without a number", text:sub(1, 900))
	t.check(text:match("panic=soon is not"), "panic= without a number", text:sub(1, 900))
	t.check(text:match("@@done"), "and the rest goes on", text:sub(-600))

	text = boot(t, "rdinit=/show nobody.param=1 panic=-1")
	t.check(text:match('"nobody.param=1"'), "a parameter of no module is reported", text:sub(1, 1500))

	local words = {}
	for i = 1, 300 do
		words[i] = "w" .. i
	end
	text = boot(t, "rdinit=/show panic=-1 " .. table.concat(words, " "))
	t.check(text:match("more than %d+ words") and text:match("@@done"), "more words than there is room for", text:sub(1, 900))

	-- Without any of it: /init of the archive, which hands over to busybox's init.
	local machine = shell.start(t, { direct = true, smp = 1, append = "init=/init", name = "init=/init" })
	if machine then
		shell.says(t, machine, "head -c 4 /proc/1/cmdline", "init")
		shell.finish(t, machine)
	end
end
