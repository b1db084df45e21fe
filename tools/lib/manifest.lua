--[[
manifest.lua: reads and checks modules/<name>/module.lua, and orders the modules by their needs.

A manifest returns a table with these fields; everything but name and summary may be left out:
	name     = "futex"                        the directory's name
	summary  = "wait and wake threads on a user word"
	needs    = { "vfs" }                      modules whose headers and MODAPI symbols it uses
	init     = "futex_init"                   int (void): 0 or negative errno
	fini     = "futex_fini"                   void (void)
	hooks    = { thread_exit = "futex_thread_exit" }    field of struct module_hooks = function of the module
	services = { authority = "cred_authority" }         field of struct module_services = object of the module
	data     = { thread = "futex_slot" }      `int futex_slot` of the module gets the slot's index; thread | aspace
	params   = { hash_bits = "uint" }         bool int uint ulong charp, "uint[8]" for an array: the variable is
	                                          <module>_<param> of the module, an array's count <module>_<param>_count;
	                                          or { type = "uint", variable = "name", mode = 420, summary = "..." }
	aliases  = { "fs-tmpfs" }                 further names for modprobe
	replace  = "restart"                      restart | state | never (the default)
	state    = { version = 1, export = "f", import = "g" }   of the data slots and of what replace = "state" hands over
	drop     = "futex_drop"                   void (struct thread *): frees a thread's data when the module is forced out
	busy     = "timers_busy"                  bool (void): do objects refer to the module?
	packaged = { package = "zlib", directory = "", sources = { "inflate.c" }, symbols = { "inflate" },
	             include = { "" }, flags = { "-DZ_SOLO" } }   sources of a Debian source package that become
	                                          a part of the module: what of them it calls, where their
	                                          headers are, what they are compiled with
Functions and objects named here are not static and keep the default (hidden) visibility.
]]
local fs = require "tools.lib.fs"

local manifest = {}

local FIELDS = {
	name = "string", summary = "string", needs = "table", init = "string", fini = "string", hooks = "table",
	services = "table", data = "table", params = "table", aliases = "table", replace = "string", state = "table",
	drop = "string", busy = "string", packaged = "table",
}
local PARAM_TYPES = { bool = true, int = true, uint = true, ulong = true, charp = true }
local DATA_KINDS = { thread = true, aspace = true }
local REPLACE = { restart = true, state = true, never = true }

local function parse_params(module, fail)
	local list = {}
	for name, spec in pairs(module.params or {}) do
		if type(spec) == "string" then
			spec = { type = spec }
		end
		local base, max = tostring(spec.type):match("^(%l+)%[?(%d*)%]?$")
		if not PARAM_TYPES[base] then
			fail("parameter " .. name .. ": unknown type " .. tostring(spec.type))
		end
		local variable = spec.variable or (module.name .. "_" .. name)
		list[#list + 1] = {
			name = name, type = base, max = tonumber(max) or 1, array = max ~= "", variable = variable,
			mode = spec.mode or 292, summary = spec.summary,
		}
	end
	table.sort(list, function(a, b) return a.name < b.name end)
	return list
end

local function check_names(module, field, fail)
	for key, value in pairs(module[field] or {}) do
		if type(key) ~= "string" or type(value) ~= "string" or not value:match("^[%a_][%w_]*$") then
			fail(field .. ": must be field = \"c_name\"")
		end
	end
end

-- One manifest; errors name the file.
function manifest.load(path, directory_name)
	local function fail(reason)
		error(path .. ": " .. reason, 0)
	end
	local chunk, reason = loadfile(path, "t", {})
	if not chunk then
		fail(reason)
	end
	local module = chunk()
	if type(module) ~= "table" then
		fail("does not return a table")
	end
	for field, value in pairs(module) do
		if not FIELDS[field] then
			fail("unknown field " .. tostring(field))
		elseif type(value) ~= FIELDS[field] then
			fail("field " .. field .. " is not a " .. FIELDS[field])
		end
	end
	if module.name ~= directory_name then
		fail("name is not the directory's name " .. directory_name)
	end
	if not module.summary then
		fail("no summary")
	end
	module.needs = module.needs or {}
	module.aliases = module.aliases or {}
	module.replace = module.replace or "never"
	if not REPLACE[module.replace] then
		fail("replace is restart, state or never")
	end
	module.state = module.state or {}
	if math.type(module.state.version or 0) ~= "integer" then
		fail("state: version is not a number")
	end
	if (module.replace == "state") ~= (module.state.export ~= nil and module.state.import ~= nil) then
		fail("state: replace = \"state\" goes with export and import")
	end
	check_names(module, "hooks", fail)
	check_names(module, "services", fail)
	check_names(module, "data", fail)
	for _, field in ipairs { "package", "directory", "sources", "symbols" } do
		if module.packaged and not module.packaged[field] then
			fail("packaged: no " .. field)
		end
	end
	for kind in pairs(module.data or {}) do
		if not DATA_KINDS[kind] then
			fail("data: unknown object " .. kind)
		end
	end
	module.params = parse_params(module, fail)
	module.path = path
	return module
end

-- Modules in dependency order (each after what it needs); an unknown need or a cycle is an error that names it.
function manifest.order(modules)
	local ordered, state, trail = {}, {}, {}
	local function visit(name, from)
		local module = modules[name]
		if not module then
			error(modules[from].path .. ": needs unknown module " .. name, 0)
		end
		if state[name] == "done" then
			return
		end
		trail[#trail + 1] = name
		if state[name] == "open" then
			local cycle = table.concat(trail, " -> "):match("%f[%w_]" .. name .. " .*")
			error(module.path .. ": cyclic needs: " .. cycle, 0)
		end
		state[name] = "open"
		for _, need in ipairs(module.needs) do
			visit(need, name)
		end
		state[name] = "done"
		trail[#trail] = nil
		ordered[#ordered + 1] = module
	end
	local names = {}
	for name in pairs(modules) do
		names[#names + 1] = name
	end
	table.sort(names)
	for _, name in ipairs(names) do
		visit(name)
	end
	return ordered
end

-- All manifests under `directory`: by name, and in dependency order.
function manifest.load_all(directory)
	local modules = {}
	for _, path in ipairs(fs.find(directory, "-mindepth 2 -maxdepth 2 -name module.lua")) do
		local name = path:match("([^/]+)/module%.lua$")
		modules[name] = manifest.load(path, name)
	end
	return modules, manifest.order(modules)
end

return manifest
