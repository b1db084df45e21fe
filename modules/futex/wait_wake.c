/*
 * Waiting and waking.
 *
 * Why no wake-up is lost. A waiter raises bucket->waiters (1), reads the word (2) and queues itself under the bucket's lock. A waker's
 * program changes the word (3), then the waker reads bucket->waiters (4). Between (1) and (2), and between (3) and (4), there is
 * a full barrier. So if (4) sees no waiter, (2) comes after (3) and the waiter finds the new value and returns. If (4) sees
 * one, the waker takes the lock: either the waiter is queued and is found, or it has not read the word yet and will see the new value.
 *
 * A wake-up wins over a timeout or a signal that comes at the same time: whoever finds itself taken off the queue returns 0.
 *
 * The word is read with faults disabled, since a spinlock is held; if it is not there, it is brought in without the lock and all begins anew.
 * Wake-ups are delivered after the lock is dropped.
 */
#include "internal.h"

/*
 * Wakes up to `count` waiters (at least one, as Linux) of a key in a locked bucket. -EINVAL: one of them waits for a
 * priority-inheriting word; those before it are woken all the same.
 */
static int wake_locked(struct futex_bucket *b, const struct futex_key *key, int count, uint32_t bitset, struct wake_list *wakes)
{
	struct futex_waiter *w, *next;
	int woken = 0;

	list_for_each_safe(w, next, &b->queue, link) {
		if (!futex_key_equal(&w->key, key))
			continue;
		if (unlikely(w->pi))
			return -EINVAL;
		if (!(w->bitset & bitset))
			continue;
		futex_mark_woken(w, wakes);
		if (++woken >= count)
			break;
	}
	return woken;
}

int futex_wake(uintptr_t uaddr, bool private_key, int count, uint32_t bitset)
{
	struct wake_list wakes;
	struct futex_bucket *b;
	struct futex_key key;
	int woken, error;

	if (!bitset)
		return -EINVAL;
	error = futex_key_get(uaddr, private_key, &key);
	if (error)
		return error;
	b = futex_bucket_of(&key);
	full_barrier();			/* between (3) and (4) */
	if (!READ_ONCE(b->waiters))
		return 0;
	wake_list_init(&wakes);
	spin_lock(&b->lock);
	if (unlikely(pi_state_find(b, &key)))
		woken = -EINVAL;
	else
		woken = wake_locked(b, &key, count, bitset, &wakes);
	spin_unlock(&b->lock);
	wake_list_deliver(&wakes);
	return woken;
}

/* FUTEX_WAKE_OP's operation and comparison, as futex(2) encodes them. */
static int apply_op(uint32_t encoded, uintptr_t uaddr, bool *hit)
{
	unsigned int op = (encoded >> 28) & 7, cmp = (encoded >> 24) & 15;
	int32_t oparg = (int32_t)(encoded << 8) >> 20, cmparg = (int32_t)(encoded << 20) >> 20;
	static const enum user_rmw rmw[] = { USER_SET, USER_ADD, USER_OR, USER_ANDN, USER_XOR };
	uint32_t old;
	int error;

	if (encoded & ((uint32_t)FUTEX_OP_OPARG_SHIFT << 28))
		oparg = (int32_t)(1u << (oparg & 31));
	if (op > FUTEX_OP_XOR)
		return -ENOSYS;
	error = user_rmw_u32(uaddr, rmw[op], (uint32_t)oparg, &old);
	if (error)
		return error;
	switch (cmp) {
	case FUTEX_OP_CMP_EQ: *hit = (int32_t)old == cmparg; return 0;
	case FUTEX_OP_CMP_NE: *hit = (int32_t)old != cmparg; return 0;
	case FUTEX_OP_CMP_LT: *hit = (int32_t)old < cmparg; return 0;
	case FUTEX_OP_CMP_LE: *hit = (int32_t)old <= cmparg; return 0;
	case FUTEX_OP_CMP_GT: *hit = (int32_t)old > cmparg; return 0;
	case FUTEX_OP_CMP_GE: *hit = (int32_t)old >= cmparg; return 0;
	}
	return -ENOSYS;
}

int futex_wake_op(uintptr_t uaddr1, uintptr_t uaddr2, bool private_key, int count1, int count2, uint32_t op)
{
	struct futex_key key1, key2;
	struct futex_bucket *b1, *b2;
	struct wake_list wakes;
	int woken = 0, error;
	bool hit = false;

	error = futex_key_get(uaddr1, private_key, &key1);
	if (!error)
		error = futex_key_get(uaddr2, private_key, &key2);
	if (error)
		return error;
	b1 = futex_bucket_of(&key1);
	b2 = futex_bucket_of(&key2);
	for (;;) {
		futex_lock_two(b1, b2);
		user_fault_disable();
		error = apply_op(op, uaddr2, &hit);
		user_fault_enable();
		if (!error)
			break;
		futex_unlock_two(b1, b2);
		if (error != -EFAULT)
			return error;
		error = fault_in_user(uaddr2, 4, true);
		if (error)
			return error;
	}
	wake_list_init(&wakes);
	woken = pi_state_find(b1, &key1) ? -EINVAL : wake_locked(b1, &key1, count1, FUTEX_BITSET_MATCH_ANY, &wakes);
	if (hit && woken >= 0) {
		error = pi_state_find(b2, &key2) ? -EINVAL :
			wake_locked(b2, &key2, count2, FUTEX_BITSET_MATCH_ANY, &wakes);
		woken = error < 0 ? error : woken + error;
	}
	futex_unlock_two(b1, b2);
	wake_list_deliver(&wakes);
	return woken;
}

int futex_enqueue(struct futex_waiter *w, uintptr_t uaddr, uint32_t value)
{
	struct futex_bucket *b = futex_bucket_of(&w->key);
	uint32_t now;
	int error;

	for (;;) {
		__atomic_fetch_add(&b->waiters, 1, __ATOMIC_SEQ_CST);	/* (1) and the barrier before (2) */
		spin_lock(&b->lock);
		user_fault_disable();
		error = user_load_u32(uaddr, &now);
		user_fault_enable();
		if (!error && now == value)
			break;
		spin_unlock(&b->lock);
		__atomic_fetch_sub(&b->waiters, 1, __ATOMIC_RELAXED);
		if (!error)
			return -EAGAIN;
		error = fault_in_user(uaddr, 4, false);
		if (error)
			return error;
	}
	w->bucket = b;
	w->thread = current;
	w->requeued = false;
	futex_queue_locked(b, w);
	wait_prepare(WAIT_INTERRUPTIBLE);
	spin_unlock(&b->lock);
	return 0;
}

bool futex_withdraw(struct futex_waiter *w)
{
	for (;;) {
		struct futex_bucket *b = load_acquire(&w->bucket);

		if (!b)
			return false;
		spin_lock(&b->lock);
		if (b == READ_ONCE(w->bucket)) {
			list_remove(&w->link);
			__atomic_fetch_sub(&b->waiters, 1, __ATOMIC_RELAXED);
			WRITE_ONCE(w->bucket, NULL);
			spin_unlock(&b->lock);
			return true;
		}
		spin_unlock(&b->lock);		/* requeued or woken meanwhile */
	}
}

int futex_wait(uintptr_t uaddr, bool private_key, uint32_t value, uint32_t bitset, struct wait_limit limit)
{
	struct futex_waiter w = { .bitset = bitset };
	int error;

	if (!bitset)
		return -EINVAL;
	error = futex_key_get(uaddr, private_key, &w.key);
	if (!error)
		error = futex_enqueue(&w, uaddr, value);
	if (error)
		return error;
	for (;;) {
		if (!load_acquire(&w.bucket)) {		/* pairs with futex_mark_woken */
			wait_finish();
			return 0;
		}
		error = wait_sleep_until(limit);
		if (error)
			break;
		wait_prepare(WAIT_INTERRUPTIBLE);
	}
	wait_finish();
	if (!futex_withdraw(&w))
		return 0;
	/* It cannot wait for its first word again: a wake-up for no reason, which futex(2) allows, lets the program look. */
	return error == -ERESTART_MODULE && w.requeued ? 0 : error;
}
