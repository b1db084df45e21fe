--[[
initrd.lua: the two archives of the initrd.

	lua5.4 tools/initrd.lua modules OUT.cpio BUILD-DIRECTORY    /lib/modules/<release>/: .ko, modules.boot, depmod's files
	lua5.4 tools/initrd.lua rootfs OUT.cpio BUSYBOX PROGRAM...  the userland: busybox, its links, programs in /sbin, and iso/rootfs/ over it
	lua5.4 tools/initrd.lua tree OUT.cpio DIRECTORY             any directory, for tests and overlays
]]
package.path = "./?.lua;" .. package.path
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local manifest = require "tools.lib.manifest"

local RELEASE = "6.1.0-mortise"

local function boot_order(available)
	local modules, ordered = manifest.load_all("modules")
	local wanted = {}
	local function want(name)
		if wanted[name] or not modules[name] or not available[name] then
			return
		end
		wanted[name] = true
		for _, need in ipairs(modules[name].needs) do
			want(need)
		end
	end
	for line in io.lines("iso/modules.boot") do
		want(line:match("^%s*([%w_]+)"))
	end
	local list = {}
	for _, module in ipairs(ordered) do
		if wanted[module.name] then
			list[#list + 1] = module.name
		end
	end
	return list
end

-- The files that kmod and busybox read, made by depmod in a scratch tree; the ones that say when they were made are dropped.
local function depmod_files(build_dir, kos)
	local tree = build_dir .. "/depmod"
	local lib = tree .. "/lib/modules/" .. RELEASE
	assert(os.execute(("rm -rf %s && mkdir -p %s"):format(tree, lib)))
	local order = {}
	for i, path in ipairs(kos) do
		assert(os.execute(("cp %s %s/"):format(path, lib)))
		order[i] = path:match("[^/]+$")
	end
	fs.write(lib .. "/modules.order", table.concat(order, "\n") .. "\n")
	fs.write(lib .. "/modules.builtin", "")
	fs.write(lib .. "/modules.builtin.modinfo", "")
	if not os.execute(("PATH=$PATH:/usr/sbin:/sbin depmod -b %s %s"):format(tree, RELEASE)) then
		error("depmod failed", 0)
	end
	return fs.find(lib, "-name 'modules.*' -type f")
end

local function modules_archive(out, build_dir)
	local base = "lib/modules/" .. RELEASE
	-- No directories on the way: /lib may be a link in the archive of a userland. The kernel makes them.
	local entries = {}
	local available, kos = {}, {}
	local known = manifest.load_all("modules")
	for _, path in ipairs(fs.find(build_dir .. "/modules", "-name '*.ko'")) do
		local name = path:match("([^/]+)%.ko$")
		if known[name] then
			available[name] = true
			kos[#kos + 1] = path
		end
	end
	entries[#entries + 1] = cpio.file(base .. "/modules.boot", table.concat(boot_order(available), "\n") .. "\n")
	for _, path in ipairs(depmod_files(build_dir, kos)) do
		entries[#entries + 1] = cpio.file(base .. "/" .. path:match("[^/]+$"), fs.read(path))
	end
	for _, path in ipairs(kos) do
		entries[#entries + 1] = cpio.file(base .. "/" .. path:match("[^/]+$"), fs.read(path))
	end
	fs.write(out, cpio.pack(entries))
end

-- Adds the files of a directory tree; a later entry replaces an earlier one of the same name when it is unpacked.
local function add_tree(entries, root)
	local lines = fs.lines(("cd %s && find . -mindepth 1 -printf '%%y %%m %%P\\t%%l\\n' | LC_ALL=C sort -k3"):format(fs.quote(root)))
	for _, line in ipairs(lines) do
		local kind, mode, name, target = line:match("^(%a) (%d+) ([^\t]*)\t(.*)$")
		mode = tonumber(mode, 8)
		if kind == "d" then
			entries[#entries + 1] = cpio.directory(name, mode)
		elseif kind == "l" then
			entries[#entries + 1] = cpio.link(name, target)
		elseif kind == "f" then
			entries[#entries + 1] = cpio.file(name, fs.read(root .. "/" .. name), mode)
		end
	end
end

-- The applets' paths as busybox itself knows them. A foreign busybox cannot run here: the build machine's gives the list.
local function applets(busybox)
	local lines, ok = fs.lines(fs.quote(busybox) .. " --list-full 2>/dev/null")
	if not ok or #lines == 0 then
		lines = fs.lines("/bin/busybox --list-full")
	end
	table.sort(lines)
	return lines
end

local function rootfs_archive(out, busybox, programs)
	local entries = {}
	for _, name in ipairs { "bin", "dev", "etc", "home", "lib", "mnt", "proc", "run", "sbin", "sys", "usr", "usr/bin",
		"usr/sbin", "var" } do
		entries[#entries + 1] = cpio.directory(name)
	end
	entries[#entries + 1] = cpio.directory("root", 0x1c0)
	entries[#entries + 1] = cpio.directory("tmp", 0x3ff)
	entries[#entries + 1] = cpio.device("dev/console", 5, 1, 0x180)
	entries[#entries + 1] = cpio.device("dev/null", 1, 3)
	entries[#entries + 1] = cpio.file("bin/busybox", assert(fs.read(busybox)), 0x1ed)
	for _, path in ipairs(applets(busybox)) do
		if path ~= "bin/busybox" and path:match("^u?s?r?/?s?bin/") then
			entries[#entries + 1] = cpio.link(path, "/bin/busybox")
		end
	end
	for _, path in ipairs(programs) do
		entries[#entries + 1] = cpio.file("sbin/" .. path:match("[^/]+$"), assert(fs.read(path)), 0x1ed)
	end
	add_tree(entries, "iso/rootfs")
	fs.write(out, cpio.pack(entries))
end

local function main(words)
	local kind, out, from = words[1], words[2], words[3]
	if kind == "modules" then
		modules_archive(out, from)
	elseif kind == "rootfs" then
		rootfs_archive(out, from, table.move(words, 4, #words, 1, {}))
	elseif kind == "tree" then
		local entries = {}
		add_tree(entries, from)
		fs.write(out, cpio.pack(entries))
	else
		error("modules, rootfs or tree", 0)
	end
end

local ok, reason = pcall(main, arg)
if not ok then
	io.stderr:write("initrd: ", tostring(reason), "\n")
	os.exit(1)
end
