; x86_64: entry to the kernel and return to user mode.
;
; System calls build a struct trap_frame at the top of the thread's kernel stack. On the way back they reload only what
; C functions and CLEAR_USER_REGISTERS clobber, unless thread.arch.full_return says that a handler wrote to the frame, or there is exit work: then the
; full path restores every register by IRETQ. rbx holds the current thread across the call.
;
; All other entries come through a short piece of code that leaves the vector in edi and join trap_common. GS is swapped if the saved
; CS is user's. NMI, #DB, #MC and #DF may arrive where CS says kernel but GS is still user's, so they run on stacks of their own
; (IST), find the CPU's block in the word above that stack, and put the former GS base back (trap_paranoid).
;
; With page-table isolation (pti.c) user mode runs on tables that map this file's code, the interrupt table and the stacks of entry,
; and little else of the kernel. The ways in and out below PTI replace the plain ones: the boot puts a jump over the first five bytes
; of each place that PTI_PATCH names.
;
; Every path that leads to user mode tests work and need_resched with interrupts off, and keeps them off until it is there.

%include "arch/x86_64/offsets.inc"

	bits 64
	default rel

	extern syscall_table, syscall_absent, syscall_traced
	extern trap_handle, trap_exit_work, sched_finish_switch, sched_kernel_entry
	global syscall_entry, syscall_entry_pti, syscall_entry_compat, trap_stubs, return_user, iret_user
	global thread_entry_kernel, thread_entry_user, trap_kernel_returns

%macro PUSH_AFTER_RDI 0
	push rsi
	push rdx
	push rcx
	push rax
	push r8
	push r9
	push r10
	push r11
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
%endmacro

%macro POP_TO_RDI 0
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	pop r11
	pop r10
	pop r9
	pop r8
	pop rax
	pop rcx
	pop rdx
	pop rsi
%endmacro

%macro POP_ALL 0
	POP_TO_RDI
	pop rdi
	add rsp, 8		; orig_rax
%endmacro

; Values of the user's that no code of the kernel's has chosen do not stay in registers, where a
; mispredicted path could use them. With mitigations=off the code between BEGIN and END is jumped over.
%macro MITIGATION_BEGIN 0
%push mitigation
%$from:
%endmacro
%macro MITIGATION_END 0
	[section .mitigation_patch progbits alloc noexec nowrite align=8]
	dq %$from, %%to
	__?SECT?__
%%to:
%pop
%endmacro

%macro CLEAR_USER_REGISTERS 0
	xor r8d, r8d
	xor r9d, r9d
	xor r10d, r10d
	xor r11d, r11d
	xor r12d, r12d
	xor r13d, r13d
	xor r14d, r14d
	xor r15d, r15d
%endmacro

%macro PTI_PATCH 1		; code that takes this place's
%%here:
	[section .pti_patch progbits alloc noexec nowrite align=8]
	dq %%here, %1
	__?SECT?__
%endmacro

%macro KERNEL_TABLES 1		; clobbers a register and the flags
	mov %1, cr3
	and %1, ~PTI_USER_ROOT
	mov cr3, %1
%endmacro

%macro USER_TABLES 1
	mov %1, cr3
	or %1, PTI_USER_ROOT
	mov cr3, %1
%endmacro

	section .text.entry progbits alloc exec nowrite align=64

	align 64
syscall_entry:
	swapgs
	mov [gs:abs CPU_USER_STACK], rsp
	mov rsp, [gs:abs CPU_KERNEL_STACK]
	push USER_SS
	push qword [gs:abs CPU_USER_STACK]
syscall_on_stack:
	push r11
	push USER_CS
	push rcx
	push rax		; orig_rax
	push rdi
	push rsi
	push rdx
	push rcx
	push -38		; rax: -ENOSYS, for tracers
	push r8
	push r9
	push r10
	push r11
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	mov rdi, rsp
	sub rsp, 8		; alignment
	mov rbx, [gs:abs CPU_THREAD]
	xor ebp, ebp		; backtraces end here
	MITIGATION_BEGIN
	CLEAR_USER_REGISTERS
	xor esi, esi
	xor edx, edx
	MITIGATION_END
	mov eax, eax
	sti
	test byte [rbx + THREAD_WORK], WORK_TRACE
	jnz .traced
	cmp eax, SYSCALL_TABLE_SIZE
	jae .absent
	sbb ecx, ecx		; all ones; zero for what is fetched past a mispredicted jump
	and eax, ecx
	call [abs syscall_table + rax * 8]
.exit:
	cli
	cmp dword [rbx + THREAD_WORK], 0
	jne .work
	cmp dword [gs:abs CPU_NEED_RESCHED], 0
	jne .work
	cmp dword [rbx + THREAD_FULL_RETURN], 0
	jne .full
	mov rdi, [rsp + 8 + FRAME_RDI]
	mov rsi, [rsp + 8 + FRAME_RSI]
	mov rdx, [rsp + 8 + FRAME_RDX]
	mov r10, [rsp + 8 + FRAME_R10]
	mov r8, [rsp + 8 + FRAME_R8]
	mov r9, [rsp + 8 + FRAME_R9]
	MITIGATION_BEGIN
	mov r12, [rsp + 8 + FRAME_R12]
	mov r13, [rsp + 8 + FRAME_R13]
	mov r14, [rsp + 8 + FRAME_R14]
	mov r15, [rsp + 8 + FRAME_R15]
	MITIGATION_END
	mov rbp, [rsp + 8 + FRAME_RBP]
	mov rbx, [rsp + 8 + FRAME_RBX]
	PTI_PATCH pti_sysret
	mov r11, [rsp + 8 + FRAME_RFLAGS]
	mov rcx, [rsp + 8 + FRAME_RIP]
	mov rsp, [rsp + 8 + FRAME_RSP]
	swapgs
	o64 sysret
.traced:
	call syscall_traced
	jmp .exit
.absent:
	call syscall_absent
	jmp .exit
.work:
	mov [rsp + 8 + FRAME_RAX], rax
	lea rdi, [rsp + 8]
	call trap_exit_work
	add rsp, 8
	jmp return_user
.full:
	mov [rsp + 8 + FRAME_RAX], rax
	add rsp, 8
	jmp return_user

; SYSCALL from compatibility mode, which no descriptor of ours allows: never reached.
syscall_entry_compat:
	mov eax, -38
	o64 sysret

; rsp = frame, interrupts off, no work left.
return_user:
	mov rbx, [gs:abs CPU_THREAD]
	mov dword [rbx + THREAD_FULL_RETURN], 0
	PTI_PATCH pti_return_user
	POP_ALL
	swapgs
iret_user:
	iretq			; a #GP here is taken for the user's: see trap_common

; First code of a new thread, from thread_switch_stacks: rax = the thread that ran before. A user thread's rsp = frame.
thread_entry_kernel:
	mov rdi, rax
	call sched_finish_switch
	call sched_kernel_entry
	ud2

thread_entry_user:
	mov rdi, rax
	sub rsp, 8
	call sched_finish_switch
	add rsp, 8
trap_return:
	cli
	mov rbx, [gs:abs CPU_THREAD]
	cmp dword [rbx + THREAD_WORK], 0
	jne .work
	cmp dword [gs:abs CPU_NEED_RESCHED], 0
	je return_user
.work:
	mov rdi, rsp
	sub rsp, 8
	call trap_exit_work
	add rsp, 8
	jmp return_user

	global thread_enter_frame
; rdi = frame on the current thread's kernel stack; goes to user mode through the exit work.
thread_enter_frame:
	mov rsp, rdi
	jmp trap_return

; The frame below rdi, and the arguments of trap_handle: frame, vector, error code.
%macro TRAP_FRAME 0
	PUSH_AFTER_RDI
	SMAP_CLAC
	cld
	mov esi, edi
	mov rdi, rsp
	mov rdx, [rsp + FRAME_ORIG_RAX]
	mov qword [rsp + FRAME_ORIG_RAX], -1
%endmacro

	align 16
trap_common:
	PTI_PATCH pti_trap
	TRAP_FRAME
	test byte [rsp + FRAME_CS], 3
	jz trap_from_kernel
	swapgs
trap_from_user:
	xor ebp, ebp
	MITIGATION_BEGIN
	CLEAR_USER_REGISTERS
	xor ecx, ecx
	xor ebx, ebx
	MITIGATION_END
	sub rsp, 8
	call trap_handle
	add rsp, 8
	jmp trap_return

trap_from_kernel:
	lea rax, [iret_user]
	cmp [rsp + FRAME_RIP], rax
	je trap_bad_iret
	sub rsp, 8
	call trap_handle
trap_kernel_returns:
	add rsp, 8
	POP_ALL
	iretq

; IRETQ refused the user's frame, after SWAPGS: makes it look as if the instruction there had faulted. The registers saved here are
; the user's; they move up to just below the frame that IRETQ was given. Interrupts cannot come from there: they were off.
trap_bad_iret:
	swapgs
	mov rdi, [rsp + FRAME_RSP]
	sub rdi, FRAME_RIP
	mov ecx, FRAME_RIP / 8
.move:
	mov rax, [rsp + rcx * 8 - 8]
	mov [rdi + rcx * 8 - 8], rax
	dec ecx
	jnz .move
	mov rsp, rdi
	jmp trap_from_user

; The CPU may come from anywhere. With %1, the tables may be the user's, and are put back.
%macro PARANOID 1
%if %1
	PUSH_AFTER_RDI
	mov r15, cr3
	mov rax, r15
	and rax, ~PTI_USER_ROOT
	mov cr3, rax
	SMAP_CLAC
	cld
	mov esi, edi
	mov rdi, rsp
	mov rdx, [rsp + FRAME_ORIG_RAX]
	mov qword [rsp + FRAME_ORIG_RAX], -1
%else
	TRAP_FRAME
%endif
	test byte [rsp + FRAME_CS], 3
	jz %%from_kernel
	swapgs
	cmp esi, 1
	je debug_from_user
	xor ebp, ebp
	MITIGATION_BEGIN
	CLEAR_USER_REGISTERS
	xor ecx, ecx
	xor ebx, ebx
	MITIGATION_END
	sub rsp, 8
	call trap_handle
	add rsp, 8
%if %1
	USER_TABLES rax		; they map this stack, too
%endif
	POP_ALL
	swapgs
	iretq

%%from_kernel:
	mov r14, rdx
	mov ecx, 0xc0000101	; GS base
	rdmsr
	mov r12d, eax
	mov r13d, edx
	mov rax, [rsp + FRAME_SIZE]	; the word above the stack: this CPU's block
	mov rdx, rax
	shr rdx, 32
	wrmsr
	mov rdx, r14
	sub rsp, 8
	call trap_handle
	add rsp, 8
	mov ecx, 0xc0000101
	mov eax, r12d
	mov edx, r13d
	wrmsr
%if %1
	mov cr3, r15
%endif
	POP_ALL
	iretq
%endmacro

	align 16
trap_paranoid:
	PTI_PATCH pti_paranoid
	PARANOID 0

pti_paranoid:
	PARANOID 1

; #DB of user code goes on as any other fault, on the thread's stack.
debug_from_user:
	mov rdi, [gs:abs CPU_KERNEL_STACK]
	sub rdi, FRAME_SIZE
	mov ecx, FRAME_SIZE / 8
.move:
	mov rax, [rsp + rcx * 8 - 8]
	mov [rdi + rcx * 8 - 8], rax
	dec ecx
	jnz .move
	mov rsp, rdi
	jmp trap_from_user

; PTI: the ways in.

	align 64
syscall_entry_pti:
	swapgs
	mov [gs:abs LEAD_USER_STACK], rsp
	KERNEL_TABLES rsp
	mov rsp, [gs:abs CPU_KERNEL_STACK]
	push USER_SS
	push qword [gs:abs LEAD_USER_STACK]
	jmp syscall_on_stack

; On the entry stack if the trap came from user mode: rdi, error code, rip, cs, rflags, rsp, ss.
pti_trap:
	test byte [rsp + 24], 3
	jz .from_kernel
	swapgs
	push rax
	KERNEL_TABLES rax
	mov rax, rsp
	mov rsp, [gs:abs CPU_KERNEL_STACK]
%assign offset 56
%rep 7
	push qword [rax + offset]
  %assign offset offset - 8
%endrep
	mov rax, [rax]
.user_frame:
	TRAP_FRAME
	jmp trap_from_user

.from_kernel:
	cmp qword [rsp + 16], pti_iret_user
	je .bad_iret
	TRAP_FRAME
	jmp trap_from_kernel

; IRETQ refused the user's frame, on the entry stack, with the user's GS and tables: what trap_bad_iret says holds here, too.
.bad_iret:
	swapgs
	push rax
	push rdx
	KERNEL_TABLES rax
	mov rax, rsp		; rdx, rax, rdi, error code, rip, cs, rflags, rsp
	mov rdx, [rax + 56]	; the frame that IRETQ was given
	mov rsp, [gs:abs CPU_KERNEL_STACK]
%assign offset 32
%rep 5
	push qword [rdx + offset]
  %assign offset offset - 8
%endrep
	push qword [rax + 24]
	push qword [rax + 16]
	mov rdx, [rax]
	mov rax, [rax + 8]
	jmp .user_frame

; PTI: the ways out. The last instructions run on the user's tables, so what they need is in registers or on what both tables map.

pti_sysret:
	mov r11, [rsp + 8 + FRAME_RFLAGS]
	mov rcx, [rsp + 8 + FRAME_RIP]
	mov rsp, [rsp + 8 + FRAME_RSP]
	mov [gs:abs LEAD_SCRATCH], rcx
	USER_TABLES rcx
	mov rcx, [gs:abs LEAD_SCRATCH]
	swapgs
	o64 sysret

pti_return_user:
	POP_TO_RDI
	mov rdi, rsp		; rdi, orig_rax, rip, cs, rflags, rsp, ss
	mov rsp, [gs:abs LEAD_ENTRY_STACK]
%assign offset 48
%rep 5
	push qword [rdi + offset]
  %assign offset offset - 8
%endrep
	push qword [rdi]
	USER_TABLES rdi
	pop rdi
	swapgs
pti_iret_user:
	iretq

%macro STUB 3			; vector, has an error code, target
	align 16
stub_%1:
%if %2 == 0
	push 0
%endif
	push rdi
	mov edi, %1
	jmp %3
%endmacro

%assign vector 0
%rep 256
  %if vector == 8
	STUB vector, 1, trap_paranoid
  %elif vector == 1 || vector == 2 || vector == 18
	STUB vector, 0, trap_paranoid
  %elif vector == 10 || vector == 11 || vector == 12 || vector == 13 || vector == 14 || vector == 17 || vector == 21 || vector == 29 || vector == 30
	STUB vector, 1, trap_common
  %else
	STUB vector, 0, trap_common
  %endif
  %assign vector vector + 1
%endrep

	section .rodata align=8
trap_stubs:
%assign vector 0
%rep 256
	dq stub_ %+ vector
  %assign vector vector + 1
%endrep

	section .note.GNU-stack noalloc noexec nowrite progbits
