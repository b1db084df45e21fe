-- pace.lua: a child's seconds are those that it had: others that take the processors away lengthen
-- no wait of its own.
local fs = require "tools.lib.fs"
local process = require "tests.lib.process"

local BUSY = { "taskset", "-c", "0", "sh", "-c", "while :; do :; done" }

-- Seconds that a child has waited for a processor, nil where nobody tells.
local function waited_for(pid)
	local text = fs.read(("/proc/%d/schedstat"):format(pid)) or ""
	local waited = text:match("^%d+ (%d+)")
	return waited and tonumber(waited) / 1e9
end

return {
	{ "a child that sleeps", function(t)
		local sleep = process.start { "sleep", "100" }
		local own, start = sleep:pace(), process.now()
		t.check(not sleep:expect("never", 1), "its limit ends")
		local had, passed = own:elapsed(), process.now() - start
		t.check(had >= 0.9 and had <= passed + 0.1, "its time was its own", had .. " of " .. passed)
		sleep:kill()
	end },
	{ "a child that is kept waiting", function(t)
		-- On one processor, behind eight that are busy, each as heavy as it.
		local others = {}
		for i = 1, 8 do
			others[i] = process.start(BUSY)
		end
		local child = process.start(BUSY)
		child:expect("never", 0.2)
		local waited = waited_for(child.pid)
		local own, start = child:pace(), process.now()
		t.check(not child:expect("never", 1), "its limit ends")
		local had, passed = own:elapsed(), process.now() - start
		local waited_then = waited_for(child.pid)
		child:kill()
		for _, other in ipairs(others) do
			other:kill()
		end
		if not waited then
			t.note("this kernel does not tell who waits for a processor")
			return
		end
		local kept = waited_then - waited
		t.check(kept > 1, "it was kept waiting", kept)
		t.check(had <= passed - kept * 0.5, "and that is not counted",
			("%.2f s counted of %.2f, %.2f waiting"):format(had, passed, kept))
	end },
}
