/*
 * x86_64: the registers saved at entry, in the order of Linux's struct pt_regs, and the inline part of core/arch/trap.h.
 *
 * The system-call entry reloads only what a call clobbers. So whoever writes other registers than the result into the
 * frame from within a system-call handler calls arch_trap_sanitize() afterwards, which makes the exit restore all.
 */
#pragma once

#include "core/lib/types.h"

#define X86_KERNEL_CS 0x10
#define X86_KERNEL_SS 0x18
#define X86_USER_SS   0x2b
#define X86_USER_CS   0x33

struct trap_frame {
	unsigned long r15, r14, r13, r12, rbp, rbx;
	unsigned long r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	long orig_rax;			/* system-call number; -1 for other entries */
	unsigned long rip, cs, rflags, rsp, ss;
};

static __always_inline unsigned long arch_syscall_arg(const struct trap_frame *f, unsigned int i)
{
	switch (i) {
	case 0: return f->rdi;
	case 1: return f->rsi;
	case 2: return f->rdx;
	case 3: return f->r10;
	case 4: return f->r8;
	default: return f->r9;
	}
}

/* Linux looks at the low 32 bits of the number only. */
static inline long arch_syscall_number(const struct trap_frame *f)
{
	int nr = (int)f->orig_rax;

	return nr < 0 ? -1 : nr;
}

static inline void arch_syscall_set_number(struct trap_frame *f, long nr) { f->orig_rax = nr; }
static inline long arch_syscall_result(const struct trap_frame *f) { return (long)f->rax; }
static inline void arch_syscall_set_result(struct trap_frame *f, long v) { f->rax = (unsigned long)v; }

/* Back to before the two bytes of SYSCALL, with the number in rax again. */
static inline void arch_syscall_rewind(struct trap_frame *f)
{
	f->rax = (unsigned long)f->orig_rax;
	f->rip -= 2;
}

static inline bool arch_frame_is_user(const struct trap_frame *f) { return (f->cs & 3) != 0; }
static inline uintptr_t arch_frame_pc(const struct trap_frame *f) { return f->rip; }
static inline uintptr_t arch_frame_sp(const struct trap_frame *f) { return f->rsp; }
static inline uintptr_t arch_frame_fp(const struct trap_frame *f) { return f->rbp; }
static inline void arch_frame_set_pc(struct trap_frame *f, uintptr_t v) { f->rip = v; }
static inline void arch_frame_set_sp(struct trap_frame *f, uintptr_t v) { f->rsp = v; }
