--[[
build.lua: the only description of the build.  lua5.4 build.lua VERB [options]; `help` lists the verbs.

It reads syscalls.tbl, modules/*/module.lua and arch/*/arch.lua, writes build/<arch>/build.ninja and runs ninja. The parts
are under tools/build/, one file a subject; every verb is a function there.
]]
local root = (arg[0] or "build.lua"):match("^(.*)/[^/]*$")
if root and root ~= "." then
	io.stderr:write("run it from the directory that it stands in\n")
	os.exit(2)
end
package.path = "./?.lua;" .. package.path

local config = require "tools.build.config"

-- Verb: one line for help, the module under tools/build/ that has it, and the function's name there.
local VERBS = {
	{ "build", "the kernel, the modules and both initrds (default)", "ninja", "build" },
	{ "iso", "all that, and build/<arch>/mortise.iso", "ninja", "iso" },
	{ "run", "boot the ISO in QEMU; --direct boots the kernel without it", "run", "run" },
	{ "module", "module NAME: build one module only", "ninja", "module" },
	{ "test", "every test; words after it choose some: gen lint host smoke linux guest boot live, or files", "checks", "test" },
	{ "live", "live N: replace modules under load N times (default 10000)", "checks", "live" },
	{ "torture", "torture [S [N]]: N threads (1000) under locks, signals and kills for S seconds (1800), debug build", "checks", "torture" },
	{ "lint", "the rules of the sources", "checks", "lint" },
	{ "table", "sum up syscalls.tbl: what is served, by module", "table", "table" },
	{ "fuzz", "fuzz N: the module loader over N mutated modules (default 1000000)", "checks", "fuzz" },
	{ "bench", "compare with Linux, if ../shared/bench is there", "checks", "bench" },
	{ "conformance", "run Linux's test suites, if ../shared/conformance is there; a suite's name after it chooses one", "checks", "conformance" },
	{ "clean", "remove build/", "ninja", "clean" },
	{ "help", "this list", nil, nil },
}

local function help()
	print("usage: lua5.4 build.lua VERB [options]     (tools/dev VERB installs what is missing first)\n")
	for _, verb in ipairs(VERBS) do
		print(("  %-12s %s"):format(verb[1], verb[2]))
	end
	print("\n" .. config.USAGE)
end

local function main(words)
	local name = table.remove(words, 1) or "build"
	if name == "help" or name == "--help" or name == "-h" then
		help()
		return 0
	end
	for _, verb in ipairs(VERBS) do
		if verb[1] == name then
			local options = config.parse(words)
			return require("tools.build." .. verb[3])[verb[4]](options) or 0
		end
	end
	error("unknown verb " .. name .. "; `lua5.4 build.lua help` lists them", 0)
end

local ok, status = pcall(main, { table.unpack(arg) })
if not ok then
	io.stderr:write("build.lua: ", tostring(status), "\n")
	os.exit(1)
end
os.exit(status)
