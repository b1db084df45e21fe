--[[
main.lua: syscalls.tbl and the manifests into build/<port>/gen/. Each file is written only if its text changes.

	lua5.4 tools/gen/main.lua --arch PORT --out DIRECTORY [--table FILE] [--modules DIRECTORY] [--no-numbers]
	                          [--list]
--list prints the names of the files instead of writing them.
]]
local fs = require "tools.lib.fs"
local hash = require "tools.lib.hash"
local manifest = require "tools.lib.manifest"
local numbers = require "tools.gen.numbers"
local parse = require "tools.gen.parse"

local main = {}

main.RELEASE = "6.1.0-mortise"

main.EMITTERS = { "dispatch", "header", "module", "trace", "smoke", "fuzz", "json", "coverage", "proc" }

-- Public headers, whose text is the ABI between core and modules.
function main.public_headers(port)
	local list = {}
	for _, path in ipairs(fs.find("core", "-name '*.h' ! -name internal.h")) do
		list[#list + 1] = path
	end
	for _, path in ipairs(fs.find("arch/" .. port .. "/include", "-name '*.h'")) do
		list[#list + 1] = path
	end
	return list
end

local function abi_hash(port)
	local text = {}
	for _, path in ipairs(main.public_headers(port)) do
		text[#text + 1] = path .. "\n" .. hash.normalise_c(fs.read(path))
	end
	return hash.text(table.concat(text, "\n"))
end

function main.context(options)
	local by_name, ordered = manifest.load_all(options.modules or "modules")
	local path = options.table or "syscalls.tbl"
	local text, reason = fs.read(path)
	if not text then
		error(reason, 0)
	end
	local rows = parse.text(text, path, by_name)
	local context = {
		port = options.arch, rows = rows, modules = ordered, by_name = by_name, rows_of = {}, table_path = path,
		release = main.RELEASE, tests = options.tests or "tests/guest", abi_hash = options.abi_hash or abi_hash(options.arch),
	}
	for _, module in ipairs(ordered) do
		context.rows_of[module.name] = {}
	end
	for _, row in ipairs(rows) do
		if row.module then
			table.insert(context.rows_of[row.module], row)
		end
	end
	return context
end

-- File name to text, from every emitter.
function main.emit(context)
	local files = {}
	for _, name in ipairs(main.EMITTERS) do
		for path, text in pairs(require("tools.gen.emit." .. name)(context)) do
			files[path] = text
		end
	end
	return files
end

local function parse_options(words)
	local options, i = {}, 1
	while words[i] do
		local name = words[i]:match("^%-%-([%l-]+)$")
		if name == "list" or name == "no-numbers" then
			options[name] = true
		elseif name and words[i + 1] then
			i = i + 1
			options[name] = words[i]
		else
			error("unknown option " .. words[i], 0)
		end
		i = i + 1
	end
	return options
end

function main.run(words)
	local options = parse_options(words)
	local context = main.context(options)
	if not options["no-numbers"] then
		local headers = {}
		for _, port in ipairs(parse.PORTS) do
			headers[port] = dofile("arch/" .. port .. "/arch.lua").uapi
		end
		numbers.check(context.rows, context.table_path, headers)
	end
	local files = main.emit(context)
	if not options.list then
		fs.mkdir(options.out)
	end
	for name, text in pairs(files) do
		if options.list then
			print(name)
		else
			fs.write_if_changed(options.out .. "/" .. name, text)
		end
	end
end

if arg and arg[0] and arg[0]:match("tools/gen/main%.lua$") then
	local ok, reason = pcall(main.run, arg)
	if not ok then
		io.stderr:write(tostring(reason), "\n")
		os.exit(1)
	end
end

return main
