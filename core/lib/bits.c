/*
 * Searches in bitmaps. No state; the caller locks.
 */
#include "core/lib/bits.h"

#include "core/module/export.h"

static unsigned int next_bit(const unsigned long *map, unsigned int bits, unsigned int from, unsigned long invert)
{
	while (from < bits) {
		unsigned long w = (READ_ONCE(map[from / BITS_PER_LONG]) ^ invert) >> (from % BITS_PER_LONG);

		if (w) {
			from += bit_lowest(w);
			return from < bits ? from : bits;
		}
		from = ALIGN_DOWN(from, BITS_PER_LONG) + BITS_PER_LONG;
	}
	return bits;
}

unsigned int bitmap_next_set(const unsigned long *map, unsigned int bits, unsigned int from)
{
	return next_bit(map, bits, from, 0);
}
KAPI(bitmap_next_set);

unsigned int bitmap_next_clear(const unsigned long *map, unsigned int bits, unsigned int from)
{
	return next_bit(map, bits, from, ~0ul);
}
KAPI(bitmap_next_clear);
