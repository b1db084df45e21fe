--[[
beside.lua: one kind of tests in a process of its own, beside the others of a run.

	beside.possible(jobs)          whether two can run at once here (`jobs`: as the command line says it, or nil)
	beside.start(options, kind)    starts it
	beside.show()                  prints what it has said since, without waiting
	beside.finish()                waits for it, printing; its results become this run's
	beside.stop()                  ends it; its results are lost

Without a start the last three do nothing. What it says is printed in whole lines, so that nothing stands in the middle of another line.
]]
local process = require "tests.lib.process"
local report = require "tests.lib.report"

local beside = {}

-- The longest that it may say nothing, in seconds: it speaks after each number of processors.
local SILENCE = 900

local child, kind_of_child, results

function beside.possible(jobs)
	local processors = tonumber((process.run { "nproc" })) or 1
	return (tonumber(jobs) or processors) > 1 and processors > 1
end

function beside.start(options, kind)
	results = options.scratch .. "/beside"
	io.open(results, "w"):close()
	kind_of_child = kind
	child = process.start({ "lua5.3", "tests/run.lua", "--arch", options.arch, "--config", options.config, "--dir", options.dir,
		"--part", results, kind }, { kept = true })
	child:close_input()
	report.note(("%s: started beside what follows"):format(kind))
end

local function print_lines(all)
	local text = child.text:sub(child.position)
	local length = all and #text or #(text:match("^.*\n") or "")
	io.write(text:sub(1, length))
	io.flush()
	child.position = child.position + length
	return length > 0
end

function beside.show()
	while child and child:read_some(0) and print_lines() do
	end
end

function beside.finish()
	if not child then
		return
	end
	local silent = child:pace()
	while not child.eof and silent:elapsed() < SILENCE do
		child:read_some(1)
		if print_lines() then
			silent = child:pace()
		end
	end
	print_lines(true)
	local status = child.eof and child:wait(10) or child:stop()
	if not report.join(results) or not (status and status.kind == "exited") then
		report.result(false, kind_of_child .. ": ends, and says what it found")
	end
	child = nil
end

function beside.stop()
	if child then
		child:stop()
		child = nil
	end
end

return beside
