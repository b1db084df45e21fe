return {
	name = "cred",
	summary = "identities and capabilities: the answers to permission questions",
	needs = {},
	hooks = {
		thread_create = "cred_thread_create",
		thread_free = "cred_thread_free",
		exec = "cred_exec",
	},
	services = { authority = "cred_authority" },
	params = {},
	data = { thread = "cred_slot" },
	replace = "state",
	state = { version = 1, export = "cred_state_export", import = "cred_state_import" },
	init = "cred_init",
	fini = "cred_exit",
}
