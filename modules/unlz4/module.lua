return {
	name = "unlz4",
	summary = "unpacks lz4 archives of the initrd",
	services = { unpack = "unlz4_ops" },
	replace = "restart",
	packaged = {
		package = "lz4", directory = "lib", include = { "lib" }, sources = { "lz4.c" }, symbols = { "LZ4_decompress_safe" },
		flags = {
			"-DLZ4_FREESTANDING=1", "-DLZ4_memcpy=__builtin_memcpy", "-DLZ4_memmove=__builtin_memmove",
			"-DLZ4_memset=__builtin_memset",
		},
	},
}
