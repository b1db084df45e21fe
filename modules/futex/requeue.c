/*
 * Requeue: some waiters of one word are woken, others wait for a second word from now on.
 *
 * Both buckets are locked, in the order of their addresses; the count of waiters goes with each one that moves.
 */
#include "internal.h"

static void move(struct futex_waiter *w, struct futex_bucket *from, struct futex_bucket *to, const struct futex_key *key)
{
	w->key = *key;
	w->requeued = true;
	if (from == to)
		return;
	list_remove(&w->link);
	__atomic_fetch_sub(&from->waiters, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&to->waiters, 1, __ATOMIC_SEQ_CST);
	list_add_tail(&to->queue, &w->link);
	store_release(&w->bucket, to);
}

/* One pass under the locks. Returns waiters woken and moved; sets *more if the batch of wake-ups was full. */
static int pass(struct futex_bucket *b1, struct futex_bucket *b2, const struct futex_key *key1, const struct futex_key *key2,
		int *wake, int *requeue, struct futex_wakes *wakes, bool *more)
{
	struct futex_waiter *w, *next;
	int done = 0;

	*more = false;
	list_for_each_safe(w, next, &b1->queue, link) {
		if (!*wake && !*requeue)
			break;
		if (!futex_key_equal(&w->key, key1))
			continue;
		if (*wake) {
			if (wakes->count == FUTEX_WAKE_BATCH) {
				*more = true;
				break;
			}
			futex_mark_woken(w, wakes);
			(*wake)--;
		} else {
			move(w, b1, b2, key2);
			(*requeue)--;
		}
		done++;
	}
	return done;
}

int futex_requeue(uintptr_t uaddr1, bool private1, uintptr_t uaddr2, bool private2, int wake, int requeue,
		  const uint32_t *expected)
{
	struct futex_wakes wakes = { .count = 0 };
	struct futex_key key1, key2;
	struct futex_bucket *b1, *b2;
	bool more = false, compared = false;
	int done = 0, error;

	if (wake < 0 || requeue < 0)
		return -EINVAL;
	error = futex_key_get(uaddr1, private1, &key1);
	if (!error)
		error = futex_key_get(uaddr2, private2, &key2);
	if (error)
		return error;
	b1 = futex_bucket_of(&key1);
	b2 = futex_bucket_of(&key2);
	do {
		uint32_t now = 0;

		futex_lock_two(b1, b2);
		if (expected && !compared) {
			user_fault_disable();
			error = user_load_u32(uaddr1, &now);
			user_fault_enable();
			if (error || now != *expected) {
				futex_unlock_two(b1, b2);
				if (!error)
					return -EAGAIN;
				error = fault_in_user(uaddr1, 4, false);
				if (error)
					return error;
				more = true;
				continue;
			}
			compared = true;
		}
		if (futex_key_equal(&key1, &key2))
			requeue = 0;		/* they wait there already */
		done += pass(b1, b2, &key1, &key2, &wake, &requeue, &wakes, &more);
		futex_unlock_two(b1, b2);
		futex_deliver(&wakes);
	} while (more);
	return done;
}
