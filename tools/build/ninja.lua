--[[
ninja.lua: writes build/<arch>/build.ninja and runs ninja.

Generated headers are an order-only input of every compilation: the compiler's own dependency files say which of them an
object really reads, and the generator leaves files with the same text alone (restat), so a changed row rebuilds its module.
]]
local config = require "tools.build.config"
local fs = require "tools.lib.fs"
local manifest = require "tools.lib.manifest"
local sources = require "tools.build.sources"
local table_check = require "tools.build.table_check"

local ninja = {}

local RULES = [[
ninja_required_version = 1.10
builddir = %(dir)

rule gen
  command = lua5.4 tools/gen/main.lua --arch %(name) --out %(gen)
  description = GEN syscalls.tbl
  restat = 1
rule cc
  command = %(cc) %(cflags) $flags -MMD -MF $out.d -c $in -o $out
  description = CC $in
  depfile = $out.d
  deps = gcc
rule as_nasm
  command = nasm %(nasmflags) -I./ -I%(dir)/ -MD $out.d -MQ $out $in -o $out
  description = NASM $in
  depfile = $out.d
  deps = gcc
rule as_gas
  command = %(cc) %(cflags) -D__ASSEMBLER__ -MMD -MF $out.d -c $in -o $out
  description = AS $in
  depfile = $out.d
  deps = gcc
rule link
  command = %(prefix)ld -T %(script) %(ldflags) -static --no-dynamic-linker --build-id=none -z noexecstack -o $out $in
  description = LINK $out
rule ksyms
  command = lua5.4 tools/ksyms.lua write $in $out %(prefix)nm
  description = KSYMS $out
  restat = 1
rule relocs
  command = lua5.4 tools/relocs.lua write $in $out
  description = RELOCS $out
  restat = 1
rule finish
  command = lua5.4 tools/ksyms.lua check $stage $in %(prefix)nm && $check $
      %(prefix)objcopy --strip-debug --remove-relocations='*' $in $out
  description = STRIP $out
rule image
  command = %(prefix)objcopy -O binary $in $out
  description = IMAGE $out
rule foreign
  command = lua5.4 tools/foreign.lua $debian build/foreign/$debian $package && touch -c $out
  description = FETCH $package of $debian
  pool = console
rule packaged
  command = %(prefix)ld -r --gc-sections $wanted -o $out.all $in && $
      %(prefix)objcopy $kept $out.all $out
  description = LINK $out
rule module_key
  command = lua5.4 tools/sign.lua key $out
  description = KEY $out
rule public_key
  command = lua5.4 tools/sign.lua public $in $out
  description = KEY $out
  restat = 1
rule ko
  command = %(prefix)ld -r -T tools/module.lds --build-id=none -o $out.debug $in && $
      %(prefix)objcopy --strip-debug $out.debug $out.unsigned && $
      lua5.4 tools/sign.lua sign %(key) $out.unsigned $out
  description = KO $out
rule generate
  command = lua5.4 $in $out
  description = GEN $out
rule modcheck
  command = lua5.4 tools/modcheck.lua %(prefix)nm $in && touch $out
  description = CHECK symbols of the modules
rule vdso
  command = %(cc) %(vdso_cflags) -shared -nostdlib -Wl,-T,$script -Wl,-soname,linux-vdso.so.1 -Wl,--hash-style=both $
      -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--eh-frame-hdr -MMD -MF $out.d -o $out.debug $in && $
      %(prefix)objcopy -S $out.debug $out
  description = VDSO $out
  depfile = $out.d
  deps = gcc
rule modules_cpio
  command = lua5.4 tools/initrd.lua modules $out %(dir)
  description = CPIO $out
rule program
  command = %(user_cc) -std=gnu11 -O2 -Wall -Wextra -Werror -static -s -I. -MMD -MF $out.d -o $out $in
  description = PROGRAM $out
  depfile = $out.d
  deps = gcc
rule rootfs_cpio
  command = lua5.4 tools/initrd.lua rootfs $out %(busybox) $programs
  description = CPIO $out
rule iso
  command = lua5.4 tools/iso.lua $out %(dir)
  description = ISO $out
]]

local function fill(text, values)
	return (text:gsub("%%%((%w[%w_]*)%)", function(key) return values[key] end))
end

local function object_of(build, source)
	return build.obj .. "/" .. source:gsub("^" .. build.dir .. "/", "") .. ".o"
end

local FILE_FLAGS = {
	["core/lib/string.c"] = "-fno-tree-loop-distribute-patterns",	-- memcpy must not become a call of memcpy
}

-- The packaged Ed25519 that verifies signatures of modules: a source package, and what of it is compiled into the core. A module's
-- manifest names such sources in the same way.
local VERIFIER = {
	package = "olm", directory = "lib/ed25519/src", sources = { "verify.c", "ge.c", "fe.c", "sc.c", "sha512.c" },
	symbols = { "ed25519_verify" },
}

-- Of packaged sources: without warnings, for they are not ours to mend, and in sections, so that only what is reached stays.
local PACKAGED_FLAGS = " -w -fno-sanitize=all -ffunction-sections -fdata-sections -isystem tools/foreign/include"

-- Adds the edge that compiles one source; returns the object. `after`: files that must be there first.
local function compile(build, out, source, extra, after)
	local object = object_of(build, source)
	local rule = "cc"
	if source:match("%.asm$") then
		rule = "as_nasm"
	elseif source:match("%.S$") then
		rule = "as_gas"
	end
	out[#out + 1] = ("build %s: %s %s || %s/abi.h %s"):format(object, rule, source, build.gen, after or "")
	local flags = (FILE_FLAGS[source] or "") .. (extra or "")
	if flags ~= "" and rule == "cc" then
		out[#out + 1] = "  flags = " .. flags
	end
	return object
end

local function write_gen(build, out, modules)
	local names = sources.generated(modules)
	local outputs = {}
	for i, name in ipairs(names) do
		outputs[i] = build.gen .. "/" .. name
	end
	out[#out + 1] = ("build %s: gen | %s"):format(table.concat(outputs, " "),
		table.concat(sources.generator_inputs(build.arch.name), " "))
end

local function write_vdso(build, out)
	local list = sources.vdso(build.arch.name)
	if #list == 0 then
		return {}
	end
	local base = "arch/" .. build.arch.name .. "/vdso/"
	local image = build.dir .. "/vdso.so"
	local inputs = {}
	for i, source in ipairs(list) do
		if source:match("%.asm$") then
			source = compile(build, out, source)
		end
		inputs[i] = source
	end
	out[#out + 1] = ("build %s: vdso %s | %svdso.lds || %s/abi.h"):format(image, table.concat(inputs, " "), base, build.gen)
	out[#out + 1] = ("  script = %svdso.lds"):format(base)
	local wrapper = build.gen .. "/vdso_image.S"
	fs.write_if_changed(wrapper, ('/* The image of the vDSO, page aligned. */\n.section .rodata\n.balign 4096\n'
		.. '.globl vdso_image_start, vdso_image_end\n.hidden vdso_image_start, vdso_image_end\nvdso_image_start:\n'
		.. '.incbin "%s"\nvdso_image_end:\n.balign 4096\n.section .note.GNU-stack,"",%%progbits\n'):format(image))
	local object = object_of(build, wrapper)
	out[#out + 1] = ("build %s: as_gas %s | %s"):format(object, wrapper, image)
	return { object }
end

-- The table of the places to be relocated, as an object.
local function write_relocs(build, out)
	local wrapper, image = build.gen .. "/relocs.S", build.gen .. "/relocs.bin"
	fs.write_if_changed(wrapper, ('/* The places that hold addresses of the image. */\n.section .relocs, "a"\n.balign 4\n'
		.. '.incbin "%s"\n.section .note.GNU-stack,"",%%progbits\n'):format(image))
	out[#out + 1] = ("build %s: relocs %s/stage1.elf | tools/relocs.lua"):format(image, build.obj)
	local object = object_of(build, wrapper)
	out[#out + 1] = ("build %s: as_gas %s | %s"):format(object, wrapper, image)
	return object
end

-- The private key: the build's own, made once, or the one that --key names.
local function write_key(build, out)
	if not build.own_key then
		out[#out + 1] = ("build %s: module_key"):format(build.key)
	end
end

-- The sources of a package as one object with its wanted symbols alone: the object, the options by which
-- others find its headers, and the file that says that they are there.
local function write_packaged(build, out, p, name)
	local root = "build/foreign/source/" .. p.package .. "/"
	local base = root .. p.directory .. "/"
	local files, objects, wanted, kept, seen = {}, {}, {}, {}, ""
	for i, directory in ipairs(p.include or {}) do
		seen = seen .. (" -isystem %s%s"):format(root, directory)
	end
	local flags = PACKAGED_FLAGS .. seen .. " " .. table.concat(p.flags or {}, " ")
	for i, source in ipairs(p.sources) do
		files[i] = base .. source
		objects[i] = compile(build, out, files[i], flags)
	end
	for i, symbol in ipairs(p.symbols) do
		wanted[i], kept[i] = "-u " .. symbol, "--keep-global-symbol=" .. symbol
	end
	out[#out + 1] = ("build %s: foreign | tools/foreign.lua\n  debian = source\n  package = %s"):format(
		table.concat(files, " "), p.package)
	local object = ("%s/%s.o"):format(build.obj, name)
	out[#out + 1] = ("build %s: packaged %s\n  wanted = %s\n  kept = %s"):format(object, table.concat(objects, " "),
		table.concat(wanted, " "), table.concat(kept, " "))
	return object, seen, files[1]
end

-- Verifying signatures of modules: one object with one symbol, and the public key.
local function write_verifier(build, out)
	local object, public = write_packaged(build, out, VERIFIER, "ed25519"), build.gen .. "/module_key.c"
	out[#out + 1] = ("build %s: public_key %s | tools/sign.lua"):format(public, build.key)
	return { object, compile(build, out, public) }
end

local function write_kernel(build, out)
	local objects = write_verifier(build, out)
	for _, source in ipairs(sources.kernel(build.arch.name)) do
		objects[#objects + 1] = compile(build, out, source)
	end
	objects[#objects + 1] = compile(build, out, build.gen .. "/dispatch.c")
	for _, object in ipairs(write_vdso(build, out)) do
		objects[#objects + 1] = object
	end
	local empty = build.gen .. "/ksyms_empty.c"
	fs.write_if_changed(empty, require("tools.ksyms").source({}))
	local list, dir = table.concat(objects, " "), build.dir
	local first, second, check = compile(build, out, empty), compile(build, out, build.gen .. "/ksyms.c"), ""
	if build.arch.relocs then
		second = second .. " " .. write_relocs(build, out)
		check = ("lua5.4 tools/relocs.lua check %s/mortise.elf.debug %s/relocs.bin && "):format(dir, build.gen)
	end
	out[#out + 1] = ("build %s/stage1.elf: link %s %s | %s"):format(build.obj, list, first, build.arch.linker_script)
	out[#out + 1] = ("build %s/ksyms.c: ksyms %s/stage1.elf | tools/ksyms.lua"):format(build.gen, build.obj)
	out[#out + 1] = ("build %s/mortise.elf.debug: link %s %s | %s"):format(dir, list, second, build.arch.linker_script)
	out[#out + 1] = ("build %s/mortise.elf: finish %s/mortise.elf.debug | %s/stage1.elf"):format(dir, dir, build.obj)
	out[#out + 1] = ("  stage = %s/stage1.elf\n  check = %s"):format(build.obj, check)
	if build.arch.kernel ~= "mortise.elf" then
		out[#out + 1] = ("build %s/%s: image %s/mortise.elf"):format(dir, build.arch.kernel, dir)
	end
end

-- Files that come out of packages of the port's own architecture, where that is not the build machine's.
local function write_foreign(build, out)
	local foreign = build.arch.foreign
	if not foreign then
		return
	end
	local names = {}
	for package in pairs(foreign.files) do
		names[#names + 1] = package
	end
	table.sort(names)
	for _, package in ipairs(names) do
		out[#out + 1] = ("build %s: foreign | tools/foreign.lua\n  debian = %s\n  package = %s"):format(foreign.files[package],
			foreign.debian, package)
	end
end

local function write_module(build, out, module)
	local objects = {}
	local name, after = ("-DMODULE=1 -DMODULE_NAME='\"%s\"'"):format(module.name), nil
	if module.packaged then
		local object, seen, first = write_packaged(build, out, module.packaged, "packaged/" .. module.name)
		objects[1], name, after = object, name .. seen, first
		name = name .. " -isystem tools/foreign/include"
	end
	for _, source in ipairs(sources.module(module.name, build.arch.name)) do
		objects[#objects + 1] = compile(build, out, source, name, after)
	end
	-- A script modules/<m>/<x>.gen.lua writes the C source that it is given the name of.
	for _, script in ipairs(fs.find("modules/" .. module.name, "-name '*.gen.lua'")) do
		local source = ("%s/%s_%s.c"):format(build.gen, module.name, script:match("([^/]+)%.gen%.lua$"))
		out[#out + 1] = ("build %s: generate %s"):format(source, script)
		objects[#objects + 1] = compile(build, out, source, name)
	end
	objects[#objects + 1] = compile(build, out, build.gen .. "/" .. module.name .. "_module.c", name)
	local ko = build.dir .. "/modules/" .. module.name .. ".ko"
	out[#out + 1] = ("build %s: ko %s | tools/module.lds tools/sign.lua %s"):format(ko, table.concat(objects, " "), build.key)
	return ko
end

local function write_images(build, out, kos)
	local dir = build.dir
	local list = table.concat(kos, " ")
	out[#out + 1] = ("build %s/modules.checked: modcheck %s/mortise.elf.debug %s | tools/modcheck.lua"):format(dir, dir, list)
	out[#out + 1] = ("build %s/modules.cpio: modules_cpio | %s %s/modules.checked iso/modules.boot %s"):format(dir, list, dir,
		table.concat(sources.initrd_tools(), " "))
	out[#out + 1] = ("build %s/modctl: program tools/modctl/modctl.c | %s"):format(dir, build.arch.user_cc_needs or "")
	out[#out + 1] = ("build %s/rootfs.cpio: rootfs_cpio | %s/modctl %s %s %s\n  programs = %s/modctl"):format(dir, dir,
		table.concat(sources.rootfs_files(), " "), build.arch.busybox, table.concat(sources.initrd_tools(), " "), dir)
	out[#out + 1] = ("build %s/mortise.iso: iso | %s/%s %s/modules.cpio %s/rootfs.cpio %s tools/iso.lua %s")
		:format(dir, dir, build.arch.kernel, dir, dir, build.arch.grub.config, build.arch.grub.needs or "")
	out[#out + 1] = ("build all: phony %s/%s %s/modules.cpio %s/rootfs.cpio\ndefault all"):format(dir, build.arch.kernel, dir, dir)
end

-- Writes the file; returns its path, the build and the modules. `only`: check the includes of this module alone.
function ninja.write(options, only)
	local build = config.load(options)
	local arch = build.arch
	local by_name, modules = manifest.load_all("modules")
	table_check.check(arch.name, arch.uapi, only)
	sources.check_includes(only and { by_name[only] } or modules)
	local out = { fill(RULES, {
		dir = build.dir, gen = build.gen, name = arch.name, cc = build.cc, prefix = arch.prefix,
		cflags = table.concat(build.cflags, " "), nasmflags = table.concat(arch.nasmflags or {}, " "),
		ldflags = table.concat(arch.ldflags, " "), script = arch.linker_script, busybox = arch.busybox,
		user_cc = arch.user_cc or arch.prefix .. "gcc", key = build.key,
		vdso_cflags = table.concat(sources.vdso_flags(build), " "),
	}) }
	fs.write_if_changed(build.gen .. "/version.h", require("tools.build.version").header())
	write_gen(build, out, modules)
	write_key(build, out)
	write_kernel(build, out)
	local kos = {}
	for _, module in ipairs(modules) do
		kos[#kos + 1] = write_module(build, out, module)
	end
	write_foreign(build, out)
	write_images(build, out, kos)
	local path = build.dir .. "/build.ninja"
	fs.write_if_changed(path, table.concat(out, "\n") .. "\n")
	return path, build, modules
end

local function run(options, path, targets)
	local command = "ninja -f " .. path
	if options.jobs then
		command = command .. " -j " .. options.jobs
	end
	if options.verbose then
		command = command .. " -v"
	end
	local ok = os.execute(command .. " " .. targets)
	return ok and 0 or 1
end

local function write_compile_commands(path)
	os.execute(("ninja -f %s -t compdb cc > build/compile_commands.json"):format(path))
end

function ninja.build(options)
	local path = ninja.write(options)
	write_compile_commands(path)
	return run(options, path, "all")
end

function ninja.iso(options)
	local path, build = ninja.write(options)
	write_compile_commands(path)
	return run(options, path, "all " .. build.dir .. "/mortise.iso")
end

-- Chosen targets, for other verbs; "kernel" is what boots.
function ninja.targets(options, names)
	local path, build = ninja.write(options)
	for i, name in ipairs(names) do
		names[i] = build.dir .. "/" .. (name == "kernel" and build.arch.kernel or name)
	end
	return run(options, path, table.concat(names, " ")), build
end

function ninja.module(options)
	local name = options.words[1] or error("module NAME", 0)
	local path, build, modules = ninja.write(options, name)
	for _, module in ipairs(modules) do
		if module.name == name then
			return run(options, path, build.dir .. "/modules/" .. name .. ".ko")
		end
	end
	error("no such module: " .. name, 0)
end

function ninja.clean()
	os.execute("rm -rf build")
	return 0
end

return ninja
