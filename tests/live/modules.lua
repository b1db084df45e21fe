--[[
modules.lua: modules replaced under load, on four processors: the programs worker.c, wakes.c and clock_state.c in a machine.

`lua5.4 build.lua live` runs the loop 10,000 times; the test 300 times. The counting build of futex is made by the commands
of the build's own with one more definition.
]]
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

local SHORT = 300

local function compile(t, name)
	local program = t.options.scratch .. "/" .. name
	local words = { table.unpack(t.vm.build.arch.test_cc.musl) }
	for _, word in ipairs { "-std=gnu11", "-O2", "-Wall", "-Werror", "-static", "-pthread", "-I.", "-o", program,
		"tests/live/" .. name .. ".c" } do
		words[#words + 1] = word
	end
	local output, code = process.run(words, 120)
	t.check(code == 0, name .. " compiles", output)
	return code == 0 and fs.read(program)
end

-- futex.ko as the build makes it, but into a directory of our own and with FUTEX_COUNT_WAKES defined.
local function counting_module(t)
	local ko, out = t.dir .. "/modules/futex.ko", t.options.scratch .. "/counting"
	local own = { [t.dir .. "/obj/modules/futex/"] = out .. "/", [t.dir .. "/obj/gen/futex_module"] = out .. "/futex_module", [ko] = out .. "/futex.ko" }
	fs.mkdir(out)
	for _, command in ipairs(fs.lines(("ninja -f %s/build.ninja -t commands %s"):format(t.dir, ko))) do
		if command:match("/futex[/_.]") and not command:match("tools/gen/main%.lua") then
			for from, to in pairs(own) do
				command = command:gsub(from:gsub("%p", "%%%0"), (to:gsub("%%", "%%%%")))
			end
			command = command:gsub(" %-DMODULE=1", " -DMODULE=1 -DFUTEX_COUNT_WAKES")
			if not os.execute(command) then
				t.check(false, "the counting build", command)
				return nil
			end
		end
	end
	return fs.read(out .. "/futex.ko")
end

-- Runs a program in the machine and takes its TAP lines for our checks.
local function run(t, machine, command, seconds)
	local output, status = shell.ask(machine, command, seconds)
	local good = 0
	for line in output:gmatch("[^\n]+") do
		if line:match("^ok ") then
			good = good + 1
		elseif line:match("^not ok") then
			t.check(false, command:match("%S+") .. ": " .. line:gsub("^not ok %d* ?%-? ?", ""), output)
		elseif line:match("^# ") then
			print("   " .. line:sub(3))
		end
	end
	t.equal(status, 0, command:match("%S+") .. ": its status")
	t.check(good > 3, command:match("%S+") .. ": its checks pass (" .. good .. ")", output:sub(-2000))
end

return function(t)
	local worker, wakes, clocks, counting = compile(t, "worker"), compile(t, "wakes"), compile(t, "clock_state"), counting_module(t)
	if not (worker and wakes and clocks and counting) then
		return
	end
	local machine = shell.start(t, {
		direct = true, smp = 4, mem = 512, append = "panic=-1 loglevel=3", name = "live",
		initrd = { shell.archive(t, "live", {
			cpio.file("root/worker", worker, 0x1ed), cpio.file("root/wakes", wakes, 0x1ed),
			cpio.file("root/clock_state", clocks, 0x1ed), cpio.file("root/counting.ko", counting),
		}) },
	})
	if not machine then
		return
	end
	local count = tonumber(t.options.count) or SHORT
	run(t, machine, "/root/clock_state", 60)
	run(t, machine, "/root/wakes /root/counting.ko", 240)
	run(t, machine, "/root/worker " .. count, 240 + count)
	t.check(not machine.text:match("Kernel panic"), "no panic", machine:tail(40))
	shell.finish(t, machine, "live")
end
