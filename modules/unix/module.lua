return {
	name = "unix",
	summary = "local sockets: the socket calls, and the family AF_UNIX with descriptor passing",
	needs = { "vfs" },
	hooks = {},
	services = {},
	params = { max_dgram_qlen = "uint" },
	replace = "never",
	init = "unix_init",
	fini = "unix_exit",
}
