/*
 * aarch64: accesses to user memory. The caller has checked the range. Loads and stores are the unprivileged ones, which have the
 * program's own rights whatever PAN says; the atomic ones have no such form, so PAN is lifted around them. Each instruction that may
 * fault has an entry in the exception table; the fault handler jumps to its fixup if the fault cannot be resolved.
 *
 * Copies move blocks of 32 bytes through registers: all loads first, then the stores, then the pointers. If a block faults for good, the
 * rest is copied byte by byte up to the faulting byte, so the count of bytes left is exact.
 */
#define EFAULT 14

	.macro	EX fixup, instruction:vararg
8888:	\instruction
	.pushsection __ex_table, "a"
	.balign	8
	.quad	8888b, \fixup
	.popsection
	.endm

	.macro	FUNCTION name
	.balign	32
	.globl	\name
	.hidden	\name
\name:
	bti	c
	.endm

	.macro	USER_ON
	adrp	x9, cpu_has_pan
	ldr	w9, [x9, :lo12:cpu_has_pan]
	cbz	w9, 7777f
	msr	pan, #0
7777:
	.endm

	.macro	USER_OFF
	cbz	w9, 7777f
	msr	pan, #1
7777:
	.endm

	/* Clobbers w10. */
	.macro	NO_LSE label
	adrp	x10, cpu_has_lse
	ldr	w10, [x10, :lo12:cpu_has_lse]
	cbz	w10, \label
	.endm

	.arch_extension pan
	.arch_extension lse
	.text

/* size_t arch_uaccess_copy_in(void *dst, uintptr_t src, size_t n) */
FUNCTION arch_uaccess_copy_in
	subs	x2, x2, #32
	b.lo	2f
1:	EX 8f, ldtr x3, [x1]
	EX 8f, ldtr x4, [x1, #8]
	EX 8f, ldtr x5, [x1, #16]
	EX 8f, ldtr x6, [x1, #24]
	stp	x3, x4, [x0], #16
	stp	x5, x6, [x0], #16
	add	x1, x1, #32
	subs	x2, x2, #32
	b.hs	1b
2:	add	x2, x2, #32
	tbz	x2, #4, 3f
	EX 9f, ldtr x3, [x1]
	EX 9f, ldtr x4, [x1, #8]
	stp	x3, x4, [x0], #16
	add	x1, x1, #16
	sub	x2, x2, #16
3:	tbz	x2, #3, 4f
	EX 9f, ldtr x3, [x1]
	str	x3, [x0], #8
	add	x1, x1, #8
	sub	x2, x2, #8
4:	tbz	x2, #2, 9f
	EX 9f, ldtr w3, [x1]
	str	w3, [x0], #4
	add	x1, x1, #4
	sub	x2, x2, #4
	b	9f
8:	add	x2, x2, #32
9:	cbz	x2, 10f
	EX 10f, ldtrb w3, [x1]
	strb	w3, [x0], #1
	add	x1, x1, #1
	sub	x2, x2, #1
	b	9b
10:	mov	x0, x2
	ret

/* size_t arch_uaccess_copy_out(uintptr_t dst, const void *src, size_t n) */
FUNCTION arch_uaccess_copy_out
	subs	x2, x2, #32
	b.lo	2f
1:	ldp	x3, x4, [x1]
	ldp	x5, x6, [x1, #16]
	EX 8f, sttr x3, [x0]
	EX 8f, sttr x4, [x0, #8]
	EX 8f, sttr x5, [x0, #16]
	EX 8f, sttr x6, [x0, #24]
	add	x0, x0, #32
	add	x1, x1, #32
	subs	x2, x2, #32
	b.hs	1b
2:	add	x2, x2, #32
	tbz	x2, #4, 3f
	ldp	x3, x4, [x1]
	EX 9f, sttr x3, [x0]
	EX 9f, sttr x4, [x0, #8]
	add	x0, x0, #16
	add	x1, x1, #16
	sub	x2, x2, #16
3:	tbz	x2, #3, 4f
	ldr	x3, [x1]
	EX 9f, sttr x3, [x0]
	add	x0, x0, #8
	add	x1, x1, #8
	sub	x2, x2, #8
4:	tbz	x2, #2, 9f
	ldr	w3, [x1]
	EX 9f, sttr w3, [x0]
	add	x0, x0, #4
	add	x1, x1, #4
	sub	x2, x2, #4
	b	9f
8:	add	x2, x2, #32
9:	cbz	x2, 10f
	ldrb	w3, [x1]
	EX 10f, sttrb w3, [x0]
	add	x0, x0, #1
	add	x1, x1, #1
	sub	x2, x2, #1
	b	9b
10:	mov	x0, x2
	ret

/* size_t arch_uaccess_clear(uintptr_t dst, size_t n) */
FUNCTION arch_uaccess_clear
	subs	x1, x1, #32
	b.lo	2f
1:	EX 2f, sttr xzr, [x0]
	EX 2f, sttr xzr, [x0, #8]
	EX 2f, sttr xzr, [x0, #16]
	EX 2f, sttr xzr, [x0, #24]
	add	x0, x0, #32
	subs	x1, x1, #32
	b.hs	1b
2:	add	x1, x1, #32
3:	cbz	x1, 4f
	EX 4f, sttrb wzr, [x0]
	add	x0, x0, #1
	sub	x1, x1, #1
	b	3b
4:	mov	x0, x1
	ret

/*
 * long arch_uaccess_copy_string(char *dst, uintptr_t src, size_t size)
 * By words where the source is aligned, which never reach over a page; the word with the end goes by bytes, as one that faults.
 */
FUNCTION arch_uaccess_copy_string
	mov	x3, x0
	add	x4, x0, x2
	mov	x7, #0x0101010101010101
1:	sub	x6, x4, x3
	cbz	x6, 4f
	tst	x1, #7
	b.ne	2f
	cmp	x6, #8
	b.lo	2f
	EX 2f, ldtr x5, [x1]
	sub	x6, x5, x7
	bic	x6, x6, x5
	tst	x6, #0x8080808080808080		/* a byte that is zero */
	b.ne	2f
	str	x5, [x3], #8
	add	x1, x1, #8
	b	1b
2:	EX 5f, ldtrb w5, [x1]
	strb	w5, [x3]
	cbz	w5, 4f
	add	x3, x3, #1
	add	x1, x1, #1
	b	1b
4:	sub	x0, x3, x0
	ret
5:	mov	x0, #-EFAULT
	ret

/* int arch_uaccess_load(uintptr_t src, unsigned int size, uint64_t *out) */
FUNCTION arch_uaccess_load
	cmp	w1, #4
	b.eq	2f
	b.hi	1f
	EX 4f, ldtrb w3, [x0]
	b	3f
1:	EX 4f, ldtr x3, [x0]
	b	3f
2:	EX 4f, ldtr w3, [x0]
3:	str	x3, [x2]
	mov	w0, wzr
	ret
4:	mov	w0, #-EFAULT
	ret

/* int arch_uaccess_store(uintptr_t dst, unsigned int size, uint64_t v) */
FUNCTION arch_uaccess_store
	cmp	w1, #4
	b.eq	2f
	b.hi	1f
	EX 4f, sttrb w2, [x0]
	b	3f
1:	EX 4f, sttr x2, [x0]
	b	3f
2:	EX 4f, sttr w2, [x0]
3:	mov	w0, wzr
	ret
4:	mov	w0, #-EFAULT
	ret

/* int arch_uaccess_cmpxchg_u32(uintptr_t dst, uint32_t expected, uint32_t desired, uint32_t *old) */
FUNCTION arch_uaccess_cmpxchg_u32
	USER_ON
	NO_LSE	1f
	mov	w4, w1
	EX 4f, casal w4, w2, [x0]
	b	3f
1:	EX 4f, ldaxr w4, [x0]
	cmp	w4, w1
	b.ne	2f
	EX 4f, stlxr w5, w2, [x0]
	cbnz	w5, 1b
	b	3f
2:	clrex
3:	USER_OFF
	dmb	ish
	str	w4, [x3]
	mov	w0, wzr
	ret
4:	USER_OFF
	mov	w0, #-EFAULT
	ret

/* int arch_uaccess_rmw_u32(uintptr_t dst, enum user_rmw op, uint32_t operand, uint32_t *old): SET, ADD, OR, ANDN, XOR */
FUNCTION arch_uaccess_rmw_u32
	USER_ON
	NO_LSE	1f
	cmp	w1, #1
	b.eq	12f
	b.lo	13f
	cmp	w1, #3
	b.lo	14f
	b.eq	15f
	EX 8f, ldeoral w2, w4, [x0]
	b	7f
12:	EX 8f, ldaddal w2, w4, [x0]
	b	7f
13:	EX 8f, swpal w2, w4, [x0]
	b	7f
14:	EX 8f, ldsetal w2, w4, [x0]
	b	7f
15:	EX 8f, ldclral w2, w4, [x0]
	b	7f
1:	EX 8f, ldaxr w4, [x0]
	cmp	w1, #1
	b.eq	2f
	b.lo	3f
	cmp	w1, #3
	b.lo	4f
	b.eq	5f
	eor	w5, w4, w2
	b	6f
2:	add	w5, w4, w2
	b	6f
3:	mov	w5, w2
	b	6f
4:	orr	w5, w4, w2
	b	6f
5:	bic	w5, w4, w2
6:	EX 8f, stlxr w6, w5, [x0]
	cbnz	w6, 1b
7:	USER_OFF
	dmb	ish
	str	w4, [x3]
	mov	w0, wzr
	ret
8:	USER_OFF
	mov	w0, #-EFAULT
	ret

	.section .note.GNU-stack, "", %progbits
