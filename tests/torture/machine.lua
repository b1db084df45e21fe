--[[
machine.lua: the long form of the thread torture: half of the time with glibc, half with musl, on four processors.

`lua5.4 build.lua torture` takes seconds and threads; the short form is tests/guest/torture_short.c.
]]
local cpio = require "tools.cpio"
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

-- By their names in arch.lua.
local COMPILERS = { { "glibc", "gcc" }, { "musl", "musl" } }

local function compile(t, name, compiler)
	local program = t.options.scratch .. "/torture." .. name
	local words = { table.unpack(t.vm.build.arch.test_cc[compiler]) }
	for _, word in ipairs { "-std=gnu11", "-O2", "-Wall", "-static", "-pthread", "-o", program, "tests/torture/torture.c" } do
		words[#words + 1] = word
	end
	local output, code = process.run(words, 120)
	t.check(code == 0, name .. ": compiles", output)
	return code == 0 and cpio.file("torture." .. name, fs.read(program), 0x1ed)
end

-- What the kernel's log may say while programs die as they should.
local function reports(text)
	return text:match("[^\n]*panic[^\n]*") or text:match("[^\n]*BUG[^\n]*") or text:match("[^\n]*out of memory[^\n]*")
end

return function(t)
	local seconds, entries = (tonumber(t.options.count) or 1800) // 2, {}
	for i, c in ipairs(COMPILERS) do
		entries[i] = compile(t, c[1], c[2])
	end
	local machine = #entries == 2 and shell.start(t, {
		direct = true, smp = 4, mem = 1024, initrd = { shell.archive(t, "torture", entries) }, append = "panic=-1 loglevel=4",
	})
	if not machine then
		return
	end
	for _, c in ipairs(COMPILERS) do
		local output, status = shell.ask(machine, ("/torture.%s %d %s"):format(c[1], seconds, t.options.threads or "1000"), seconds + 700)
		print("   " .. c[1] .. ": " .. (output:match("torture: [^\n]*") or "no verdict"))
		t.equal(status, 0, c[1] .. ": every invariant holds, nothing hangs, memory comes back")
		t.check(not reports(output), c[1] .. ": the log is silent", reports(output))
		if not status then
			print(machine:tail(60))
			return
		end
	end
	shell.finish(t, machine)
end
