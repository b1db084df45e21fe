/*
 * The end of the line, for broken invariants of the kernel's own only.
 */
#pragma once

#include "core/lib/types.h"

struct trap_frame;

/* Stops the other CPUs, prints the message and the backtraces of all, obeys panic=. Any context. */
void panic(const char *fmt, ...) __noreturn __printf(1, 2);
/* The same, with the registers and the backtrace of `frame` in place of the caller's. */
void panic_frame(const struct trap_frame *frame, const char *fmt, ...) __noreturn __printf(2, 3);
/* Prints the backtrace that starts at frame pointer `fp`. */
void backtrace_print(uintptr_t pc, uintptr_t fp);
/* Formats "name+0x12/0x34 [module]" or a bare address. Returns buf. */
const char *symbol_format(uintptr_t address, char *buf, size_t size);
/* Seconds until the restart: 0 halts for ever, negative restarts at once (panic=). */
extern long panic_timeout;
/* Called by the port on each other CPU that the panic stops, with that CPU's registers. */
void panic_cpu_stopped(const struct trap_frame *frame);

#define kassert(cond)                                                                              \
	do {                                                                                       \
		if (unlikely(!(cond)))                                                             \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond);           \
	} while (0)

#ifdef CONFIG_DEBUG
#define debug_assert(cond) kassert(cond)
#else
#define debug_assert(cond) ((void)sizeof(cond))
#endif
