/* Bulk moves on the build machine: plain loops. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ARCH_BULK_MIN 256

static inline void arch_copy_words(void *dst, const void *src, size_t words)
{
	__builtin_memmove(dst, src, words * 8);
}

static inline void arch_fill_words(void *dst, uint64_t value, size_t words)
{
	for (char *d = dst; words; words--, d += 8)
		__builtin_memcpy(d, &value, 8);
}
