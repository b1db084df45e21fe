-- Modules lie at other addresses in each boot, also where the image itself does not move; at fixed ones with nokaslr.
local shell = require "tests.lib.shell"

local function place(t, words)
	local machine = shell.start(t, { direct = true, smp = 1, append = words })
	if not machine then
		return nil
	end
	local text = shell.ask(machine, "cat /sys/module/vfs/sections/.text")
	shell.finish(t, machine)
	return text and text:match("0x%x+")
end

return function(t)
	local seen, distinct = {}, 0
	for _ = 1, 3 do
		local at = place(t, "")
		t.check(at, "the module has a place", tostring(at))
		if at and not seen[at] then
			seen[at], distinct = true, distinct + 1
		end
	end
	-- Of thousands of places, three that do not differ at all are less likely than one in a million.
	t.check(distinct >= 2, "three boots, at least two places", tostring(distinct))
	local fixed = place(t, "nokaslr")
	t.check(fixed and fixed == place(t, "nokaslr"), "nokaslr: the same place twice", tostring(fixed))
end
