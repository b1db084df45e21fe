/*
 * Waiting for one of several words: futex_waitv(2).
 *
 * All words are queued one after the other; if one does not have its value, or one of those queued is woken meanwhile, the others
 * are withdrawn. The index of a woken one is the result.
 */
#include "internal.h"

#include <gen/futex.h>

#include "core/mem/slab.h"

#define WAITV_MAX 128

struct waitv_entry {
	struct futex_waiter w;
	uintptr_t uaddr;
	uint32_t value;
	bool queued;
};

static int load_entry(uintptr_t from, struct waitv_entry *e)
{
	struct futex_waitv v;
	int error;

	if (copy_from_user(&v, from, sizeof(v)))
		return -EFAULT;
	if ((v.flags & ~(uint32_t)(FUTEX_32 | FUTEX_PRIVATE_FLAG)) || v.__reserved || (v.flags & 3) != FUTEX_32)
		return -EINVAL;
	if ((uint32_t)v.val != v.val)
		return -EINVAL;
	e->uaddr = v.uaddr;
	e->value = (uint32_t)v.val;
	e->w.bitset = FUTEX_BITSET_MATCH_ANY;
	error = futex_key_get(v.uaddr, v.flags & FUTEX_PRIVATE_FLAG, &e->w.key);
	return error;
}

/* Withdraws all; the index of one that was woken, or -1. */
static int withdraw_all(struct waitv_entry *e, unsigned int count)
{
	int woken = -1;

	for (unsigned int i = 0; i < count; i++)
		if (e[i].queued) {
			e[i].queued = false;
			if (!futex_withdraw(&e[i].w))
				woken = (int)i;
		}
	return woken;
}

static bool any_woken(const struct waitv_entry *e, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (!load_acquire(&e[i].w.bucket))
			return true;
	return false;
}

static int wait_multiple(struct waitv_entry *e, unsigned int count, struct wait_limit limit)
{
	int error, woken;

	for (unsigned int i = 0; i < count; i++) {
		error = futex_enqueue(&e[i].w, e[i].uaddr, e[i].value);
		if (error) {
			wait_finish();
			woken = withdraw_all(e, count);
			return woken >= 0 ? woken : error;
		}
		e[i].queued = true;
	}
	for (;;) {
		wait_prepare(WAIT_INTERRUPTIBLE);
		if (any_woken(e, count)) {
			error = 0;
			break;
		}
		error = wait_sleep_until(limit);
		if (error)
			break;
	}
	wait_finish();
	woken = withdraw_all(e, count);
	for (unsigned int i = 0; woken < 0 && error == -ERESTART_MODULE && i < count; i++)
		if (e[i].w.requeued)
			woken = (int)i;		/* as futex_wait */
	return woken >= 0 ? woken : error;
}

long sys_futex_waitv(struct uin_futex_waitv waiters, uint32_t count, uint32_t flags, struct uin_timespec timeout, int32_t clock)
{
	struct waitv_entry *e;
	struct wait_limit limit;
	int error = 0, result;

	if (flags || !count || count > WAITV_MAX || !waiters.addr)
		return -EINVAL;
	if (timeout.addr && clock != 0 && clock != 1)
		return -EINVAL;
	error = futex_deadline(timeout.addr, false, clock == 0, &limit);
	if (error)
		return error;
	e = kmalloc_array(count, sizeof(*e), ALLOC_ZERO);
	if (!e)
		return -ENOMEM;
	for (unsigned int i = 0; i < count && !error; i++)
		error = load_entry(waiters.addr + i * sizeof(struct futex_waitv), &e[i]);
	result = error ? error : wait_multiple(e, count, limit);
	kfree(e);
	return result == -EINTR ? -ERESTARTSYS : result;
}
