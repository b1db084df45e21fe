-- What the build must know of the port aarch64. Paths are from the repository's root.
return {
	name = "aarch64",
	ready = true,
	prefix = "aarch64-linux-gnu-",
	assembler = "gas",			-- .S files, through gcc
	cflags = {
		"-mgeneral-regs-only", "-moutline-atomics", "-mbranch-protection=bti", "-mcmodel=small",
		"-mstack-protector-guard=sysreg", "-mstack-protector-guard-reg=sp_el0", "-mstack-protector-guard-offset=8",
	},
	linker_script = "arch/aarch64/kernel.lds",
	ldflags = { "-m", "aarch64elf", "-z", "max-page-size=4096" },
	kernel = "mortise.img",			-- what boots: the plain binary, after Linux's boot protocol
	-- Where the Linux headers of user space stand: the parents of linux/, asm/ and asm-generic/.
	uapi = { "/usr/aarch64-linux-gnu/include" },
	vdso_cflags = { "-mbranch-protection=standard", "-mno-outline-atomics" },
	qemu = "qemu-system-aarch64",
	machine = { "-M", "virt,gic-version=3", "-cpu", "max", "-semihosting" },
	console = "ttyAMA0",
	busybox = "build/foreign/arm64/busybox-static/bin/busybox",
	test_cc = {
		gcc = { "aarch64-linux-gnu-gcc" },
		musl = { "aarch64-linux-gnu-gcc", "-specs", "build/foreign/arm64/musl-dev/usr/lib/aarch64-linux-musl/musl-gcc.specs" },
	},
	-- Of the static programs in the root file system, and what it needs.
	user_cc = "aarch64-linux-gnu-gcc -specs build/foreign/arm64/musl-dev/usr/lib/aarch64-linux-musl/musl-gcc.specs",
	user_cc_needs = "build/foreign/arm64/musl-dev/.complete",
	-- GRUB and the firmware, which hands over ACPI's tables (with acpi=off of the machine a device tree).
	grub = {
		config = "iso/grub.aarch64.cfg", directory = "build/foreign/arm64/grub-efi-arm64-bin/usr/lib/grub/arm64-efi",
		modules = "linux normal serial terminal part_gpt part_msdos part_acorn part_amiga part_apple part_bsd part_dfly part_dvh "
			.. "part_plan part_sun part_sunpc iso9660 fat search search_label echo test boot configfile",
		needs = "build/foreign/arm64/grub-efi-arm64-bin/.complete",
	},
	firmware = { "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd" },
	uefi_only = true,
	-- Packages of the port's own architecture: a file of each, by which the build knows that it is there.
	foreign = {
		debian = "arm64",
		files = {
			["busybox-static"] = "build/foreign/arm64/busybox-static/bin/busybox",
			["grub-efi-arm64-bin"] = "build/foreign/arm64/grub-efi-arm64-bin/.complete",
			["musl-dev"] = "build/foreign/arm64/musl-dev/.complete",
		},
	},
}
