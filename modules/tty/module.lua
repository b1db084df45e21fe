return {
	name = "tty",
	summary = "terminals: line discipline, serial lines, screen and keyboard, pseudo terminals",
	needs = { "vfs", "devfs", "linux" },
	hooks = {},
	services = {},
	params = {},
	replace = "never",
	init = "tty_init",
}
