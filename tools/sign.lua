--[[
sign.lua: the signatures of modules. openssl makes keys and signatures; this puts them where the loader looks (core/module/trailer.h).

	lua5.4 tools/sign.lua key KEY.pem               a new ed25519 key, unless there is one
	lua5.4 tools/sign.lua public KEY.pem OUT.c      its public half as C source, for the kernel's image
	lua5.4 tools/sign.lua sign KEY.pem IN.ko OUT.ko
]]
package.path = "./?.lua;" .. package.path
local fs = require "tools.lib.fs"

local MAGIC = "~Module signature appended~\n"
local SIGNER = "mortise modules"
-- A public key in DER is this and its 32 bytes: SubjectPublicKeyInfo of RFC 8410.
local DER = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"
-- Of struct module_signature: hash SHA-512, kind "signer, key, signature".
local HASH_SHA512, TYPE_KEY = 6, 1

local function run(command, what)
	if not os.execute(command) then
		error(what, 0)
	end
end

local function output(command, what)
	local pipe = assert(io.popen(command, "r"))
	local text = pipe:read("a")
	if not pipe:close() then
		error(what, 0)
	end
	return text
end

local function make_key(path)
	fs.mkdir(path:match("^(.*)/") or ".")
	-- Two builds may come here at the same time: the link is made once.
	run(("umask 077; t=%s.$$; openssl genpkey -algorithm ed25519 -out $t && { ln $t %s 2>/dev/null || test -f %s; }; s=$?; rm -f $t; exit $s")
		:format(fs.quote(path), fs.quote(path), fs.quote(path)), "openssl made no key " .. path)
end

local function public_key(path)
	local text = output(("openssl pkey -in %s -pubout -outform DER"):format(fs.quote(path)), "openssl cannot read the key " .. path)
	if #text ~= #DER + 32 or text:sub(1, #DER) ~= DER then
		error(path .. " is not an ed25519 key", 0)
	end
	return text:sub(#DER + 1)
end

local function write_public(path, out)
	local bytes = {}
	for byte in public_key(path):gmatch(".") do
		bytes[#bytes + 1] = ("0x%02x"):format(byte:byte())
	end
	fs.write_if_changed(out, ("/* The key that signs this build's modules: public half. Made by tools/sign.lua. */\n"
		.. '#include "core/module/trailer.h"\n\nconst uint8_t module_public_key[MODULE_KEY_SIZE] = {\n\t%s\n};\n')
		:format(table.concat(bytes, ", ")))
end

local function sign(path, from, out)
	local key = public_key(path)
	local signature = output(("openssl pkeyutl -sign -rawin -inkey %s -in %s"):format(fs.quote(path), fs.quote(from)),
		"openssl cannot sign " .. from)
	if #signature ~= 64 then
		error("openssl's signature has " .. #signature .. " bytes", 0)
	end
	local header = string.pack(">BBBBBxxxI4", 0, HASH_SHA512, TYPE_KEY, #SIGNER, #key, #signature)
	fs.write(out, assert(fs.read(from)) .. SIGNER .. key .. signature .. header .. MAGIC)
end

local VERBS = { key = make_key, public = write_public, sign = sign }

local ok, reason = pcall(function(...)
	return (VERBS[arg[1]] or error("key, public or sign", 0))(...)
end, table.unpack(arg, 2))
if not ok then
	io.stderr:write("sign: ", tostring(reason), "\n")
	os.exit(1)
end
