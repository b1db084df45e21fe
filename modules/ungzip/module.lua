return {
	name = "ungzip",
	summary = "unpacks gzip archives of the initrd",
	services = { unpack = "ungzip_ops" },
	replace = "restart",
	packaged = {
		package = "zlib", directory = ".", include = { "." }, flags = { "-DZ_SOLO", "-DHAVE_MEMCPY" },
		sources = { "inflate.c", "inftrees.c", "inffast.c", "adler32.c", "crc32.c" },
		symbols = { "inflateInit2_", "inflate", "inflateEnd" },
	},
}
