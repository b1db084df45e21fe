/*
 * x86_64: the port's part of a thread. The first fields are known to arch/x86_64/entry.asm (offsets.inc).
 */
#pragma once

#include "core/lib/types.h"

struct thread;

struct arch_thread {
	uintptr_t sp;			/*  0: kernel stack pointer while it does not run */
	unsigned long canary;		/*  8: its stack canary while it does not run */
	uint32_t full_return;		/* 16: the frame was written to: restore every register */
	uint32_t fpu_cpu;		/* CPU whose registers hold its FPU state, + 1; 0: none */
	uintptr_t fs_base, gs_base;	/* user values while it does not run */
	uint64_t selectors;		/* and DS, ES, FS, GS of it, 16 bits each from the lowest on */
	void *fpu;			/* saved FPU state; null: kernel thread */
	unsigned long dr[4];		/* hardware breakpoints; active if dr7 is not 0 */
	uint32_t dr6, dr7;		/* bits that user code can have lie in the lower half */
};

/* The user's GS base (arch_prctl), setting it also takes the selector away; any thread that does not run, or the caller. */
void arch_thread_set_gs(struct thread *t, uintptr_t base);
uintptr_t arch_thread_gs(struct thread *t);
