return {
	name = "devfs",
	summary = "device nodes for /dev, and the memory devices",
	needs = { "vfs", "tmpfs" },
	hooks = {},
	services = {},
	params = {},
	replace = "never",
	init = "devfs_init",
	fini = "devfs_exit",
}
