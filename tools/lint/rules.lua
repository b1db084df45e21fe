--[[
rules.lua: the rules of the sources. Each is a function of a file { path, text, lines } that calls report(line, reason).
A rule looks only at the files that its `applies` pattern list names. Every rule has a sample in tests/lint/ that it refuses.
]]
local fs = require "tools.lib.fs"

local rules = {}

local FILE_LINES = 600
local FUNCTION_LINES = 80

local function is_source(path)
	return path:match("%.[chS]$") or path:match("%.asm$")
end

local function in_kernel(path)
	return path:match("^core/") or path:match("^modules/") or path:match("^arch/")
end

rules["file-length"] = function(file, report)
	if (is_source(file.path) or file.path:match("%.lua$")) and #file.lines > FILE_LINES then
		report(FILE_LINES + 1, ("%d lines, at most %d"):format(#file.lines, FILE_LINES))
	end
end

-- A function's body stands between `{` and `}` in the first column.
rules["function-length"] = function(file, report)
	if not file.path:match("%.[ch]$") then
		return
	end
	local start
	for number, line in ipairs(file.lines) do
		if line == "{" then
			start = number
		elseif line:match("^}") and start then
			if number - start - 1 > FUNCTION_LINES then
				report(start, ("function of %d lines, at most %d"):format(number - start - 1, FUNCTION_LINES))
			end
			start = nil
		end
	end
end

rules["architecture"] = function(file, report)
	local path = file.path
	if not is_source(path) or not (path:match("^core/") or path:match("^modules/")) or path:match("^modules/[^/]+/arch/") then
		return
	end
	for number, line in ipairs(file.lines) do
		local directive = line:match("^%s*#%s*(%l+)")
		if directive == "if" or directive == "ifdef" or directive == "ifndef" or directive == "elif" then
			for _, macro in ipairs { "__x86_64__", "__aarch64__", "CONFIG_X86", "CONFIG_ARM", "__amd64__" } do
				if line:find(macro, 1, true) then
					report(number, "a condition on an architecture outside arch/")
				end
			end
		end
	end
end

-- Spelled in two parts, so that this file keeps its own rule.
local WORDS = { "TO" .. "DO", "FIX" .. "ME", "XX" .. "X", "HA" .. "CK", "unimple" .. "mented", "for n" .. "ow", "st" .. "ub" }

rules["unfinished"] = function(file, report)
	if not in_kernel(file.path) and not file.path:match("^tools/") and file.path ~= "build.lua" then
		return
	end
	for number, line in ipairs(file.lines) do
		for _, word in ipairs(WORDS) do
			if line:match("%f[%w_]" .. word .. "%f[^%w_]") then
				report(number, "word of unfinished work: " .. word)
			end
		end
	end
end

rules["opening"] = function(file, report)
	local path = file.path
	local first = file.lines[1] or ""
	if path:match("%.[cS]$") and not (first:match("^/%*") or first:match("^//")) then
		report(1, "does not open with a comment")
	elseif path:match("%.asm$") and not first:match("^;") then
		report(1, "does not open with a comment")
	elseif path:match("%.lua$") and not path:match("module%.lua$") and not first:match("^%-%-") then
		report(1, "does not open with a comment")
	end
end

rules["includes"] = function(file, report)
	local path = file.path
	if not is_source(path) or not in_kernel(path) then
		return
	end
	local directory = path:match("^(.*)/[^/]*$")
	for number, line in ipairs(file.lines) do
		local included = line:match('^%s*#%s*include%s*"([^"]+)"')
		if included and included:match("internal%.h$") then
			local where = included:match("^(.*)/internal%.h$")
			-- A module's files for one port belong to the module.
			local inside = directory:match("^(modules/[^/]+)/arch/[^/]+$")
			if where and where ~= directory and where ~= inside then
				report(number, "internal.h of another directory")
			end
		elseif included and path:match("^core/") and included:match("^modules/") then
			report(number, "the core includes a module's header")
		elseif included and not path:match("^arch/") and not path:match("/arch/") and included:match("^arch/") then
			report(number, "a port's header outside arch/; the contract is in core/arch/")
		elseif included and path:match("^arch/") and included:match("^modules/") then
			report(number, "a port includes a module's header")
		end
	end
end

rules["typedef"] = function(file, report)
	if not file.path:match("%.[ch]$") or not in_kernel(file.path) then
		return
	end
	for number, line in ipairs(file.lines) do
		if line:match("^%s*typedef%s") then
			report(number, "a typedef")
		end
	end
end

-- Parts that only some ports have: by their stem, the ports that need not have them.
local PORTS = { "x86_64", "aarch64" }
local ABSENT = { kaslr = { aarch64 = true }, pti = { aarch64 = true } }

-- The ports have the same parts; platform/, vdso/ and include/ alone may differ.
rules["symmetry"] = function(file, report)
	local port, stem = file.path:match("^arch/([^/]+)/([%w_]+)%.%w+$")
	for _, other in ipairs(port and PORTS or {}) do
		local found = other == port or (ABSENT[stem] and ABSENT[stem][other])
		for _, suffix in ipairs { "c", "h", "S", "asm", "inc", "lds", "lua" } do
			found = found or fs.exists(("arch/%s/%s.%s"):format(other, stem, suffix))
		end
		if not found then
			report(1, ("the port %s has no part %s"):format(other, stem))
		end
	end
end

rules["build-files"] = function(file, report)
	local name = file.path:match("[^/]+$")
	if name == "Makefile" or name == "GNUmakefile" or name == "CMakeLists.txt" or name:match("%.mk$") or name == "meson.build" then
		report(1, "build.lua is the only build description")
	end
end

-- Blanks that nobody sees and every diff shows.
rules["spaces"] = function(file, report)
	if not is_source(file.path) and not file.path:match("%.lua$") and not file.path:match("%.tbl$") then
		return
	end
	for number, line in ipairs(file.lines) do
		if line:match("[ \t]+$") then
			report(number, "blanks at the end of the line")
		end
	end
end

return rules
