-- tap.lua: the header lines of test programs, and the judgement of their output.
local report = require "tests.lib.report"

local tap = {}

-- The words after `// key:` in a program's text, of all such lines.
function tap.header(text, key)
	local list = {}
	for line in text:gmatch("//%s*" .. key .. ":%s*([^\n]*)") do
		list[#list + 1] = line
	end
	return #list > 0 and table.concat(list, " ") or nil
end

-- Counts TAP lines as results; a program without any counts once, by its end. What it said between two of them belongs to the second.
-- Results that the program counted (its last line, 1..N) and that are not seen here are a failure.
function tap.judge(name, text, kind, code)
	local count, said = 0, {}
	for line in text:gsub("\r", ""):gmatch("[^\n]+") do
		local verdict, what = line:match("^(o?k?n?o?t? ?ok) %d+%s*%-?%s*(.*)$")
		if verdict == "ok" or verdict == "not ok" then
			count = count + 1
			report.result(verdict == "ok", name .. ": " .. what, table.concat(said, "\n", math.max(1, #said - 119)))
			said = {}
		else
			said[#said + 1] = line
		end
	end
	local ended_well = kind == "exited" and code == 0
	if count == 0 or (not ended_well and not text:match("not ok")) then
		local tail = #text > 3000 and text:sub(-3000) or text
		report.result(ended_well, ("%s: ends well (%s %s)"):format(name, kind, code), tail)
	end
	local counted = tonumber(text:match("%f[^\n\0]1%.%.(%d+)"))
	if count > 0 and ended_well and counted ~= count then
		report.result(false, ("%s: shows all its results (%d of %s)"):format(name, count, counted or "?"), text:sub(-3000))
	end
end

return tap
