return {
	name = "tty",
	summary = "terminals: line discipline, serial lines, screens and keyboard, pseudo terminals",
	needs = { "vfs", "devfs", "linux" },
	hooks = {},
	services = {},
	params = {
		keymap = { type = "charp", mode = 292, summary = "keyboard layout: us, de, fr, uk" },
		scrollback = { type = "uint", summary = "lines kept above a screen, up to 4096" },
	},
	replace = "never",
	init = "tty_init",
}
