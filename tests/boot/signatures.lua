--[[
Signatures of modules: with `modules.sig=require` only what the build's key signed gets in, by every way in, and the machine goes on without the
rest; otherwise nothing is verified.
]]
local cpio = require "tools.cpio"
local module_build = require "tests.lib.module_build"
local shell = require "tests.lib.shell"
local tamper = require "tests.lib.tamper"

-- From the end of a signed file: the structure, the signature, the key.
local MAGIC, STRUCTURE, SIGNATURE, KEY = 28, 12, 64, 32

local function flip(image, at)
	return tamper.replace_at(image, at, string.char(image:byte(at + 1) ~ 0x10))
end

-- Damaged files by name: { image, what the log says of it }.
local function damaged(signed, other)
	local tail = #signed - MAGIC
	local text = tamper.sections(signed)[".text"]
	local info = tamper.sections(signed)[".modinfo"]
	local altered, unsigned = "its signature does not fit", "is not signed"
	return {
		text = { flip(signed, text.offset + text.size // 2), altered },
		modinfo = { flip(signed, info.offset + 1), altered },
		first = { flip(signed, 6), altered },
		signature = { flip(signed, tail - STRUCTURE - SIGNATURE + 5), altered },
		scalar = { flip(signed, tail - STRUCTURE - 20), altered },
		shorter = { signed:sub(1, tail - STRUCTURE - SIGNATURE - KEY - 20) .. signed:sub(tail - STRUCTURE - SIGNATURE - KEY + 1), altered },
		key = { flip(signed, tail - STRUCTURE - SIGNATURE - 9), "key that is not this kernel's" },
		other = { other, "key that is not this kernel's" },
		kind = { tamper.replace_at(signed, tail - STRUCTURE + 2, "\2"), "of a kind that is not known" },
		length = { tamper.replace_at(signed, tail - 1, "\63"), "of a kind that is not known" },
		cut = { signed:sub(1, -2), unsigned },
		longer = { signed .. "\0", unsigned },
	}
end

local function files(list)
	local entries = {}
	for name, image in pairs(list) do
		entries[#entries + 1] = cpio.file("root/" .. name .. ".ko", image)
	end
	table.sort(entries, function(a, b) return a.name < b.name end)
	return entries
end

local function boot(t, name, append, entries)
	return shell.start(t, {
		direct = true, smp = 2, mem = 256, name = name, append = "panic=-1 " .. append,
		initrd = { shell.archive(t, "signatures", entries) },
	})
end

local function loaded(machine, module)
	return select(2, shell.ask(machine, "grep -q '^" .. module .. " ' /proc/modules")) == 0
end

-- A command on a file that is refused, in all the ways that it tries; the log names the module and the reason.
local function refused(t, machine, command, reason, message)
	local from = machine.position
	local output, status = shell.ask(machine, command .. " 2>&1")
	t.check(status ~= 0 and output:find(reason, 1, true), command .. " is refused", output)
	local log = machine.text:sub(from):gsub("\r", "")
	t.check(log:find("module sample: [^\n]*" .. message), command .. ": the log says why", log)
end

local REJECTED = "Key was rejected by service"

local function required(t, sample, signed, bad)
	local entries = files { good = signed, unsigned = sample }
	for name, case in pairs(bad) do
		entries[#entries + 1] = cpio.file("root/" .. name .. ".ko", case[1])
	end
	local machine = boot(t, "required", "modules.sig=require", entries)
	if not machine then
		return
	end
	t.equal(shell.ask(machine, "cat /sys/module/module/parameters/sig_enforce"), "Y\n", "required: sysfs says so")
	t.check(loaded(machine, "futex") and loaded(machine, "linux"), "required: modules of the boot and by need are there")
	refused(t, machine, "insmod /root/unsigned.ko", REJECTED, "is not signed")
	for name, case in pairs(bad) do
		refused(t, machine, "insmod /root/" .. name .. ".ko", REJECTED, case[2])
	end
	t.check(not loaded(machine, "sample"), "required: none of them is loaded")
	t.equal(select(2, shell.ask(machine, "insmod /root/good.ko depth=3")), 0, "required: a signed one is loaded")
	for name, case in pairs(bad) do
		refused(t, machine, "modctl replace /root/" .. name .. ".ko", REJECTED, case[2])
	end
	refused(t, machine, "modctl replace /root/unsigned.ko", REJECTED, "is not signed")
	t.equal(shell.ask(machine, "cat /sys/module/sample/parameters/depth"), "3\n", "required: the old one serves")
	t.equal(select(2, shell.ask(machine, "modctl replace /root/good.ko depth=4")), 0, "required: a signed one takes its place")
	t.equal(shell.ask(machine, "cat /sys/module/sample/parameters/depth"), "4\n", "required: it serves")
	t.equal(select(2, shell.ask(machine, "rmmod sample")), 0, "required: it goes")
	t.check(not machine.text:match("Kernel panic"), "required: no panic", machine:tail(40))
	shell.finish(t, machine, "required")
end

-- Of the initrd: one of the list and one by need.
local function at_boot(t)
	local list = tamper.boot_list(t.options)
	list[#list + 1] = "unix"
	local unix = tamper.read(t.options, "unix")
	local text = tamper.sections(unix)[".text"]
	local modules = { unix = flip(unix, text.offset + 9), futex = tamper.read(t.options, "futex"):sub(1, -2) }
	local machine = boot(t, "at boot", "modules.sig=require", tamper.entries(modules, list))
	if not machine then
		return
	end
	local log = machine.text:gsub("\r", "")
	t.check(log:find("module unix: its signature does not fit[^\n]*%(error 129%)"), "at boot: the altered one is refused", machine:tail(40))
	t.check(log:find("module futex: is not signed %(error 129%)"), "at boot: so is the one by need", machine:tail(40))
	t.check(not loaded(machine, "unix") and not loaded(machine, "futex"), "at boot: neither is loaded")
	t.check(loaded(machine, "vfs") and loaded(machine, "procfs"), "at boot: others are")
	t.equal(shell.ask(machine, "echo a | tr a b"), "b\n", "at boot: the shell works")
	shell.finish(t, machine, "at boot")
end

local function not_required(t, sample, bad)
	local machine = boot(t, "off", "modules.sig=off", files { unsigned = sample, signature = bad.signature[1], kind = bad.kind[1] })
	if not machine then
		return
	end
	t.equal(shell.ask(machine, "cat /sys/module/module/parameters/sig_enforce"), "N\n", "off: sysfs says so")
	for _, name in ipairs { "unsigned", "signature" } do
		t.equal(select(2, shell.ask(machine, ("insmod /root/%s.ko && rmmod sample"):format(name))), 0, "off: " .. name .. ".ko is loaded")
	end
	refused(t, machine, "insmod /root/kind.ko", "Bad message", "of a kind that is not known")
	shell.finish(t, machine, "off")
end

local function not_understood(t, sample)
	local machine = boot(t, "not understood", "modules.sig=requrie", files { unsigned = sample })
	if not machine then
		return
	end
	t.check(machine.text:find("modules.sig=requrie: is neither require nor off: taken for require", 1, true), "not understood: the log says so",
		machine:tail(40))
	refused(t, machine, "insmod /root/unsigned.ko", REJECTED, "is not signed")
	shell.finish(t, machine, "not understood")
end

return function(t)
	local key = t.options.scratch .. "/other.pem"
	t.check(os.execute("lua5.4 tools/sign.lua key " .. key), "another key is made")
	local sample = module_build.build(t, "sample", "tests/boot/sample")
	local signed = sample and module_build.sign(t, "signed", sample)
	local other = sample and module_build.sign(t, "other", sample, key)
	if not signed or not other then
		return
	end
	local bad = damaged(signed, other)
	required(t, sample, signed, bad)
	at_boot(t)
	not_required(t, sample, bad)
	not_understood(t, sample)
end
