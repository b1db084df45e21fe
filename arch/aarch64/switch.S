/*
 * aarch64: the change of stacks between two threads. What a call preserves is on the stack; the rest is in thread.c.
 */
	.text
	.globl	thread_switch_stacks
	.hidden	thread_switch_stacks

/* struct thread *thread_switch_stacks(uintptr_t *save_sp, uintptr_t next_sp, struct thread *prev): returns prev on the stack of next. */
thread_switch_stacks:
	bti	c
	stp	x29, x30, [sp, #-96]!
	mov	x29, sp				/* frame for backtraces of sleeping threads */
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	mov	x0, x2
	ret

	.section .note.GNU-stack, "", %progbits
