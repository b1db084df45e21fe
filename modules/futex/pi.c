/*
 * Locking and unlocking of priority-inheriting words.
 *
 * A free word is taken, and a word without waiters is given back, by user space itself; the kernel is called when the exchange failed. An unlock
 * with waiters hands the lock over: the word names the new owner before anybody is woken, so nobody comes in between. The
 * contended bit stays set while there is a pi_state, so every unlock comes here meanwhile.
 */
#include "internal.h"

int futex_lock_pi(uintptr_t uaddr, bool private_key, struct wait_limit limit, bool only_try)
{
	enum pi_outcome outcome = PI_QUEUED;
	struct pi_call c;
	int error = pi_call_init(&c, uaddr, private_key);

	while (!error) {
		spin_lock(&c.bucket->lock);
		error = pi_take_or_queue(&c, current, uaddr, false, only_try, &c.spare, &outcome);
		spin_unlock(&c.bucket->lock);
		if (!error)
			break;
		if (error == -EAGAIN)
			error = wait_interrupted(WAIT_KILLABLE);
		else if (error == -EFAULT)
			error = fault_in_user(uaddr, 4, true);
	}
	if (!error && outcome == PI_QUEUED)
		error = pi_wait_and_leave(&c, uaddr, limit);
	pi_call_free_spare(&c);
	return error == -EBUSY ? -EAGAIN : error;
}

/* The lock goes to the first waiter. The bucket is locked. As pi_take_or_queue, -EAGAIN and -EFAULT ask for another attempt. */
static int hand_over(struct pi_state *s, struct pi_waiter *next, uintptr_t uaddr, uint32_t word, struct wake_list *wakes)
{
	uint32_t seen, tid = (uint32_t)service(process)->thread_tid(next->thread);
	int error = pi_exchange_word(uaddr, word, FUTEX_WAITERS | tid, &seen);

	if (error)
		return error;
	if (seen != word)	/* a waiter has just set the contended bit, or the program is wrong */
		return (seen & FUTEX_TID_MASK) == word ? -EAGAIN : -EINVAL;
	s->owner_tid = tid;
	pi_mutex_grant(&s->mutex, next, wakes);
	return 0;
}

/* One attempt, under the bucket's lock. */
static int unlock_locked(struct futex_bucket *b, const struct futex_key *key, uintptr_t uaddr, uint32_t word,
			 bool *again, struct wake_list *wakes)
{
	struct pi_state *s = pi_state_find(b, key);
	struct pi_waiter *next;
	uint32_t seen;
	int error;

	if (s) {
		if (READ_ONCE(s->mutex.owner) != current)
			return -EINVAL;
		next = pi_mutex_first(&s->mutex);
		if (next) {
			error = hand_over(s, next, uaddr, word, wakes);
			*again = error == -EAGAIN;
			return error;
		}
	} else if (futex_has_plain_waiter(b, key)) {
		return -EINVAL;
	}
	error = pi_exchange_word(uaddr, word, 0, &seen);
	return error ? error : seen == word ? 0 : -EAGAIN;
}

int futex_unlock_pi(uintptr_t uaddr, bool private_key)
{
	uint32_t word, tid = (uint32_t)service(process)->tid();
	struct futex_bucket *b;
	struct wake_list wakes;
	struct futex_key key;
	bool again;
	int error;

	wake_list_init(&wakes);
	do {
		again = false;
		if (user_load_u32(uaddr, &word))
			return -EFAULT;
		if ((word & FUTEX_TID_MASK) != tid)
			return -EPERM;
		error = futex_key_get(uaddr, private_key, &key);
		if (error)
			return error;
		b = futex_bucket_of(&key);
		preempt_disable();	/* the lent priority goes before the wake-up is delivered */
		spin_lock(&b->lock);
		error = unlock_locked(b, &key, uaddr, word, &again, &wakes);
		spin_unlock(&b->lock);
		wake_list_deliver(&wakes);
		preempt_enable();
		if (error == -EFAULT) {
			error = fault_in_user(uaddr, 4, true);
			again = !error;
		}
	} while (again);
	return error;
}
