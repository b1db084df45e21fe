; x86_64: user code for the test core/trap/ktest_user.c: position-independent, copied to a user page. It ends by system call 1021 with
; a status: 0, or the number of the check that failed. Call 1020 returns 0x1234; rdi tells its handler what to do meanwhile.

	bits 64
	default rel
	section .rodata align=16
	global ktest_user_start, ktest_user_end

%define CALL_CHECK 1020
%define CALL_DONE  1021

%macro FILL 0
	mov rbx, 0xb1b1b1b1b1b1b1b1
	mov rbp, 0xb2b2b2b2b2b2b2b2
	mov r12, 0x1212121212121212
	mov r13, 0x1313131313131313
	mov r14, 0x1414141414141414
	mov r15, 0x1515151515151515
	mov rsi, 0x5151515151515151
	mov rdx, 0xd0d0d0d0d0d0d0d0
	mov r8, 0x0808080808080808
	mov r9, 0x0909090909090909
	mov r10, 0x1010101010101010
%endmacro

%macro SAME 2			; register, value
	mov rcx, %2
	cmp %1, rcx
	jne near fail
%endmacro

%macro CHECK 0
	SAME rbx, 0xb1b1b1b1b1b1b1b1
	SAME rbp, 0xb2b2b2b2b2b2b2b2
	SAME r12, 0x1212121212121212
	SAME r13, 0x1313131313131313
	SAME r14, 0x1414141414141414
	SAME r15, 0x1515151515151515
	SAME rsi, 0x5151515151515151
	SAME rdx, 0xd0d0d0d0d0d0d0d0
	SAME r8, 0x0808080808080808
	SAME r9, 0x0909090909090909
	SAME r10, 0x1010101010101010
%endmacro

ktest_user_start:
	mov [rsp - 8], rsp
	; Each kind of return: plain, all registers, with a switch in between.
%assign kind 0
%rep 3
	mov qword [rsp - 16], 1 + kind
	FILL
	mov eax, CALL_CHECK
	mov edi, kind
	syscall
	cmp rax, 0x1234
	jne near fail
	cmp edi, kind
	jne near fail
	cmp rsp, [rsp - 8]
	jne near fail
	CHECK
  %assign kind kind + 1
%endrep
	; Interrupts while vector registers and flags are in use, some 20 million steps.
	mov qword [rsp - 16], 10
	FILL
	mov rax, 0x0123456789abcdef
	movq xmm3, rax
	movq xmm15, rax
	mov edi, 5000000
	stc
.spin:
	dec edi			; leaves CF alone
	jnz .spin
	jnc near fail
	movq rcx, xmm3
	cmp rcx, rax
	jne near fail
	movq rcx, xmm15
	cmp rcx, rax
	jne near fail
	CHECK
	; The cost of a call: counter differences over 64 of them.
	mov qword [rsp - 16], 11
	rdtsc
	shl rdx, 32
	lea r12, [rax + rdx]
	mov ebx, 64
.calls:
	mov eax, CALL_CHECK
	mov edi, 0
	syscall
	dec ebx
	jnz .calls
	rdtsc
	shl rdx, 32
	lea rsi, [rax + rdx]
	sub rsi, r12
	xor edi, edi
	mov eax, CALL_DONE
	syscall
fail:
	mov rdi, [rsp - 16]
	xor esi, esi
	mov eax, CALL_DONE
	syscall
	ud2
ktest_user_end:

	section .note.GNU-stack noalloc noexec nowrite progbits
