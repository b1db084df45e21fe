-- rules.lua: each lint rule refuses its sample and accepts the sample's neighbour; the tree itself has no problem.
local lint = require "tools.lint.main"
local rules = require "tools.lint.rules"

local OPEN = "/* A file. */\n"

-- Rule, path, text that it refuses, text that it accepts.
local CASES = {
	{ "file-length", "core/a.c", OPEN .. ("int x;\n"):rep(600), OPEN .. ("int x;\n"):rep(599) },
	{ "function-length", "core/a.c", "int f(void)\n{\n" .. ("\tx();\n"):rep(81) .. "}\n", "int f(void)\n{\n" .. ("\tx();\n"):rep(80) .. "}\n" },
	{ "architecture", "core/a.c", "#ifdef __x86_64__\n", "#ifdef CONFIG_DEBUG\n" },
	{ "architecture", "modules/a/b.c", "#if defined(__aarch64__)\n", "int __aarch64__;\n" },
	{ "unfinished", "core/a.c", "/* TO" .. "DO */\n", "/* TO" .. "DOS */\n" },
	{ "unfinished", "tools/a.lua", "-- for n" .. "ow\n", "-- for nowhere\n" },
	{ "unfinished", "arch/x86_64/a.asm", "; a st" .. "ub\n", "; stubborn\n" },
	{ "opening", "core/a.c", "int x;\n", OPEN },
	{ "opening", "arch/x86_64/a.asm", "section .text\n", "; An assembly file.\n" },
	{ "opening", "tools/a.lua", "return {}\n", "-- A Lua file.\n" },
	{ "includes", "core/a.c", '#include "modules/vfs/vfs.h"\n', '#include "core/mem/page.h"\n' },
	{ "includes", "core/a.c", '#include "arch/x86_64/apic.h"\n', '#include "core/arch/cpu.h"\n' },
	{ "includes", "core/mem/a.c", '#include "core/sched/internal.h"\n', '#include "core/mem/internal.h"\n' },
	{ "includes", "arch/x86_64/a.c", '#include "modules/vfs/vfs.h"\n', '#include "arch/x86_64/platform/apic.h"\n' },
	{ "typedef", "core/a.h", "typedef int number;\n", "int typedefs;\n" },
	{ "symmetry", "arch/x86_64/apic.c", OPEN, nil },
	{ "symmetry", "arch/aarch64/gic.c", OPEN, nil },
	{ "build-files", "core/Makefile", "all:\n", nil },
	{ "build-files", "CMakeLists.txt", "\n", nil },
	{ "spaces", "core/a.c", "int x; \n", "int x;\n" },
}

local function samples(t)
	local covered = {}
	for _, case in ipairs(CASES) do
		local name, path = case[1], case[2]
		covered[name] = true
		t.check(#lint.check(path, case[3], name) > 0, name .. " refuses its sample in " .. path)
		if case[4] then
			t.equal(table.concat(lint.check(path, case[4], name), "\n"), "", name .. " accepts the neighbour in " .. path)
		end
	end
	for name in pairs(rules) do
		t.check(covered[name], name .. " has a sample")
	end
end

local function tree(t)
	local problems = lint.tree()
	t.equal(table.concat(problems, "\n"), "", "no problem in the tree")
end

return { { "samples", samples }, { "the tree", tree } }
