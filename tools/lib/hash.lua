-- hash.lua: 64-bit FNV-1a, printed as 16 hexadecimal digits; and the normal form of C headers that is hashed.
local hash = {}

function hash.text(text)
	local value = 0xcbf29ce484222325
	for i = 1, #text do
		value = (value ~ text:byte(i)) * 0x100000001b3
	end
	return ("%016x"):format(value)
end

-- C text without comments and with every run of blanks as one blank: what a reader may change without changing the ABI.
function hash.normalise_c(text)
	text = text:gsub("/%*.-%*/", " "):gsub("//[^\n]*", " ")
	return (text:gsub("[ \t]+", " "):gsub(" ?\n[ \n]*", "\n"))
end

return hash
