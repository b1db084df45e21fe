-- fs.lua: the few file operations the tools need beyond plain Lua. Paths with spaces are quoted for the shell.
local fs = {}

function fs.quote(text)
	return "'" .. text:gsub("'", "'\\''") .. "'"
end

function fs.read(path)
	local file, reason = io.open(path, "rb")
	if not file then
		return nil, reason
	end
	local text = file:read("a")
	file:close()
	return text
end

function fs.exists(path)
	local file = io.open(path, "rb")
	if file then
		file:close()
	end
	return file ~= nil
end

function fs.mkdir(path)
	assert(os.execute("mkdir -p " .. fs.quote(path)), "cannot make directory " .. path)
end

function fs.write(path, text)
	local file, reason = io.open(path, "wb")
	if not file then
		error(reason, 0)
	end
	file:write(text)
	file:close()
end

-- Leaves the file's time alone when its text is the same, so that nothing which depends on it is built again.
function fs.write_if_changed(path, text)
	if fs.read(path) == text then
		return false
	end
	fs.write(path, text)
	return true
end

-- The output of a command as a list of lines, and whether it succeeded.
function fs.lines(command)
	local pipe = assert(io.popen(command, "r"))
	local list = {}
	for line in pipe:lines() do
		list[#list + 1] = line
	end
	local ok, _, status = pipe:close()
	return list, ok == true, status
end

-- Regular files below `directory` whose names match the find(1) expression, sorted.
function fs.find(directory, expression)
	local list = fs.lines("find " .. fs.quote(directory) .. " " .. (expression or "-type f") .. " 2>/dev/null")
	table.sort(list)
	return list
end

return fs
