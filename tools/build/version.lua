--[[
version.lua: what the sources are, for uname -v and /proc/version: `git describe --always --dirty`
and the date of the commit. Nothing of the clock or the machine goes in: two builds of the same
sources are the same bytes. A tree that is not a git work tree of its own (unpacked from an
archive, perhaps inside of another one) says that it has no history.
]]
local fs = require "tools.lib.fs"

local version = {}

-- utsname has room for 64 characters, and "#1 SMP PREEMPT Mortise " and the date take 34 of them.
local MOST = 30
local GIT = "git -c safe.directory='*' "

function version.text()
	local prefix, inside = fs.lines(GIT .. "rev-parse --show-prefix 2>/dev/null")
	if not inside or (prefix[1] or "") ~= "" then
		return "no-git"
	end
	local name = fs.lines(GIT .. "describe --always --dirty 2>/dev/null")[1]
	local log = "log -1 --format=%cd --date=format-local:%Y-%m-%d 2>/dev/null"
	local date = fs.lines("TZ=UTC " .. GIT .. log)[1]
	if not (name and date) then
		return "no-git"
	end
	if #name > MOST then
		local id = fs.lines(GIT .. "rev-parse --short=12 HEAD")[1]
		name = id .. (name:match("%-dirty$") or "")
	end
	return name .. " " .. date
end

function version.header()
	local text = '/* Generated: which sources these are. */\n#define BUILD_VERSION "%s"\n'
	return text:format(version.text())
end

return version
