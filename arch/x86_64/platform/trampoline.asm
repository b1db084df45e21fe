; x86_64: where application processors start. The code is copied to a page below 1 MiB and entered there in real mode with
; cs = page / 16; so it finds its own data by offsets, and the page's linear address in trampoline_base.
;
; It goes through the early page tables, which map the page at its own address, into the kernel's text, and loads the final ones there.

%include "arch/x86_64/offsets.inc"

	global trampoline_start, trampoline_end, trampoline_base, trampoline_cr3
	global ap_boot_root, ap_boot_stack, ap_boot_cpu, ap_boot_nx
	extern smp_ap_start

	section .rodata align=16
	bits 16
%define OFF(x) (x - trampoline_start)
trampoline_start:
	cli
	cld
	mov ax, cs
	mov ds, ax
	mov ebx, [OFF(trampoline_base)]
	; The pointers below need the page's address.
	lea eax, [ebx + OFF(gdt)]
	mov [OFF(gdt_pointer) + 2], eax
	lea eax, [ebx + OFF(protected)]
	mov [OFF(far_protected)], eax
	o32 lgdt [OFF(gdt_pointer)]
	mov eax, cr0
	and eax, 0x9fffffff
	or al, 1
	mov cr0, eax
	jmp far dword [OFF(far_protected)]

	bits 32
protected:
	mov ax, 0x18
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov eax, 0x20		; PAE
	mov cr4, eax
	mov eax, [ebx + OFF(trampoline_cr3)]
	mov cr3, eax
	mov ecx, 0xc0000080
	rdmsr
	or eax, 0x100		; LME
	wrmsr
	mov eax, cr0
	or eax, 0x80000000
	mov cr0, eax
	lea eax, [ebx + OFF(long_mode)]
	mov [ebx + OFF(far_long)], eax
	jmp far dword [ebx + OFF(far_long)]

	bits 64
long_mode:
	mov rax, [rbx + OFF(entry_high)]
	jmp rax

	align 8
entry_high:	dq ap_entry
trampoline_base: dd 0
trampoline_cr3:	dd 0
far_protected:	dd 0
		dw 0x10
far_long:	dd 0
		dw 0x08
	align 8
gdt:
	dq 0, 0x00af9b000000ffff, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	dw 31
	dd 0, 0
trampoline_end:

	section .text
	bits 64
	default rel
; The first code of a further CPU at its final address; one CPU at a time gets here.
ap_entry:
	xor eax, eax
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov fs, eax
	mov gs, eax
	mov ecx, 0xc0000080
	rdmsr
	or eax, [ap_boot_nx]	; before tables with that bit are used
	wrmsr
	mov rax, [ap_boot_root]
	mov cr3, rax
	mov rsp, [ap_boot_stack]
	mov rdi, [ap_boot_cpu]
	mov rax, rdi
	mov rdx, rax
	shr rdx, 32
	mov ecx, 0xc0000101	; GS base
	wrmsr
	xor ebp, ebp
	call smp_ap_start
	ud2

	section .data align=8
ap_boot_root:	dq 0
ap_boot_stack:	dq 0
ap_boot_cpu:	dq 0
ap_boot_nx:	dd 0

	section .note.GNU-stack noalloc noexec nowrite progbits
