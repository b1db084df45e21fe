-- build.lua: the build's own checks: headers of modules that are not needed, symbols that nobody exports.
local fs = require "tools.lib.fs"
local parse = require "tools.gen.parse"
local process = require "tests.lib.process"
local sources = require "tools.build.sources"

-- Two modules, a and b; a's source is `text`.
local function tree(t, text)
	local root = t.options.scratch .. "/include-check"
	for _, name in ipairs { "a", "b" } do
		fs.mkdir(root .. "/" .. name)
		fs.write(root .. "/" .. name .. "/module.lua", ('return { name = "%s", summary = "x" }'):format(name))
	end
	fs.write(root .. "/a/a.c", text)
	return root
end

local function includes(t)
	local text = '/* a */\n#include "modules/b/b.h"\n'
	local root = tree(t, text)
	local function check(needs)
		return function() sources.check_includes({ { name = "a", needs = needs } }, root) end
	end
	t.fails(check {}, "a/a.c:2: includes a header of b", "a header of a module that is not needed")
	t.check(pcall(check { "b" }), "a header of a module that is needed")
	tree(t, "/* a */\n#include <gen/b.h>\n")
	t.fails(check {}, "a/a.c:2: includes a header of b", "the generated header of another module")
	tree(t, '/* a */\n#include "modules/a/a.h"\n')
	t.check(pcall(check {}), "its own header")
end

-- Objects under the names of two modules of the tree: cred needs nothing, so vfs's exports are not visible to it.
local function symbols(t)
	local directory = t.options.scratch .. "/symbol-check"
	fs.mkdir(directory)
	local function object(name, text)
		fs.write(directory .. "/" .. name .. ".c", '#include "core/module/export.h"\n' .. text)
		local path = directory .. "/" .. name .. ".ko"
		assert(os.execute(("gcc -c -I. -o %s -x c %s/%s.c"):format(path, directory, name)))
		return path
	end
	local core = object("core", "int given(void) { return 1; }\nKAPI(given);\nint hidden(void) { return 2; }\n")
	local function check(cred, vfs)
		local command = ("lua5.4 tools/modcheck.lua nm %s %s %s 2>&1"):format(core, object("cred", cred), object("vfs", vfs))
		local lines, ok = fs.lines(command)
		return ok, table.concat(lines, "\n")
	end
	local exporting = "int shared(void) { return 3; }\nMODAPI(shared);\n"
	t.check(check("int given(void);\nint f(void) { return given(); }\n", exporting), "a symbol of the core")
	local ok, output = check("int hidden(void);\nint f(void) { return hidden(); }\n", exporting)
	t.check(not ok and output:find("cred.ko: undefined symbol hidden", 1, true), "a symbol that the core does not export", output)
	ok, output = check("int shared(void);\nint f(void) { return shared(); }\n", exporting)
	t.check(not ok and output:find("cred.ko: undefined symbol shared", 1, true), "a symbol of a module that is not needed", output)
	ok, output = check("int own(void) { return 4; }\nMODAPI(own);\n", exporting)
	t.check(not ok and output:find("cred.ko: is replaced live and exports own", 1, true), "a replaceable module that exports", output)
end

-- The whole output of a build of this tree with one more row in its table.
local function build_with(t, row)
	local directory = t.options.scratch .. "/table-check"
	fs.mkdir(directory)
	os.execute(("cp -r build.lua tools arch modules syscalls.tbl %s/"):format(directory))
	local text = fs.read("syscalls.tbl")
	local _, lines = text:gsub("\n", "")
	fs.write(directory .. "/syscalls.tbl", text .. row .. "\n")
	local output, status = process.run({ "lua5.4", "build.lua" }, 60, { directory = directory })
	t.equal(status, 1, row .. ": is refused")
	return output:gsub("^syscalls%.tbl:" .. lines + 1 .. ": ", "HERE: ")
end

-- What is wrong with the table is said alone: row, reason and remedy.
local function table_errors(t)
	local free = "; free for calls of our own: " .. parse.free_numbers(fs.read("syscalls.tbl"))
	local function says(row, what, reason)
		t.equal(build_with(t, row), "HERE: " .. reason .. "\n", what)
	end
	says("700 700 answer linux - question:i32 reply:out(i32)", "a missing handler",
		"answer is served by linux, which has no handler; write it in a .c of modules/linux/:\n"
		.. "\tlong sys_answer(int32_t question, struct uout_i32 reply)")
	says("1024 1024 answer linux -", "out of range", "number 1024 is beyond the table" .. free)
	says("0 - answer linux -", "a number in use", "x86_64 number 0 is taken by read" .. free)
	says("599 599 answer linux -", "a number that Linux may give",
		"x86_64 has no call answer; calls of our own have numbers from 600 to 1023")
	says("700 700 answer nowhere -", "a module", "no such module nowhere")
end

local function free_numbers(t)
	t.equal(parse.free_numbers("0 63 read vfs -\n"), "600-1023", "all are free")
	t.equal(parse.free_numbers("600 600 a vfs -\n602 - b vfs -\n- 1023 c vfs -\n"),
		"601, 603-1022", "some are")
end

return {
	{ "includes", includes },
	{ "symbols", symbols },
	{ "errors of the table", table_errors },
	{ "free numbers", free_numbers },
}
