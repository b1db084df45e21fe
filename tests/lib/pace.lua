--[[
pace.lua: time as a process has it: the seconds that passed, without those in which it could not run
because others had the processors. Limits of the tests are in such seconds, so that a machine that
is slow or busy with other things makes them longer, and a process that hangs ends them as ever.

	local pace = pace.of(pid)      pace:elapsed()      since then; it wants to be asked every few seconds

A process is waited for as long as the one of its threads (or of its children's, and so on) that
waited longest for a processor (/proc/<pid>/task/<tid>/schedstat). Where the kernel does not tell
that, all seconds count.
]]
local dirent = require "posix.dirent"
local time = require "posix.time"

local pace = {}
pace.__index = pace

local function now()
	local t = time.clock_gettime(time.CLOCK_MONOTONIC)
	return t.tv_sec + t.tv_nsec / 1e9
end

local function read(path)
	local file = io.open(path)
	local text = file and file:read("a")
	if file then
		file:close()
	end
	return text or ""
end

-- How long each thread below the process has waited for a processor, in seconds, by its number.
local function waits(pid, found)
	local ok, threads = pcall(dirent.dir, ("/proc/%d/task"):format(pid))
	for _, tid in ipairs(ok and threads or {}) do
		if tid:match("^%d+$") then
			local directory = ("/proc/%d/task/%s/"):format(pid, tid)
			local delay = read(directory .. "schedstat"):match("^%d+ (%d+)")
			found[tid] = delay and tonumber(delay) / 1e9
			for child in read(directory .. "children"):gmatch("%d+") do
				waits(tonumber(child), found)
			end
		end
	end
	return found
end

function pace.of(pid)
	return setmetatable({ pid = pid, last = now(), sum = 0, waits = waits(pid, {}) }, pace)
end

function pace:elapsed()
	local at, all, longest = now(), waits(self.pid, {}), 0
	for tid, delay in pairs(all) do
		longest = math.max(longest, delay - (self.waits[tid] or delay))
	end
	self.sum = self.sum + math.max(0, at - self.last - longest)
	self.last, self.waits = at, all
	return self.sum
end

return pace
