return {
	name = "procfs",
	summary = "/proc: processes and the state of the system as text",
	needs = { "vfs", "linux" },
	hooks = { group_gone = "procfs_process_gone" },
	services = {},
	params = {},
	aliases = { "fs-proc" },
	replace = "never",
	init = "procfs_init",
	fini = "procfs_exit",
}
