/*
 * aarch64: entry to the kernel and return to user mode.
 *
 * Every entry builds a struct trap_frame on the kernel stack; from user mode at its top. In the kernel SP_EL0 holds the current
 * thread; entries from user mode save the program's stack pointer from it and load it from the CPU's block. x20 holds the current
 * thread across the call of a system-call handler. All registers are restored on each way back.
 *
 * An entry from kernel code first looks whether the frame fits on the stack: if not, the report runs on the CPU's overflow stack.
 * TPIDRRO_EL0, which user code can only read, holds a register meanwhile, and is zero again before user code runs.
 *
 * Every path that leads to user mode tests work and need_resched with interrupts off, and keeps them off until it is there.
 */
#include <arch/sysreg.h>

#include "arch/aarch64/offsets.h"

	.macro	SAVE_GENERAL			/* all but x30 */
	stp	x0, x1, [sp, #FRAME_X(0)]
	stp	x2, x3, [sp, #FRAME_X(2)]
	stp	x4, x5, [sp, #FRAME_X(4)]
	stp	x6, x7, [sp, #FRAME_X(6)]
	stp	x8, x9, [sp, #FRAME_X(8)]
	stp	x10, x11, [sp, #FRAME_X(10)]
	stp	x12, x13, [sp, #FRAME_X(12)]
	stp	x14, x15, [sp, #FRAME_X(14)]
	stp	x16, x17, [sp, #FRAME_X(16)]
	stp	x18, x19, [sp, #FRAME_X(18)]
	stp	x20, x21, [sp, #FRAME_X(20)]
	stp	x22, x23, [sp, #FRAME_X(22)]
	stp	x24, x25, [sp, #FRAME_X(24)]
	stp	x26, x27, [sp, #FRAME_X(26)]
	stp	x28, x29, [sp, #FRAME_X(28)]
	.endm

	.macro	ENTER_USER
	SAVE_GENERAL
	mrs	x21, sp_el0
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	mrs	x20, tpidr_el1
	ldr	x20, [x20, #CPU_THREAD]
	stp	x30, x21, [sp, #FRAME_X(30)]
	stp	x22, x23, [sp, #FRAME_PC]
	msr	sp_el0, x20
	mov	x29, xzr			/* backtraces end here */
	.endm

	.macro	NO_SYSTEM_CALL
	mov	x9, #-1
	stp	x0, x9, [sp, #FRAME_ORIG_X0]
	.endm

	.macro	ENTER_KERNEL
	SAVE_GENERAL
	add	x21, sp, #FRAME_SIZE
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #FRAME_X(30)]
	stp	x22, x23, [sp, #FRAME_PC]
	NO_SYSTEM_CALL
	.endm

	.macro	RESTORE
	ldp	x2, x3, [sp, #FRAME_X(2)]
	ldp	x4, x5, [sp, #FRAME_X(4)]
	ldp	x6, x7, [sp, #FRAME_X(6)]
	ldp	x8, x9, [sp, #FRAME_X(8)]
	ldp	x10, x11, [sp, #FRAME_X(10)]
	ldp	x12, x13, [sp, #FRAME_X(12)]
	ldp	x14, x15, [sp, #FRAME_X(14)]
	ldp	x16, x17, [sp, #FRAME_X(16)]
	ldp	x18, x19, [sp, #FRAME_X(18)]
	ldp	x20, x21, [sp, #FRAME_X(20)]
	ldp	x22, x23, [sp, #FRAME_X(22)]
	ldp	x24, x25, [sp, #FRAME_X(24)]
	ldp	x26, x27, [sp, #FRAME_X(26)]
	ldp	x28, x29, [sp, #FRAME_X(28)]
	ldr	x30, [sp, #FRAME_X(30)]
	ldp	x0, x1, [sp, #FRAME_X(0)]
	add	sp, sp, #FRAME_SIZE
	eret
	.endm

	.macro	VECTOR target
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	b	\target
	.endm

	.macro	VECTOR_KERNEL target
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	msr	tpidrro_el0, x0
	mrs	x0, tpidr_el1
	ldr	x0, [x0, #CPU_THREAD]
	ldr	x0, [x0, #THREAD_STACK_BASE]
	sub	x0, sp, x0
	lsr	x0, x0, #THREAD_STACK_SHIFT
	cbnz	x0, stack_overflow
	mrs	x0, tpidrro_el0
	b	\target
	.endm

	.macro	VECTOR_BAD number
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	str	x0, [sp]
	mov	x0, #\number
	b	bad_vector
	.endm

	.globl	trap_fault_returns, trap_interrupt_returns
	.hidden	trap_fault_returns, trap_interrupt_returns
	.text
	.balign	2048
	.globl	trap_vectors
	.hidden	trap_vectors
trap_vectors:
	VECTOR_BAD 0
	VECTOR_BAD 1
	VECTOR_BAD 2
	VECTOR_BAD 3
	VECTOR_KERNEL kernel_sync
	VECTOR_KERNEL kernel_irq
	VECTOR	kernel_fiq
	VECTOR_KERNEL kernel_error
	VECTOR	user_sync
	VECTOR	user_irq
	VECTOR	user_fiq
	VECTOR	user_error
	VECTOR_BAD 12
	VECTOR_BAD 13
	VECTOR_BAD 14
	VECTOR_BAD 15

	.balign	64
user_sync:
	ENTER_USER
	mrs	x24, esr_el1
	lsr	x25, x24, #26
	cmp	x25, #EC_SVC
	b.ne	user_fault
	sxtw	x8, w8				/* Linux looks at the low 32 bits of the number only */
	ldr	w9, [x20, #THREAD_WORK]
	stp	x0, x8, [sp, #FRAME_ORIG_X0]
	mov	x0, sp
	msr	daifclr, #7
	tbnz	w9, #WORK_TRACE_BIT, system_call_traced
	cmp	x8, #SYSCALL_TABLE_LIMIT
	b.hs	system_call_absent
	csel	x8, x8, xzr, lo			/* also past a mispredicted branch: CSDB */
	hint	#20
	adrp	x9, syscall_table
	add	x9, x9, :lo12:syscall_table
	ldr	x9, [x9, x8, lsl #3]
	blr	x9
system_call_exit:
	msr	daifset, #7
	str	x0, [sp, #FRAME_X(0)]
	mrs	x10, tpidr_el1
	ldr	w9, [x20, #THREAD_WORK]
	ldr	w10, [x10, #CPU_NEED_RESCHED]
	orr	w9, w9, w10
	cbnz	w9, exit_work
return_user:
	ldp	x22, x23, [sp, #FRAME_PC]
	ldr	x21, [sp, #FRAME_SP]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	msr	sp_el0, x21
	RESTORE

system_call_traced:
	bl	syscall_traced
	b	system_call_exit
system_call_absent:
	bl	syscall_absent
	b	system_call_exit

user_fault:
	NO_SYSTEM_CALL
	mov	x0, sp
	mov	x1, x24
	mrs	x2, far_el1
	msr	daifclr, #5
	bl	trap_user_sync
trap_return:
	msr	daifset, #7
	mrs	x20, sp_el0
	mrs	x10, tpidr_el1
	ldr	w9, [x20, #THREAD_WORK]
	ldr	w10, [x10, #CPU_NEED_RESCHED]
	orr	w9, w9, w10
	cbz	w9, return_user
exit_work:
	mov	x0, sp
	bl	trap_exit_work
	msr	daifset, #7
	b	return_user

user_irq:
	ENTER_USER
	NO_SYSTEM_CALL
	mov	x0, sp
	msr	daifclr, #5
	bl	trap_interrupt
	b	trap_return

user_fiq:
	ENTER_USER
	NO_SYSTEM_CALL
	mov	x0, sp
	bl	trap_stop
	b	trap_return

user_error:
	ENTER_USER
	NO_SYSTEM_CALL
	mov	x0, sp
	mrs	x1, esr_el1
	bl	trap_error
	b	trap_return

kernel_sync:
	ENTER_KERNEL
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	trap_kernel_sync
trap_fault_returns:
	b	return_kernel

kernel_irq:
	ENTER_KERNEL
	mov	x0, sp
	msr	daifclr, #5
	bl	trap_interrupt
trap_interrupt_returns:
return_kernel:
	msr	daifset, #7
	ldp	x22, x23, [sp, #FRAME_PC]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	msr	tpidrro_el0, xzr
	RESTORE

	/* May come while SP_EL0 is the program's already: it is kept. */
kernel_fiq:
	ENTER_KERNEL
	mrs	x24, sp_el0
	mrs	x20, tpidr_el1
	ldr	x20, [x20, #CPU_THREAD]
	msr	sp_el0, x20
	mov	x0, sp
	bl	trap_stop
	msr	sp_el0, x24
	b	return_kernel

kernel_error:
	ENTER_KERNEL
	mov	x0, sp
	mrs	x1, esr_el1
	bl	trap_error
	b	return_kernel

	/* x0 is in TPIDRRO_EL0; sp has no room for a frame. */
stack_overflow:
	add	x0, sp, #FRAME_SIZE
	msr	tpidr_el0, x0			/* the panic does not return: the program's is not needed any more */
	mrs	x0, tpidr_el1
	ldr	x0, [x0, #CPU_OVERFLOW]
	sub	sp, x0, #FRAME_SIZE
	mrs	x0, tpidrro_el0
	ENTER_KERNEL
	mrs	x21, tpidr_el0
	str	x21, [sp, #FRAME_SP]
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	trap_stack_overflow

bad_vector:
	mov	x9, x0
	ldr	x0, [sp]
	ENTER_KERNEL
	mov	x0, sp
	mrs	x1, esr_el1
	bl	trap_bad_vector

/* First code of a new thread, from thread_switch_stacks: x0 = the thread that ran before. A user thread's sp = frame. */
	.globl	thread_entry_kernel, thread_entry_user, thread_enter_frame
	.hidden	thread_entry_kernel, thread_entry_user, thread_enter_frame
thread_entry_kernel:
	mov	x29, xzr
	bl	sched_finish_switch
	bl	sched_kernel_entry
	brk	#0

thread_entry_user:
	mov	x29, xzr
	bl	sched_finish_switch
	b	trap_return

/* x0 = frame on the current thread's kernel stack; goes to user mode through the exit work. */
thread_enter_frame:
	bti	c
	mov	sp, x0
	mov	x29, xzr
	b	trap_return

	.section .note.GNU-stack, "", %progbits
