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
	futex_queue_locked(to, w);
	store_release(&w->bucket, to);
}

/* Wakes the first `wake` waiters and moves `requeue` of the rest. Both buckets are locked. */
static int wake_and_move(struct futex_bucket *b1, struct futex_bucket *b2, const struct futex_key *key1,
			 const struct futex_key *key2, int wake, int requeue, struct wake_list *wakes)
{
	struct futex_waiter *w, *next;
	int done = 0;

	list_for_each_safe(w, next, &b1->queue, link) {
		if (!wake && !requeue)
			break;
		if (!futex_key_equal(&w->key, key1))
			continue;
		if (w->pi)
			return -EINVAL;		/* only FUTEX_CMP_REQUEUE_PI moves it */
		if (wake) {
			futex_mark_woken(w, wakes);
			wake--;
		} else {
			move(w, b1, b2, key2);
			requeue--;
		}
		done++;
	}
	return done;
}

int futex_requeue(uintptr_t uaddr1, bool private1, uintptr_t uaddr2, bool private2, int wake, int requeue,
		  const uint32_t *expected)
{
	struct futex_key key1, key2;
	struct futex_bucket *b1, *b2;
	struct wake_list wakes;
	uint32_t now = 0;
	int done, error;

	if (wake < 0 || requeue < 0)
		return -EINVAL;
	error = futex_key_get(uaddr1, private1, &key1);
	if (!error)
		error = futex_key_get(uaddr2, private2, &key2);
	if (error)
		return error;
	b1 = futex_bucket_of(&key1);
	b2 = futex_bucket_of(&key2);
	for (;;) {
		futex_lock_two(b1, b2);
		if (!expected)
			break;
		user_fault_disable();
		error = user_load_u32(uaddr1, &now);
		user_fault_enable();
		if (!error && now == *expected)
			break;
		futex_unlock_two(b1, b2);
		if (!error)
			return -EAGAIN;
		error = fault_in_user(uaddr1, 4, false);
		if (error)
			return error;
	}
	if (futex_key_equal(&key1, &key2))
		requeue = 0;			/* they wait there already */
	wake_list_init(&wakes);
	if ((wake || requeue) && pi_state_find(b1, &key1))
		done = -EINVAL;
	else
		done = wake_and_move(b1, b2, &key1, &key2, wake, requeue, &wakes);
	futex_unlock_two(b1, b2);
	wake_list_deliver(&wakes);
	return done;
}
