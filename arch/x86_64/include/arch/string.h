/*
 * x86_64: bulk moves for core/lib/string.c. The string instructions move whole cache lines on processors of today, and count one
 * step a word under emulation; their start costs some thirty cycles, so short moves are better made by single instructions.
 */
#pragma once

#include "core/lib/types.h"

#define ARCH_BULK_MIN 256	/* bytes from which these pay */

static inline void arch_copy_words(void *dst, const void *src, size_t words)
{
	__asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(words) : : "memory");
}

static inline void arch_fill_words(void *dst, uint64_t value, size_t words)
{
	__asm__ volatile("rep stosq" : "+D"(dst), "+c"(words) : "a"(value) : "memory");
}
