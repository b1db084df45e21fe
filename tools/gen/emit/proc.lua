--[[
proc.lua: proc.md, the page of /proc and /sys: every file by the source that makes its text, and what is left out on purpose.

The files are found in the sources themselves: tables of paths that procfs_add and sysfs_add are given, and the entries of a process.
]]
local fs = require "tools.lib.fs"

-- Where Linux has files and this kernel has not, with the reason.
local REFUSED = {
	{ "/proc/kcore, kpagecount, kpageflags, kallsyms, iomem, ioports", "they would show where the kernel lies" },
	{ "/proc/net, /proc/sys/net (but unix)", "there are no networks" },
	{ "/proc/keys, key-users, crypto, sys/kernel/keys", "there are no keyrings" },
	{ "/proc/pressure, sys/vm/dirty_*, vfs_cache_pressure, min_free_kbytes, watermark_*", "nothing is written back, reclaimed or reserved" },
	{ "/proc/buddyinfo, zoneinfo, pagetypeinfo, vmallocinfo", "there are no zones" },
	{ "/proc/sysrq-trigger, sys/kernel/sysrq", "keys of the keyboard alone" },
	{ "/proc/config.gz, sys/kernel/modprobe, hotplug, poweroff_cmd", "there is no such configuration, and no helper is called" },
	{ "/proc/<pid>/stack, attr, patch_state, arch_status", "no symbols, security modules or patches to tell of" },
	{ "/proc/sys/fs/inotify, aio-*, binfmt_misc, mount-max", "there is no such service or limit" },
	{ "/proc/sys/kernel/yama, seccomp, perf_event_*, hung_task_*, watchdog*", "there is no such service" },
	{ "/sys/devices/system/cpu/vulnerabilities", "no list of processors is kept" },
	{ "/sys/bus, class/net, block", "there are no such devices" },
}

-- Path and what stands behind it on the line, from entries as { "sys/kernel/x", ... } and FILE_ENTRY("stat", ...).
local function entries(text, add)
	for path, rest in text:gmatch('{%s*"([%w_/%-%.]+)",%s*([^\n}]*)') do
		add(path, rest)
	end
	for name, rest in text:gmatch('_ENTRY%("([%w_]+)",([^\n]*)') do
		add("<pid>/" .. name, rest)
	end
	for name, rest in text:gmatch('%.name = "([%w_]+)",%s*(%.mode[^\n]*)') do
		add("<pid>/" .. name, rest)
	end
end

local function writable(rest)
	return rest:find("06%d%d") or rest:find("0200")
end

local function list(out, title, root, directory)
	out[#out + 1] = ("\n## %s\n\n| file | source | |\n|---|---|---|"):format(title)
	local rows, seen = {}, {}
	for _, path in ipairs(fs.find(directory, "-maxdepth 1 -name '*.c'")) do
		entries(fs.read(path) or "", function(name, rest)
			if not seen[name] and (name:find("/") or rest:find("S_IF") or rest:find("show")) then
				seen[name] = true
				rows[#rows + 1] = ("| %s%s | %s | %s |"):format(root, name, path, writable(rest) and "can be changed" or "")
			end
		end)
	end
	table.sort(rows)
	for _, row in ipairs(rows) do
		out[#out + 1] = row
	end
end

-- Of the tree itself, not of the tables that tests make.
return function(context)
	if context.tests ~= "tests/guest" then
		return {}
	end
	local out = {
		"# /proc and /sys", "",
		"Generated from the sources: each file and the source that makes its text, from where the kernel has it. Single numbers under /proc/sys that cannot be",
		"changed are fixed in this kernel.",
	}
	list(out, "/proc", "/proc/", "modules/procfs")
	list(out, "/sys", "/sys/", "modules/sysfs")
	out[#out + 1] = "\n## Left out on purpose\n\n| files | why |\n|---|---|"
	for _, row in ipairs(REFUSED) do
		out[#out + 1] = ("| %s | %s |"):format(row[1], row[2])
	end
	return { ["proc.md"] = table.concat(out, "\n") .. "\n" }
end
