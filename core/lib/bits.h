/*
 * Bit searches and bitmaps of unsigned longs. The caller locks, except where a name says atomic.
 */
#pragma once

#include "core/lib/types.h"

#define BITS_PER_LONG 64
#define BITMAP_LONGS(bits) DIV_UP((bits), BITS_PER_LONG)

/* Undefined for 0, as the instructions are. */
static inline unsigned int bit_lowest(unsigned long x) { return (unsigned int)__builtin_ctzl(x); }
static inline unsigned int bit_highest(unsigned long x) { return 63u - (unsigned int)__builtin_clzl(x); }

static inline bool bitmap_test(const unsigned long *map, unsigned int bit)
{
	return (READ_ONCE(map[bit / BITS_PER_LONG]) >> (bit % BITS_PER_LONG)) & 1;
}

static inline void bitmap_set(unsigned long *map, unsigned int bit)
{
	map[bit / BITS_PER_LONG] |= 1ul << (bit % BITS_PER_LONG);
}

static inline void bitmap_clear(unsigned long *map, unsigned int bit)
{
	map[bit / BITS_PER_LONG] &= ~(1ul << (bit % BITS_PER_LONG));
}

static inline void bitmap_set_atomic(unsigned long *map, unsigned int bit)
{
	__atomic_fetch_or(&map[bit / BITS_PER_LONG], 1ul << (bit % BITS_PER_LONG), __ATOMIC_SEQ_CST);
}

static inline void bitmap_clear_atomic(unsigned long *map, unsigned int bit)
{
	__atomic_fetch_and(&map[bit / BITS_PER_LONG], ~(1ul << (bit % BITS_PER_LONG)), __ATOMIC_SEQ_CST);
}

/* First set (clear) bit at or after `from`; `bits` if there is none. */
unsigned int bitmap_next_set(const unsigned long *map, unsigned int bits, unsigned int from);
unsigned int bitmap_next_clear(const unsigned long *map, unsigned int bits, unsigned int from);

/* A set of CPUs. */
#define CPU_MAX 64
struct cpu_set {
	unsigned long bits[BITMAP_LONGS(CPU_MAX)];
};
