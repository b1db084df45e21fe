return {
	name = "mqueue",
	summary = "POSIX message queues and the file system that shows them",
	needs = { "vfs", "linux" },
	hooks = {},
	services = { mqueue = "mqueue_service" },
	params = {},
	aliases = { "fs-mqueue" },
	replace = "never",
	init = "mqueue_init",
}
