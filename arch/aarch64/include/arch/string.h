/*
 * aarch64: bulk moves for core/lib/string.c: pairs of registers, 64 bytes a round.
 */
#pragma once

#include "core/lib/types.h"

#define ARCH_BULK_MIN 128	/* bytes from which these pay */

static inline void arch_copy_words(void *dst, const void *src, size_t words)
{
	uint64_t a, b, c, d;

	for (; words >= 8; words -= 8)
		__asm__ volatile("ldp %2, %3, [%1], #16\n\tldp %4, %5, [%1], #16\n\t"
				 "stp %2, %3, [%0], #16\n\tstp %4, %5, [%0], #16\n\t"
				 "ldp %2, %3, [%1], #16\n\tldp %4, %5, [%1], #16\n\t"
				 "stp %2, %3, [%0], #16\n\tstp %4, %5, [%0], #16"
				 : "+&r"(dst), "+&r"(src), "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d) : : "memory");
	for (; words; words--)
		__asm__ volatile("ldr %2, [%1], #8\n\tstr %2, [%0], #8" : "+&r"(dst), "+&r"(src), "=&r"(a) : : "memory");
}

static inline void arch_fill_words(void *dst, uint64_t value, size_t words)
{
	for (; words >= 8; words -= 8)
		__asm__ volatile("stp %1, %1, [%0], #16\n\tstp %1, %1, [%0], #16\n\t"
				 "stp %1, %1, [%0], #16\n\tstp %1, %1, [%0], #16" : "+&r"(dst) : "r"(value) : "memory");
	for (; words; words--)
		__asm__ volatile("str %1, [%0], #8" : "+&r"(dst) : "r"(value) : "memory");
}
