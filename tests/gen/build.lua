-- build.lua: the build's own checks: headers of modules that are not needed, symbols that nobody exports.
local fs = require "tools.lib.fs"
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

return { { "includes", includes }, { "symbols", symbols } }
