/*
 * aarch64: where a signal handler returns to. Its address is the image's entry point, where the kernel looks it up. Unwinders know the
 * two instructions; the line about the frame tells the others that this is one of a signal.
 */
#include <asm/unistd.h>

	.text
	.balign	8
	.globl	__kernel_rt_sigreturn
	.type	__kernel_rt_sigreturn, %function
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa	x29, 0
	.cfi_offset	x29, 0
	.cfi_offset	x30, 8
	nop
__kernel_rt_sigreturn:
	mov	x8, #__NR_rt_sigreturn
	svc	#0
	.cfi_endproc
	.size	__kernel_rt_sigreturn, . - __kernel_rt_sigreturn

	.section .note.GNU-stack, "", %progbits
