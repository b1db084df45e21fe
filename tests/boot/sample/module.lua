return {
	name = "sample",
	summary = "a module of the tests: parameters of every kind, and nothing else",
	needs = {},
	params = {
		depth = { type = "uint", mode = 420 },
		label = "charp",
		sizes = "int[4]",
		wide = "ulong",
		loud = "bool",
	},
	replace = "restart",
	init = "sample_init",
	fini = "sample_exit",
}
