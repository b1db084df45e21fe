return {
	name = "vfs",
	summary = "descriptors, paths, mounts, pipes, polling and the calls on files",
	needs = {},
	hooks = {
		thread_create = "vfs_thread_create",
		thread_exit = "vfs_thread_exit",
		thread_free = "vfs_thread_free",
		exec = "vfs_exec",
	},
	services = {},
	params = {},
	data = { thread = "vfs_slot" },
	replace = "never",
	init = "vfs_init",
	fini = "vfs_exit",
}
