-- archive.lua: the writer of newc archives: readable by cpio, reproducible, large files page aligned.
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"

local function entries()
	local list = { cpio.directory("d"), cpio.file("d/small", "hello\n"), cpio.link("d/link", "small"), cpio.device("console", 5, 1) }
	for i = 0, 9 do
		list[#list + 1] = cpio.file("d/large" .. i, ("%d"):format(i):rep(5000 + 777 * i), 493)
	end
	return list
end

local function alignment(t)
	local text = cpio.pack(entries())
	for i = 0, 9 do
		local at = text:find(("%d"):format(i):rep(5000), 1, true)
		t.equal(at and (at - 1) % 4096, 0, "data of large" .. i .. " is page aligned")
	end
	t.equal(#text % 512, 0, "padded to 512")
	t.check(text == cpio.pack(entries()), "the same twice")
	local position, longest = 1, 0
	while true do
		position = text:find("070701", position, true)
		if not position then
			break
		end
		longest = math.max(longest, tonumber(text:sub(position + 94, position + 101), 16))
		position = position + 110
	end
	t.check(longest <= 4096, "no name is longer than Linux takes")
end

local function readable(t)
	local path = t.options.scratch .. "/a.cpio"
	fs.write(path, cpio.pack(entries()))
	local tree = t.options.scratch .. "/tree"
	fs.mkdir(tree)
	local _, ok = fs.lines(("cd %s && cpio -id --quiet < %s 2>&1"):format(tree, path))
	t.check(ok, "cpio unpacks it")
	t.equal(fs.read(tree .. "/d/small"), "hello\n", "a small file")
	t.equal(fs.read(tree .. "/d/link"), "hello\n", "a link")
	t.equal(fs.read(tree .. "/d/large7"), ("7"):rep(5000 + 777 * 7), "a large file")
	t.check(#fs.lines("busybox cpio -t < " .. path .. " 2>/dev/null") >= 14, "busybox lists it")
end

return { { "alignment", alignment }, { "readable", readable } }
