--[[
programs.lua: builds the test programs, statically with the port's compilers (arch.lua), by ninja: in parallel, and again only what a change
of source, header or flags asks for.
]]
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"
local report = require "tests.lib.report"
local tap = require "tests.lib.tap"
local vm = require "tests.lib.vm"

local programs = {}

local LIBRARIES = { "musl", "gcc" }
local RULE = [[
builddir = %s
rule cc
  command = $cc -std=gnu11 -O2 -g0 -Wall -static -Itests/guest/include -MMD -MF $out.d -o $out $in $flags
  depfile = $out.d
  deps = gcc
  description = CC $out
]]

local function ninja(file, ...)
	return process.run({ "ninja", "-f", file, ... }, 600)
end

-- Makes each { path, source, compiler, flags } of the list; returns what the compiler said by path, for those that it refused.
-- `name`: of this list among those of the directory; two lists can be made at once.
function programs.make(directory, name, list)
	local file, text = ("%s/%s.ninja"):format(directory, name), { RULE:format(directory .. "/" .. name) }
	for _, p in ipairs(list) do
		text[#text + 1] = ("build %s: cc %s\n  cc = %s\n  flags = %s\n"):format(p.path, p.source, table.concat(p.compiler, " "), p.flags)
	end
	fs.mkdir(directory .. "/" .. name)
	fs.write(file, table.concat(text))
	local refused = {}
	local output, code = ninja(file, "-k", "0")
	if code ~= 0 then
		for _, p in ipairs(list) do
			output, code = ninja(file, p.path)
			refused[p.path] = code ~= 0 and output or nil
		end
		if not next(refused) then
			error("ninja: " .. output, 0)
		end
	end
	return refused
end

-- The programs of tests/guest/X.c files as { name, path, seconds, native }; one that does not compile is a failed result.
function programs.guest(directory, files)
	local list = {}
	for _, source in ipairs(files) do
		local text = fs.read(source)
		local only = tap.header(text, "libc")
		local ports = tap.header(text, "arch") or vm.build.arch.name
		for _, library in ipairs(LIBRARIES) do
			local compiler = ports:find(vm.build.arch.name, 1, true) and vm.build.arch.test_cc[library]
			if compiler and (not only or only:match(library)) then
				local name = source:match("([^/]+)%.c$") .. "." .. library
				list[#list + 1] = {
					name = name, path = directory .. "/" .. name, source = source, compiler = compiler,
					flags = tap.header(text, "flags") or "", seconds = tonumber(tap.header(text, "timeout")) or 30,
					native = not (tap.header(text, "linux") or ""):match("^no"),
				}
			end
		end
	end
	local refused, built = programs.make(directory, "programs", list), {}
	for _, p in ipairs(list) do
		if refused[p.path] then
			report.result(false, "guest/" .. p.name .. ": compiles", refused[p.path])
		else
			built[#built + 1] = p
		end
	end
	return built
end

return programs
