--[[
A new call in a running machine, as the README tells it: scaffold, build one module, paste it into the terminal, load it, call it. The machine
runs the kernel that was built before anybody thought of the call, and loads only what its build's key signed.
]]
local fs = require "tools.lib.fs"
local module_build = require "tests.lib.module_build"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

-- Sends a file as a person would paste it.
local function paste(t, machine, path, to)
	local text = table.concat(fs.lines("gzip -9 < " .. fs.quote(path) .. " | base64"), "\n")
	local sum = fs.lines("md5sum < " .. fs.quote(path))[1]:match("%x+")
	machine:send(("base64 -d <<'END' | gunzip > %s\n%s\nEND\n"):format(to, text))
	t.equal(shell.ask(machine, "md5sum < " .. to, 60):match("%x+"), sum, to .. " arrives whole")
end

return function(t)
	local tree = t.options.scratch .. "/live_call"
	local key = fs.lines("realpath " .. fs.quote(module_build.key(t)))[1]
	local output, code = process.run({ "sh", "-c", ([[
		mkdir -p %s && cp -r build.lua syscalls.tbl arch core modules tools iso %s/ && mkdir -p %s/tests && cp -r tests/guest %s/tests/ && cd %s &&
		lua5.4 tools/scaffold.lua module answer && lua5.4 build.lua module answer --arch %s --config %s --key %s ]])
		:format(tree, tree, tree, tree, tree, t.options.arch, t.options.config, key) }, 300)
	if not t.check(code == 0, "scaffold and module build", output) then
		return
	end
	local words = { table.unpack(t.vm.build.arch.test_cc.musl) }
	for word in ("-static -s -O2 -Itests/guest/include -o T/answer_test T/tests/guest/answer.c"):gmatch("%S+") do
		words[#words + 1] = word:gsub("^T/", tree .. "/")
	end
	output, code = process.run(words, 60)
	if not t.check(code == 0, "the program compiles", output) then
		return
	end
	local machine = shell.start(t, { direct = true, smp = 2, mem = 256, name = "live call", append = "panic=-1 modules.sig=require" })
	if not machine then
		return
	end
	local ko = fs.lines(("cd %s && find build -name answer.ko"):format(tree))[1]
	paste(t, machine, tree .. "/answer_test", "/tmp/answer_test")
	paste(t, machine, tree .. "/" .. ko, "/tmp/answer.ko")
	local text, status = shell.ask(machine, "chmod 755 /tmp/answer_test; /tmp/answer_test")
	t.check(status ~= 0 and text:find("not ok 1"), "before: the call is not there", text)
	t.equal(select(2, shell.ask(machine, "insmod /tmp/answer.ko")), 0, "insmod")
	text, status = shell.ask(machine, "/tmp/answer_test")
	t.equal(status, 0, "the call answers: " .. text)
	shell.ask(machine, "echo 1 > /sys/module/answer/parameters/add")
	text = shell.ask(machine, "/tmp/answer_test")
	t.check(text:find("value 2,"), "its parameter takes effect", text)
	t.equal(select(2, shell.ask(machine, "modctl replace /tmp/answer.ko && /tmp/answer_test > /tmp/log")), 0, "it is replaced")
	t.equal(select(2, shell.ask(machine, "rmmod answer")), 0, "rmmod")
	text, status = shell.ask(machine, "/tmp/answer_test")
	t.check(status ~= 0 and text:find("not ok 1"), "after: the call is gone", text)
	t.check(not machine.text:match("Kernel panic"), "no panic", machine:tail(40))
	shell.finish(t, machine, "live call")
end
