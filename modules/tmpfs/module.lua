return {
	name = "tmpfs",
	summary = "files in memory: the root from the initrds, tmpfs mounts, memfd",
	needs = { "vfs" },
	hooks = {},
	services = {},
	params = {},
	replace = "never",
	init = "tmpfs_init",
	fini = "tmpfs_exit",
}
