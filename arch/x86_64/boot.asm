; x86_64: the first instructions. Two loaders find their entries here: multiboot2 (GRUB) by the header, PVH (qemu -kernel and
; small hypervisors) by the Xen note. Both enter in 32-bit protected mode without paging, at the physical addresses that this
; part is linked to; boot_relocate() gives the image its place; from boot_start64 on, everything runs there.
;
; The early page tables map the first 4 GiB by pages of 2 MiB twice, at their own addresses and in the direct map, and the image;
; boot_relocate() chooses the places of the latter two. arch_boot_early() replaces them; application processors pass through them once more.

%include "arch/x86_64/offsets.inc"

	extern boot_start, boot_relocate, boot_cpu, boot_stack_top
	global boot_entry_multiboot2, boot_entry_pvh, boot_pml4, boot_pdpt_direct, boot_pd, boot_pd_high

PHYS equ -KERNEL_IMAGE_BASE

	section .boot.header progbits alloc exec nowrite align=8
header:
	dd 0xe85250d6, 0, header_end - header, -(0xe85250d6 + 0 + (header_end - header)) & 0xffffffff
	; Framebuffer wanted, not required.
	align 8
	dw 5, 1
	dd 20, 1024, 768, 32
	; Modules on page boundaries.
	align 8
	dw 6, 1
	dd 8
	align 8
	dw 0, 0
	dd 8
header_end:

	section .note.Xen progbits alloc noexec nowrite align=4
	dd 4, 8, 18		; XEN_ELFNOTE_PHYS32_ENTRY
	db "Xen", 0
	dq boot_entry_pvh

	section .boot.text progbits alloc exec nowrite align=16
	bits 32
boot_entry_multiboot2:
	mov esi, 1
	cmp eax, 0x36d76289
	je boot_32
	xor esi, esi
	jmp boot_32
boot_entry_pvh:
	mov esi, 2
boot_32:
	cli
	cld
	mov edi, ebx
	mov esp, boot_stack_top + PHYS

	mov eax, 0x80000000
	cpuid
	cmp eax, 0x80000001
	jb no_long_mode
	mov eax, 0x80000001
	cpuid
	bt edx, 29
	jnc no_long_mode

	mov eax, 0x83		; present, write, large
	xor edx, edx
	mov ecx, boot_pd + PHYS
.fill:
	mov [ecx], eax
	mov dword [ecx + 4], 0
	add ecx, 8
	add eax, 0x200000
	inc edx
	cmp edx, 2048
	jb .fill

	mov ecx, boot_pdpt + PHYS
	mov eax, boot_pd + PHYS + 3
	mov [ecx], eax
	add eax, 0x1000
	mov [ecx + 8], eax
	add eax, 0x1000
	mov [ecx + 16], eax
	add eax, 0x1000
	mov [ecx + 24], eax
	mov ecx, boot_pdpt_high + PHYS
	mov eax, boot_pd_high + PHYS + 3
	mov [ecx + 510 * 8], eax
	mov ecx, boot_pml4 + PHYS
	mov eax, boot_pdpt + PHYS + 3
	mov [ecx], eax
	mov eax, boot_pdpt_high + PHYS + 3
	mov [ecx + 511 * 8], eax

	mov eax, 0x20		; PAE; not LA57
	mov cr4, eax
	mov eax, boot_pml4 + PHYS
	mov cr3, eax
	mov ecx, 0xc0000080
	rdmsr
	or eax, 0x100		; LME
	wrmsr
	mov eax, cr0
	and eax, 0x9fffffff	; caches on
	or eax, 0x80000001
	mov cr0, eax
	lgdt [boot_gdt_pointer]
	jmp 0x08:boot_64

no_long_mode:
	mov esi, no_long_mode_text
	mov edi, 0xb8000
	mov dx, 0x3f8
	mov ah, 0x4f
.next:
	lodsb
	test al, al
	jz .stop
	stosw
	out dx, al
	jmp .next
.stop:
	hlt
	jmp .stop
no_long_mode_text:
	db "Mortise needs a 64-bit processor.", 0

	bits 64
boot_64:
	mov esp, boot_stack_top + PHYS
	mov ebx, edi		; the information
	mov ebp, esi		; the loader
	xchg edi, esi
	call boot_relocate
	mov edi, ebp
	mov esi, ebx
	add rax, boot_start64
	jmp rax

	align 8
boot_gdt:
	dq 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
	dw 23
	dq boot_gdt

	section .text
	bits 64
	default rel
boot_start64:
	xor eax, eax
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov fs, eax
	mov gs, eax
	lea rsp, [boot_stack_top]
	lea rax, [boot_cpu]
	mov rdx, rax
	shr rdx, 32
	mov ecx, 0xc0000101	; GS base
	wrmsr
	xor ebp, ebp
	call boot_start		; (loader, information)
	ud2

	section .bss align=4096
	alignb 4096
boot_pml4:	resb 4096
boot_pdpt:	resb 4096
boot_pdpt_direct: resb 4096
boot_pdpt_high:	resb 4096
boot_pd:	resb 4 * 4096
boot_pd_high:	resb 4096

	section .note.GNU-stack noalloc noexec nowrite progbits
