--[[
run.lua: runs the tests.  lua5.3 tests/run.lua --arch A --config C --dir BUILD [kind or file]...

Kinds, in the order in which they run: gen, lint (Lua files that return a list of { name, function }), host (C programs
over parts of the kernel), smoke (the generated test of every row, on the kernel and on the build machine's Linux), linux and guest (the
C programs of tests/guest, there and here), boot and live (Lua files that return a function and drive a virtual machine). Prints
progress and, last, `N passed, N failed`.
The kinds torture and matrix run only when they are named; words behind `matrix` choose its cells.
On a machine with several processors the guest tests, which sleep half of their time, run beside the other kinds, in a process of their
own (tests/lib/beside.lua), unless `--jobs 1` is said.
]]
package.path = "./?.lua;" .. package.path

local fs = require "tools.lib.fs"
local beside = require "tests.lib.beside"
local process = require "tests.lib.process"
local report = require "tests.lib.report"

local KINDS = { "gen", "lint", "host", "smoke", "linux", "guest", "boot", "live", "torture", "matrix" }
-- Not among "every test": it takes as long as it is told.
local ON_DEMAND = { torture = true, matrix = true }
-- The longest that one file of machines may take, unless it was told how much to do; the slowest takes a tenth of it.
local FILE_SECONDS = 600

-- By kind: runs what of it was chosen.
local run = {}

-- The guest tests as everybody wants them: on Linux, too, and beside others; not each time over, for a number of processors, or as a part.
local function plain(options)
	return not (options["repeat"] or options.smp or options.part)
end

local function parse(words)
	local options, i = { kinds = {}, files = {} }, 1
	while words[i] do
		local name = words[i]:match("^%-%-([%l-]+)$")
		if name == "update-golden" then
			options.update_golden = true
		elseif name then
			i = i + 1
			options[name] = words[i] or error(("--%s wants a value"):format(name), 0)
		elseif words[i]:match("/") then
			local path = words[i]
			local kind = path:match("^tests/(%l+)/[^/]+$")
			if not (kind and run[kind] and fs.exists(path)) then
				error("not a test: " .. path, 0)
			end
			options.kinds[kind] = true
			options.files[kind] = options.files[kind] or {}
			options.files[kind][path] = true
		elseif run[words[i]] then
			options.kinds[words[i]] = true
		elseif options.kinds.matrix then
			options.cells = options.cells or {}
			table.insert(options.cells, words[i])
		else
			error(("not a kind of tests: %s (there are %s; or name files)"):format(words[i], table.concat(KINDS, ", ")), 0)
		end
		i = i + 1
	end
	if options.kinds.guest and plain(options) then
		options.kinds.linux, options.files.linux = true, options.files.guest
	end
	if not next(options.kinds) then
		for _, kind in ipairs(KINDS) do
			options.kinds[kind] = not ON_DEMAND[kind]
		end
	end
	return options
end

local function files(options, kind, pattern)
	local chosen, list = options.files[kind], {}
	for _, path in ipairs(fs.find("tests/" .. (kind == "linux" and "guest" or kind), "-maxdepth 1 -name '" .. pattern .. "'")) do
		if not chosen or chosen[path] then
			list[#list + 1] = path
		end
	end
	return list
end

local function run_lua_lists(options, kind)
	for _, path in ipairs(files(options, kind, "*.lua")) do
		for _, test in ipairs(dofile(path)) do
			report.run(path:match("[^/]+/[^/]+$"):gsub("%.lua$", "") .. ": " .. test[1], function(t)
				t.options = options
				test[2](t)
			end)
		end
	end
end

function run.gen(options)
	run_lua_lists(options, "gen")
end

function run.lint(options)
	run_lua_lists(options, "lint")
end

function run.host(options)
	require("tests.lib.host").run(options, files(options, "host", "*.c"))
end

function run.smoke(options)
	require("tests.lib.guest").smoke(options)
end

function run.linux(options)
	require("tests.lib.guest").linux(options, files(options, "linux", "*.c"))
end

function run.guest(options)
	require("tests.lib.guest").run(options, files(options, "guest", "*.c"))
end

local function run_machines(options, kind)
	local vm = require "tests.lib.vm"
	for _, path in ipairs(files(options, kind, "*.lua")) do
		-- A line `-- ports: x86_64 (reason)` names the ports that have what the test is about.
		local ports = (fs.read(path):match("%-%- ports: ([^\n]*)") or options.arch)
		if not (" " .. ports .. " "):find(" " .. options.arch .. " ", 1, true) then
			report.note(path .. ": only on " .. ports)
			goto next
		end
		local test = dofile(path)
		report.run(path:gsub("^tests/", ""):gsub("%.lua$", ""), function(t)
			t.options, t.vm, t.dir = options, vm, options.dir
			local seconds = (ON_DEMAND[kind] or options.count) and 0 or FILE_SECONDS
			process.watched(seconds, function()
				t.check(false, ("ends within %d s"):format(seconds))
			end, test, t)
		end)
		process.kill_all()
		vm.forget()
		beside.show()
		::next::
	end
end

function run.boot(options)
	run_machines(options, "boot")
end

function run.live(options)
	run_machines(options, "live")
end

function run.torture(options)
	run_machines(options, "torture")
end

function run.matrix(options)
	run_machines(options, "matrix")
end

-- Of every kind that was chosen: what the guest tests' process does not do.
local function run_kinds(options)
	for _, kind in ipairs(KINDS) do
		if options.kinds[kind] then
			report.section(kind)
			local ok, reason = xpcall(run[kind], debug.traceback, options)
			if not ok then
				report.result(false, kind, tostring(reason))
			end
			beside.show()
		end
	end
end

local function main(options)
	local vm = require "tests.lib.vm"
	options.scratch = process.temporary_directory()
	vm.scratch = options.scratch
	report.options, report.context = options, vm.said
	vm.build = { dir = options.dir, arch = dofile("arch/" .. options.arch .. "/arch.lua") }
	local others = options.kinds.boot or options.kinds.live
	if options.kinds.guest and not options.files.guest and others and plain(options) and beside.possible(options.jobs) then
		require("tests.lib.guest").build(options, files(options, "guest", "*.c"))
		beside.start(options, "guest")
		options.kinds.guest = nil
	end
	run_kinds(options)
	beside.finish()
	process.kill_all()
	os.execute("rm -rf " .. fs.quote(options.scratch))
end

local options = {}
local ok, reason = xpcall(function()
	options = parse(arg)
	main(options)
end, debug.traceback)
if not ok then
	report.result(false, "tests", tostring(reason))
	pcall(beside.stop)
	pcall(process.kill_all)
end
if options.part then
	report.leave(options.part)
	os.exit(report.failed == 0 and 0 or 1)
end
if options.totals then
	report.join(options.totals)
	report.leave(options.totals)
end
os.exit(report.finish())
