return {
	name = "posix_timers",
	summary = "clocks, sleeping, POSIX and interval timers, timerfd",
	needs = { "vfs", "linux" },
	hooks = {
		exec = "timers_exec",
		group_gone = "timers_group_gone",
		cpu_time = "cpu_timers_tick",
		task_work = "cpu_timers_work",
	},
	services = { timers = "timers_service" },
	params = {},
	replace = "state",
	state = { version = 4, export = "timers_state_export", import = "timers_state_import" },
	busy = "timers_busy",
	fini = "timers_fini",
}
