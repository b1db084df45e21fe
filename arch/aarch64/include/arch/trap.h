/*
 * aarch64: the registers saved at entry, and the inline part of core/arch/trap.h.
 *
 * The first 34 words are Linux's struct user_pt_regs. Every return to user mode restores all of them.
 */
#pragma once

#include "core/lib/types.h"

struct trap_frame {
	unsigned long x[31];
	unsigned long sp, pc, pstate;
	unsigned long orig_x0;		/* first argument of a system call; x[0] becomes its result */
	long number;			/* system-call number; -1 for other entries */
};

#define PSTATE_MODE_MASK 0x1ful		/* with the bit that says AArch32 */
#define PSTATE_EL0       0x00ul
#define PSTATE_EL1H      0x05ul
#define PSTATE_F         0x040ul
#define PSTATE_I         0x080ul
#define PSTATE_A         0x100ul
#define PSTATE_D         0x200ul
#define PSTATE_BTYPE     0xc00ul
#define PSTATE_SSBS      0x1000ul
#define PSTATE_SS        0x200000ul
#define PSTATE_PAN       0x400000ul
#define PSTATE_FLAGS     0xf0000000ul

static __always_inline unsigned long arch_syscall_arg(const struct trap_frame *f, unsigned int i)
{
	return i ? f->x[i] : f->orig_x0;
}

static inline long arch_syscall_number(const struct trap_frame *f) { return f->number < 0 ? -1 : f->number; }

static inline void arch_syscall_set_number(struct trap_frame *f, long nr)
{
	f->number = nr;
	if (nr >= 0)
		f->x[8] = (unsigned long)nr;
}

static inline long arch_syscall_result(const struct trap_frame *f) { return (long)f->x[0]; }
static inline void arch_syscall_set_result(struct trap_frame *f, long v) { f->x[0] = (unsigned long)v; }

/* Back to the SVC instruction, with the first argument in place again. */
static inline void arch_syscall_rewind(struct trap_frame *f)
{
	f->x[0] = f->orig_x0;
	f->pc -= 4;
}

static inline bool arch_frame_is_user(const struct trap_frame *f) { return (f->pstate & 0xf) == PSTATE_EL0; }
static inline uintptr_t arch_frame_pc(const struct trap_frame *f) { return f->pc; }
static inline uintptr_t arch_frame_sp(const struct trap_frame *f) { return f->sp; }
static inline uintptr_t arch_frame_fp(const struct trap_frame *f) { return f->x[29]; }
static inline void arch_frame_set_pc(struct trap_frame *f, uintptr_t v) { f->pc = v; }
static inline void arch_frame_set_sp(struct trap_frame *f, uintptr_t v) { f->sp = v; }
