return {
	name = "rseq",
	summary = "restartable sequences: per-CPU critical sections of user code",
	needs = {},
	hooks = {
		thread_create = "rseq_thread_create",
		thread_exit = "rseq_thread_exit",
		exec_release = "rseq_thread_exit",
		notify_work = "rseq_notify",
		user_redirect = "rseq_notify",
	},
	services = {},
	params = {},
	data = { thread = "rseq_slot" },
	replace = "restart",
	state = { version = 1 },	-- of struct registration
	drop = "rseq_drop",
}
