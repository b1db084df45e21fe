/*
 * Sleeping mutex and reader-writer lock, built on wait queues.
 *
 * Mutex: `owner` is taken by compare-and-swap; a waiter queues itself, then tries again, so that an unlock which sees an empty
 * queue cannot have missed it (both sides have a full barrier between their store and their load).
 * Reader-writer lock: `state` under the queue's lock only on the slow path; writers_waiting keeps new readers out.
 */
#include "core/sync/mutex.h"

#include "core/debug/panic.h"
#include "core/module/export.h"
#include "core/sched/cpu.h"
#include "core/sched/thread.h"

void might_sleep(void)
{
#ifdef CONFIG_DEBUG
	/* The idle thread is the start-up code first, alone and with interrupts off: nothing makes it wait. */
	if (unlikely(in_atomic()) && arch_cpu_self()->idle != current)
		panic("sleeping function called in atomic context (preempt count %x, interrupts %s)",
		      arch_preempt_count(), arch_irq_enabled() ? "on" : "off");
#endif
}
KAPI(might_sleep);

void mutex_init(struct mutex *m)
{
	m->owner = NULL;
	wait_queue_init(&m->wait);
}
KAPI(mutex_init);

void mutex_lock_slow(struct mutex *m)
{
	debug_assert(m->owner != current);
	wait_event_exclusive(&m->wait, mutex_trylock(m), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
}
KAPI(mutex_lock_slow);

int mutex_lock_killable(struct mutex *m)
{
	int result;

	might_sleep();
	result = wait_event_exclusive(&m->wait, mutex_trylock(m), WAIT_KILLABLE, TIME_NEVER);
	/* A wake-up meant for one waiter may have reached us: pass it on. */
	if (result && !READ_ONCE(m->owner))
		wait_wake_one(&m->wait);
	return result;
}
KAPI(mutex_lock_killable);

void mutex_unlock_slow(struct mutex *m)
{
	wait_wake_one(&m->wait);
}
KAPI(mutex_unlock_slow);

void rwlock_init(struct rwlock *l)
{
	l->state = 0;
	l->writers_waiting = 0;
	l->writer = NULL;
	wait_queue_init(&l->wait);
}
KAPI(rwlock_init);

bool rwlock_read_trylock(struct rwlock *l)
{
	int s = READ_ONCE(l->state);

	while (s >= 0 && READ_ONCE(l->writers_waiting) == 0)
		if (__atomic_compare_exchange_n(&l->state, &s, s + 1, true, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
	return false;
}
KAPI(rwlock_read_trylock);

void rwlock_read_lock(struct rwlock *l)
{
	might_sleep();
	if (likely(rwlock_read_trylock(l)))
		return;
	wait_event(&l->wait, rwlock_read_trylock(l), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
}
KAPI(rwlock_read_lock);

void rwlock_read_unlock(struct rwlock *l)
{
	/* Full barrier: pairs with a waiter that queues itself before it tests the state. */
	if (__atomic_sub_fetch(&l->state, 1, __ATOMIC_SEQ_CST) == 0 && wait_queue_active(&l->wait))
		wait_wake_all(&l->wait);
}
KAPI(rwlock_read_unlock);

static bool write_trylock(struct rwlock *l)
{
	int expected = 0;

	if (!__atomic_compare_exchange_n(&l->state, &expected, -1, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	WRITE_ONCE(l->writer, current);
	return true;
}

static int write_lock(struct rwlock *l, enum wait_mode mode)
{
	int result;

	might_sleep();
	if (likely(write_trylock(l)))
		return 0;
	__atomic_fetch_add(&l->writers_waiting, 1, __ATOMIC_SEQ_CST);
	result = wait_event(&l->wait, write_trylock(l), mode, TIME_NEVER);
	__atomic_fetch_sub(&l->writers_waiting, 1, __ATOMIC_SEQ_CST);
	if (result)
		wait_wake_all(&l->wait);	/* readers that stood behind us */
	return result;
}

void rwlock_write_lock(struct rwlock *l)
{
	write_lock(l, WAIT_UNINTERRUPTIBLE);
}
KAPI(rwlock_write_lock);

int rwlock_write_lock_killable(struct rwlock *l)
{
	return write_lock(l, WAIT_KILLABLE);
}
KAPI(rwlock_write_lock_killable);

void rwlock_write_unlock(struct rwlock *l)
{
	WRITE_ONCE(l->writer, NULL);
	__atomic_store_n(&l->state, 0, __ATOMIC_SEQ_CST);
	if (wait_queue_active(&l->wait))
		wait_wake_all(&l->wait);
}
KAPI(rwlock_write_unlock);
