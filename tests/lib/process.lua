--[[
process.lua: a child process with its standard input and output on pipes, read with deadlines. Lua
5.3 with luaposix. Seconds are those that the child had (pace.lua), so that no limit is reached
because the machine is busy with something else.

Children that are still there when the tests end are killed by process.kill_all(), but for those started with the option kept.
]]
local pace = require "tests.lib.pace"
local poll = require "posix.poll"
local signal = require "posix.signal"
local stdlib = require "posix.stdlib"
local time = require "posix.time"
local unistd = require "posix.unistd"
local wait = require "posix.sys.wait"
local fcntl = require "posix.fcntl"

local process = {}
process.__index = process

local alive = {}

function process.now()
	local t = time.clock_gettime(time.CLOCK_MONOTONIC)
	return t.tv_sec + t.tv_nsec / 1e9
end

signal.signal(signal.SIGPIPE, signal.SIG_IGN)

local function child(words, options, stdin, stdout)
	unistd.setpid("p", 0, 0)
	for _, number in ipairs { signal.SIGPIPE, signal.SIGINT, signal.SIGTERM } do
		signal.signal(number, signal.SIG_DFL)
	end
	unistd.dup2(stdin, 0)
	unistd.dup2(stdout, 1)
	if options.stderr == "drop" then
		unistd.dup2(fcntl.open("/dev/null", fcntl.O_WRONLY), 2)
	else
		unistd.dup2(stdout, 2)
	end
	for fd = 3, 63 do
		unistd.close(fd)
	end
	if options.directory then
		unistd.chdir(options.directory)
	end
	local args = {}
	for i = 2, #words do
		args[i - 1] = words[i]
	end
	unistd.execp(words[1], args)
	io.stderr:write("cannot run ", words[1], "\n")
	os.exit(127, false)
end

-- Starts words[1] with the other words as arguments. options: directory, stderr = "drop", kept.
function process.start(words, options)
	local in_read, in_write = unistd.pipe()
	local out_read, out_write = unistd.pipe()
	io.flush()
	local pid = assert(unistd.fork())
	if pid == 0 then
		child(words, options or {}, in_read, out_write)
	end
	unistd.close(in_read)
	unistd.close(out_write)
	local self = setmetatable({ pid = pid, input = in_write, output = out_read, text = "", position = 1,
		kept = options and options.kept }, process)
	alive[pid] = self
	return self
end

-- Sends text, and reads meanwhile what the child answers: a child that echoes more than a pipe holds would wait for us as we for it.
-- False when the child takes nothing more, for good or for `seconds` (60).
function process:send(text, seconds)
	local own = self:pace()
	while #text > 0 do
		local fds = { [self.input] = { events = { OUT = true } } }
		if not self.eof then
			fds[self.output] = { events = { IN = true } }
		end
		if own:elapsed() >= (seconds or 60) then
			return false
		end
		local ready = poll.poll(fds, 1000)
		if not self.eof then
			self:read_some(0)
		end
		local can = ready and ready > 0 and fds[self.input].revents
		if can and (can.OUT or can.ERR) then
			-- A pipe that poll calls writable takes PIPE_BUF (4,096) bytes without waiting.
			local n = unistd.write(self.input, text:sub(1, 4096))
			if not n then
				return false
			end
			text = text:sub(n + 1)
		end
	end
	return true
end

-- The time that it has from now on.
function process:pace()
	return pace.of(self.pid)
end

function process:close_input()
	if self.input then
		unistd.close(self.input)
		self.input = nil
	end
end

-- Reads what comes within `seconds`; false at end of file.
function process:read_some(seconds)
	if self.eof then
		return false
	end
	local ready = poll.rpoll(self.output, math.max(0, math.floor(seconds * 1000)))
	if ready and ready > 0 then
		local text = unistd.read(self.output, 65536)
		if not text or text == "" then
			self.eof = true
			return false
		end
		self.text = self.text .. text
	end
	return true
end

-- Waits until `what` (plain text, or a pattern when `pattern` is true) stands in the output after what was matched last.
-- Returns the match, or nil when `seconds` are over or the output has ended.
function process:expect(what, seconds, pattern)
	local own = self:pace()
	while true do
		local first, last = self.text:find(what, self.position, not pattern)
		if first then
			self.position = last + 1
			return self.text:sub(first, last)
		end
		local left = seconds - own:elapsed()
		if left <= 0 or not self:read_some(math.min(left, 1)) then
			first, last = self.text:find(what, self.position, not pattern)
			if first then
				self.position = last + 1
				return self.text:sub(first, last)
			end
			return nil
		end
	end
end

-- The end of the output, for messages.
function process:tail(lines)
	local list = {}
	for line in self.text:gsub("\r", ""):gmatch("[^\n]+") do
		list[#list + 1] = line
	end
	return table.concat(list, "\n", math.max(1, #list - (lines or 25) + 1))
end

function process:kill()
	if alive[self.pid] then
		signal.kill(-self.pid, signal.SIGKILL)
		signal.kill(self.pid, signal.SIGKILL)
	end
	return self:reap(true)
end

function process:reap(block)
	if not alive[self.pid] then
		return self.status
	end
	local pid, kind, status = wait.wait(self.pid, block and 0 or wait.WNOHANG)
	if pid == self.pid then
		alive[self.pid] = nil
		self.status = { kind = kind, code = status }
		self:close_input()
		unistd.close(self.output)
		self.eof = true
	end
	return self.status
end

-- Waits for the end; nil (and the process is killed) when `seconds` are over. Status: { kind = exited|killed, code }.
function process:wait(seconds)
	local own = self:pace()
	while not self.eof do
		local left = seconds - own:elapsed()
		if left <= 0 then
			self:kill()
			return nil
		end
		self:read_some(math.min(left, 1))
	end
	while own:elapsed() < seconds do
		local status = self:reap(false)
		if status then
			return status
		end
		time.nanosleep({ tv_sec = 0, tv_nsec = 10000000 })
	end
	self:kill()
	return nil
end

-- Runs to the end: output, exit code (nil if it was killed or took too long).
function process.run(words, seconds, options)
	local self = process.start(words, options)
	self:close_input()
	local status = self:wait(seconds or 60)
	return self.text, status and status.kind == "exited" and status.code or nil
end

function process.kill_all()
	for _, self in pairs(alive) do
		if not self.kept then
			self:kill()
		end
	end
end

-- Asks it to end, as one may that has children of its own to end; kills it when it does not.
function process:stop()
	signal.kill(self.pid, signal.SIGTERM)
	return self:wait(10)
end

-- Who interrupts the tests leaves no machine running.
for number, code in pairs { [signal.SIGINT] = 130, [signal.SIGTERM] = 143 } do
	signal.signal(number, function()
		process.kill_all()
		for _, self in pairs(alive) do
			self:stop()
		end
		os.exit(code)
	end)
end

-- sigaction(2); the library has no name for it.
local SA_RESTART = 0x10000000

-- Runs fn(...); when we and our children have had `seconds`, `late` is called and all children are
-- killed, so that whatever waits for one goes on. For what every single wait's own deadline does
-- not catch. 0: no limit.
function process.watched(seconds, late, fn, ...)
	local own, step = pace.of(unistd.getpid()), math.min(seconds, 10)
	-- Reads that it interrupts go on: only poll(2), which everything that may wait long uses, comes back.
	signal.signal(signal.SIGALRM, function()
		if own:elapsed() < seconds then
			unistd.alarm(step)
			return
		end
		late()
		process.kill_all()
	end, SA_RESTART)
	unistd.alarm(step)
	local result = table.pack(xpcall(fn, debug.traceback, ...))
	unistd.alarm(0)
	if not result[1] then
		error(result[2], 0)
	end
	return table.unpack(result, 2, result.n)
end

function process.temporary_directory()
	return assert(stdlib.mkdtemp("/tmp/mortise-test.XXXXXX"))
end

return process
