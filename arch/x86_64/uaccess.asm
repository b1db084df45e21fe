; x86_64: accesses to user memory. The caller has checked the range. Each instruction that may fault has an entry in the
; exception table; the page-fault handler jumps to its fixup if the fault cannot be resolved.
;
; Copies move blocks of 64 bytes through registers, long ones by the string instructions. If one faults for good, the rest is
; copied byte by byte up to the faulting byte, so the count of bytes left is exact.

%include "arch/x86_64/offsets.inc"

	bits 64
	default rel

	section .text
	global arch_uaccess_copy_in, arch_uaccess_copy_out, arch_uaccess_clear, arch_uaccess_copy_string
	global x86_uaccess_xsave, x86_uaccess_xrstor, x86_uaccess_fxsave
	global arch_uaccess_load, arch_uaccess_store, arch_uaccess_cmpxchg_u32, arch_uaccess_rmw_u32

EFAULT equ 14
FPU_SOFTWARE equ 464		; struct _fpx_sw_bytes in the state of a signal frame
FPU_MAGIC1 equ 0x46505853
FPU_MAGIC2 equ 0x46505845
BULK_MIN equ 256		; bytes from which the string instructions pay

; One move of a copy: both sides carry the exception entry, since either may be the user's.
%macro MOVE 3			; register, offset, fixup
	EX %3
	mov %1, [rsi + %2]
	EX %3
	mov [rdi + %2], %1
%endmacro

; size_t arch_uaccess_copy_in(void *dst, uintptr_t src, size_t n), copy_out(uintptr_t dst, const void *src, size_t n)
	align 32
arch_uaccess_copy_in:
arch_uaccess_copy_out:
	SMAP_STAC
	cmp rdx, 64
	jb .tail
	cmp rdx, BULK_MIN
	jb .block
	mov rcx, rdx
	shr rcx, 3
	and edx, 7
	EX .bulk
	rep movsq
	jmp .tail
.bulk:				; rcx words are left, and rdx bytes
	lea rdx, [rdx + rcx * 8]
	jmp .bytes
.block:
	EX .bytes
	mov rax, [rsi]
	EX .bytes
	mov rcx, [rsi + 8]
	EX .bytes
	mov r8, [rsi + 16]
	EX .bytes
	mov r9, [rsi + 24]
	EX .bytes
	mov [rdi], rax
	EX .bytes
	mov [rdi + 8], rcx
	EX .bytes
	mov [rdi + 16], r8
	EX .bytes
	mov [rdi + 24], r9
	EX .bytes
	mov rax, [rsi + 32]
	EX .bytes
	mov rcx, [rsi + 40]
	EX .bytes
	mov r8, [rsi + 48]
	EX .bytes
	mov r9, [rsi + 56]
	EX .bytes
	mov [rdi + 32], rax
	EX .bytes
	mov [rdi + 40], rcx
	EX .bytes
	mov [rdi + 48], r8
	EX .bytes
	mov [rdi + 56], r9
	add rsi, 64
	add rdi, 64
	sub rdx, 64
	cmp rdx, 64
	jae .block
.tail:
	test dl, 32
	jz .t16
	MOVE rax, 0, .bytes
	MOVE rcx, 8, .bytes
	MOVE r8, 16, .bytes
	MOVE r9, 24, .bytes
	add rsi, 32
	add rdi, 32
	sub rdx, 32
.t16:
	test dl, 16
	jz .t8
	MOVE rax, 0, .bytes
	MOVE rcx, 8, .bytes
	add rsi, 16
	add rdi, 16
	sub rdx, 16
.t8:
	test dl, 8
	jz .t4
	MOVE rax, 0, .bytes
	add rsi, 8
	add rdi, 8
	sub rdx, 8
.t4:
	test dl, 4
	jz .t2
	MOVE eax, 0, .bytes
	add rsi, 4
	add rdi, 4
	sub rdx, 4
.t2:
	test dl, 2
	jz .t1
	MOVE ax, 0, .bytes
	add rsi, 2
	add rdi, 2
	sub rdx, 2
.t1:
	test dl, 1
	jz .done
	MOVE al, 0, .done
	dec rdx
.done:
	SMAP_CLAC
	mov rax, rdx
	ret
.bytes:
	MOVE al, 0, .done
	inc rsi
	inc rdi
	dec rdx
	jnz .bytes
	jmp .done

; size_t arch_uaccess_clear(uintptr_t dst, size_t n)
	align 16
arch_uaccess_clear:
	SMAP_STAC
	xor eax, eax
	cmp rsi, BULK_MIN
	jb .block
	mov rcx, rsi
	shr rcx, 3
	and esi, 7
	EX .bulk
	rep stosq
	jmp .tail
.bulk:
	lea rsi, [rsi + rcx * 8]
	jmp .bytes
.block:
	cmp rsi, 64
	jb .tail
%assign offset 0
%rep 8
	EX .bytes
	mov [rdi + offset], rax
  %assign offset offset + 8
%endrep
	add rdi, 64
	sub rsi, 64
	jmp .block
.tail:
	cmp rsi, 8
	jb .bytes
	EX .bytes
	mov [rdi], rax
	add rdi, 8
	sub rsi, 8
	jmp .tail
.bytes:
	test rsi, rsi
	jz .done
	EX .done
	mov [rdi], al
	inc rdi
	dec rsi
	jmp .bytes
.done:
	SMAP_CLAC
	mov rax, rsi
	ret

; long arch_uaccess_copy_string(char *dst, uintptr_t src, size_t size)
; Eight bytes at once while the source word cannot cross a page more than the string may, which alignment guarantees.
	align 16
arch_uaccess_copy_string:
	SMAP_STAC
	mov r10, rdx
	mov r8, 0x0101010101010101
	mov r9, 0x8080808080808080
.align:
	test rdx, rdx
	jz .full
	test sil, 7
	jz .words
	EX .fault
	mov al, [rsi]
	mov [rdi], al
	test al, al
	jz .found
	inc rsi
	inc rdi
	dec rdx
	jmp .align
.words:
	cmp rdx, 8
	jb .bytes
	EX .fault
	mov rax, [rsi]
	mov rcx, rax
	mov r11, rax
	sub rcx, r8
	not r11
	and rcx, r11
	test rcx, r9
	jnz .bytes
	mov [rdi], rax
	add rsi, 8
	add rdi, 8
	sub rdx, 8
	jmp .words
.bytes:
	test rdx, rdx
	jz .full
	EX .fault
	mov al, [rsi]
	mov [rdi], al
	test al, al
	jz .found
	inc rsi
	inc rdi
	dec rdx
	jmp .bytes
.found:
	SMAP_CLAC
	mov rax, r10
	sub rax, rdx
	ret
.full:
	SMAP_CLAC
	mov rax, r10
	ret
.fault:
	SMAP_CLAC
	mov rax, -EFAULT
	ret

; int arch_uaccess_load(uintptr_t src, unsigned int size, uint64_t *out)
	align 16
arch_uaccess_load:
	SMAP_STAC
	cmp esi, 4
	jne .not4
	EX user_fault
	mov eax, [rdi]
.store:
	SMAP_CLAC
	mov [rdx], rax
	xor eax, eax
	ret
.not4:
	ja .is8
	EX user_fault
	movzx eax, byte [rdi]
	jmp .store
.is8:
	EX user_fault
	mov rax, [rdi]
	jmp .store

; int arch_uaccess_store(uintptr_t dst, unsigned int size, uint64_t v)
	align 16
arch_uaccess_store:
	SMAP_STAC
	cmp esi, 4
	jne .not4
	EX user_fault
	mov [rdi], edx
.done:
	SMAP_CLAC
	xor eax, eax
	ret
.not4:
	ja .is8
	EX user_fault
	mov [rdi], dl
	jmp .done
.is8:
	EX user_fault
	mov [rdi], rdx
	jmp .done

user_fault:
	SMAP_CLAC
	mov eax, -EFAULT
	ret

; int arch_uaccess_cmpxchg_u32(uintptr_t dst, uint32_t expected, uint32_t desired, uint32_t *old)
	align 16
arch_uaccess_cmpxchg_u32:
	SMAP_STAC
	mov eax, esi
	EX user_fault
	lock cmpxchg [rdi], edx
	SMAP_CLAC
	mov [rcx], eax
	xor eax, eax
	ret

; int arch_uaccess_rmw_u32(uintptr_t dst, enum user_rmw op, uint32_t operand, uint32_t *old)
; op: 0 set, 1 add, 2 or, 3 and-not, 4 xor (asserted in mmu.c)
	align 16
arch_uaccess_rmw_u32:
	SMAP_STAC
	EX user_fault
	mov eax, [rdi]
.again:
	mov r8d, edx
	cmp esi, 1
	jb .exchange
	ja .not_add
	add r8d, eax
	jmp .exchange
.not_add:
	cmp esi, 3
	jb .or
	je .andn
	xor r8d, eax
	jmp .exchange
.or:
	or r8d, eax
	jmp .exchange
.andn:
	not r8d
	and r8d, eax
.exchange:
	EX user_fault
	lock cmpxchg [rdi], r8d
	jne .again
	SMAP_CLAC
	mov [rcx], eax
	xor eax, eax
	ret

; int x86_uaccess_xsave(uintptr_t at, uint64_t features, const uint64_t *software, size_t size)
; The state with the six words that are software's and the second magic word behind it. XSAVE keeps what it finds in the header, which
; must hold no garbage.
	align 16
x86_uaccess_xsave:
	SMAP_STAC
	mov r8, rdx
	xor eax, eax
%assign offset 512
%rep 8
	EX fpu_fault
	mov [rdi + offset], rax
  %assign offset offset + 8
%endrep
%assign offset 0
%rep 6
	mov rax, [r8 + offset]
	EX fpu_fault
	mov [rdi + FPU_SOFTWARE + offset], rax
  %assign offset offset + 8
%endrep
	EX fpu_fault
	mov dword [rdi + rcx], FPU_MAGIC2
	mov eax, esi
	mov rdx, rsi
	shr rdx, 32
	EX fpu_fault
	xsave64 [rdi]
	SMAP_CLAC
	xor eax, eax
	ret

; int x86_uaccess_xrstor(uintptr_t at, uint64_t features, size_t size): 1 if it is not a whole state as above.
	align 16
x86_uaccess_xrstor:
	SMAP_STAC
	lea eax, [rdx + 4]
	shl rax, 32
	or rax, FPU_MAGIC1
	EX fpu_fault
	cmp [rdi + FPU_SOFTWARE], rax
	jne .foreign
	EX fpu_fault
	cmp [rdi + FPU_SOFTWARE + 8], rsi
	jne .foreign
	EX fpu_fault
	cmp [rdi + FPU_SOFTWARE + 16], edx
	jne .foreign
	EX fpu_fault
	cmp dword [rdi + rdx], FPU_MAGIC2
	jne .foreign
	mov eax, esi
	mov rdx, rsi
	shr rdx, 32
	EX fpu_fault
	xrstor64 [rdi]
	SMAP_CLAC
	xor eax, eax
	ret
.foreign:
	SMAP_CLAC
	mov eax, 1
	ret

fpu_fault:
	SMAP_CLAC
	mov rax, -EFAULT
	ret

; int x86_uaccess_fxsave(uintptr_t at): the legacy state.
	align 16
x86_uaccess_fxsave:
	SMAP_STAC
	EX fpu_fault
	fxsave64 [rdi]
	SMAP_CLAC
	xor eax, eax
	ret

	section .note.GNU-stack noalloc noexec nowrite progbits
