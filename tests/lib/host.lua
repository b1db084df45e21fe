--[[
host.lua: tests of the kernel's pure logic on the build machine, under the address and undefined-behaviour sanitizers.

tests/host/X.c is a program. Lines of its own say what belongs to it:
	// sources: core/lib/rbtree.c core/mem/buddy.c      compiled with it
	// flags: -DSOMETHING=1                             for all of them
	// timeout: 20                                      seconds
tests/host/include/ comes before the repository's root in the include path: its arch/ headers are the port of the host.
A program prints TAP lines or is judged by its exit status.
]]
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local report = require "tests.lib.report"
local tap = require "tests.lib.tap"

local host = {}

local FLAGS = {
	"-std=gnu11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer",
	"-fno-strict-aliasing", "-fwrapv", "-DHOST_TEST=1", "-Wall", "-Wno-unused-function", "-Itests/host/include", "-I.",
}

local function compile(options, path, program)
	local text = fs.read(path)
	local words = { "gcc" }
	for _, flag in ipairs(FLAGS) do
		words[#words + 1] = flag
	end
	words[#words + 1] = "-I" .. options.dir
	for flag in (tap.header(text, "flags") or ""):gmatch("%S+") do
		words[#words + 1] = flag
	end
	words[#words + 1] = path
	for source in (tap.header(text, "sources") or ""):gmatch("%S+") do
		words[#words + 1] = source
	end
	for _, word in ipairs { "-lpthread", "-o", program } do
		words[#words + 1] = word
	end
	local output, code = process.run(words, 120)
	return code == 0, output
end

function host.run(options, files)
	local directory = options.dir .. "/host"
	fs.mkdir(directory)
	for _, path in ipairs(files) do
		local name = "host/" .. path:match("([^/]+)%.c$")
		report.run(name, function()
			local program = directory .. "/" .. path:match("([^/]+)%.c$")
			local ok, output = compile(options, path, program)
			if not ok then
				report.result(false, name .. ": compiles", output)
				return
			end
			local seconds = tonumber(tap.header(fs.read(path), "timeout")) or 60
			local text, code = process.run({ program }, seconds)
			tap.judge(name, text, code and "exited" or "killed", code or 0)
		end)
	end
end

return host
