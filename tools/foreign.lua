--[[
foreign.lua: Debian packages of another architecture or of another suite, or source packages, fetched with apt and unpacked as
data: nothing is installed, and the machine's own package state stays as it is. apt checks signatures and sums as for any
package.

	lua5.4 tools/foreign.lua ARCHITECTURE DIRECTORY PACKAGE...
	lua5.4 tools/foreign.lua suite=NAME DIRECTORY PACKAGE...
	lua5.4 tools/foreign.lua source DIRECTORY PACKAGE...
Each package is unpacked into DIRECTORY/PACKAGE: of a source package its author's archive. The lists and the archives are kept in
DIRECTORY/apt. A package that is there is not fetched again.
]]
package.path = "./?.lua;" .. package.path
local fs = require "tools.lib.fs"

local function run(command, what)
	if not os.execute(command) then
		error(what, 0)
	end
end

-- The machine's lists of sources, in apt's order, which decides what a source that stands in two of them is signed by.
local function source_lists()
	local places = fs.lines("eval $(apt-config shell LIST Dir::Etc::sourcelist/f PARTS Dir::Etc::sourceparts/d); echo $LIST; echo $PARTS")
	local paths = fs.find(places[2], "-maxdepth 1 -name '*.list' -o -maxdepth 1 -name '*.sources'")
	table.insert(paths, 1, places[1])
	return paths
end

-- The first of the machine's sources that has the suite which `suite` belongs to ("bookworm" of "bookworm-backports"), with
-- `suite` in its place: the same mirror, the same keys.
local function write_suite_list(directory, suite)
	local base = suite:match("^[^-]+")
	run(("rm -rf %s && mkdir -p %s"):format(directory, directory), "no directory")
	for _, path in ipairs(source_lists()) do
		local text = "\n" .. (fs.read(path) or "") .. "\n\n"
		if path:match("%.sources$") then
			for stanza in text:gsub("\n#[^\n]*", ""):gmatch("(.-)\n%s*\n") do
				local head, suites, rest = ("\n" .. stanza .. "\n"):match("^(.-\n)Suites:([^\n]*)(.*)$")
				if head and (" " .. suites .. " "):find(" " .. base .. " ", 1, true) then
					fs.write(directory .. "/suite.sources", (head .. "Suites: " .. suite .. rest):gsub("^%s+", ""))
					return
				end
			end
		else
			for line in text:gmatch("[^\n]+") do
				local head, rest = line:match("^(%s*deb%s+%S.-%s)" .. base .. "(%s.*)$")
				if head then
					fs.write(directory .. "/suite.list", head .. suite .. rest .. "\n")
					return
				end
			end
		end
	end
	error(("no source of this machine has %s, which %s belongs to"):format(base, suite), 0)
end

-- The lists with `deb-src` in the place of `deb`: by default Debian's name binary packages only.
local function write_source_lists(directory)
	run(("rm -rf %s && mkdir -p %s"):format(directory, directory), "no directory")
	for i, path in ipairs(source_lists()) do
		local text = "\n" .. (fs.read(path) or "") .. "\n"
		if path:match("%.sources$") then
			fs.write(("%s/%04d.sources"):format(directory, i), (text:gsub("\nTypes:[^\n]*", "\nTypes: deb-src")))
		else
			text = text:gsub("\n%s*deb%-src%s[^\n]*", "\n"):gsub("\n%s*deb(%s)", "\ndeb-src%1")
			fs.write(("%s/%04d.list"):format(directory, i), text)
		end
	end
end

-- apt with a state of its own, for that architecture, from the machine's own sources.
local function apt(architecture, directory)
	local here = fs.lines("pwd")[1] .. "/" .. directory .. "/apt"
	run(("mkdir -p %s/state/lists/partial %s/cache/archives/partial && : >%s/status"):format(here, here, here), "no directory")
	local options = {
		"Dir::State=" .. here .. "/state", "Dir::State::status=" .. here .. "/status", "Dir::Cache=" .. here .. "/cache",
		"APT::Sandbox::User=root", "Acquire::Languages=none",
	}
	local function add(...)
		table.move({ ... }, 1, select("#", ...), #options + 1, options)
	end
	local suite = architecture:match("^suite=(.+)")
	if suite or architecture == "source" then
		if suite then
			write_suite_list(here .. "/sources", suite)
		else
			write_source_lists(here .. "/sources")
		end
		add("Dir::Etc::sourcelist=/dev/null", "Dir::Etc::sourceparts=" .. here .. "/sources")
	else
		add("APT::Architecture=" .. architecture, "APT::Architectures::=" .. architecture)
	end
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

-- The package and, of a source, each version that the lists name, the last first: a mirror may list what it does not have.
local function versions(command, here, package, source)
	local list = { package }
	if source then
		local ask = command:gsub("^apt%-get %-q", "apt-cache", 1)
		for _, line in ipairs(fs.lines(("cd %s && %s showsrc %s 2>>log"):format(here, ask, package))) do
			local version = line:match("^Version: (%S+)$")
			if version then
				table.insert(list, 2, package .. "=" .. version)
			end
		end
	end
	return list
end

-- Fetches one package into apt's directory `here` and unpacks it.
local function fetch(command, here, architecture, package, target)
	local source = architecture == "source"
	local verb, files = "download", package .. "_*.deb"
	if source then
		verb, files = "--only-source --download-only source", package .. "_*"
	end
	local fetched
	for _, wanted in ipairs(versions(command, here, package, source)) do
		fetched = fetched or os.execute(("cd %s && rm -f %s && %s %s %s >>log 2>&1")
			:format(here, files, command, verb, fs.quote(wanted)))
	end
	run(fetched and "true" or ("tail -n 3 %s/log >&2; false"):format(here),
		source and ("source package %s cannot be fetched: the sources of packages must stand on this "
			.. "machine's Debian mirror, see %s/log"):format(package, here)
			or ("package %s of %s cannot be fetched"):format(package, architecture))
	local unpack = "dpkg-deb -x %s/%s_*.deb %s"
	if source then
		unpack = "tar -x --strip-components=1 -f $(ls %s/%s_*.orig.tar.?z* | grep -v '[.]asc$') -C %s"
	end
	run(unpack:format(here, package, target), "package " .. package .. " cannot be unpacked")
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
			fetch(command, here, architecture, package, target)
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
