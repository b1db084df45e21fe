return {
	name = "sysvipc",
	summary = "System V shared memory, semaphores and message queues",
	needs = { "vfs", "linux" },
	hooks = {},
	services = { sysvipc = "sysvipc_service" },
	params = {},
	replace = "never",
	init = "sysvipc_init",
}
