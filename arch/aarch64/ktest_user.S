/*
 * aarch64: user code for the test core/trap/ktest_user.c: position-independent, copied to a user page. It ends by system call 1021 with
 * a status: 0, or the number of the check that failed. Call 1020 returns 0x1234; x0 tells its handler what to do meanwhile.
 */
#define CALL_CHECK 1020
#define CALL_DONE  1021

	/* Every register but x0, x8 and x30 has a value of its own. */
	.macro	FILL
	.irp	n, 1,2,3,4,5,6,7,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
	mov	x\n, #(0x1000 + \n)
	movk	x\n, #(0xb000 + \n), lsl #48
	.endr
	.endm

	.macro	CHECK
	.irp	n, 1,2,3,4,5,6,7,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
	mov	x30, #(0x1000 + \n)
	movk	x30, #(0xb000 + \n), lsl #48
	cmp	x\n, x30
	b.ne	fail
	.endr
	.endm

	.section .rodata, "a"
	.balign	16
	.globl	ktest_user_start, ktest_user_end
	.hidden	ktest_user_start, ktest_user_end
ktest_user_start:
	mov	x1, sp
	str	x1, [sp, #-16]
	/* Each kind of return: plain, and with a switch in between. */
	.irp	kind, 1,2,3
	mov	x1, #\kind
	str	x1, [sp, #-32]
	FILL
	mov	x8, #CALL_CHECK
	mov	x0, #(\kind - 1)
	svc	#0
	mov	x30, #0x1234
	cmp	x0, x30
	b.ne	fail
	ldr	x30, [sp, #-16]
	mov	x0, sp
	cmp	x30, x0
	b.ne	fail
	CHECK
	.endr
	/* Interrupts while vector registers and flags are in use, some 20 million steps. */
	mov	x1, #10
	str	x1, [sp, #-32]
	FILL
	.arch_extension fp
	.arch_extension simd
	mov	v3.d[0], x3
	mov	v31.d[1], x29
	mov	x0, #4
	movk	x0, #150, lsl #16
	cmp	x0, x0				/* Z */
1:	sub	x0, x0, #1			/* leaves the flags alone */
	cbnz	x0, 1b
	b.ne	fail
	mov	x30, v3.d[0]
	cmp	x30, x3
	b.ne	fail
	mov	x30, v31.d[1]
	cmp	x30, x29
	b.ne	fail
	CHECK
	/* TPIDRRO_EL0, which the kernel's entries use, tells nothing. */
	mov	x1, #11
	str	x1, [sp, #-32]
	mrs	x1, tpidrro_el0
	cbnz	x1, fail
	/* The cost of a call: counter ticks of 64 of them. */
	mrs	x19, cntvct_el0
	mov	x20, #64
2:	mov	x8, #CALL_CHECK
	mov	x0, #0
	svc	#0
	sub	x20, x20, #1
	cbnz	x20, 2b
	mrs	x1, cntvct_el0
	sub	x1, x1, x19
	mov	x0, #0
	mov	x8, #CALL_DONE
	svc	#0
fail:
	ldr	x0, [sp, #-32]
	mov	x1, #0
	mov	x8, #CALL_DONE
	svc	#0
	udf	#0
ktest_user_end:

	.section .note.GNU-stack, "", %progbits
