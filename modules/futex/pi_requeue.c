/*
 * Condition variables with a priority-inheriting mutex: waiters of a plain word (uaddr1) are moved to a priority-inheriting one (uaddr2), which
 * each of them named when it began to wait, or get it at once if it is free.
 *
 * The sleeper's waiter is in the queue of the plain word's bucket until w->bucket is null; then either its pi_call refers to the state of
 * the second word, in whose mutex it is queued, or it owns the second word. Both are decided under both buckets' locks, so a
 * sleeper that finds itself still queued under the first lock belongs to nobody else.
 */
#include "internal.h"

#include "core/mem/slab.h"

/* Ends a wait that ended before it was requeued. */
static int wait_first(struct futex_waiter *w, struct wait_limit limit)
{
	int error;

	for (;;) {
		if (!load_acquire(&w->bucket)) {	/* pairs with leave_plain_queue */
			wait_finish();
			return 0;
		}
		error = wait_sleep_until(limit);
		if (error)
			break;
		wait_prepare(WAIT_INTERRUPTIBLE);
	}
	wait_finish();
	return futex_withdraw(w) ? error : 0;
}

int futex_wait_requeue_pi(uintptr_t uaddr1, uintptr_t uaddr2, bool private_key, uint32_t value, struct wait_limit limit)
{
	struct pi_call c = { .state = NULL };
	struct futex_waiter w = { .bitset = FUTEX_BITSET_MATCH_ANY, .pi = &c };
	int error;

	if (uaddr1 == uaddr2)
		return -EINVAL;
	error = futex_key_get(uaddr2, private_key, &c.key);
	if (!error)
		error = futex_key_get(uaddr1, private_key, &w.key);
	if (error)
		return error;
	c.bucket = futex_bucket_of(&c.key);
	error = futex_enqueue(&w, uaddr1, value);
	if (error)
		return error;
	if (futex_key_equal(&w.key, &c.key)) {		/* nobody requeues to the same word */
		wait_finish();
		futex_withdraw(&w);
		return -EINVAL;
	}
	error = wait_first(&w, limit);
	if (error || !c.state)
		return error;
	error = pi_wait_and_leave(&c, uaddr2, limit);
	/* The first word has changed: executing the call again could only find that out. */
	return error == -EINTR || error == -ERESTART_MODULE ? -EAGAIN : error;
}

struct requeue_pi {
	struct futex_key key1, key2;
	struct futex_bucket *b1, *b2;
	uintptr_t uaddr2;
	struct pi_state *spare;
	struct wake_list wakes;
	int limit;			/* waiters that may be served besides the first */
	int done;
	bool set_waiters;
};

/* The waiter's wait for the first word is over. */
static void leave_plain_queue(struct futex_waiter *w, struct futex_bucket *b, bool wake, struct wake_list *wakes)
{
	if (wake) {
		futex_mark_woken(w, wakes);
		return;
	}
	list_remove(&w->link);
	__atomic_fetch_sub(&b->waiters, 1, __ATOMIC_RELAXED);
	store_release(&w->bucket, NULL);
}

/* Both buckets are locked. 0: enough; else as pi_take_or_queue: what was done until then stays. */
static int move_waiters(struct requeue_pi *r)
{
	struct futex_waiter *w, *next;
	enum pi_outcome outcome;
	int error;

	list_for_each_safe(w, next, &r->b1->queue, link) {
		if (!futex_key_equal(&w->key, &r->key1))
			continue;
		if (r->done > r->limit)
			break;
		if (!w->pi || !futex_key_equal(&w->pi->key, &r->key2))
			return -EINVAL;
		error = pi_take_or_queue(w->pi, w->thread, r->uaddr2, r->set_waiters, false, &r->spare, &outcome);
		if (error)
			return error;
		leave_plain_queue(w, r->b1, outcome == PI_TAKEN, &r->wakes);
		r->done++;
	}
	return 0;
}

/* The first word must have its value when the first waiter is looked at. */
static int check_first(uintptr_t uaddr1, uint32_t expected)
{
	uint32_t now;
	int error = pi_load_word(uaddr1, &now);

	return error ? error : now == expected ? 0 : -EAGAIN;
}

static int requeue(struct requeue_pi *r, uintptr_t uaddr1, uint32_t expected)
{
	int error;

	for (;;) {
		bool first;

		if (!r->spare)		/* used up before a fault interrupted us */
			r->spare = kmalloc(sizeof(*r->spare), 0);
		if (!r->spare)
			return -ENOMEM;
		preempt_disable();
		futex_lock_two(r->b1, r->b2);
		error = r->done ? 0 : check_first(uaddr1, expected);
		first = error != 0;
		if (!error)
			error = pi_state_find(r->b1, &r->key1) ? -EINVAL : move_waiters(r);
		futex_unlock_two(r->b1, r->b2);
		wake_list_deliver(&r->wakes);
		preempt_enable();
		if (error == -EAGAIN && !first)
			error = wait_interrupted(WAIT_KILLABLE);
		else if (error == -EFAULT)
			error = fault_in_user(first ? uaddr1 : r->uaddr2, 4, !first);
		else
			return error;
		if (error)
			return error;
	}
}

int futex_cmp_requeue_pi(uintptr_t uaddr1, uintptr_t uaddr2, bool private_key, int wake, int requeue_max, uint32_t expected)
{
	struct requeue_pi r = { .uaddr2 = uaddr2, .limit = requeue_max, .set_waiters = requeue_max != 0 };
	struct pi_call memory;
	int error;

	if (wake < 0 || requeue_max < 0 || uaddr1 == uaddr2 || wake != 1)
		return -EINVAL;
	error = futex_key_get(uaddr1, private_key, &r.key1);
	if (!error)
		error = pi_call_init(&memory, uaddr2, private_key);
	if (error)
		return error;
	r.key2 = memory.key;
	r.spare = memory.spare;
	r.b1 = futex_bucket_of(&r.key1);
	r.b2 = memory.bucket;
	wake_list_init(&r.wakes);
	error = futex_key_equal(&r.key1, &r.key2) ? -EINVAL : requeue(&r, uaddr1, expected);
	memory.spare = r.spare;
	pi_call_free_spare(&memory);
	return error ? error : r.done;
}
