--[[
scaffold.lua: the beginning of a new module that serves one new call.

	lua5.4 tools/scaffold.lua module NAME

writes modules/NAME/module.lua and NAME.c, a row with the first free number from 600 on in syscalls.tbl, and tests/guest/NAME.c, all of which
build, run and pass as they are: the call answers a number with that number plus 41. Nothing that exists is overwritten.
]]
package.path = "./?.lua;" .. package.path
local fs = require "tools.lib.fs"

local FIRST, LAST = 600, 1023

local MANIFEST = [[
return {
	name = "%(name)",
	summary = "one call that answers",
	needs = {},
	hooks = {},
	services = {},
	params = { add = { type = "int", mode = 420, summary = "what is added to the question" } },
	replace = "restart",
}
]]

local SOURCE = [[
/*
 * One call that answers. It keeps nothing, so there is nothing to lock.
 */
#include <gen/%(name).h>

#include "core/mem/uaccess.h"

int %(name)_add = 41;

long sys_%(name)(int32_t question, struct uout_i32 reply)
{
	int32_t answer = (int32_t)((uint32_t)question + (uint32_t)READ_ONCE(%(name)_add));

	return copy_out_i32(reply, &answer);
}
]]

local TEST = [[
/* %(name): answers, and refuses a bad address. */
// linux: no (a call of our own)
// calls: %(name)
#include <sys/syscall.h>

#include "include/test.h"

#define NUMBER %(number)

int main(void)
{
	int reply = 0;

	CHECK_EQ(syscall(NUMBER, 1, &reply), 0);
	CHECK_EQ(reply, 42);
	CHECK_ERRNO(syscall(NUMBER, 1, 8), EFAULT);
	return test_done();
}
]]

local function fill(text, values)
	return (text:gsub("%%%((%l+)%)", values))
end

-- The first number that no row has.
local function free_number(table_text)
	local used = {}
	for line in table_text:gmatch("[^\n]+") do
		local x86, arm = line:match("^(%S+)%s+(%S+)%s+[%l_]")
		used[tonumber(x86) or -1], used[tonumber(arm) or -1] = true, true
	end
	for number = FIRST, LAST do
		if not used[number] then
			return number
		end
	end
	error("all numbers are used", 0)
end

local function write_new(path, text)
	if fs.exists(path) then
		error(path .. " exists", 0)
	end
	fs.mkdir(path:match("^(.*)/"))
	fs.write(path, text)
	print(path)
end

local function main(words)
	local name = words[2]
	if words[1] ~= "module" or not name or not name:match("^%l[%l%d_]*$") then
		error("usage: lua5.4 tools/scaffold.lua module NAME     (a name in lower case)", 0)
	end
	if fs.exists("modules/" .. name) then
		error("modules/" .. name .. " exists", 0)
	end
	local table_text = assert(fs.read("syscalls.tbl"))
	local values = { name = name, number = tostring(free_number(table_text)) }
	write_new("modules/" .. name .. "/module.lua", fill(MANIFEST, values))
	write_new("modules/" .. name .. "/" .. name .. ".c", fill(SOURCE, values))
	write_new("tests/guest/" .. name .. ".c", fill(TEST, values))
	fs.write("syscalls.tbl", ("%s\n# ---- %s\n%-4s %-4s %-23s %-13s %-17s %s\n"):format(table_text, name, values.number, values.number, name,
		name, "-", "question:i32 reply:out(i32)"))
	print(("syscalls.tbl: %s is call %s"):format(name, values.number))
	print(("next: lua5.4 build.lua module %s; lua5.4 build.lua test tests/guest/%s.c"):format(name, name))
end

local ok, reason = pcall(main, arg)
if not ok then
	io.stderr:write("scaffold.lua: ", tostring(reason), "\n")
	os.exit(1)
end
