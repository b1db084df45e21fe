/*
 * Sleeping lock with readers beside each other and writers alone. May sleep; never taken in interrupts or under a spinlock.
 * Not to be taken for reading twice by one thread: a writer may have come between.
 *
 * Nobody starves. Readers and writers take turns: readers that come while a writer waits are behind it, and when a writer
 * leaves, all readers that wait by then are next. A waiter that was woken and found the lock taken is handed it in its turn.
 */
#pragma once

#include "core/sync/mutex.h"

struct rwlock {
	uint32_t state;			/* readers inside, RWLOCK_* bits */
	unsigned int pressing;		/* waiters that are to be handed the lock; lock */
	uintptr_t writer;		/* the thread inside for writing; 0: none, or not noted yet */
	struct spinlock lock;		/* of all that follows, and of what changes while RWLOCK_WAITING is set */
	struct list readers, writers;	/* who waits, in order */
};

#define RWLOCK_WRITER  0x80000000u
#define RWLOCK_WAITING 0x40000000u	/* somebody waits: everybody who comes takes rwlock.lock */
#define RWLOCK_INSIDE  (~RWLOCK_WAITING)

#define RWLOCK_INIT(name) \
	{ .lock = SPINLOCK_INIT((name).lock), .readers = LIST_INIT((name).readers), .writers = LIST_INIT((name).writers) }

void rwlock_init(struct rwlock *l);
void rwlock_read_lock(struct rwlock *l);
bool rwlock_read_trylock(struct rwlock *l);
void rwlock_read_unlock(struct rwlock *l);
void rwlock_write_lock(struct rwlock *l);
/* -EINTR if a fatal signal is pending before the lock is had. */
int rwlock_write_lock_killable(struct rwlock *l);
void rwlock_write_unlock(struct rwlock *l);
