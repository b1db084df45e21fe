-- version.lua: what uname -v says is what git says of the sources, and nothing where git says
-- nothing.
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"

local COMMAND = [[package.path = "./?.lua;" .. package.path;
print(require("tools.build.version").text())]]

local function text_in(directory)
	local text = process.run({ "lua5.4", "-e", COMMAND }, 60, { directory = directory })
	return (text:gsub("\n$", ""))
end

-- A repository with these tools in it, and one commit of a known date.
local function repository(t)
	local directory = t.options.scratch .. "/version"
	fs.mkdir(directory .. "/inner")
	os.execute(("cp -r tools %s/ && cp -r tools %s/inner/"):format(directory, directory))
	local function git(words)
		local command = ("cd %s && GIT_COMMITTER_DATE='2001-02-03T23:30:00 -0500' "
			.. "git -c user.name=a -c user.email=a@b %s >/dev/null 2>&1")
			:format(directory, words)
		assert(os.execute(command), words)
	end
	git "init"
	git "add tools inner"
	git "commit -m first"
	return directory, git
end

return {
	{ "of git", function(t)
		local directory, git = repository(t)
		local id = fs.lines(("cd %s && git rev-parse --short HEAD"):format(directory))[1]
		t.equal(text_in(directory), id .. " 2001-02-04", "the commit, and its day in UTC")
		fs.write(directory .. "/tools/cpio.lua", "-- changed\n")
		t.equal(text_in(directory), id .. "-dirty 2001-02-04", "with changes")
		git "checkout tools"
		git "tag -a -m x v1"
		t.equal(text_in(directory), "v1 2001-02-04", "a tag")
		git "tag -d v1"
		git("tag -a -m x " .. ("v"):rep(60))
		t.check(#text_in(directory) <= 41, "a long tag is not taken", text_in(directory))
		t.equal(text_in(directory .. "/inner"), "no-git", "a tree inside of another's")
	end },
	{ "without", function(t)
		local directory = t.options.scratch .. "/no-version"
		fs.mkdir(directory)
		os.execute(("cp -r tools %s/"):format(directory))
		t.equal(text_in(directory), "no-git", "an unpacked archive")
	end },
}
