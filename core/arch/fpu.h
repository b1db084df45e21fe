/*
 * Contract of a port: the extended register state of user threads (x87/SSE/AVX, FP/SIMD). The kernel itself never uses it.
 */
#pragma once

#include "core/lib/types.h"

struct thread;

/* Bytes of the state in the layout that user space sees in signal frames (XSAVE standard format or FXSAVE; fpsimd). */
size_t arch_fpu_size(void);
/* Feature mask of that state (XCR0); 0 where the machine has only the legacy format. */
uint64_t arch_fpu_features(void);
/* Brings the current thread's registers into its saved area and returns it (arch_fpu_size bytes, stays valid until it runs user code). */
void *arch_fpu_sync(void);
/* Loads the current thread's registers from `area` (arch_fpu_size bytes, kernel memory), after removing what the CPU would refuse. */
void arch_fpu_load(const void *area);
/* Puts the current thread's registers into their initial state. */
void arch_fpu_reset(void);
