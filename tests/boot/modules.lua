-- Modules that cannot be loaded: a clear message each time, and the rest goes on.
local shell = require "tests.lib.shell"
local tamper = require "tests.lib.tamper"
local cpio = require "tools.cpio"

-- Boots with modules replaced; `modules`: name = image.
local function boot(t, name, modules, options)
	options = options or {}
	options.direct, options.smp, options.mem, options.name = true, 1, 256, name
	options.initrd = { shell.archive(t, "modules", tamper.entries(modules, options.list)) }
	options.append = "panic=-1 " .. (options.append or "")
	return shell.start(t, options)
end

-- The machine is whole but for the module that was refused.
local function check_rest(t, name, machine, absent, message)
	local log = machine.text:gsub("\r", "")
	t.check(log:find(message), name .. ": the message", machine:tail(40))
	t.check(not log:match("Kernel panic"), name .. ": no panic", machine:tail(40))
	local list = shell.ask(machine, "cut -d' ' -f1 /proc/modules | sort")
	for _, module in ipairs(absent) do
		t.check(not ("\n" .. list):find("\n" .. module .. "\n", 1, true), name .. ": " .. module .. " is not loaded", list)
	end
	t.check(("\n" .. list):find("\nvfs\n", 1, true), name .. ": others are", list)
	t.equal(shell.ask(machine, "echo a | tr a b"), "b\n", name .. ": the shell works")
end

local function refused(t, name, modules, absent, message, options)
	local machine = boot(t, name, modules, options)
	if machine then
		check_rest(t, name, machine, absent, message)
		shell.finish(t, machine, name)
	end
end

-- The descriptor of a module is not a place where any bit may be wrong: there only the checks of the loader are tried.
local function flips(t)
	local image = tamper.read(t.options, "rseq")
	local sections = tamper.sections(image)
	local table_at = string.unpack("<I8", image, 0x28 + 1)
	local count = string.unpack("<I2", image, 0x3c + 1)
	local parts = {
		{ "ELF header", 0, 64 }, { "section headers", table_at, 64 * count },
		{ "modinfo", sections[".modinfo"].offset, sections[".modinfo"].size },
		{ "section names", sections[".shstrtab"].offset, sections[".shstrtab"].size },
	}
	local modules, list = {}, tamper.boot_list(t.options)
	for _, part in ipairs(parts) do
		for seed = 1, 6 do
			local name = ("flip_%s_%d"):format(part[1]:match("%a+"), seed)
			modules[name] = tamper.flip_part(image, part[2], part[3], seed, 3)
			list[#list + 1] = name
		end
	end
	local machine = boot(t, "bit-flipped", modules, { list = list })
	if machine then
		check_rest(t, "bit-flipped", machine, {}, "module [^\n]*: [^\n]*%(error %d+%)")
		local reports = select(2, machine.text:gsub("module [^\n]-%(error %d+%)", ""))
		t.check(reports >= 12, "bit-flipped: most are refused with a reason", tostring(reports) .. " of " .. 6 * #parts)
		shell.finish(t, machine, "bit-flipped")
	end
end

return function(t)
	local function read(name)
		return tamper.read(t.options, name)
	end
	local list = tamper.boot_list(t.options)

	-- Named in the list, not in the archive.
	local with = { table.unpack(list) }
	table.insert(with, 1, "nowhere")
	refused(t, "missing module", {}, { "nowhere" }, "module nowhere is not in the initrd", { list = with })

	local without = {}
	for _, name in ipairs(list) do
		if name ~= "procfs" then
			without[#without + 1] = name
		end
	end
	local machine = shell.start(t, {
		direct = true, smp = 1, name = "no procfs", append = "autoload=0",
		initrd = { shell.archive(t, "list", tamper.entries({}, without)) },
	})
	if machine then
		local _, status = shell.ask(machine, "cat /proc/modules 2>/dev/null")
		t.equal(status, 1, "no procfs: there is no /proc/modules")
		t.equal(shell.ask(machine, "echo a | tr a b"), "b\n", "no procfs: the shell works")
		shell.finish(t, machine, "no procfs")
	end

	refused(t, "wrong ABI hash", { rseq = tamper.set(read "rseq", "abi", "0123456789abcdef") }, { "rseq" },
		"module rseq: ABI hash differs")
	refused(t, "another release", { rseq = tamper.set(read "rseq", "vermagic", "5.4.0-other x86_64") }, { "rseq" },
		"module rseq: built for another release")
	refused(t, "undefined symbol", { rseq = tamper.undefined_symbol(read "rseq", "thread_set_work") }, { "rseq" },
		"module rseq: [^\n]*symbol")
	refused(t, "absent need", { rseq = tamper.set(read "rseq", "depends", "nobody") }, { "rseq" },
		"module rseq: needs module nobody, which is not loaded")
	refused(t, "cyclic need", {
		rseq = tamper.set(read "rseq", "depends", "futex"), futex = tamper.set(read "futex", "depends", "rseq"),
	}, { "rseq", "futex" }, "needs module %a+, which is not loaded")
	refused(t, "need of itself", { rseq = tamper.set(read "rseq", "depends", "rseq") }, { "rseq" },
		"module rseq: needs module rseq, which is not loaded")
	refused(t, "truncated module", { rseq = read("rseq"):sub(1, 3000) }, { "rseq" }, "module [^\n]*outside of the file")
	refused(t, "truncated header", { rseq = read("rseq"):sub(1, 30) }, { "rseq" }, "module [^\n]*not an ELF file")
	refused(t, "empty module", { rseq = "" }, { "rseq" }, "module [^\n]*not an ELF file")
	refused(t, "text for a module", { rseq = "#!/bin/sh\necho no\n" }, { "rseq" }, "module [^\n]*not an ELF file")
	refused(t, "other machine", { rseq = tamper.replace_at(read "rseq", 0x12, "\x28\0") }, { "rseq" },
		"module [^\n]*another machine")
	refused(t, "no name", { rseq = tamper.set(read "rseq", "name", "") }, { "rseq" }, "module [^\n]*no usable name")
	refused(t, "loaded twice", {}, {}, "module vfs: is loaded already", {
		list = (function()
			local twice = { table.unpack(list) }
			twice[#twice + 1] = "vfs"
			return twice
		end)(),
	})
	flips(t)

	-- Parameters.
	refused(t, "wrong parameter", {}, { "futex" }, 'parameter hash_bits does not take "many"', {
		append = "futex.hash_bits=many",
	})
	machine = boot(t, "unknown parameter", {}, { append = "futex.nonesuch=1" })
	if machine then
		check_rest(t, "unknown parameter", machine, {}, "futex: unknown parameter nonesuch")
		t.equal(shell.ask(machine, "grep -c ^futex /proc/modules"), "1\n", "unknown parameter: the module is there")
		shell.finish(t, machine)
	end
	machine = boot(t, "parameter", {}, { append = "futex.hash_bits=5" })
	if machine then
		t.equal(shell.ask(machine, "cat /sys/module/futex/parameters/hash_bits"), "5\n", "parameter: has its value")
		shell.finish(t, machine)
	end

	-- modules= instead of the list: no list needed.
	machine = shell.start(t, {
		direct = true, smp = 1, name = "modules=", append = "panic=-1 autoload=0 modules=cred,vfs,tmpfs,devfs,linux,procfs,tty",
		initrd = { shell.archive(t, "nolist", { cpio.file(tamper.directory() .. "/modules.boot", "nowhere\n") }) },
	})
	if machine then
		t.equal(shell.ask(machine, "cut -d' ' -f1 /proc/modules | sort | tr '\\n' ' '"),
			"cred devfs linux procfs tmpfs tty vfs ", "modules=: those and no others")
		shell.finish(t, machine)
	end
end
