/*
 * In-kernel tests of waiting, RCU, the mutex and the reader-writer lock: several threads, real sleeps, on however many CPUs there are.
 */
#include <asm/errno.h>

#include "core/debug/ktest.h"
#include "core/sched/sched.h"
#include "core/sync/rcu.h"
#include "core/sync/rwlock.h"
#include "core/sync/wake_list.h"
#include "core/time/clock.h"

static struct wait_queue queue = WAIT_QUEUE_INIT(queue);
static unsigned int flag, woken;

KTEST(wait_times_out)
{
	uint64_t before = clock_monotonic();
	int result = wait_event(&queue, false, WAIT_INTERRUPTIBLE, before + 5 * NSEC_PER_MSEC);

	ktest_check(result == -ETIMEDOUT);
	ktest_check(clock_monotonic() - before >= 5 * NSEC_PER_MSEC);
	ktest_check(!wait_queue_active(&queue));
}

KTEST(wait_condition_wins_over_timeout)
{
	ktest_check(wait_event(&queue, true, WAIT_INTERRUPTIBLE, 0) == 0);
	ktest_check(wait_event(&queue, false, WAIT_INTERRUPTIBLE, 0) == -ETIMEDOUT);
}

KTEST(wait_ends_by_kick_and_kill)
{
	thread_set_work(current, WORK_KICK);
	ktest_check(wait_event(&queue, false, WAIT_INTERRUPTIBLE, TIME_NEVER) == -ERESTART_MODULE);
	ktest_check(wait_event(&queue, false, WAIT_KILLABLE, clock_monotonic() + NSEC_PER_MSEC) == -ETIMEDOUT);
	thread_clear_work(WORK_KICK);
	thread_set_work(current, WORK_KILL);
	ktest_check(wait_event(&queue, false, WAIT_KILLABLE, TIME_NEVER) == -EINTR);
	ktest_check(wait_event(&queue, false, WAIT_UNINTERRUPTIBLE, clock_monotonic() + NSEC_PER_MSEC) == -ETIMEDOUT);
	thread_clear_work(WORK_KILL);
}

static void exclusive_waiter(void *arg)
{
	(void)arg;
	wait_event_exclusive(&queue, READ_ONCE(flag), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
	__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
}

static bool reaches(unsigned int *value, unsigned int wanted)
{
	uint64_t end = clock_monotonic() + 5 * NSEC_PER_SEC;

	while (__atomic_load_n(value, __ATOMIC_SEQ_CST) != wanted && clock_monotonic() < end)
		wait_event(&queue, false, WAIT_UNINTERRUPTIBLE, clock_monotonic() + NSEC_PER_MSEC);
	return __atomic_load_n(value, __ATOMIC_SEQ_CST) == wanted;
}

KTEST(wait_exclusive_waiters_wake_one_by_one)
{
	flag = woken = 0;
	for (int i = 0; i < 4; i++)
		ktest_check(thread_start_kernel("waiter", exclusive_waiter, NULL) == 0);
	clock_delay_ns(2 * NSEC_PER_MSEC);
	sched_yield();
	WRITE_ONCE(flag, 1);
	wait_wake_one(&queue);
	ktest_check(reaches(&woken, 1) || woken >= 1);
	wait_wake_all(&queue);
	ktest_check(reaches(&woken, 4));
}

struct rcu_probe {
	struct rcu_head head;
	unsigned int ran;
};

static void probe_ran(struct rcu_head *head)
{
	container_of(head, struct rcu_probe, head)->ran = 1;
}

KTEST(rcu_callbacks_run_after_a_grace_period)
{
	static struct rcu_probe probe;

	probe.ran = 0;
	rcu_read_lock();
	rcu_call(&probe.head, probe_ran);
	clock_delay_ns(8 * NSEC_PER_MSEC);
	ktest_check(!READ_ONCE(probe.ran));	/* we are a reader still */
	rcu_read_unlock();
	rcu_barrier();
	ktest_check(READ_ONCE(probe.ran));
}

static struct rwlock shared = RWLOCK_INIT(shared);
static unsigned int inside, broken, finished;

static void lock_user(void *arg)
{
	bool writer = arg != NULL;

	for (int i = 0; i < 200; i++) {
		if (writer) {
			rwlock_write_lock(&shared);
			if (__atomic_add_fetch(&inside, 1000, __ATOMIC_SEQ_CST) != 1000)
				broken = 1;
			__atomic_sub_fetch(&inside, 1000, __ATOMIC_SEQ_CST);
			rwlock_write_unlock(&shared);
		} else {
			rwlock_read_lock(&shared);
			if (__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) >= 1000)
				broken = 1;
			__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
			rwlock_read_unlock(&shared);
		}
		if (i % 16 == 0)
			sched_yield();
	}
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
}

KTEST(rwlock_keeps_writers_alone)
{
	inside = broken = finished = 0;
	for (long i = 0; i < 6; i++)
		ktest_check(thread_start_kernel("rwlock", lock_user, i % 3 == 0 ? (void *)1 : NULL) == 0);
	ktest_check(reaches(&finished, 6));
	ktest_check(!broken);
}

static struct mutex alone = MUTEX_INIT(alone);
static unsigned int waits, had;

static void one_lock(void *arg)
{
	WRITE_ONCE(waits, 1);
	if (arg)
		rwlock_read_lock(&shared);
	else
		mutex_lock(&alone);
	WRITE_ONCE(had, 1);
	if (arg)
		rwlock_read_unlock(&shared);
	else
		mutex_unlock(&alone);
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
}

static void take(bool rw)
{
	if (rw)
		rwlock_write_lock(&shared);
	else
		mutex_lock(&alone);
}

static void give(bool rw)
{
	if (rw)
		rwlock_write_unlock(&shared);
	else
		mutex_unlock(&alone);
}

static void pause_ms(unsigned int ms)
{
	wait_event(&queue, false, WAIT_UNINTERRUPTIBLE, clock_monotonic() + ms * NSEC_PER_MSEC);
}

/* Who takes a lock again and again passes a waiter once, and not twice. */
static bool waiter_is_passed_once(bool rw)
{
	waits = had = finished = 0;
	take(rw);
	if (thread_start_kernel("waiter", one_lock, rw ? (void *)1 : NULL) || !reaches(&waits, 1))
		return false;
	pause_ms(5);		/* it sleeps */
	give(rw);
	take(rw);
	pause_ms(5);		/* it was woken in vain */
	give(rw);
	take(rw);
	if (!READ_ONCE(had))
		return false;
	give(rw);
	return reaches(&finished, 1);
}

KTEST(locks_are_handed_over_to_who_waits)
{
	ktest_check(waiter_is_passed_once(true));
	ktest_check(waiter_is_passed_once(false));
}

static void killed_writer(void *arg)
{
	(void)arg;
	thread_set_work(current, WORK_KILL);
	had = rwlock_write_lock_killable(&shared) == -EINTR;
	had &= mutex_lock_killable(&alone) == -EINTR;
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
}

KTEST(killed_waiters_leave_locks_as_they_were)
{
	finished = 0;
	rwlock_read_lock(&shared);
	mutex_lock(&alone);
	ktest_check(thread_start_kernel("killed", killed_writer, NULL) == 0);
	ktest_check(reaches(&finished, 1));
	ktest_check(had);
	ktest_check(rwlock_read_trylock(&shared));
	rwlock_read_unlock(&shared);
	rwlock_read_unlock(&shared);
	mutex_unlock(&alone);
	rwlock_write_lock(&shared);
	rwlock_write_unlock(&shared);
	ktest_check(mutex_trylock(&alone));
	mutex_unlock(&alone);
}
