return {
	name = "futex",
	summary = "wait and wake threads on a user word",
	needs = { "linux" },	-- its thread_exit hook runs after ours: who joins finds the locks released
	hooks = {
		thread_exit = "futex_thread_exit",
		exec_release = "futex_exec_release",
	},
	services = { futex = "futex_service" },
	params = {
		hash_bits = "uint",
		wakes = { type = "ulong", summary = "waiters woken; counted by builds with FUTEX_COUNT_WAKES" },
	},
	data = { thread = "futex_slot" },
	replace = "restart",
	state = { version = 1 },
	drop = "futex_drop",
	init = "futex_init",
	fini = "futex_exit",
}
