--[[
main.lua: runs the rules over the files that git knows or would know.

	lua5.4 tools/lint/main.lua [FILE...]
]]
local fs = require "tools.lib.fs"
local rules = require "tools.lint.rules"

local lint = {}

function lint.files()
	local list = {}
	for _, path in ipairs(fs.lines("git ls-files --cached --others --exclude-standard")) do
		if fs.exists(path) then
			list[#list + 1] = path
		end
	end
	table.sort(list)
	return list
end

-- Problems of one text as `path:line: reason (rule)`. `only`: one rule's name.
function lint.check(path, text, only)
	local file = { path = path, text = text, lines = {} }
	for line in (text:sub(-1) == "\n" and text or text .. "\n"):gmatch("([^\n]*)\n") do
		file.lines[#file.lines + 1] = line
	end
	local names, problems = {}, {}
	for name in pairs(rules) do
		names[#names + 1] = name
	end
	table.sort(names)
	for _, name in ipairs(names) do
		if not only or only == name then
			rules[name](file, function(line, reason)
				problems[#problems + 1] = ("%s:%d: %s (%s)"):format(path, line, reason, name)
			end)
		end
	end
	return problems
end

-- All problems of the tree.
function lint.tree(paths)
	local problems = {}
	for _, path in ipairs(paths or lint.files()) do
		local text = fs.read(path)
		if text and not text:find("\0", 1, true) then
			for _, problem in ipairs(lint.check(path, text)) do
				problems[#problems + 1] = problem
			end
		end
	end
	return problems
end

return lint
