/*
 * Sleeping mutex for threads. May sleep; never taken in interrupts or under a spinlock.
 *
 * A free mutex goes to whoever comes first, so that one holder after the other needs no switch between them. Who was woken
 * for it and found it taken again is handed it by the next unlock: nobody waits for more than one that came later.
 */
#pragma once

#include "core/sync/spinlock.h"
#include "core/sync/wait.h"

struct mutex {
	uintptr_t owner;		/* the thread, 0: free; with MUTEX_HAND_OVER: the unlock gives it to a waiter */
	struct wait_queue wait;
};

#define MUTEX_HAND_OVER 1ul
#define MUTEX_INIT(name) { 0, WAIT_QUEUE_INIT((name).wait) }

void mutex_init(struct mutex *m);
void mutex_lock_slow(struct mutex *m);
void mutex_unlock_slow(struct mutex *m);
/* -EINTR if a fatal signal is pending before the lock is had. */
int mutex_lock_killable(struct mutex *m);
void might_sleep(void);

static inline bool mutex_trylock(struct mutex *m)
{
	uintptr_t expected = 0;

	return __atomic_compare_exchange_n(&m->owner, &expected, (uintptr_t)current, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void mutex_lock(struct mutex *m)
{
	might_sleep();
	if (unlikely(!mutex_trylock(m)))
		mutex_lock_slow(m);
}

static inline void mutex_unlock(struct mutex *m)
{
	uintptr_t expected = (uintptr_t)current;

	/* The full barrier pairs with the waiter's queueing before its last attempt. */
	if (unlikely(!__atomic_compare_exchange_n(&m->owner, &expected, 0, false, __ATOMIC_SEQ_CST,
						  __ATOMIC_RELAXED)) ||
	    unlikely(wait_queue_active(&m->wait)))
		mutex_unlock_slow(m);
}

static inline bool mutex_is_owned(const struct mutex *m)
{
	return (READ_ONCE(m->owner) & ~MUTEX_HAND_OVER) == (uintptr_t)current;
}

/*
 * For locks: should who waits for something of thread *owner (0: nobody known) look again rather than sleep? It is on a CPU,
 * there are others than ours, and nobody is due on ours. The lowest bit of *owner means nothing.
 */
bool owner_worth_spinning(const uintptr_t *owner);
#define LOCK_SPINS 64u			/* looks before one sleeps all the same */
