--[[
README.md's commands, as they stand there: every block that a newcomer would type is run through a
pseudo terminal, to a prompt and to the machine's end; `tools/dev run` with each option that README
names, too, but for those that only print what they would start.
]]
local fs = require "tools.lib.fs"
local cpio = require "tools.cpio"
local process = require "tests.lib.process"
local shell = require "tests.lib.shell"

local TEXT = fs.read("README.md")

-- The fenced blocks without a language: the commands, and what a machine says.
local function blocks()
	local list = {}
	for block in ("\n" .. TEXT):gmatch("\n```\n(.-)\n```") do
		list[#list + 1] = block
	end
	return list
end

-- Lines that begin with `what`, without the explanation after them.
local function commands(what)
	local list = {}
	for _, block in ipairs(blocks()) do
		for line in block:gmatch("[^\n]+") do
			if line:sub(1, #what) == what then
				list[#list + 1] = (line:gsub("%s+#.*$", ""))
			end
		end
	end
	return list
end

-- Runs a command on a pseudo terminal; `directory`: where, by default here.
local function terminal(command, directory)
	return process.start({ "script", "-qfec", command, "/dev/null" }, { directory = directory })
end

-- To the prompt, a command, and off.
local function session(t, name, machine, port)
	local prompt = machine:expect(shell.PROMPT, 240)
	if t.check(prompt, name .. ": reaches the prompt", machine:tail(30)) then
		machine:send("uname -srm\n")
		local answer = machine:expect("\nLinux 6.1.0-mortise " .. port .. "\r", 60)
		t.check(answer, name .. ": a command", machine:tail(10))
		machine:send("poweroff\n")
		t.check(machine:wait(120), name .. ": poweroff ends QEMU", machine:tail(10))
	end
	machine:kill()
end

local function run_command(t, command, port)
	session(t, command, terminal(command), port)
end

local function dry(t, port)
	local archive = shell.archive(t, "extra", { cpio.file("extra", "text\n") })
	local arch = port == "x86_64" and "" or " --arch " .. port
	local options = {
		{ "", "%-cdrom %S+mortise%.iso" }, { "--direct", "%-kernel %S+" },
		{ "--uefi", "%-bios %S+" }, { "--smp 4", "%-smp 4 " }, { "--mem 300", "%-m 300 " }, { "--gdb", " %-s %-S" },
		{ "--initrd " .. archive, "%-cdrom %S+run%.iso" },
		{ "--append 'one two'", "%-cdrom %S+run%.iso" },
		{ "--direct --append 'one two'", "%-append '[^']*one two" },
		{ "--gui", "%-display [gs]%a+" },
	}
	for _, option in ipairs(options) do
		-- A port without a screen refuses a window.
		if option[1] ~= "--gui" or port == "x86_64" then
			local command = ("lua5.4 build.lua run %s --dry%s"):format(option[1], arch)
			local output, status = process.run({ "sh", "-c", command }, 300)
			local line = output:match("[^\n]*qemu%-system%-" .. port .. "[^\n]*") or ""
			t.check(status == 0 and line:find(option[2]), command, output)
		end
	end
	for name in TEXT:match("`tools/dev run` takes (.-);"):gmatch("`(%-%-%l+)") do
		local found = false
		for _, option in ipairs(options) do
			found = found or option[1]:find(name, 1, true)
		end
		t.check(found, name .. " is tried")
	end
end

-- The block that joins the archives and starts QEMU by hand, where an initramfs of one's own is.
local function by_hand(t, port)
	local directory = t.options.scratch .. "/by-hand"
	fs.mkdir(directory)
	assert(os.execute(("ln -sfn %s/build %s/build"):format(fs.lines("pwd")[1], directory)))
	assert(os.execute(("cp %s/rootfs.cpio %s/my-initramfs.cpio"):format(t.dir, directory)))
	for _, block in ipairs(blocks()) do
		if block:find("\nqemu-system-" .. port, 1, true) then
			session(t, "by hand", terminal(block, directory), port)
			return
		end
	end
	t.check(false, "README says how to start QEMU by hand")
end

-- What stands in backticks names verbs that there are.
local function verbs(t)
	local list = process.run({ "lua5.4", "build.lua", "help" }, 60)
	for verb in TEXT:gmatch("`lua5%.4 build%.lua (%l+)") do
		t.check(list:find("\n  " .. verb .. " "), "the verb " .. verb)
	end
	for script in TEXT:gmatch("`lua5%.4 (tools/[%l_/]+%.lua)") do
		t.check(fs.exists(script), script)
	end
end

return function(t)
	if t.options.config ~= "release" then
		t.note("README's commands are of the release configuration")
		return
	end
	local port = t.vm.build.arch.name
	by_hand(t, port)
	dry(t, port)
	if port == "x86_64" then
		verbs(t)
		local two = table.concat(commands "tools/dev", "; ")
		t.equal(two, "tools/dev run; tools/dev test", "the two commands")
		for _, words in ipairs { "", " --direct", " --uefi --smp 1" } do
			run_command(t, "tools/dev run" .. words, port)
		end
		return
	end
	local command = TEXT:match("`(tools/dev run %-%-arch " .. port .. ")`")
	run_command(t, command, port)
	run_command(t, command .. " --direct", port)
end
