-- The kernel image and the direct map lie at other addresses each time, and at fixed ones when nokaslr
-- asks for it; backtraces name functions in both.
-- ports: x86_64 (the other port runs where it is linked)
local fs = require "tools.lib.fs"

local WORDS = "panic=-1 rdinit=/bin/true "

-- An ISO whose menu gives the kernel these words.
local function iso(t, words)
	local dir, base = t.vm.build.dir, t.options.scratch .. "/kaslr"
	local config = fs.read("iso/grub.cfg"):gsub("(\tmultiboot2 [^\n]*)", "%1 " .. words)
	fs.write(base .. ".cfg", config)
	local lines, ok = fs.lines(("lua5.4 tools/iso.lua %s.iso %s %s.cfg 2>&1"):format(base, dir, base))
	t.check(ok, "an ISO with words", table.concat(lines, "\n"))
	return base .. ".iso"
end

return function(t)
	local function places_of(options)
		options.smp, options.mem = 2, 128
		options.append = WORDS .. (options.append or "")
		local machine = t.vm.start(options)
		machine:wait(60)
		local text = machine.text:gsub("\r", "")
		local report = text:match("Kernel panic.*") or ""
		t.check(report:match("thread_exit%+0x%x+/0x%x+"), "a panic names functions", machine:tail(30))
		local offset, direct = report:match("kernel offset: (0x%x+), direct map: (0x%x+)")
		return tonumber(offset), tonumber(direct)
	end

	local seen, distinct, maps, distinct_maps = {}, 0, {}, 0
	for _ = 1, 6 do
		local offset, direct = places_of { direct = true }
		t.check(offset and offset % 0x200000 == 0 and offset < 0x40000000, "the offset is a multiple of 2 MiB in the window",
			tostring(offset))
		if offset and not seen[offset] then
			seen[offset], distinct = true, distinct + 1
		end
		t.check(direct and direct % 0x40000000 == 0, "the direct map begins at a multiple of 1 GiB",
			tostring(direct))
		if direct and not maps[direct] then
			maps[direct], distinct_maps = true, distinct_maps + 1
		end
	end
	-- Two pairs of equal ones among six of about 510 are less likely than one in a million.
	t.check(distinct >= 5, "six boots, at least five places", tostring(distinct))
	t.check(distinct_maps >= 5, "six boots, at least five places of the direct map", tostring(distinct_maps))
	local offset, direct = places_of { direct = true, append = "nokaslr" }
	t.equal(offset, 0, "nokaslr: where it is linked")
	t.equal(direct, 0xffff888000000000, "nokaslr: the direct map at the beginning of its area")
	t.equal((places_of { iso = iso(t, WORDS .. "nokaslr") }), 0, "nokaslr by the boot loader: where it is linked")
	t.check((places_of { direct = true, append = "nokaslrx xnokaslr" }), "words like it: boots")
end
