--[[
config.lua: command line options, and what one build is made of: the port's facts, the directory, the compiler's flags.
]]
local fs = require "tools.lib.fs"
local usage = require "tools.build.usage"

local config = {}

config.RELEASE = "6.1.0-mortise"

-- Options that may be given several times, and those whose value is a number from 1 on.
local MANY = { initrd = true, append = true }
local NUMBERS = { j = true, smp = true, mem = true, ["repeat"] = true }

-- What a verb without --arch is about is the first; `test` without words is about all.
config.PORTS = { "x86_64", "aarch64" }

local function is_help(word)
	return word == "--help" or word == "-h"
end

-- Does one of the words, up to `--`, ask for help?
function config.asks_help(words)
	for _, word in ipairs(words) do
		if word == "--" then
			return false
		elseif is_help(word) then
			return true
		end
	end
	return false
end

local function from_one_on(what, value)
	local number = value:match("^%d+$") and math.tointeger(tonumber(value))
	if not number or number < 1 then
		error(("%s wants a number from 1 on, not %s"):format(what, value), 0)
	end
end

-- Takes the option words[i] of `verb`; returns the place of its last word.
local function take_option(options, words, i, verb)
	local word = words[i]
	local name = word:match("^%-%-(%l[%l-]+)$") or word:match("^%-(%l)$")
	local known = name and usage.OPTIONS[name]
	if not known then
		error("unknown option " .. word, 0)
	elseif not verb.takes[name] then
		local says = "%s takes no %s; `lua5.4 build.lua %s --help` tells what it takes"
		error(says:format(verb.name, word, verb.name), 0)
	end
	if not known[1] then
		options[name] = true
		return i
	end
	local value = words[i + 1] or error(word .. " needs a value", 0)
	if NUMBERS[name] then
		from_one_on(word, value)
	end
	if MANY[name] then
		table.insert(options[name], value)
	else
		options[name] = value
	end
	return i + 1
end

local function check(options, verb)
	if #options.words > verb.most then
		local says = "surplus word %s; usage: lua5.4 build.lua %s %s"
		error(says:format(options.words[verb.most + 1], verb.name, verb.words or "[options]"), 0)
	end
	for _, word in ipairs(verb.numbers and options.words or {}) do
		from_one_on(verb.name, word)
	end
	if options.config ~= "release" and options.config ~= "debug" then
		error("--config is release or debug, not " .. options.config, 0)
	end
	if options.direct and options.uefi then
		error("--direct boots without firmware: --uefi does not go with it", 0)
	end
end

-- The words after a verb (usage.lua) as options: by name, the plain words in .words, what follows
-- `--` in .rest.
function config.parse(words, verb)
	local options = { config = "release", initrd = {}, append = {}, words = {}, rest = {} }
	local i = 1
	while words[i] do
		local word = words[i]
		if word == "--" then
			if not verb.rest then
				error(verb.name .. " takes nothing after --", 0)
			end
			table.move(words, i + 1, #words, 1, options.rest)
			break
		elseif word:match("^%-") then
			i = take_option(options, words, i, verb)
		else
			table.insert(options.words, word)
		end
		i = i + 1
	end
	check(options, verb)
	options.arch_chosen = options.arch ~= nil
	options.arch, options.mem = options.arch or config.PORTS[1], options.mem or "512"
	options.jobs, options.verbose = options.j, options.v
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
