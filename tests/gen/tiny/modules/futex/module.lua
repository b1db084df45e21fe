return {
	name = "futex",
	summary = "an \"example\" with everything",
	needs = { "clock" },
	hooks = { thread_exit = "futex_thread_exit", exec = "futex_exec" },
	services = { futex = "futex_service" },
	data = { thread = "futex_slot" },
	params = { hash_bits = "uint", names = "charp[4]", fast = { type = "bool", mode = 0, summary = "no checks" } },
	aliases = { "example" },
	replace = "restart",
	init = "futex_init",
	fini = "futex_fini",
}
