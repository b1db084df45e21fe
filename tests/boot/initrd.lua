-- Archives as Linux takes them: several in one file, zeroes between, later files win; damage is reported, what stands before it
-- is used.
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local shell = require "tests.lib.shell"

-- The plain archives and then `parts`, nothing between them but what the parts bring.
local function join(t, name, parts)
	local path = t.options.scratch .. "/" .. name .. ".whole"
	fs.write(path, fs.read(t.options.dir .. "/modules.cpio") .. fs.read(t.options.dir .. "/rootfs.cpio") .. table.concat(parts))
	return path
end

local function boot(t, name, parts)
	return shell.start(t, {
		direct = true, smp = 1, name = name, append = "panic=-1", initrd_file = join(t, name:gsub("%A", "-"), parts),
	})
end

local ZEROES = ("\0"):rep(512)

local function overlays(t)
	local first = cpio.pack {
		cpio.file("etc/one", "first\n"), cpio.file("etc/two", "first\n"), cpio.directory("etc/tree"),
		cpio.file("etc/tree/leaf", "leaf\n", 0x180), cpio.link("etc/link", "one"), cpio.file("etc/shape", "file\n"),
		cpio.file("etc/empty", ""), cpio.file("./etc/dotted", "dotted\n"), cpio.file("/etc/rooted", "rooted\n"),
		cpio.file("new/dir/deep/file", "deep\n"),
		{ name = "etc/fifo", mode = 0x11a4 },
		{ name = "etc/owned", mode = 0x81a4, data = "x", uid = 1000, gid = 50 },
	}
	local second = cpio.pack {
		cpio.file("etc/two", "second\n"), cpio.directory("etc/tree", 0x1c0), cpio.link("etc/shape", "two"),
		cpio.file("etc/big", ("0123456789abcdef"):rep(5000)),
		{ name = "etc/hard1", mode = 0x81a4, nlink = 2, data = "" }, { name = "etc/same", mode = 0x81a4, data = "same" },
	}
	local machine = boot(t, "overlays", { ZEROES:rep(9), first, "\0\0\0\0", second, ZEROES:rep(3) })
	if not machine then
		return
	end
	local function says(command, expected)
		return shell.says(t, machine, command, expected)
	end
	says("cat /etc/one /etc/two /etc/link", "first\nsecond\nfirst\n")
	says("cat /etc/tree/leaf; stat -c '%a' /etc/tree /etc/tree/leaf", "leaf\n700\n600\n")
	says("readlink /etc/shape; cat /etc/shape", "two\nsecond\n")
	says("wc -c </etc/empty; cat /etc/dotted /etc/rooted /new/dir/deep/file", "0\ndotted\nrooted\ndeep\n")
	says("stat -c '%F' /etc/fifo; stat -c '%u %g' /etc/owned", "fifo\n1000 50\n")
	says("wc -c </etc/big; md5sum </etc/big | cut -c1-32", "80000\n"
		.. fs.lines("printf '0123456789abcdef%.0s' $(seq 5000) | md5sum")[1]:sub(1, 32) .. "\n")
	says("echo more >>/etc/two; cat /etc/two; echo new >/etc/big; cat /etc/big", "second\nmore\nnew\n")
	says("rm /etc/one; cat /etc/link 2>/dev/null || echo gone", "gone\n")
	shell.finish(t, machine, "overlays")
end

local function hard_links(t)
	local directory = t.options.scratch .. "/links"
	fs.mkdir(directory)
	os.execute(("cd %s && mkdir -p d && echo linked >a && ln -f a b && ln -f a d/c && ( find . | cpio -o -H newc --quiet ) >../links.cpio")
		:format(directory))
	local machine = boot(t, "cpio(1) archive", { fs.read(t.options.scratch .. "/links.cpio") })
	if machine then
		shell.says(t, machine, "cat /a /b /d/c; stat -c %h /a", "linked\nlinked\nlinked\n3\n")
		shell.says(t, machine, "echo changed >/b; cat /d/c", "changed\n")
		shell.finish(t, machine)
	end
end

local function damage(t, name, parts, message, command, expected)
	local machine = boot(t, name, parts)
	if machine then
		t.check(machine.text:find(message), name .. ": the message", machine:tail(30))
		shell.says(t, machine, command, expected)
		shell.finish(t, machine, name)
	end
end

return function(t)
	overlays(t)
	hard_links(t)
	local good = cpio.pack { cpio.file("good", "good\n"), cpio.file("etc/long", ("x"):rep(3000)) }
	local name_at = good:find("etc/long", 1, true)
	damage(t, "truncated in data", { good:sub(1, name_at + 1000) }, "initrd 0: offset %d+: data is cut off", "cat /good", "good\n")
	damage(t, "truncated in a header", { good:sub(1, name_at - 60) }, "initrd 0: offset %d+: header is cut off", "cat /good",
		"good\n")
	damage(t, "truncated in a name", { good:sub(1, name_at + 3) }, "initrd 0: offset %d+: name is cut off", "cat /good", "good\n")
	damage(t, "garbage behind", { good, "this is no archive at all" .. ("\1\2\3"):rep(200) },
		"initrd 0: offset %d+: no newc header", "cat /good", "good\n")
	local broken = good:sub(1, name_at - 111) .. "070701ZZZZZZZZ" .. good:sub(name_at - 110 + 13)
	damage(t, "header without numbers", { broken }, "initrd 0: offset %d+: header field is not a number", "cat /good", "good\n")
	local huge = good:gsub("^(070701" .. ("."):rep(48) .. ")" .. ("."):rep(8), "%1FFFFFFFF", 1)
	damage(t, "size beyond everything", { huge }, "initrd 0: offset %d+: data is cut off", "test -e /good || echo none", "none\n")
	local endless = good:gsub("^(070701" .. ("."):rep(88) .. ")" .. ("."):rep(8), "%1FFFFFFFF", 1)
	damage(t, "endless name", { endless }, "initrd 0: offset %d+: length of a name", "test -e /good || echo none", "none\n")
	damage(t, "parent directories in a name", { cpio.pack { cpio.file("etc/../../x", "no\n"), cpio.file("good", "good\n") } },
		"left out", "cat /good; test -e /x || echo none", "good\nnone\n")
	damage(t, "file below a file", { cpio.pack { cpio.file("plain", "p\n"), cpio.file("plain/below", "no\n"), cpio.file("good", "good\n") } },
		"left out", "cat /good /plain", "good\np\n")
end
