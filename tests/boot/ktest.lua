-- The tests inside the kernel, as TAP lines of its log; with one processor, with four, and
-- with one and without the mitigations of speculation; with page-table isolation.
return function(t)
	for _, cell in ipairs { { 1, "" }, { 4, "" }, { 1, " mitigations=off" }, { 2, " pti=on" } } do
		local cpus, words = cell[1], cell[2]
		local machine = t.vm.start { direct = true, smp = cpus, mem = 256, append = "ktest=exit debugexit=1" .. words }
		local status = machine:wait(120)
		local text = machine.text:gsub("\r", "")
		local name = "smp=" .. cpus .. words .. ": "
		local plan = tonumber(text:match("%] 1%.%.(%d+)\n"))
		local count = 0
		for verdict, number, what in text:gmatch("%] (n?o?t? ?ok) (%d+) %- ([^\n]+)") do
			count = count + 1
			t.check(verdict == "ok" and tonumber(number) == count, name .. what, machine:tail(20))
		end
		t.check(plan and plan > 0 and plan == count, name .. "as many results as planned", machine:tail(20))
		-- QEMU's debug-exit device ends it with twice the value written, plus one.
		t.check(status and status.kind == "exited" and status.code == 1, name .. "reports success by its exit status",
			machine:tail(20))
	end
end
