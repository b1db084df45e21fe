-- sign.lua: the writer of signatures: a known answer in its layout, verified by openssl alone, and what it refuses.
local fs = require "tools.lib.fs"

local function bytes(hex)
	return (hex:gsub("..", function(byte) return string.char(tonumber(byte, 16)) end))
end

-- RFC 8032, 7.1, TEST SHA(abc). The private key stands in PKCS#8 of RFC 8410.
local PRIVATE = bytes "302e020100300506032b657004220420833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"
local PUBLIC = bytes "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"
local MESSAGE = bytes("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	.. "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
local SIGNATURE = bytes("dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
	.. "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704")

local function sh(command)
	local lines, ok = fs.lines(command .. " 2>&1")
	return ok, table.concat(lines, "\n")
end

local function directory(t)
	local path = t.options.scratch .. "/sign"
	fs.mkdir(path)
	return path
end

local function layout(t)
	local dir = directory(t)
	fs.write(dir .. "/key.der", PRIVATE)
	fs.write(dir .. "/message", MESSAGE)
	assert(sh(("openssl pkey -inform DER -in %s/key.der -out %s/key.pem"):format(dir, dir)))
	local ok, output = sh(("lua5.4 tools/sign.lua sign %s/key.pem %s/message %s/signed"):format(dir, dir, dir))
	t.check(ok, "signs", output)
	local name = "mortise modules"
	local header = "\0\6\1" .. string.char(#name, 32) .. "\0\0\0" .. "\0\0\0\64"
	t.check(fs.read(dir .. "/signed") == MESSAGE .. name .. PUBLIC .. SIGNATURE .. header .. "~Module signature appended~\n",
		"the bytes, the signer, the key, the signature, the structure, the end")
	ok, output = sh(("lua5.4 tools/sign.lua public %s/key.pem %s/key.c"):format(dir, dir))
	t.check(ok and fs.read(dir .. "/key.c"):find("0xec, 0x17, 0x2b", 1, true), "the public half as C", output)
end

local function keys(t)
	local dir = directory(t)
	local path = dir .. "/new/made.pem"
	os.remove(path)
	t.check(sh("lua5.4 tools/sign.lua key " .. path), "makes a key")
	local first = fs.read(path)
	t.check(sh("lua5.4 tools/sign.lua key " .. path) and fs.read(path) == first, "leaves a key that is there alone")
	t.equal(fs.lines("stat -c %a " .. path)[1], "600", "nobody else reads it")
	t.equal(#fs.lines("ls " .. dir .. "/new"), 1, "nothing else is left")
end

local function refusals(t)
	local dir = directory(t)
	fs.write(dir .. "/message", MESSAGE)
	assert(sh(("openssl genpkey -algorithm x25519 -out %s/other.pem"):format(dir)))
	fs.write(dir .. "/text.pem", "no key\n")
	for _, case in ipairs {
		{ "sign %s/other.pem %s/message %s/out", "is not an ed25519 key" }, { "sign %s/text.pem %s/message %s/out", "cannot read the key" },
		{ "sign %s/nowhere.pem %s/message %s/out", "cannot read the key" }, { "public %s/other.pem %s/out%s", "is not an ed25519 key" },
		{ "nonesuch %s%s%s", "key, public or sign" },
	} do
		local ok, output = sh("lua5.4 tools/sign.lua " .. case[1]:format(dir, dir, dir))
		t.check(not ok and output:find(case[2], 1, true), case[1] .. ": is refused", output)
	end
	t.check(not fs.exists(dir .. "/out"), "nothing is written")
	local ok, output = sh("lua5.4 build.lua build --key " .. dir .. "/nowhere.pem")
	t.check(not ok and output:find("no such key", 1, true), "the build says that a key is missing", output)
end

return { { "layout", layout }, { "keys", keys }, { "refusals", refusals } }
