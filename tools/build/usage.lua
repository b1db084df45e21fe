--[[
usage.lua: the verbs of build.lua, what each takes, and its help.

A verb: name, what the list says of it, the file under tools/build/ that has it and the function's
name there; `words`: what may follow it, for its help; `most`: how many of them (default none);
`numbers`: they are numbers from 1 on; `rest`: what follows `--` goes to a program; `options`: those
that it takes beside the common ones, by name.
]]
local usage = {}

local COMMON = { "arch", "config", "j", "v", "key" }
local TESTS = { "repeat", "smp", "update-golden" }

usage.OPTIONS = {
	arch = { "A", "x86_64 (default) or aarch64" },
	config = { "C", "release (default) or debug" },
	j = { "N", "parallel jobs; `test -j 1`: one kind of tests after the other" },
	v = { nil, "show commands" },
	key = { "FILE", "sign modules with this key (PEM), not with build/keys/modules.pem" },
	["repeat"] = { "N", "guest tests: N times over, on four processors" },
	smp = { "N", "processors: of run, 2 by default; guest tests: N, instead of 1 and 4" },
	["update-golden"] = { nil, "tests/gen/emit.lua: write the expected files anew" },
	mem = { "MIB", "memory (default 512)" },
	direct = { nil, "boot the kernel itself, without ISO and boot loader" },
	uefi = { nil, "boot the ISO by UEFI firmware" },
	initrd = { "FILE", "one more archive, laid over the others; may be repeated" },
	append = { "STR", "more words for the kernel's command line; may be repeated" },
	gui = { nil, "a window with the screen and the keyboard" },
	gdb = { nil, "wait for gdb on port 1234" },
	dry = { nil, "print the QEMU command instead of running it" },
}

local VERBS = {
	{ "build", "the kernel, the modules and both initrds (default)", "ninja", "build" },
	{ "iso", "all that, and build/<arch>/mortise.iso", "ninja", "iso" },
	{ "run", "boot the ISO in QEMU; --direct boots the kernel without it", "run", "run",
		options = {
			"smp", "mem", "direct", "uefi", "initrd", "append", "gui", "gdb", "dry",
		},
	},
	{ "module", "build one module only", "ninja", "module", words = "NAME", most = 1 },
	{ "test", "every test; words choose: gen lint host smoke linux guest boot live, or files;\n"
		.. (" "):rep(33) .. "matrix [WORD]...: boots on 200 machines, or those whose names have the words",
		"checks", "test", words = "[KIND|FILE]...", most = math.huge, options = TESTS },
	{ "live", "replace modules under load N times (default 10000)", "checks", "live",
		words = "[N]", most = 1, numbers = true, options = TESTS },
	{ "torture", "N threads (1000) under locks, signals, kills for S seconds (1800), debug",
		"checks", "torture", words = "[S [N]]", most = 2, numbers = true, options = TESTS },
	{ "lint", "the rules of the sources", "checks", "lint", words = "[FILE]...",
		most = math.huge },
	{ "table", "sum up syscalls.tbl: what is served, by module", "table", "table" },
	{ "fuzz", "the module loader over N mutated modules (default 1000000)", "checks", "fuzz",
		words = "[N]", most = 1, numbers = true },
	{ "bench", "instructions of single operations beside Debian's Linux", "checks", "bench",
		words = "[GROUP]...", most = math.huge, options = { "append" } },
	{ "conformance", "Linux's test suites; the kit must stand in ../shared/conformance",
		"checks", "conformance", words = "[SUITE] [-- WORD...]", most = 1, rest = true },
	{ "clean", "remove build/", "ninja", "clean" },
	{ "help", "this list; `VERB --help` tells what a verb takes" },
}

local function line_of(verb)
	return ("%s%s"):format(verb.name, verb.words and " " .. verb.words or "")
end

for _, verb in ipairs(VERBS) do
	verb.name, verb.says, verb.file, verb.call = table.unpack(verb)
	verb.most = verb.most or 0
	verb.takes = {}
	for _, list in ipairs { COMMON, verb.options or {} } do
		for _, name in ipairs(list) do
			verb.takes[name] = true
		end
	end
end

-- The verb of that name; an error if there is none.
function usage.verb(name)
	for _, verb in ipairs(VERBS) do
		if verb.name == name then
			return verb
		end
	end
	error("unknown verb " .. name .. "; `lua5.4 build.lua help` lists them", 0)
end

local function option_lines(out, names)
	for _, name in ipairs(names) do
		local value, says = table.unpack(usage.OPTIONS[name], 1, 2)
		local word = (#name == 1 and "-" or "--") .. name .. (value and " " .. value or "")
		out[#out + 1] = ("  %-20s %s"):format(word, says)
	end
end

-- The help of one verb.
function usage.of(verb)
	local out = { ("usage: lua5.4 build.lua %s [options]\n"):format(line_of(verb)),
		"  " .. verb.says, "\noptions:" }
	option_lines(out, verb.options or {})
	option_lines(out, COMMON)
	if verb.rest then
		out[#out + 1] = ("  %-20s what follows goes to the program that the verb runs")
			:format("-- WORD...")
	end
	return table.concat(out, "\n")
end

-- The list of all verbs.
function usage.list()
	local out = { "usage: lua5.4 build.lua VERB [options]     "
		.. "(tools/dev VERB installs what is missing first)\n" }
	for _, verb in ipairs(VERBS) do
		out[#out + 1] = ("  %-30s %s"):format(line_of(verb), verb.says)
	end
	out[#out + 1] = "\noptions of every verb:"
	option_lines(out, COMMON)
	out[#out + 1] = "\noptions of run:"
	option_lines(out, usage.verb("run").options)
	out[#out + 1] = "\noptions of test, live and torture:"
	option_lines(out, TESTS)
	return table.concat(out, "\n")
end

return usage
