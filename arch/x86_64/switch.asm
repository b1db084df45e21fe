; x86_64: the change of stacks between two threads. What a call preserves is on the stack; the rest is in thread.c.

%include "arch/x86_64/offsets.inc"

	bits 64
	default rel

	section .text
	global thread_switch_stacks

; struct thread *thread_switch_stacks(uintptr_t *save_sp, uintptr_t next_sp, struct thread *prev)
; Returns prev on the stack of next: rdx and rax go over with the registers.
	align 16
thread_switch_stacks:
	push rbp
	mov rbp, rsp		; frame for backtraces of sleeping threads
	push rbx
	push r12
	push r13
	push r14
	push r15
	mov [rdi], rsp
	mov rsp, rsi
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbx
	pop rbp
	mov rax, rdx
	ret

	section .note.GNU-stack noalloc noexec nowrite progbits
