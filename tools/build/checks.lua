-- checks.lua: the verbs test, live, torture, lint, fuzz, bench and conformance.
local config = require "tools.build.config"
local fs = require "tools.lib.fs"
local ninja = require "tools.build.ninja"

local checks = {}

function checks.lint(options)
	local lint = require "tools.lint.main"
	local manifest = require "tools.lib.manifest"
	for _, path in ipairs(options.words) do
		if not fs.exists(path) then
			error("lint: no such file: " .. path, 0)
		end
	end
	local problems = lint.tree(#options.words > 0 and options.words or nil)
	local ok, reason = pcall(function()
		local _, modules = manifest.load_all("modules")
		require("tools.build.sources").check_includes(modules)
	end)
	if not ok then
		problems[#problems + 1] = reason
	end
	for _, problem in ipairs(problems) do
		print(problem)
	end
	print(("%d files, %d problems"):format(#lint.files(), #problems))
	return #problems == 0 and 0 or 1
end

-- The kinds of tests that need no kernel.
local WITHOUT_KERNEL = { gen = true, lint = true, host = true }

local function needs_kernel(words)
	for _, word in ipairs(words) do
		if not WITHOUT_KERNEL[word] and not word:match("^tests/gen/") and not word:match("^tests/lint/")
			and not word:match("^tests/host/") then
			return true
		end
	end
	return #words == 0
end

local function test_port(options, totals)
	-- Of the verifier a host test compiles the sources, which come with it.
	local targets = { "gen/abi.h", "obj/ed25519.o" }
	if needs_kernel(options.words) then
		targets = { "kernel", "modules.cpio", "rootfs.cpio", "mortise.iso" }
	end
	local status, build = ninja.targets(options, targets)
	if status ~= 0 then
		print("the build failed\n0 passed, 1 failed")
		return status
	end
	local command = ("lua5.3 tests/run.lua --arch %s --config %s --dir %s"):format(options.arch, options.config, build.dir)
	if options["update-golden"] then
		command = command .. " --update-golden"
	end
	for _, name in ipairs { "count", "threads", "repeat", "smp", "jobs" } do
		if options[name] then
			command = command .. " --" .. name .. " " .. fs.quote(options[name])
		end
	end
	if totals then
		command = command .. " --totals " .. fs.quote(totals)
	end
	for _, word in ipairs(options.words) do
		command = command .. " " .. fs.quote(word)
	end
	local ok = os.execute(command)
	return ok and 0 or 1
end

-- The kinds that ask a kernel, for the ports after the first: what asks none has the same answer on all.
local KERNEL_KINDS = { "smoke", "guest", "boot", "live" }

function checks.test(options)
	local matrix = options.words[1] == "matrix"
	if options.arch_chosen or (#options.words > 0 and not matrix) then
		return test_port(options)
	end
	local totals, status = os.tmpname(), 0
	for i, arch in ipairs(config.PORTS) do
		print("== port " .. arch)
		options.arch = arch
		if not matrix then
			options.words = i == 1 and {} or { table.unpack(KERNEL_KINDS) }
		end
		local result = test_port(options, totals)
		status = status ~= 0 and status or result
	end
	os.remove(totals)
	return status
end

-- live [COUNT]: the long form of the tests of live replacement.
function checks.live(options)
	options.count = options.words[1] or "10000"
	options.words = { "live" }
	return checks.test(options)
end

-- torture [SECONDS [THREADS]]: the long form of the thread torture, always in the debug configuration.
function checks.torture(options)
	options.count, options.threads = options.words[1] or "1800", options.words[2] or "1000"
	options.config, options.words = "debug", { "torture" }
	return checks.test(options)
end

local FUZZ_SOURCES = "tests/fuzz/module.c core/module/trailer.c core/module/elf.c core/module/place.c core/module/symbols.c arch/x86_64/module.c"
local FUZZ_FLAGS = "-std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -DHOST_TEST=1 -Itests/host/include -I. "
	.. "-w -Wl,--wrap=module_resolve -fsanitize=fuzzer,address,undefined -fno-sanitize=alignment,function"

-- fuzz [RUNS]: the loader over mutated modules of this build. Inputs that it found stay in build/<arch>/fuzz; a crash is written there, too.
function checks.fuzz(options)
	local status, build = ninja.targets(options, { "modules.cpio" })
	if status ~= 0 then
		return status
	end
	local dir = build.dir .. "/fuzz"
	fs.mkdir(dir .. "/inputs")
	local commands = {
		("clang %s -I%s -o %s/module %s"):format(FUZZ_FLAGS, build.dir, dir, FUZZ_SOURCES),
		("cp %s/modules/*.ko tests/fuzz/corpus/* %s/inputs/ 2>/dev/null; true"):format(build.dir, dir),
		("cd %s && ./module -max_len=100000 -timeout=10 -runs=%d -print_final_stats=1 inputs"):format(dir,
			tonumber(options.words[1]) or 1000000),
	}
	for _, command in ipairs(commands) do
		if not os.execute(command) then
			return 1
		end
	end
	return 0
end

-- Runs a program of a kit that stands beside the repository on our images, or `by` for it.
-- `words` are its arguments.
local function run_beside(options, kit, program, words, by)
	if not fs.exists(kit .. "/" .. program) then
		error(("no %s/%s here, so there is nothing to run: README.md says what the kit is "
			.. "and where it comes from"):format(kit, program), 0)
	end
	local status = ninja.targets(options, { "kernel", "modules.cpio", "rootfs.cpio" })
	if status ~= 0 then
		return status
	end
	for i, word in ipairs(words) do
		words[i] = fs.quote(word)
	end
	return os.execute((by or kit .. "/" .. program) .. " " .. table.concat(words, " ")) and 0 or 1
end

local GROUPS = { "calls", "files", "exchange", "processes", "threads", "memory", "signals" }

-- bench [GROUP...]: the benchmark on Mortise and on Debian's Linux.
function checks.bench(options)
	local known = table.concat(GROUPS, " ")
	for _, group in ipairs(options.words) do
		if not (" " .. known .. " "):find(" " .. group .. " ", 1, true) then
			error(("no group %s; there are %s"):format(group, known), 0)
		end
	end
	if options.arch ~= config.PORTS[1] then
		error("bench measures " .. config.PORTS[1] .. " only", 0)
	end
	local status, build = ninja.targets(options, { "kernel", "modules.cpio" })
	if status ~= 0 then
		return status
	end
	local words = { "lua5.4 tests/bench/run.lua", build.dir }
	if #options.append > 0 then
		words[#words + 1] = "--append " .. fs.quote(table.concat(options.append, " "))
	end
	table.move(options.words, 1, #options.words, #words + 1, words)
	return os.execute(table.concat(words, " ")) and 0 or 1
end

local KIT = "../shared/conformance"
local SUITES = { "kselftest", "rt-tests", "stress-ng", "workloads" }

-- The kit boots the first port alone: for the others, the self-tests cross-built and run by a runner of our own.
local function conformance_of_port(options)
	if options.words[1] and options.words[1] ~= "kselftest" then
		print("the suite " .. options.words[1] .. " runs on " .. config.PORTS[1] .. " only")
		return 1
	end
	local words = { "tools/kselftest/run.lua", options.arch, config.directory(options), KIT,
		table.unpack(options.rest) }
	return run_beside(options, KIT, "conformance", words, "lua5.3")
end

local function suites_of(options)
	local chosen = options.words[1]
	if not chosen then
		return SUITES
	end
	for _, suite in ipairs(SUITES) do
		if suite == chosen then
			return { suite }
		end
	end
	error(("no suite %s; there are %s"):format(chosen, table.concat(SUITES, ", ")), 0)
end

-- conformance [SUITE] [-- WORD...]: without a suite all of them, one after the other.
function checks.conformance(options)
	local suites = suites_of(options)
	if options.arch ~= config.PORTS[1] then
		return conformance_of_port(options)
	end
	local status = 0
	for _, suite in ipairs(suites) do
		local words = { suite, "--mortise", config.directory(options), "--passing",
			table.unpack(options.rest) }
		local result = run_beside(options, KIT, "conformance", words)
		status = status ~= 0 and status or result
	end
	return status
end

return checks
