-- manifest.lua: what is refused in a module.lua, and the order of modules.
local fs = require "tools.lib.fs"
local manifest = require "tools.lib.manifest"

local REFUSED = {
	{ 'return 5', "does not return a table" },
	{ 'return {', "expected" },
	{ 'return { name = "b", summary = "x" }', "name is not the directory's name a" },
	{ 'return { name = "a" }', "no summary" },
	{ 'return { name = "a", summary = "x", colour = 1 }', "unknown field colour" },
	{ 'return { name = "a", summary = "x", needs = "b" }', "field needs is not a table" },
	{ 'return { name = "a", summary = "x", replace = "often" }', "replace is restart, state or never" },
	{ 'return { name = "a", summary = "x", replace = "state" }', "goes with export and import" },
	{ 'return { name = "a", summary = "x", replace = "restart", state = { version = "1" } }', "version is not a number" },
	{ 'return { name = "a", summary = "x", data = { file = "slot" } }', "unknown object file" },
	{ 'return { name = "a", summary = "x", hooks = { "f" } }', "hooks: must be" },
	{ 'return { name = "a", summary = "x", hooks = { exit = "f()" } }', "hooks: must be" },
	{ 'return { name = "a", summary = "x", params = { n = "float" } }', "parameter n: unknown type float" },
}

local function refusals(t)
	local path = t.options.scratch .. "/module.lua"
	for _, case in ipairs(REFUSED) do
		fs.write(path, case[1])
		t.fails(function() manifest.load(path, "a") end, case[2], case[1])
	end
end

local function module(name, needs)
	return { name = name, needs = needs, path = name .. "/module.lua" }
end

local function order(t)
	local function names(modules)
		local list = {}
		for i, m in ipairs(manifest.order(modules)) do
			list[i] = m.name
		end
		return table.concat(list, " ")
	end
	t.equal(names { a = module("a", { "c" }), b = module("b", {}), c = module("c", { "b" }) }, "b c a", "needs come first")
	t.fails(function() names { a = module("a", { "b" }), b = module("b", { "c" }), c = module("c", { "b" }) } end,
		"cyclic needs: b -> c -> b", "a cycle is named")
	t.fails(function() names { a = module("a", { "a" }) } end, "cyclic needs: a -> a", "a module that needs itself")
	t.fails(function() names { a = module("a", { "z" }) } end, "a/module.lua: needs unknown module z", "an unknown need")
end

return { { "refusals", refusals }, { "order", order } }
