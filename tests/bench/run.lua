--[[
run.lua: sets Mortise beside Debian's Linux: the same program as the first of each, on one processor whose clock counts instructions.

	lua5.4 tests/bench/run.lua BUILD-DIRECTORY [--append WORDS] [GROUP...]

Linux is the cloud kernel of the distribution, with the words that make it leanest; its figures are kept in build/foreign/bench
until the program changes. "ratio" above 1 means that Mortise needs fewer instructions. Differences below 5 % mean nothing: the
layout of memory moves single figures by as much. Counting instructions is blind to caches and to the cost of a TLB flush.
]]
package.path = "./?.lua;" .. package.path
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local hash = require "tools.lib.hash"

local SOURCES = { "main", "calls", "files", "exchange", "processes", "threads", "memory", "signals" }
local CFLAGS = "-std=gnu11 -O2 -Wall -Wextra -Werror -static -s -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include"
local KEPT = "build/foreign/bench"
local WORDS = "console=ttyS0 quiet nokaslr norandmaps panic=-1 mitigations=off"
local LEAN = " init_on_alloc=0"		-- what Debian's configuration turns on, beside the mitigations
-- Without fast string moves: each step of those counts as an instruction, which is unfair to a kernel that uses them.
local MACHINE = "timeout 900 qemu-system-x86_64 -M q35 -cpu max,-erms -m 512 -smp 1 -icount shift=0,align=off,sleep=off "
	.. "-rtc clock=vm -seed 1 -nodefaults -display none -no-reboot -serial stdio"

local function must(ok, message)
	if not ok then
		error(message, 0)
	end
	return ok
end

local function run(command, what)
	local lines, ok = fs.lines(command .. " 2>&1")
	must(ok, what .. ":\n" .. table.concat(lines, "\n"))
	return lines
end

local function programs(scratch)
	local paths = {}
	for i, name in ipairs(SOURCES) do
		paths[i] = "tests/bench/" .. name .. ".c"
	end
	run(("musl-gcc %s -pthread -o %s/init %s"):format(CFLAGS, scratch, table.concat(paths, " ")), "the program does not compile")
	run(("gcc -O1 -static -nostdlib -s -o %s/tiny tests/bench/tiny.c"):format(scratch), "tiny.c does not compile")
end

local function archive(scratch, groups)
	local path = scratch .. "/bench.cpio"
	fs.write(path, cpio.pack {
		{ name = "dev", mode = 0x41ed },
		{ name = "dev/console", mode = 0x2180, major = 5, minor = 1 },
		{ name = "init", mode = 0x81ed, data = fs.read(scratch .. "/init") },
		{ name = "tiny", mode = 0x81ed, data = fs.read(scratch .. "/tiny") },
		{ name = "groups", mode = 0x81a4, data = table.concat(groups, " ") .. "\n" },
	})
	return path
end

-- The image of Debian's cloud kernel, fetched once.
local function linux()
	local package = run("apt-cache depends linux-image-cloud-amd64", "apt does not know Debian's cloud kernel")
	local name = must(table.concat(package, "\n"):match("Depends: (%S+)"), "linux-image-cloud-amd64 names no kernel")
	run(("lua5.4 tools/foreign.lua amd64 build/foreign/amd64 %s"):format(name), "Debian's kernel cannot be had")
	return must(fs.find("build/foreign/amd64/" .. name, "-name 'vmlinuz-*'")[1], "no kernel in " .. name)
end

-- Boots; returns the lines that the program printed, and a table of its figures.
local function boot(kernel, initrd, words)
	local command = ("%s -kernel %s -initrd %s -append %s"):format(MACHINE, kernel, initrd, fs.quote(words))
	local text = table.concat(fs.lines(command .. " </dev/null 2>&1"), "\n"):gsub("\r", "")
	local report = text:match("BENCH BEGIN\n(.*)BENCH END")
	must(report, "the benchmark did not come to its end:\n" .. text:sub(-2000))
	local figures, order = {}, {}
	for name, value in report:gmatch("([%w_]+) ([%d.-]+)[^\n]*\n") do
		figures[name], order[#order + 1] = tonumber(value) or false, name
	end
	return figures, order, report
end

local function kept_linux(initrd, groups)
	local key = hash.text(fs.read(initrd) .. WORDS .. LEAN .. MACHINE .. table.concat(groups, " "))
	local path = ("%s/linux-%s.txt"):format(KEPT, key)
	local kernel = linux()
	if not fs.exists(path) then
		print("measuring Linux (once)")
		local _, _, report = boot(kernel, initrd, WORDS .. LEAN)
		fs.mkdir(KEPT)
		fs.write(path, report)
	end
	local figures = {}
	for name, value in fs.read(path):gmatch("([%w_]+) ([%d.-]+)[^\n]*\n") do
		figures[name] = tonumber(value) or false
	end
	return figures, kernel:match("vmlinuz%-(.*)")
end

-- Prints the table; returns the number of measures that one of the two did not bring to an end.
local function compare(release, theirs, ours, order)
	local sum, count, failed = 0, 0, 0
	print(("%-24s %14s %14s %7s"):format("instructions", "Linux " .. release:match("^[%d.]+"), "Mortise", "ratio"))
	for _, name in ipairs(order) do
		local a, b = theirs[name], ours[name]
		if a and b then
			sum, count = sum + math.log(a / b), count + 1
			print(("%-24s %14.0f %14.0f %7.2f"):format(name, a, b, a / b))
		else
			failed = failed + 1
			print(("%-24s %14s %14s  failed"):format(name, a or "-", b or "-"))
		end
	end
	if count > 0 then
		print(("geometric mean of %d: %.3f"):format(count, math.exp(sum / count)))
	end
	return failed
end

local function main(directory, ...)
	local groups, words = { ... }, WORDS
	if groups[1] == "--append" then
		words = words .. " " .. must(groups[2], "--append needs words")
		groups = table.move(groups, 3, #groups + 2, 1)
	end
	for _, group in ipairs(groups) do
		local known = false
		for i = 2, #SOURCES do
			known = known or SOURCES[i] == group
		end
		must(known, ("no group %s; there are %s"):format(group, table.concat(SOURCES, ", ", 2)))
	end
	local scratch = directory .. "/bench"
	fs.mkdir(scratch)
	programs(scratch)
	local initrd = archive(scratch, groups)
	local theirs, release = kept_linux(initrd, groups)
	print("measuring Mortise")
	run(("cat %s/modules.cpio %s > %s/mortise.cpio"):format(directory, initrd, scratch), "no archive")
	local ours, order = boot(directory .. "/mortise.elf", scratch .. "/mortise.cpio", words)
	return compare(release, theirs, ours, order)
end

local ok, result = pcall(main, table.unpack(arg))
if not ok then
	print(result)
end
os.exit(ok and result == 0)
