--[[
process.lua: the tests' own children: neither a child that talks back nor one that is silent holds the tests up.
]]
local process = require "tests.lib.process"

return {
	{ "a child that echoes", function(t)
		local text = ("0123456789abcde\n"):rep(65536)
		local cat = process.start { "cat" }
		t.check(cat:send(text), "1 MiB goes in while 1 MiB comes out")
		cat:close_input()
		t.check(cat:wait(20), "it ends")
		t.check(cat.text == text, "nothing is lost")
	end },
	{ "a child that takes nothing", function(t)
		local sleep = process.start { "sleep", "100" }
		t.check(not sleep:send(("x"):rep(1 << 20), 1), "sending gives up")
		sleep:kill()
	end },
	{ "a file's limit", function(t)
		local late = false
		local ended = process.watched(1, function() late = true end, function()
			local sleep = process.start { "sleep", "100" }
			return sleep:expect("never", 60) or "gave up"
		end)
		t.equal(ended, "gave up", "what waits goes on")
		t.check(late, "and it is told")
	end },
}
