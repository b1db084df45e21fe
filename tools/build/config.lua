--[[
config.lua: command line options, and what one build is made of: the port's facts, the directory, the compiler's flags.
]]
local fs = require "tools.lib.fs"

local config = {}

config.RELEASE = "6.1.0-mortise"

config.USAGE = [[
options:
  --arch A             x86_64 (default) or aarch64
  --config C           release (default) or debug
  -j N                 parallel jobs; of `test`, 1: one kind after the other, else guest tests beside the other kinds
  -v                   show commands
  --key FILE           sign modules with this ed25519 key (PEM) instead of build/keys/modules.pem, which is made when it is not there
  --repeat N           guest tests: N times over, on four processors
  --smp N              guest tests: on N processors, instead of 1, 2 and 4
  --                   what follows goes to the program that bench or conformance runs
options of run:
  --smp N              processors (default 2)
  --mem MIB            memory (default 512)
  --direct             boot the kernel itself, without ISO and boot loader
  --uefi               boot the ISO by UEFI firmware
  --initrd FILE        one more archive, laid over the others; may be repeated
  --append STR         more words for the kernel's command line
  --gui                a window with the framebuffer console and a keyboard
  --gdb                wait for gdb on port 1234
  --dry                print the QEMU command instead of running it]]

local WITH_VALUE = { arch = "one", config = "one", key = "one", smp = "one", mem = "one", ["repeat"] = "one", initrd = "many", append = "many" }
local WITHOUT_VALUE = { direct = true, uefi = true, gui = true, gdb = true, dry = true, ["update-golden"] = true }

-- What a verb without --arch is about is the first; `test` without words is about all.
config.PORTS = { "x86_64", "aarch64" }

function config.parse(words)
	local options = { arch = config.PORTS[1], config = "release", mem = "512", initrd = {}, append = {}, words = {} }
	local i = 1
	while words[i] do
		local word = words[i]
		local name = word:match("^%-%-([%l-]+)$")
		if word == "--" then
			table.move(words, i + 1, #words, #options.words + 1, options.words)
			break
		elseif word == "-v" then
			options.verbose = true
		elseif word == "-j" or (name and WITH_VALUE[name]) then
			i = i + 1
			local value = words[i] or error(word .. " needs a value", 0)
			if word == "-j" then
				options.jobs = value
			elseif name == "arch" then
				options.arch, options.arch_chosen = value, true
			elseif WITH_VALUE[name] == "many" then
				table.insert(options[name], value)
			else
				options[name] = value
			end
		elseif name and WITHOUT_VALUE[name] then
			options[name] = true
		elseif name then
			error("unknown option " .. word, 0)
		else
			table.insert(options.words, word)
		end
		i = i + 1
	end
	if options.config ~= "release" and options.config ~= "debug" then
		error("--config is release or debug", 0)
	end
	return options
end

function config.directory(options)
	return "build/" .. options.arch .. (options.config == "debug" and "-debug" or "")
end

local CFLAGS = {
	"-std=gnu11", "-O2", "-g", "-ffreestanding", "-fno-strict-aliasing", "-fwrapv", "-fno-delete-null-pointer-checks",
	"-fno-pic", "-fno-pie", "-fno-common", "-fno-omit-frame-pointer", "-fno-asynchronous-unwind-tables",
	"-fstack-protector-strong", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-Wvla", "-Wno-unused-parameter",
	"-Wno-sign-compare", "-Wstrict-prototypes", "-Wframe-larger-than=2048", "-nostdinc",
}

local DEBUG_CFLAGS = {
	"-DCONFIG_DEBUG=1", "-fsanitize=bounds,shift,integer-divide-by-zero,unreachable,return,bool,enum,builtin",
	"-fsanitize-undefined-trap-on-error", "-Wno-maybe-uninitialized", "-Wno-array-bounds",
}

local function append(list, more)
	for _, word in ipairs(more) do
		list[#list + 1] = word
	end
	return list
end

-- The directories of user space's Linux headers, as links below one directory, so that nothing else of /usr/include is seen.
local function link_uapi(arch, directory)
	fs.mkdir(directory)
	for _, name in ipairs { "linux", "asm", "asm-generic" } do
		local found
		for _, parent in ipairs(arch.uapi) do
			if not found and fs.exists(parent .. "/" .. name .. "/types.h") then
				found = parent .. "/" .. name
			end
		end
		if not found then
			error("Linux headers of " .. arch.name .. " are not installed: no " .. name .. "/types.h", 0)
		end
		assert(os.execute(("ln -sfn %s %s/%s"):format(found, directory, name)))
	end
end

-- All facts of one build; refuses a port that is not ready.
function config.load(options)
	local path = "arch/" .. options.arch .. "/arch.lua"
	if not fs.exists(path) then
		error("no such port: " .. options.arch, 0)
	end
	local arch = dofile(path)
	if not arch.ready then
		error("the port " .. arch.name .. " is not ready: " .. path .. " says so", 0)
	end
	local build = { arch = arch, config = options.config }
	build.dir = config.directory(options)
	build.gen = build.dir .. "/gen"
	build.obj = build.dir .. "/obj"
	build.cc = arch.prefix .. "gcc"
	build.key, build.own_key = options.key or "build/keys/modules.pem", options.key ~= nil
	if build.own_key and not fs.exists(build.key) then
		error("no such key: " .. build.key, 0)
	end
	fs.mkdir(build.gen)
	link_uapi(arch, build.dir .. "/uapi")
	build.gcc_include = fs.lines(build.cc .. " -print-file-name=include")[1]
	build.includes = {
		"-I.", "-Iarch/" .. arch.name .. "/include", "-I" .. build.dir, "-isystem", build.dir .. "/uapi",
		"-isystem", build.gcc_include,
	}
	build.cflags = append({}, CFLAGS)
	append(build.cflags, arch.cflags)
	if options.config == "debug" then
		append(build.cflags, DEBUG_CFLAGS)
	end
	append(build.cflags, build.includes)
	return build
end

return config
