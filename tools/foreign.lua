--[[
foreign.lua: Debian packages of another architecture, fetched with apt and unpacked as data: nothing is installed, and the
machine's own package state stays as it is.

	lua5.4 tools/foreign.lua ARCHITECTURE DIRECTORY PACKAGE...
Each package is unpacked into DIRECTORY/PACKAGE. The lists and the archives are kept in DIRECTORY/apt.
]]
package.path = "./?.lua;" .. package.path
local fs = require "tools.lib.fs"

local function run(command, what)
	if not os.execute(command) then
		error(what, 0)
	end
end

-- apt with a state of its own, for that architecture, from the machine's own sources.
local function apt(architecture, directory)
	local here = fs.lines("pwd")[1] .. "/" .. directory .. "/apt"
	run(("mkdir -p %s/state/lists/partial %s/cache/archives/partial && : >%s/status"):format(here, here, here), "no directory")
	local options = {
		"APT::Architecture=" .. architecture, "APT::Architectures::=" .. architecture, "Dir::State=" .. here .. "/state",
		"Dir::State::status=" .. here .. "/status", "Dir::Cache=" .. here .. "/cache", "APT::Sandbox::User=root",
		"Acquire::Languages=none",
	}
	local words = "apt-get -q"
	for _, option in ipairs(options) do
		words = words .. " -o " .. fs.quote(option)
	end
	return words, here
end

-- A compiler's specs name the places where their package is meant to be installed.
local function relocate_specs(target)
	local here = fs.lines("pwd")[1]
	for _, path in ipairs(fs.find(target, "-name '*.specs' -type f")) do
		local text = fs.read(path):gsub("/usr/(%l+/%w+%-linux%-musl)", (here .. "/" .. target):gsub("%%", "%%%%") .. "/usr/%1")
		fs.write(path, text)
	end
end

local function main(words)
	local architecture, directory = words[1], words[2]
	local command, here = apt(architecture, directory)
	local updated = false
	for i = 3, #words do
		local package = words[i]
		local target = ("%s/%s"):format(directory, package)
		if not fs.exists(target .. "/.complete") then
			if not updated then
				run(command .. " update >" .. here .. "/log 2>&1 || true", "")
				updated = true
			end
			run(("rm -rf %s && mkdir -p %s"):format(target, target), "no directory")
			run(("cd %s && rm -f %s_*.deb && %s download %s >>log 2>&1 || { tail -n 3 log; exit 1; }"):format(here, package,
				command, package), ("package %s of %s cannot be fetched"):format(package, architecture))
			run(("dpkg-deb -x %s/%s_*.deb %s"):format(here, package, target), "package " .. package .. " cannot be unpacked")
			relocate_specs(target)
			fs.write(target .. "/.complete", "")
		end
	end
end

local ok, reason = pcall(main, arg)
if not ok then
	io.stderr:write("foreign: ", tostring(reason), "\n")
	os.exit(1)
end
