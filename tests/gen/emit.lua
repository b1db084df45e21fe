-- emit.lua: each emitter's files over the tiny table, compared with tests/gen/golden/; and that the C among them compiles.
-- `build.lua test --update-golden tests/gen/emit.lua` writes them anew, for a reader to look at the difference.
local fs = require "tools.lib.fs"
local main = require "tools.gen.main"

local GOLDEN = "tests/gen/golden/"

local function context()
	return main.context {
		arch = "x86_64", table = "tests/gen/tiny/syscalls.tbl", modules = "tests/gen/tiny/modules", abi_hash = "0123456789abcdef",
		tests = "tests/gen/tiny",
	}
end

local function golden(t)
	local files = main.emit(context())
	local known = {}
	for name, text in pairs(files) do
		known[name] = true
		if t.options.update_golden then
			fs.write(GOLDEN .. name, text)
		end
		local expected = fs.read(GOLDEN .. name) or ""
		local where = 1
		while text:sub(where, where) == expected:sub(where, where) and where <= #text do
			where = where + 1
		end
		local _, line = text:sub(1, where):gsub("\n", "")
		t.check(text == expected, name, ("differs from line %d on"):format(line + 1))
	end
	for _, path in ipairs(fs.find("tests/gen/golden")) do
		t.check(known[path:match("[^/]+$")], path .. " is still generated")
	end
	t.check(next(files), "there are files")
end

local function same_twice(t)
	local first, second = main.emit(context()), main.emit(context())
	for name, text in pairs(first) do
		t.check(second[name] == text, name .. " is the same twice")
	end
end

local function other_port(t)
	local c = context()
	c.port = "aarch64"
	local files = main.emit(c)
	t.check(files["dispatch.c"]:find('[84] = { "arm_only"', 1, true), "a call of the other port alone")
	t.check(not files["dispatch.c"]:find("fork", 1, true), "a call that the other port lacks")
	t.check(not files["futex_module.c"]:find("sys_fork", 1, true), "no wrapper of a call that the port lacks")
end

-- Compiles a snippet against the whole table's headers of the build.
local function compiles(t, code)
	local path = t.options.scratch .. "/typed.c"
	fs.write(path, code)
	local command = ("gcc -std=gnu11 -O1 -ffreestanding -nostdinc -fno-pie -mcmodel=kernel -mgeneral-regs-only -Wall -Wno-unused-function "
		.. "-Werror -I. -Iarch/%s/include -I%s -isystem %s/uapi -isystem $(gcc -print-file-name=include) -c %s -o /dev/null 2>&1")
		:format(t.options.arch, t.options.dir, t.options.dir, path)
	local lines, ok = fs.lines(command)
	return ok, table.concat(lines, "\n")
end

-- The tiny table's headers, beside the real port's.
local function typed_pointers(t)
	local files = main.emit(context())
	local directory = t.options.scratch .. "/gen"
	fs.mkdir(directory)
	for name, text in pairs(files) do
		fs.write(directory .. "/" .. name, text)
	end
	local head = ('#include "%s/clock.h"\n'):format(directory)
	local function case(body)
		return compiles(t, head .. "long f(struct uin_sigevent e, struct uout_timer_id id, struct uinout_timex x)\n{\n" .. body .. "\n}\n")
	end
	local ok, output = case("struct sigevent v; int n = 0; int r = copy_in_sigevent(&v, e); return r ? r : copy_out_timer_id(id, &n);")
	t.check(ok, "the right way compiles", output)
	t.check(not case("struct sigevent v; return copy_in_sigevent(&v, id);"), "reading what is written does not compile")
	t.check(not case("int n = 0; return copy_out_timer_id(e, &n);"), "writing what is read does not compile")
	t.check(not case("struct sigevent v; return copy_in_sigevent(&v, e.addr);"), "a bare address does not compile")
	ok, output = case("struct __kernel_timex v; int r = copy_in_timex(&v, as_in_timex(x)); return r ? r : copy_out_timex(as_out_timex(x), &v);")
	t.check(ok, "both ways compile", output)
	local source = '#include "%s"\n'
	ok, output = compiles(t, ("#include <stdbool.h>\n" .. source):format(directory .. "/trace_formats.h"))
	t.check(ok, "the tracer's header compiles", output)
end

return {
	{ "golden files", golden },
	{ "the same twice", same_twice },
	{ "the other port", other_port },
	{ "typed pointers", typed_pointers },
}
