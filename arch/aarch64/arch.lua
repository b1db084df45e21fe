-- What the build must know of the port aarch64. Paths are from the repository's root.
return {
	name = "aarch64",
	ready = false,				-- its contract is not fulfilled: the build refuses it
	prefix = "aarch64-linux-gnu-",
	assembler = "gas",			-- .S files, through gcc
	cflags = { "-mgeneral-regs-only", "-mstrict-align" },
	linker_script = "arch/aarch64/kernel.lds",
	ldflags = { "-z", "max-page-size=4096" },
	uapi = { "/usr/aarch64-linux-gnu/include" },
	vdso_cflags = {},
	qemu = "qemu-system-aarch64",
	machine = { "-M", "virt,gic-version=3", "-cpu", "max" },
	console = "ttyAMA0",
	busybox = nil,
}
