--[[
sources.lua: which files each part of the build is made of, and the rule that a module includes only headers of modules
that it needs.
]]
local fs = require "tools.lib.fs"

local sources = {}

local function concat(...)
	local list = {}
	for _, part in ipairs { ... } do
		for _, item in ipairs(part) do
			list[#list + 1] = item
		end
	end
	return list
end

function sources.kernel(port)
	local list = concat(fs.find("core", "-name '*.c'"), fs.find("arch/" .. port, "-name '*.c' -o -name '*.asm' -o -name '*.S'"))
	local kept = {}
	for _, path in ipairs(list) do
		if not path:match("^arch/[^/]+/vdso/") then
			kept[#kept + 1] = path
		end
	end
	return kept
end

function sources.vdso(port)
	local base = "arch/" .. port .. "/vdso"
	if not fs.exists(base .. "/vdso.lds") then
		return {}
	end
	return fs.find(base, "-name '*.c' -o -name '*.S' -o -name '*.asm'")
end

-- The vDSO is user code: position independent, no kernel flags, no protector (its canary is the program's).
function sources.vdso_flags(build)
	local list = {
		"-std=gnu11", "-O2", "-g", "-ffreestanding", "-fPIC", "-fno-stack-protector", "-fvisibility=hidden", "-Wall", "-Wextra",
		"-Werror", "-fasynchronous-unwind-tables", "-nostdinc", "-DVDSO=1",
	}
	return concat(list, build.arch.vdso_cflags, build.includes)
end

function sources.module(name, port)
	local kept = {}
	for _, path in ipairs(fs.find("modules/" .. name, "-name '*.c' -o -name '*.asm' -o -name '*.S'")) do
		local other = path:match("/arch/([^/]+)/")
		if (not other or other == port) and not path:match("/tests?/") then
			kept[#kept + 1] = path
		end
	end
	return kept
end

function sources.generated(modules)
	local names = {
		"abi.h", "dispatch.c", "trace_formats.h", "trace_formats.c", "smoke.c", "fuzz_grammar.h", "syscalls.syz.txt",
		"syscalls.json", "syscalls.md", "proc.md",
	}
	for _, module in ipairs(modules) do
		names[#names + 1] = module.name .. ".h"
		names[#names + 1] = module.name .. "_module.c"
	end
	return names
end

function sources.generator_inputs(port)
	return concat({ "syscalls.tbl" }, fs.find("modules", "-mindepth 2 -maxdepth 2 -name module.lua"),
		fs.find("tools/gen", "-name '*.lua'"), fs.find("tools/lib", "-name '*.lua'"), fs.find("arch", "-name arch.lua"),
		fs.find("tests/guest", "-maxdepth 1 -name '*.c'"),
		fs.find("modules/procfs", "-name '*.c'"), fs.find("modules/sysfs", "-name '*.c'"), require("tools.gen.main").public_headers(port))
end

function sources.initrd_tools()
	return { "tools/initrd.lua", "tools/cpio.lua" }
end

function sources.rootfs_files()
	return fs.find("iso/rootfs", "-type f")
end

-- Includes of a module's headers: where, and whose. All sources are looked through before each build.
local OF_MODULES = {
	'\n[ \t]*()#[ \t]*include[ \t]*["<]modules/([^/\n]+)/', '\n[ \t]*()#[ \t]*include[ \t]*<gen/([%w_]+)%.h>',
}

-- `#include "modules/x/..."` is allowed in x itself and in modules that need x. Errors name file and line.
function sources.check_includes(modules, root)
	root = root or "modules"
	for _, module in ipairs(modules) do
		local allowed = { [module.name] = true }
		for _, need in ipairs(module.needs) do
			allowed[need] = true
		end
		for _, path in ipairs(fs.find(root .. "/" .. module.name, "-name '*.[ch]'")) do
			local text = "\n" .. fs.read(path)
			for _, pattern in ipairs(OF_MODULES) do
				for at, other in text:gmatch(pattern) do
					if not allowed[other] and fs.exists(root .. "/" .. other .. "/module.lua") then
						local _, number = text:sub(1, at):gsub("\n", "")
						error(("%s:%d: includes a header of %s, which module.lua does not need"):format(path, number, other), 0)
					end
				end
			end
		end
	end
end

return sources
