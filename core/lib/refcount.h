/*
 * Reference counts that saturate instead of wrapping: an overflow leaks the object, it never frees one in use.
 */
#pragma once

#include "core/lib/types.h"

#define REFCOUNT_SATURATED 0xc0000000u

struct refcount {
	unsigned int value;
};

static inline void refcount_init(struct refcount *r, unsigned int value) { WRITE_ONCE(r->value, value); }
static inline unsigned int refcount_read(const struct refcount *r) { return READ_ONCE(r->value); }

/* The caller holds a reference already. */
static inline void refcount_get(struct refcount *r)
{
	if (unlikely(__atomic_add_fetch(&r->value, 1, __ATOMIC_RELAXED) >= 0x80000000u))
		WRITE_ONCE(r->value, REFCOUNT_SATURATED);
}

/* For look-ups under RCU: false if the object is already dying. */
static inline bool refcount_get_unless_zero(struct refcount *r)
{
	unsigned int old = READ_ONCE(r->value);

	do {
		if (old == 0)
			return false;
		if (old >= 0x80000000u)
			return true;
	} while (!__atomic_compare_exchange_n(&r->value, &old, old + 1, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return true;
}

/* Drops a reference unless it is the last: false then, and the caller drops it under the lock that look-ups take. */
static inline bool refcount_put_unless_last(struct refcount *r)
{
	unsigned int old = READ_ONCE(r->value);

	do {
		if (old == 1)
			return false;
		if (unlikely(old >= 0x80000000u))
			return true;
	} while (!__atomic_compare_exchange_n(&r->value, &old, old - 1, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	return true;
}

/* True if this was the last reference: the caller frees. Release on the way down, acquire at zero. */
static inline bool refcount_put(struct refcount *r)
{
	unsigned int now;

	if (unlikely(READ_ONCE(r->value) >= 0x80000000u))
		return false;
	now = __atomic_sub_fetch(&r->value, 1, __ATOMIC_ACQ_REL);
	return now == 0;
}
