--[[
verbs.lua: build.lua's words: every verb has help, refuses what it does not take, and says so when
it cannot do its work.
]]
local process = require "tests.lib.process"
local fs = require "tools.lib.fs"

local function build_lua(...)
	return process.run({ "lua5.4", "build.lua", ... }, 120)
end

local function verbs()
	local list = {}
	for line in build_lua("help"):gmatch("[^\n]+") do
		if line == "options of every verb:" then
			break
		end
		list[#list + 1] = line:match("^  (%l+)")
	end
	return list
end

local function help(t)
	local list = verbs()
	t.check(#list > 10, "the list names them", table.concat(list, " "))
	for _, verb in ipairs(list) do
		for _, word in ipairs { "--help", "-h" } do
			local output, status = build_lua(verb, word)
			local told = output:find("usage: lua5.4 build.lua " .. verb, 1, true)
				and output:find("\noptions:\n", 1, true)
			t.check(status == 0 and told, verb .. " " .. word, output)
		end
	end
	local output, status = process.run({ "tools/dev", "setup", "--help" }, 60)
	t.check(status == 0 and output:find("install only", 1, true), "tools/dev setup --help", output)
end

local function refused(t, says, ...)
	local output, status = build_lua(...)
	t.check(status == 1 and output:find(says, 1, true), table.concat({ ... }, " "), output)
end

local function surplus(t)
	for _, verb in ipairs(verbs()) do
		if verb == "test" or verb == "lint" then
			refused(t, "nowhere", verb, "nowhere/nothing.lua")
		elseif verb == "fuzz" or verb == "live" or verb == "torture" then
			refused(t, "wants a number from 1 on, not word", verb, "word")
			refused(t, "surplus word 3", verb, "1", verb == "torture" and "2" or "3", "3")
		elseif verb == "module" then
			refused(t, "surplus word b", verb, "a", "b")
			refused(t, "module NAME", verb)
		elseif verb == "bench" then
			refused(t, "no group word", verb, "word")
			refused(t, "measures x86_64 only", verb, "--arch", "aarch64")
		elseif verb == "conformance" then
			refused(t, "no suite word", verb, "word")
			refused(t, "surplus word b", verb, "kselftest", "b")
		else
			refused(t, "surplus word word", verb, "word")
		end
		if verb ~= "conformance" then
			refused(t, verb .. " takes nothing after --", verb, "--", "word")
		end
	end
	refused(t, "unknown verb fly", "fly")
	local output, status = process.run({ "tools/dev", "setup", "word" }, 60)
	local told = output:find("setup takes no words", 1, true)
	t.check(status == 1 and told, "tools/dev setup word", output)
end

local function options(t)
	refused(t, "build takes no --gui", "build", "--gui")
	refused(t, "table takes no --smp", "table", "--smp", "2")
	refused(t, "unknown option --fly", "run", "--fly")
	refused(t, "--smp wants a number from 1 on, not 0", "run", "--smp", "0", "--dry")
	refused(t, "--mem wants a number from 1 on, not much", "run", "--mem", "much", "--dry")
	refused(t, "-j wants a number from 1 on, not x", "build", "-j", "x")
	refused(t, "--append needs a value", "run", "--append")
	refused(t, "--direct boots without firmware", "run", "--direct", "--uefi", "--dry")
	refused(t, "no such port: z80", "run", "--arch", "z80", "--dry")
	refused(t, "--config is release or debug, not both", "build", "--config", "both")
	refused(t, "no such file: nowhere.cpio", "run", "--initrd", "nowhere.cpio", "--dry")
	refused(t, "the port aarch64 has no screen", "run", "--gui", "--arch", "aarch64", "--dry")
end

-- A copy of the build's description where nothing stands beside it: no kit. And no window.
local function cannot(t)
	local directory = t.options.scratch .. "/alone/tree"
	fs.mkdir(directory)
	local copy = "cp -r build.lua tools README.md arch syscalls.tbl modules %s/"
	os.execute(copy:format(fs.quote(directory)))
	local words = { "lua5.4", "build.lua", "conformance" }
	local output, status = process.run(words, 60, { directory = directory })
	local told = output:find("no ../shared/conformance/", 1, true) and output:find("README.md", 1, true)
	t.check(status == 1 and told, "conformance without its kit fails, and says why", output)
	local command = "unset DISPLAY WAYLAND_DISPLAY; exec lua5.4 build.lua run --gui"
	output, status = process.run({ "sh", "-c", command }, 60, { directory = directory })
	told = output:find("qemu-system-gui", 1, true) or output:find("there is no desktop", 1, true)
	t.check(status == 1 and told, "run --gui without a window says what is missing", output)
end

return {
	{ "help", help },
	{ "surplus words", surplus },
	{ "options", options },
	{ "cannot", cannot },
}
