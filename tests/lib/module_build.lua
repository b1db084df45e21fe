--[[
module_build.lua: builds a module of the tests, as the build builds modules, from a directory outside of modules/.

	module_build.build(t, "sample", "tests/boot/sample", rows)    the text of sample.ko; nil and a failed check if it does not build
	module_build.sign(t, "sample", image, key)                    the same signed; `key`: a file, by default module_build.key(t)
	module_build.key(t)                                           the file of the key that the build signs with

`rows`: lines for a copy of syscalls.tbl. The generator runs over a copy of modules/ with the directory added, so all is checked as usual.
]]
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"

local module_build = {}

-- The command that the build compiles the module futex with, to be adapted.
local function compile_command(t)
	for _, command in ipairs(fs.lines(("ninja -f %s/build.ninja -t commands %s/modules/futex.ko"):format(t.dir, t.dir))) do
		if command:match(" %-c modules/futex/key%.c ") then
			return command
		end
	end
	error("no command that compiles modules/futex/key.c", 0)
end

function module_build.key(t)
	for _, command in ipairs(fs.lines(("ninja -f %s/build.ninja -t commands %s/modules/futex.ko"):format(t.dir, t.dir))) do
		local key = command:match("tools/sign%.lua sign (%S+)")
		if key then
			return key
		end
	end
	error("no command that signs modules/futex.ko", 0)
end

local function run(t, what, command)
	local output, code = process.run({ "sh", "-c", command }, 120)
	return t.check(code == 0, what, output) and true
end

function module_build.build(t, name, directory, rows)
	local out = t.options.scratch .. "/" .. name .. ".build"
	local tree = out .. "/modules"
	fs.mkdir(out)
	os.execute(("rm -rf %s && cp -r modules %s && cp -r %s %s/%s"):format(tree, tree, directory, tree, name))
	fs.write(out .. "/syscalls.tbl", fs.read("syscalls.tbl") .. (rows or ""))
	if not run(t, name .. ": the generator", ("lua5.4 tools/gen/main.lua --arch %s --out %s/gen --modules %s --table %s/syscalls.tbl")
		:format(t.options.arch, out, tree, out)) then
		return nil
	end
	local sources, objects = fs.find(tree .. "/" .. name, "-name '*.c'"), {}
	sources[#sources + 1] = out .. "/gen/" .. name .. "_module.c"
	local command, prefix = compile_command(t), t.vm.build.arch.prefix
	for i, source in ipairs(sources) do
		local object = ("%s/%d.o"):format(out, i)
		local line = command:gsub(" %-c %S+ %-o %S+", (" -c %s -o %s"):format(source, object)):gsub("%-MMD %-MF %S+", "")
			:gsub("MODULE_NAME='\"futex\"'", ("MODULE_NAME='\"%s\"'"):format(name)):gsub(" %-I" .. t.dir:gsub("%p", "%%%0") .. " ", " -I" .. out .. " ")
		if not run(t, name .. ": " .. source:match("[^/]+$"), line) then
			return nil
		end
		objects[i] = object
	end
	if not run(t, name .. ": the link", ("%sld -r -T tools/module.lds --build-id=none -o %s/%s.ko.debug %s && %sobjcopy --strip-debug %s/%s.ko.debug %s/%s.ko")
		:format(prefix, out, name, table.concat(objects, " "), prefix, out, name, out, name)) then
		return nil
	end
	return fs.read(("%s/%s.ko"):format(out, name))
end

function module_build.sign(t, name, image, key)
	local path = t.options.scratch .. "/" .. name
	fs.write(path .. ".unsigned", image)
	if not run(t, name .. ": is signed", ("lua5.4 tools/sign.lua sign %s %s.unsigned %s.ko"):format(key or module_build.key(t), path, path)) then
		return nil
	end
	return fs.read(path .. ".ko")
end

return module_build
