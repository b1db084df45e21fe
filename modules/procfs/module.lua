return {
	name = "procfs",
	summary = "/proc: processes and the state of the system as text",
	needs = { "vfs", "linux" },
	hooks = {},
	services = {},
	params = {},
	replace = "never",
	init = "procfs_init",
	fini = "procfs_exit",
}
