return {
	name = "unzstd",
	summary = "unpacks zstd archives of the initrd",
	services = { unpack = "unzstd_ops" },
	replace = "restart",
	packaged = {
		package = "libzstd", directory = "lib", include = { "lib" },
		flags = {
			"-DZSTD_DISABLE_ASM=1", "-DDYNAMIC_BMI2=0", "-DZSTD_LEGACY_SUPPORT=0", "-DZSTD_STRIP_ERROR_STRINGS",
			"-DZSTD_NO_INTRINSICS", "-DZSTD_TRACE=0",
		},
		sources = {
			"common/entropy_common.c", "common/error_private.c", "common/fse_decompress.c", "common/xxhash.c",
			"common/zstd_common.c", "decompress/huf_decompress.c", "decompress/zstd_ddict.c",
			"decompress/zstd_decompress.c", "decompress/zstd_decompress_block.c",
		},
		symbols = {
			"ZSTD_createDStream_advanced", "ZSTD_freeDStream", "ZSTD_decompressStream", "ZSTD_isError",
			"ZSTD_getErrorCode",
		},
	},
}
