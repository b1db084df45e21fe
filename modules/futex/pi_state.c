/*
 * Contended priority-inheriting words.
 *
 * The word says who owns the lock, but user space can write anything to it. What the kernel does follows its own state: a pi_state
 * exists while calls wait, its mutex names the owner and orders the waiters. The word is compared with that, and a
 * mismatch fails the call; it never changes who owns the mutex.
 *
 * Invariants, under the bucket's lock: a word has a pi_state exactly while pi_calls refer to it (`calls`); each of them is queued in its
 * mutex, or was granted it and is on its way out. The mutex's owner changes by unlock (the owner itself, with this lock) or by the owner's
 * end (core/sync/pi_mutex.c, without it), which marks the mutex abandoned: then the word still names the dead owner or nobody until the new
 * one, in its own context, has written it. If that store faults the new owner stays owner for the kernel and the call fails.
 *
 * Lock order: bucket, then pi_lock inside pi_mutex_*. The word is accessed with faults disabled.
 */
#include "internal.h"

#include "core/mem/slab.h"

int pi_load_word(uintptr_t uaddr, uint32_t *word)
{
	int error;

	user_fault_disable();
	error = user_load_u32(uaddr, word);
	user_fault_enable();
	return error;
}

int pi_exchange_word(uintptr_t uaddr, uint32_t expected, uint32_t desired, uint32_t *seen)
{
	int error;

	user_fault_disable();
	error = user_cmpxchg_u32(uaddr, expected, desired, seen);
	user_fault_enable();
	return error;
}

static uint32_t tid_of(struct thread *t)
{
	return (uint32_t)service(process)->thread_tid(t);
}

struct pi_state *pi_state_find(struct futex_bucket *b, const struct futex_key *key)
{
	struct pi_state *s;

	list_for_each(s, &b->pi_states, link)
		if (futex_key_equal(&s->key, key))
			return s;
	return NULL;
}

bool futex_has_plain_waiter(struct futex_bucket *b, const struct futex_key *key)
{
	struct futex_waiter *w;

	list_for_each(w, &b->queue, link)
		if (futex_key_equal(&w->key, key))
			return true;
	return false;
}

int pi_call_init(struct pi_call *c, uintptr_t uaddr, bool private_key)
{
	int error = futex_key_get(uaddr, private_key, &c->key);

	c->state = NULL;
	c->spare = NULL;
	if (error)
		return error;
	c->bucket = futex_bucket_of(&c->key);
	c->spare = kmalloc(sizeof(*c->spare), 0);
	return c->spare ? 0 : -ENOMEM;
}

void pi_call_free_spare(struct pi_call *c)
{
	kfree(c->spare);
	c->spare = NULL;
}

/*
 * Does the word say what the state says? The owner's end may change the word, `abandoned` and the owner at any time, in this order, and
 * the thread that was owner then has no number any more: it is not asked, the state knows what the word was.
 */
static int check_word(const struct pi_state *s, uint32_t word)
{
	uint32_t tid = word & FUTEX_TID_MASK;

	if (READ_ONCE(s->mutex.abandoned))
		return 0;
	if ((word & FUTEX_OWNER_DIED) && !tid)
		return 0;			/* the owner is about to end */
	return tid == s->owner_tid ? 0 : -EINVAL;
}

/* Exchange for those who will come back: -EAGAIN if the word changed. */
static int try_exchange(uintptr_t uaddr, uint32_t expected, uint32_t desired)
{
	uint32_t seen;
	int error = pi_exchange_word(uaddr, expected, desired, &seen);

	return error ? error : seen == expected ? 0 : -EAGAIN;
}

/* The owner cannot be found, or has passed its end: then it may have changed the word. */
static int owner_gone(uintptr_t uaddr, uint32_t word)
{
	uint32_t now;
	int error = pi_load_word(uaddr, &now);

	return error ? error : now == word ? -ESRCH : -EAGAIN;
}

static int queue_call(struct pi_call *c, struct pi_state *s, struct thread *t)
{
	int error = pi_mutex_enqueue(&s->mutex, &c->waiter, t);

	if (error)
		return error;
	s->calls++;
	c->state = s;
	__atomic_fetch_add(&c->bucket->waiters, 1, __ATOMIC_SEQ_CST);	/* wakers look at it before they lock */
	return 0;
}

/* Makes the state of a word that is locked by the thread it names. */
static int make_state(struct pi_call *c, struct thread *t, uintptr_t uaddr, uint32_t word, bool only_try,
		      struct pi_state **spare)
{
	struct thread *owner = service(process)->thread_find((int)(word & FUTEX_TID_MASK));
	struct pi_state *s = *spare;
	int error;

	if (!owner)
		return owner_gone(uaddr, word);
	if (only_try) {
		error = READ_ONCE(owner->pi_exited) ? owner_gone(uaddr, word) : -EBUSY;
	} else {
		pi_mutex_init(&s->mutex, owner);
		s->key = c->key;
		s->owner_tid = word & FUTEX_TID_MASK;
		s->calls = 0;
		error = queue_call(c, s, t);
		if (!error) {
			list_add_tail(&c->bucket->pi_states, &s->link);
			*spare = NULL;
		} else if (error == -ESRCH) {
			error = owner_gone(uaddr, word);
		}
	}
	thread_put(owner);
	return error;
}

int pi_take_or_queue(struct pi_call *c, struct thread *t, uintptr_t uaddr, bool set_waiters, bool only_try,
		     struct pi_state **spare, enum pi_outcome *outcome)
{
	uint32_t word, new, tid = tid_of(t);
	struct pi_state *s;
	int error;

	error = pi_load_word(uaddr, &word);
	if (error)
		return error;
	if ((word & FUTEX_TID_MASK) == tid)
		return -EDEADLK;
	s = pi_state_find(c->bucket, &c->key);
	if (!s && futex_has_plain_waiter(c->bucket, &c->key))
		return -EINVAL;
	*outcome = PI_QUEUED;
	if (s) {
		error = check_word(s, word);
		if (error)
			return error;
		return only_try ? -EBUSY : queue_call(c, s, t);
	}
	if (!(word & FUTEX_TID_MASK)) {
		*outcome = PI_TAKEN;
		new = (word & FUTEX_OWNER_DIED) | tid | (set_waiters ? FUTEX_WAITERS : 0);
		return try_exchange(uaddr, word, new);
	}
	new = word | FUTEX_WAITERS;
	error = try_exchange(uaddr, word, new);
	return error ? error : make_state(c, t, uaddr, new, only_try, spare);
}

/*
 * The owner before ended: the word gets the new owner's number. The bucket is locked and is unlocked meanwhile if the word has to be
 * brought in; the state stays, since this call refers to it, and so does its owner, since that is the caller.
 */
static int write_new_owner(struct pi_call *c, uintptr_t uaddr)
{
	uint32_t word, seen, new = FUTEX_WAITERS | FUTEX_OWNER_DIED | tid_of(current);
	int error;

	for (;;) {
		error = pi_load_word(uaddr, &word);
		if (!error)
			error = pi_exchange_word(uaddr, word, new, &seen);
		if (!error && seen == word)
			break;
		spin_unlock(&c->bucket->lock);
		if (error)
			error = fault_in_user(uaddr, 4, true);
		spin_lock(&c->bucket->lock);
		if (error)
			break;
	}
	c->state->owner_tid = tid_of(current);
	c->state->mutex.abandoned = false;
	return error;
}

int pi_wait_and_leave(struct pi_call *c, uintptr_t uaddr, struct wait_limit limit)
{
	struct pi_state *s = c->state;
	int error = 0;

	for (;;) {
		wait_prepare(WAIT_INTERRUPTIBLE);
		if (pi_waiter_granted(&c->waiter))
			break;
		error = wait_sleep_until(limit);
		if (error)
			break;
	}
	wait_finish();
	spin_lock(&c->bucket->lock);
	/* A grant wins over a timeout or a signal. */
	if (pi_mutex_leave(&c->waiter))
		error = s->mutex.abandoned ? write_new_owner(c, uaddr) : 0;
	if (--s->calls == 0)
		list_remove(&s->link);
	else
		s = NULL;
	__atomic_fetch_sub(&c->bucket->waiters, 1, __ATOMIC_RELAXED);
	spin_unlock(&c->bucket->lock);
	kfree(s);
	return error;
}
