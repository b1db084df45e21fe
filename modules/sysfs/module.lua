return {
	name = "sysfs",
	summary = "/sys: modules with their parameters, processors, and the directories that programs look for",
	needs = { "vfs" },
	hooks = {},
	services = {},
	params = {},
	aliases = { "fs-sysfs" },
	replace = "never",
	init = "sysfs_init",
	fini = "sysfs_exit",
}
