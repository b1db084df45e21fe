/*
 * aarch64: the first instructions. The image begins with the header that Linux's boot protocol prescribes; it is also a PE file,
 * so that UEFI firmware can start it (efi_entry). Loaders enter with the MMU off, at EL1 or EL2, at any multiple of 2 MiB, with x0 =
 * the device tree.
 *
 * The early page tables map the image three times: at its own address (TTBR0), at KERNEL_IMAGE_BASE, and with its gigabyte in the
 * direct map; the gigabyte of the device tree too. boot_start() adds the rest of the memory, and mmu_boot() replaces the tables of the
 * kernel's half. The other CPUs come by secondary_entry and pass through the map of TTBR0 once more.
 */
#include <arch/sysreg.h>

#include "arch/aarch64/offsets.h"

#define TABLE_FLAGS 0x3
#define BLOCK_FLAGS (0x1 | 0x300 | 0x400)	/* normal memory, inner shareable, accessed */
#define BLOCK_UXN   (1 << 54)
#define BLOCK_XN    (3 << 53)

	.section .head.text, "ax"
	.globl image_head
	.hidden image_head
image_head:
	ccmp	x18, #0, #0xd, pl		/* does nothing; its code begins with "MZ" */
	b	primary_entry
	.quad	0				/* offset from a multiple of 2 MiB */
	.quad	kernel_image_size
	.quad	0xa				/* little-endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	pe_header - image_head

	.balign	8
pe_header:
	.ascii	"PE\0\0"
	.short	0xaa64, 1			/* machine, sections */
	.long	0, 0, 0
	.short	section_table - optional_header, 0x206
optional_header:
	.short	0x20b				/* PE32+ */
	.byte	2, 20
	.long	kernel_file_size - 0x1000, 0, 0
	.long	efi_entry - image_head, 0x1000
	.quad	0				/* image base */
	.long	0x1000, 0x200			/* alignment in memory and in the file */
	.short	0, 0, 0, 0, 0, 0
	.long	0, kernel_image_size, 0x1000, 0
	.short	10, 0				/* an EFI application */
	.quad	0, 0, 0, 0
	.long	0, 6
	.quad	0, 0, 0, 0, 0, 0
section_table:
	.ascii	".text\0\0\0"
	.long	kernel_image_size - 0x1000, 0x1000, kernel_file_size - 0x1000, 0x1000, 0, 0
	.short	0, 0
	.long	0xe0000020			/* code that is read, executed and written */

	.section .boot.text, "ax"

	/* Out: at EL1, MMU off, interrupts masked. Clobbers x0, x1. x30 is an address of the current map. */
drop_to_el1:
	msr	daifset, #15
	ldr	x1, =SCTLR_OFF
	mrs	x0, CurrentEL
	cmp	x0, #8
	b.hs	1f
	msr	sctlr_el1, x1
	isb
	ret
1:	msr	sctlr_el1, x1
	mov	x0, #(3 << 40)			/* no traps of pointer authentication */
	orr	x0, x0, #(1 << 31)		/* EL1 is AArch64 */
	msr	hcr_el2, x0
	isb
	mrs	x0, cnthctl_el2
	orr	x0, x0, #3
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #0x33ff			/* no traps of FP */
	msr	cptr_el2, x0
	msr	hstr_el2, xzr
	mrs	x0, mdcr_el2
	and	x0, x0, #0x1f
	msr	mdcr_el2, x0
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0
	msr	vttbr_el2, xzr
	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #24, #4
	cbz	x0, 2f				/* no system registers of the GIC */
	mrs	x0, s3_4_c12_c9_5		/* ICC_SRE_EL2 */
	orr	x0, x0, #1			/* system registers, and EL1 may use them */
	orr	x0, x0, #8
	msr	s3_4_c12_c9_5, x0
	isb
	msr	s3_4_c12_c11_0, xzr		/* ICH_HCR_EL2 */
2:	mrs	x0, id_aa64mmfr0_el1
	ubfx	x0, x0, #56, #4
	cbz	x0, 3f				/* no fine-grained traps */
	msr	s3_4_c1_c1_4, xzr
	msr	s3_4_c1_c1_5, xzr
	msr	s3_4_c1_c1_6, xzr
	msr	s3_4_c3_c1_4, xzr
	msr	s3_4_c3_c1_5, xzr
3:	mov	x0, #0x3c5			/* EL1h, all masked */
	msr	spsr_el2, x0
	msr	elr_el2, x30
	eret

	/* x0 = TTBR0, x1 = TTBR1, x30 = where to go on, in the map of either. Clobbers x2, x3. */
mmu_on:
	ldr	x2, =MAIR_VALUE
	msr	mair_el1, x2
	ldr	x2, =(TCR_T0SZ | TCR_T1SZ | TCR_WALKS0 | TCR_WALKS1 | TCR_TG1_4K | (1 << TCR_TBI0_BIT))
	mrs	x3, id_aa64mmfr0_el1
	and	x3, x3, #15
	cmp	x3, #5
	b.ls	1f
	mov	x3, #5				/* 48 bits */
1:	bfi	x2, x3, #TCR_IPS_SHIFT, #3
	msr	tcr_el1, x2
	msr	ttbr0_el1, x0
	msr	ttbr1_el1, x1
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	ldr	x2, =SCTLR_ON
	msr	sctlr_el1, x2
	isb
	ret

	/* Enters a gigabyte of addresses: x0 = address, x1 = level-1 table, x2 = flags. Clobbers x3, x4. */
map_gigabyte:
	lsr	x3, x0, #30
	orr	x4, x2, x3, lsl #30
	and	x3, x3, #511
	str	x4, [x1, x3, lsl #3]
	ret

primary_entry:
	mov	x20, x0				/* the device tree */
	bl	drop_to_el1
	adrp	x21, image_head
	adrp	x22, kernel_end
	adrp	x0, boot_stack_guard		/* the start of .bss; page aligned as its end */
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x22
	b.lo	1b

	/* The image's own addresses. */
	adrp	x23, early_ident
	adrp	x24, early_ident_1
	orr	x3, x24, #TABLE_FLAGS
	lsr	x4, x21, #39
	and	x4, x4, #511
	str	x3, [x23, x4, lsl #3]
	ldr	x2, =(BLOCK_FLAGS | BLOCK_UXN)
	mov	x1, x24
	mov	x0, x21
	bl	map_gigabyte
	sub	x0, x22, #1
	bl	map_gigabyte

	/* The direct map: what is needed to read the device tree. */
	adrp	x25, early_kernel
	adrp	x1, early_direct
	orr	x3, x1, #TABLE_FLAGS
	str	x3, [x25]
	ldr	x2, =(BLOCK_FLAGS | BLOCK_XN)
	mov	x0, x21
	bl	map_gigabyte
	sub	x0, x22, #1
	bl	map_gigabyte
	mov	x0, x20
	bl	map_gigabyte
	add	x0, x20, #0x200000
	bl	map_gigabyte

	/* The image where it is linked to. */
	adrp	x1, early_image_1
	orr	x3, x1, #TABLE_FLAGS
	str	x3, [x25, #(511 * 8)]
	adrp	x2, early_image_2
	orr	x3, x2, #TABLE_FLAGS
	str	x3, [x1, #(((IMAGE_BASE >> 30) & 511) * 8)]
	add	x2, x2, #(((IMAGE_BASE >> 21) & 511) * 8)
	ldr	x3, =(BLOCK_FLAGS | BLOCK_UXN)
	orr	x3, x3, x21
2:	str	x3, [x2], #8
	add	x3, x3, #0x200000
	and	x4, x3, #0x0000ffffffe00000
	cmp	x4, x22
	b.lo	2b

	/* Lines that a cache holds of the tables are older than what was just written past it. */
	dmb	sy
	adrp	x0, early_ident
	adrp	x1, early_tables_end
3:	dc	ivac, x0
	add	x0, x0, #16
	cmp	x0, x1
	b.lo	3b
	dsb	sy

	adrp	x0, early_ident
	adrp	x1, early_kernel
	ldr	x30, =primary_virtual
	b	mmu_on

	.globl secondary_entry
	.hidden secondary_entry
	/* x0 = physical address of struct ap_start: the kernel's tables, stack, CPU's block. */
secondary_entry:
	mov	x20, x0
	bl	drop_to_el1
	adrp	x0, early_ident
	ldp	x1, x21, [x20]
	ldr	x22, [x20, #16]
	ldr	x30, =secondary_virtual
	b	mmu_on

	/* Firmware called: x0 = handle, x1 = system table. */
efi_entry:
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	adrp	x2, image_head
	add	x3, sp, #16
	bl	efi_start			/* x0: the device tree; 0: it failed */
	cbnz	x0, 1f
	movz	x0, #0x8000, lsl #48
	orr	x0, x0, #1			/* EFI_LOAD_ERROR */
	ldp	x29, x30, [sp], #32
	ret
1:	mov	x20, x0
	ldr	x21, [sp, #16]			/* where the image was moved to */
	ldr	x2, =kernel_image_size
	add	x2, x21, x2
	mov	x1, x21
2:	dc	civac, x1
	add	x1, x1, #16
	cmp	x1, x2
	b.lo	2b
	mov	x1, x20
	add	x2, x20, #0x100, lsl #12
3:	dc	civac, x1
	add	x1, x1, #16
	cmp	x1, x2
	b.lo	3b
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	adr	x3, image_head
	adr	x4, 4f
	sub	x4, x4, x3
	add	x4, x4, x21
	br	x4				/* on in the moved image, which firmware's tables map one to one */
4:	mrs	x0, CurrentEL
	cmp	x0, #8
	b.hs	5f
	mrs	x0, sctlr_el1
	bic	x0, x0, #SCTLR_M
	bic	x0, x0, #SCTLR_C
	bic	x0, x0, #SCTLR_I
	msr	sctlr_el1, x0
	b	6f
5:	mrs	x0, sctlr_el2
	bic	x0, x0, #SCTLR_M
	bic	x0, x0, #SCTLR_C
	bic	x0, x0, #SCTLR_I
	msr	sctlr_el2, x0
6:	isb
	mov	x0, x20
	b	primary_entry
	.ltorg

	.text
primary_virtual:
	bti	j
	ldr	x0, =boot_stack_top
	mov	sp, x0
	adrp	x0, boot_cpu
	add	x0, x0, :lo12:boot_cpu
	msr	tpidr_el1, x0
	adrp	x0, boot_thread
	add	x0, x0, :lo12:boot_thread
	msr	sp_el0, x0
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x20				/* boot_start(device tree, image's physical address) */
	mov	x1, x21
	bl	boot_start
	brk	#0

secondary_virtual:
	bti	j
	mov	sp, x21
	msr	tpidr_el1, x22
	ldr	x0, [x22, #CPU_THREAD]
	msr	sp_el0, x0
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x22
	bl	smp_ap_start
	brk	#0
	.ltorg

	.section .bss.tables, "aw", %nobits
	.balign	4096
	.globl early_direct
	.hidden early_direct
early_ident:	.skip 4096
early_ident_1:	.skip 4096
early_kernel:	.skip 4096
early_direct:	.skip 4096
early_image_1:	.skip 4096
early_image_2:	.skip 4096
early_tables_end:

	.section .note.GNU-stack, "", %progbits
