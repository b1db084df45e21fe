/*
 * Sleeping mutex and reader-writer lock for threads. Both are fair enough that nobody starves: a writer that waits keeps
 * new readers out. May sleep; never taken in interrupts or under a spinlock.
 */
#pragma once

#include "core/sync/spinlock.h"
#include "core/sync/wait.h"

struct mutex {
	struct thread *owner;		/* null: free */
	struct wait_queue wait;
};

#define MUTEX_INIT(name) { NULL, WAIT_QUEUE_INIT((name).wait) }

void mutex_init(struct mutex *m);
void mutex_lock_slow(struct mutex *m);
void mutex_unlock_slow(struct mutex *m);
/* -EINTR if a fatal signal is pending before the lock is had. */
int mutex_lock_killable(struct mutex *m);
void might_sleep(void);

static inline bool mutex_trylock(struct mutex *m)
{
	struct thread *expected = NULL;

	return __atomic_compare_exchange_n(&m->owner, &expected, current, false, __ATOMIC_ACQUIRE,
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
	/* The full barrier pairs with the waiter's queueing before its last attempt. */
	__atomic_store_n(&m->owner, NULL, __ATOMIC_SEQ_CST);
	if (unlikely(wait_queue_active(&m->wait)))
		mutex_unlock_slow(m);
}

static inline bool mutex_is_owned(const struct mutex *m) { return READ_ONCE(m->owner) == current; }

struct rwlock {
	int state;			/* readers inside, or -1: a writer */
	int writers_waiting;
	struct thread *writer;
	struct wait_queue wait;
};

#define RWLOCK_INIT(name) { 0, 0, NULL, WAIT_QUEUE_INIT((name).wait) }

void rwlock_init(struct rwlock *l);
void rwlock_read_lock(struct rwlock *l);
bool rwlock_read_trylock(struct rwlock *l);
void rwlock_read_unlock(struct rwlock *l);
void rwlock_write_lock(struct rwlock *l);
/* -EINTR if a fatal signal is pending before the lock is had. */
int rwlock_write_lock_killable(struct rwlock *l);
void rwlock_write_unlock(struct rwlock *l);
