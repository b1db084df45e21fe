/*
 * aarch64: the port's part of a thread. The first fields are known to assembly (offsets.h) and to the compiler (canary).
 */
#pragma once

#include "core/lib/types.h"

struct thread;

/* FP and SIMD registers, in the order of struct fpsimd_context behind its head. */
struct fpsimd_state {
	uint32_t fpsr, fpcr;
	uint64_t v[64];			/* 32 registers of 128 bits */
};

/* Keys for signing pointers of user code: instruction A and B, data A and B, generic. */
struct pointer_keys {
	uint64_t word[10];
};

struct arch_thread {
	uintptr_t sp;			/*  0: kernel stack pointer while it does not run */
	unsigned long canary;		/*  8: its stack canary */
	uint32_t fpu_cpu;		/* 16: CPU whose registers hold its FP state, + 1; 0: none */
	int preempt_count;		/* 20: valid while it runs */
	uintptr_t tls;			/* TPIDR_EL0 while it does not run */
	void *fpu;			/* struct fpsimd_state; null: kernel thread */
	struct pointer_keys keys;
};
