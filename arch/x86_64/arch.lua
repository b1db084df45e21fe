-- What the build must know of the port x86_64. Paths are from the repository's root.
return {
	name = "x86_64",
	ready = true,
	prefix = "",				-- of gcc, ld, nm, objcopy
	assembler = "nasm",			-- .asm files
	nasmflags = { "-f", "elf64", "-g", "-F", "dwarf" },
	cflags = {
		"-mno-red-zone", "-mgeneral-regs-only", "-mcmodel=kernel", "-fcf-protection=none", "-mno-sse",
		"-mstack-protector-guard=tls", "-mstack-protector-guard-reg=gs", "-mstack-protector-guard-offset=40",
	},
	kernel = "mortise.elf",			-- what boots
	linker_script = "arch/x86_64/kernel.lds",
	ldflags = { "-m", "elf_x86_64", "-z", "max-page-size=4096", "--emit-relocs" },
	relocs = true,				-- the image carries the places of its addresses
	-- Where the Linux headers of user space stand: the parents of linux/, asm/ and asm-generic/.
	uapi = { "/usr/include/x86_64-linux-gnu", "/usr/include" },
	vdso_cflags = { "-mno-sse" },
	qemu = "qemu-system-x86_64",
	machine = { "-M", "q35", "-cpu", "max", "-device", "isa-debug-exit,iobase=0xf4,iosize=4" },
	screen = { "-vga", "std" },
	grub = {
		config = "iso/grub.cfg",
		-- All of part_*: grub-mkrescue writes a start-up script that loads each.
		modules = "multiboot2 gzio normal serial terminal part_acorn part_amiga part_apple "
			.. "part_bsd part_dfly part_dvh part_gpt part_msdos part_plan part_sun "
			.. "part_sunpc iso9660 fat all_video search search_label echo test boot configfile",
	},
	firmware = { "/usr/share/ovmf/OVMF.fd", "/usr/share/OVMF/OVMF_CODE.fd" },
	console = "ttyS0",
	busybox = "/bin/busybox",
	native = true,				-- its programs run on the build machine
	test_cc = { musl = { "musl-gcc" }, gcc = { "gcc" } },
	user_cc = "musl-gcc",			-- of the static programs in the root file system
}
