-- Compressed archives as Linux takes them: gzip, xz, zstd and lz4, alone, behind early plain ones, one behind the other and mixed; damaged
-- ones and those that memory is too small for; and userlands whose /lib is a link.
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

local PACKERS = {
	gzip = "gzip -9 -c", xz = "xz -2 --check=crc32 -c", zstd = "zstd -q -9 --check -c", lz4 = "lz4 -l -q -c",
	bzip2 = "bzip2 -c",
}
local FORMATS = { "gzip", "xz", "zstd", "lz4" }
local ZEROES = ("\0"):rep(512)

-- The archive in one of the forms.
local function pack(t, format, archive)
	local path = ("%s/forms.%s"):format(t.options.scratch, format)
	fs.write(path, archive)
	local command = PACKERS[format]
	local text, code = process.run({ "sh", "-c", ("%s <%s >%s.out"):format(command, fs.quote(path), fs.quote(path)) }, 60)
	if not t.check(code == 0, format .. ": the archive is packed", text) then
		return ""
	end
	return fs.read(path .. ".out")
end

local function plain(t)
	return fs.read(t.options.dir .. "/modules.cpio"), fs.read(t.options.dir .. "/rootfs.cpio")
end

local function start(t, name, parts, options)
	local path = ("%s/%s.whole"):format(t.options.scratch, name:gsub("%A", "-"))
	options = options or {}
	fs.write(path, table.concat(parts))
	options.direct, options.smp, options.initrd_file = true, 1, path
	options.append = "panic=-1 " .. (options.append or "")
	return options
end

local function boot(t, name, parts, options)
	options = start(t, name, parts, options)
	options.name = name
	return shell.start(t, options)
end

-- Every kind of file, with contents of sizes around those of pages, and names of their own.
local function tree(own)
	local bytes = {}
	for i = 1, 70000 do
		bytes[i] = string.char((i * i // 7 + i) & 255)
	end
	local data = table.concat(bytes)
	return cpio.pack {
		cpio.directory(own), cpio.file(own .. "/small", own .. "\n"), cpio.file(own .. "/empty", ""),
		cpio.file(own .. "/page", data:sub(1, 4096)), cpio.file(own .. "/more", data:sub(1, 4097), 0x180),
		cpio.file(own .. "/big", data), cpio.link(own .. "/link", "small"), cpio.file("last", own .. "\n"),
		{ name = own .. "/fifo", mode = 0x11a4 },
		{ name = own .. "/owned", mode = 0x81a4, data = "x", uid = 1000, gid = 50 },
	}, data
end

local function sum(text)
	local path = os.tmpname()
	fs.write(path, text)
	local line = fs.lines("md5sum <" .. path)[1]
	os.remove(path)
	return line:sub(1, 32)
end

local function check_tree(t, machine, own, data)
	local function says(command, expected)
		shell.says(t, machine, command:gsub("@", "/" .. own), expected)
	end
	says("cat @/small @/link; wc -c <@/empty", own .. "\n" .. own .. "\n0\n")
	says("md5sum @/page @/more @/big | cut -c1-32", ("%s\n%s\n%s\n"):format(sum(data:sub(1, 4096)), sum(data:sub(1, 4097)), sum(data)))
	says("stat -c '%F %a' @/fifo; stat -c '%u %g %s' @/owned; stat -c %a @/more", "fifo 644\n1000 50 1\n600\n")
end

-- What is written to an unpacked file stays there, and a file that grows has zeroes behind its old end.
local function check_writing(t, machine, own)
	shell.says(t, machine, ("echo more >>/%s/small; truncate -s 5000 /%s/more; tail -c 903 /%s/more | tr -d '\\0' | wc -c; cat /%s/small")
		:format(own, own, own, own), "0\n" .. own .. "\nmore\n")
	shell.says(t, machine, ("rm -r /%s; test -e /%s || echo gone"):format(own, own), "gone\n")
end

local function each_form(t)
	local modules, rootfs = plain(t)
	for _, format in ipairs(FORMATS) do
		local archive, data = tree(format)
		local packed = pack(t, format, archive)
		local machine = boot(t, format, { modules, rootfs, packed })
		if machine then
			t.check(not machine.text:find("left out"), format .. ": nothing is left out", machine:tail(20))
			check_tree(t, machine, format, data)
			check_writing(t, machine, format)
			shell.says(t, machine, "lsmod | grep -c '^un[gxlz]'", "0\n")
			shell.finish(t, machine, format)
		end
		machine = boot(t, format .. " in front of the modules", { packed, ZEROES, modules, rootfs })
		if machine then
			check_tree(t, machine, format, data)
			shell.finish(t, machine, format)
		end
	end
end

-- An early archive with microcode, then all forms, with zeroes between some of them; the last of a name wins.
local function mixed(t)
	local modules, rootfs = plain(t)
	local parts = { cpio.pack { cpio.file("kernel/x86/microcode/GenuineIntel.bin", ("\1\2\3\4"):rep(2000)) } }
	local data
	for _, format in ipairs { "lz4", "zstd", "gzip", "xz", "gzip", "zstd" } do
		local archive
		archive, data = tree(format)
		parts[#parts + 1] = pack(t, format, archive)
		-- What lz4 ends with shows only by what comes next.
		parts[#parts + 1] = (format == "lz4" or #parts % 3 == 0) and ZEROES:sub(1, 4 * (#parts % 7 + 1)) or ""
	end
	parts[#parts + 1] = ("\0"):rep(-#table.concat(parts) % 4)
	parts[#parts + 1] = modules
	parts[#parts + 1] = rootfs
	parts[#parts + 1] = pack(t, "lz4", (tree "second"))
	parts[#parts + 1] = pack(t, "lz4", (tree "third"))
	local machine = boot(t, "mixed", parts)
	if machine then
		t.check(not machine.text:find("left out"), "mixed: nothing is left out", machine:tail(20))
		for _, format in ipairs { "lz4", "zstd", "gzip", "xz", "second", "third" } do
			check_tree(t, machine, format, data)
		end
		shell.says(t, machine, "cat /last; wc -c </kernel/x86/microcode/GenuineIntel.bin", "third\n8000\n")
		shell.finish(t, machine, "mixed")
	end
end

-- Hard links whose data come with the last name, as cpio(1) writes them.
local function hard_links(t)
	local modules, rootfs = plain(t)
	local directory = t.options.scratch .. "/form-links"
	fs.mkdir(directory)
	os.execute(("cd %s && mkdir -p d && head -c 9000 /dev/zero | tr '\\0' x >a && ln -f a b && ln -f a d/c && "
		.. "( find . | cpio -o -H newc --quiet ) >../form-links.cpio"):format(directory))
	local machine = boot(t, "links", { modules, rootfs, pack(t, "zstd", fs.read(t.options.scratch .. "/form-links.cpio")) })
	if machine then
		shell.says(t, machine, "cat /a /b /d/c | wc -c; stat -c %h /a; echo y >>/b; wc -c </d/c", "27000\n3\n9002\n")
		shell.finish(t, machine, "links")
	end
end

local function damage(t, name, parts, message)
	local modules, rootfs = plain(t)
	local machine = boot(t, name, { modules, rootfs, cpio.pack { cpio.file("before", "before\n") }, table.unpack(parts) })
	if machine then
		t.check(machine.text:find(message), name .. ": the message", machine:tail(30))
		shell.says(t, machine, "cat /before", "before\n")
		shell.finish(t, machine, name)
	end
end

local function damaged(t)
	for _, format in ipairs(FORMATS) do
		local packed = pack(t, format, (tree "x"))
		local middle = #packed // 2
		damage(t, format .. " cut off", { packed:sub(1, middle) }, "initrd 0: offset %d+: " .. format .. ": data are cut off")
		local flipped = packed:sub(1, middle) .. string.char(packed:byte(middle + 1) ~ 255, packed:byte(middle + 2) ~ 255)
			.. packed:sub(middle + 3)
		-- lz4 has no check: what it gives then may be no archive, or one with other contents.
		if format ~= "lz4" then
			damage(t, format .. " altered", { flipped }, "initrd 0: offset %d+: " .. format .. ": ")
		end
	end
	damage(t, "cut off inside", { pack(t, "gzip", (tree "x"):sub(1, 9000)) }, "gzip: the archive in it is cut off")
	damage(t, "no archive inside", { pack(t, "xz", ("no archive "):rep(100)) }, "xz: no newc header")
	damage(t, "garbage behind", { pack(t, "zstd", (tree "x")), ("garbage"):rep(20) }, "initrd 0: offset %d+: no newc header")
	damage(t, "bzip2", { pack(t, "bzip2", (tree "x")) }, "initrd 0: offset %d+: bzip2: this kernel has no decoder")
	damage(t, "zstd of random bytes", { "\x28\xb5\x2f\xfd" .. ("\xa5\x5a\x77"):rep(300) }, "zstd: ")
	damage(t, "lz4 with a block too long", { "\x02\x21\x4c\x18\xf0\xff\xff\x00\xff\xff" }, "lz4: data are damaged")
end

-- More than there is room for: said, and what stands before it is used. Removed files give their memory back.
local function memory(t)
	local modules, rootfs = plain(t)
	local function zeroes(mib)
		return cpio.pack { cpio.file("first", "first\n"), cpio.file("zeroes", ("\0"):rep(mib << 20)), cpio.file("after", "after\n") }
	end
	local machine = boot(t, "large", { modules, rootfs, pack(t, "zstd", zeroes(60)) }, { mem = 128 })
	if machine then
		shell.says(t, machine, "tr -d '\\0' </zeroes | wc -c; wc -c </zeroes; cat /first /after", "0\n62914560\nfirst\nafter\n")
		shell.says(t, machine, "free=$(awk '/^MemFree/ { print $2 }' /proc/meminfo); rm /zeroes; sync; "
			.. "awk -v f=$free '/^MemFree/ { print ($2 - f > 50000) }' /proc/meminfo", "1\n")
		shell.finish(t, machine, "large")
	end
	machine = boot(t, "too large", { modules, rootfs, pack(t, "gzip", zeroes(200)) }, { mem = 128 })
	if machine then
		t.check(machine.text:find("gzip: out of memory"), "too large: the message", machine:tail(20))
		shell.says(t, machine, "cat /first; test -e /after || echo none", "first\nnone\n")
		shell.finish(t, machine, "too large")
	end
end

-- Without plain modules nothing can be unpacked: the panic says what is wanted.
local function no_decoders(t)
	local modules, rootfs = plain(t)
	for _, format in ipairs { "gzip", "xz" } do
		local machine = t.vm.start(start(t, "all " .. format, { pack(t, format, modules .. rootfs) }))
		t.check(machine:wait(60), format .. " modules: ends", machine:tail(20))
		local text = machine.text:match("Kernel panic[^\n]*") or machine:tail(5)
		t.check(text:find("modules.cpio must be there as a plain archive", 1, true) and text:find(format, 1, true),
			format .. " modules: the panic says why", text)
	end
end

-- /lib, /bin and /sbin as links into /usr, as newer distributions have them.
local function merged(t)
	local modules = plain(t)
	local busybox = fs.read(t.vm.build.arch.busybox)
	local userland = cpio.pack {
		cpio.link("bin", "usr/bin"), cpio.link("sbin", "usr/sbin"), cpio.link("lib", "usr/lib"), cpio.directory("usr"),
		cpio.directory("usr/bin"), cpio.directory("usr/sbin"), cpio.directory("usr/lib"), cpio.directory("proc"),
		cpio.file("usr/lib/libown.so", "library\n"), cpio.file("bin/busybox", busybox, 0x1ed), cpio.link("usr/bin/sh", "busybox"),
		cpio.file("init", "#!/bin/sh\n/bin/busybox --install -s\nmount -t proc proc /proc\nexport PS1='/ # '\nexec setsid -c sh\n", 0x1ed),
	}
	local forms = {
		{ "plain, before", { userland, modules } }, { "plain, behind", { modules, userland } },
		{ "zstd, before", { pack(t, "zstd", userland), ZEROES, modules } }, { "zstd, behind", { modules, pack(t, "zstd", userland) } },
		{ "a /lib directory as well", { cpio.pack { cpio.directory("lib"), cpio.directory("lib/modules") }, modules, userland,
			cpio.pack { cpio.directory("lib"), cpio.directory("lib/modules"), cpio.file("lib/late", "late\n") } } },
	}
	for _, form in ipairs(forms) do
		local machine = boot(t, form[1], form[2])
		if machine then
			shell.says(t, machine, "readlink /lib; readlink /bin; cat /lib/libown.so", "usr/lib\nusr/bin\nlibrary\n")
			shell.says(t, machine, "ls /usr/lib/modules/*/tmpfs.ko /lib/modules/*/modules.dep",
				"/lib/modules/6.1.0-mortise/modules.dep\n/usr/lib/modules/6.1.0-mortise/tmpfs.ko\n")
			shell.says(t, machine, "modprobe mqueue && grep -c ^mqueue /proc/modules", "1\n")
			if form[1]:find("as well") then
				shell.says(t, machine, "cat /usr/lib/late", "late\n")
			end
			shell.finish(t, machine, form[1])
		end
	end
end

return function(t)
	each_form(t)
	mixed(t)
	hard_links(t)
	damaged(t)
	memory(t)
	no_decoders(t)
	merged(t)
end
