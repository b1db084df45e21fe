return {
	name = "held",
	summary = "a module of the tests that threads and its loading stay in",
	needs = { "linux" },
	params = {
		hold = { type = "uint", mode = 292, summary = "milliseconds that loading takes" },
	},
	replace = "restart",
	init = "held_init",
	fini = "held_exit",
}
