--[[
build.lua: the only description of the build.  lua5.4 build.lua VERB [options]; `help` lists the verbs.

It reads syscalls.tbl, modules/*/module.lua and arch/*/arch.lua, writes build/<arch>/build.ninja and runs ninja. The parts
are under tools/build/, one file a subject; every verb is a function there.
]]
local root = (arg[0] or "build.lua"):match("^(.*)/[^/]*$")
if root and root ~= "." then
	io.stderr:write("run it from the directory that it stands in\n")
	os.exit(2)
end
package.path = "./?.lua;" .. package.path

local config = require "tools.build.config"

local usage = require "tools.build.usage"

local function main(words)
	local name = table.remove(words, 1) or "build"
	if name == "--help" or name == "-h" then
		name = "help"
	end
	local verb = usage.verb(name)
	if config.asks_help(words) then
		print(usage.of(verb))
		return 0
	end
	local options = config.parse(words, verb)
	if name == "help" then
		print(usage.list())
		return 0
	end
	return require("tools.build." .. verb.file)[verb.call](options) or 0
end

local ok, status = pcall(main, { table.unpack(arg) })
if not ok then
	-- What names a file and a line is said as compilers say it.
	local place = tostring(status):match("^[%w_./-]+:%d+: ")
	io.stderr:write(place and "" or "build.lua: ", tostring(status), "\n")
	os.exit(1)
end
os.exit(status)
