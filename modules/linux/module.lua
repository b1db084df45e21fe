return {
	name = "linux",
	summary = "Linux personality: processes, exec, signals, memory and scheduling calls",
	needs = { "vfs" },
	hooks = {
		thread_create = "linux_thread_create",
		thread_exit = "linux_thread_exit",
		thread_gone = "linux_thread_gone",
		signal_work = "signal_deliver_work",
		user_fault = "signal_user_fault",
	},
	services = {
		process = "linux_process_ops",
		signal_mask = "linux_signal_mask_ops",
	},
	params = {},
	data = { thread = "linux_slot" },
	replace = "never",
	init = "linux_init",
}
