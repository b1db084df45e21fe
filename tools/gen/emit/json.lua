-- json.lua: syscalls.json, the whole table for other programs; both ports, the same text for each.
local function quote(text)
	return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

local function argument(arg)
	local fields = {
		'"name": ' .. quote(arg.name), '"kind": ' .. quote(arg.kind), '"type": ' .. quote(arg.type),
		'"optional": ' .. tostring(arg.optional == true),
	}
	local length = arg.count or arg.size
	if length then
		fields[#fields + 1] = '"length": ' .. quote(length)
	end
	return "{" .. table.concat(fields, ", ") .. "}"
end

local function entry(row)
	local args, flags = {}, {}
	for i, arg in ipairs(row.args) do
		args[i] = argument(arg)
	end
	for i, flag in ipairs(row.flag_list) do
		flags[i] = quote(flag)
	end
	return ('  {"name": %s, "x86_64": %s, "aarch64": %s, "module": %s, "reason": %s, "flags": [%s], "arguments": [%s]}')
		:format(quote(row.name), row.nr.x86_64 or "null", row.nr.aarch64 or "null",
			row.module and quote(row.module) or "null", row.reason and quote(row.reason) or "null",
			table.concat(flags, ", "), table.concat(args, ", "))
end

return function(context)
	local list = {}
	for i, row in ipairs(context.rows) do
		list[i] = entry(row)
	end
	return { ["syscalls.json"] = "[\n" .. table.concat(list, ",\n") .. "\n]\n" }
end
