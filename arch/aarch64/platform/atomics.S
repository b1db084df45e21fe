/*
 * aarch64: the functions that the compiler calls for atomic operations (-moutline-atomics). The image holds the exclusive pairs, which
 * every CPU has; atomics_start() puts the single instruction (LSE) at the head of each if the CPU has those, and the function is that
 * instruction and a return. The compiler names a function by operation, size and order: words of 4 and 8 bytes have all, so that a module
 * made later finds what it wants; of the smaller ones there is what the kernel uses, and another one stops the link by its name.
 *
 * Each takes 64 bytes: a branch to the pair, a return, the instruction that may replace the branch, the pair. In: cas w0 = expected,
 * w1 = new, x2 = address; the others w0 = operand, x1 = address. Out: w0 = the old value. Clobbers x15 to x17.
 */
	.arch_extension lse

	.macro	ATOMIC_BEGIN name
	.balign	64
	.globl	\name
	.hidden	\name
	.type	\name, %function
\name:
	b	1f
	ret
	.pushsection __ksymtab, "a"
	.balign	8
	.quad	\name, ksymtab_name_\name
	.popsection
	.pushsection __ksymtab_strings, "a"
ksymtab_name_\name:
	.asciz	"\name"
	.popsection
	.endm

	.macro	ATOMIC_END name
	.size	\name, . - \name
	.endm

	/* size in bytes, order; its letter for loads, for stores and for the single instruction; letter of the size; letter of the registers */
	.macro	ATOMIC_CAS size, order, load, store, single, letter, r
	ATOMIC_BEGIN __aarch64_cas\size\()_\order
	cas\single\letter	\r\()0, \r\()1, [x2]
1:	mov	x16, x0
2:	ld\load\()xr\letter	\r\()0, [x2]
	cmp	\r\()0, \r\()16
	b.ne	3f
	st\store\()xr\letter	w17, \r\()1, [x2]
	cbnz	w17, 2b
3:	ret
	ATOMIC_END __aarch64_cas\size\()_\order
	.endm

	.macro	ATOMIC_SWP size, order, load, store, single, letter, r
	ATOMIC_BEGIN __aarch64_swp\size\()_\order
	swp\single\letter	\r\()0, \r\()0, [x1]
1:	mov	x16, x0
2:	ld\load\()xr\letter	\r\()0, [x1]
	st\store\()xr\letter	w17, \r\()16, [x1]
	cbnz	w17, 2b
	ret
	ATOMIC_END __aarch64_swp\size\()_\order
	.endm

	.macro	ATOMIC_CHANGE op, instruction, size, order, load, store, single, letter, r
	ATOMIC_BEGIN __aarch64_\op\size\()_\order
	\op\single\letter	\r\()0, \r\()0, [x1]
1:	mov	x16, x0
2:	ld\load\()xr\letter	\r\()0, [x1]
	\instruction	\r\()15, \r\()0, \r\()16
	st\store\()xr\letter	w17, \r\()15, [x1]
	cbnz	w17, 2b
	ret
	ATOMIC_END __aarch64_\op\size\()_\order
	.endm

	.text
	.balign	64
	.globl	atomics_code_start, atomics_code_end
	.hidden	atomics_code_start, atomics_code_end
atomics_code_start:
	.macro	ALL size, letter, r
	ORDERS	\size, relax, , , , \letter, \r
	ORDERS	\size, acq, a, , a, \letter, \r
	ORDERS	\size, rel, , l, l, \letter, \r
	ORDERS	\size, acq_rel, a, l, al, \letter, \r
	.endm

	.macro	ORDERS size, order, load, store, single, letter, r
	ATOMIC_CAS	\size, \order, \load, \store, \single, \letter, \r
	ATOMIC_SWP	\size, \order, \load, \store, \single, \letter, \r
	ATOMIC_CHANGE	ldadd, add, \size, \order, \load, \store, \single, \letter, \r
	ATOMIC_CHANGE	ldclr, bic, \size, \order, \load, \store, \single, \letter, \r
	ATOMIC_CHANGE	ldeor, eor, \size, \order, \load, \store, \single, \letter, \r
	ATOMIC_CHANGE	ldset, orr, \size, \order, \load, \store, \single, \letter, \r
	.endm

	ALL	4, , w
	ALL	8, , x
	ATOMIC_SWP	1, acq_rel, a, l, al, b, w
	ATOMIC_CHANGE	ldadd, add, 2, relax, , , , h, w
	.balign	64
atomics_code_end:

	.section .note.GNU-stack, "", %progbits
