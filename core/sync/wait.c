/*
 * Wait queues and the one way to sleep.
 *
 * A sleeper publishes "I am about to sleep" (state, full barrier) and then tests its condition; a waker makes the condition true
 * (full barrier in thread_wake) and then looks at the state. One of the two sees the other. A wake-up that comes
 * between wait_prepare and the switch just sets the state back to running, and the switch returns at once.
 *
 * Queue locks are taken with interrupts off, since interrupts wake threads. Order: queue lock, then a run queue's lock.
 */
#include "core/sync/wait.h"

#include <asm/errno.h>

#include "core/debug/panic.h"
#include "core/module/export.h"
#include "core/module/gate.h"
#include "core/sched/sched.h"
#include "core/time/clock.h"

bool waiter_notify_thread(struct waiter *w, unsigned long key)
{
	(void)key;
	return thread_wake(w->thread);
}
KAPI(waiter_notify_thread);

void waiter_init(struct waiter *w)
{
	list_init(&w->link);
	w->thread = current;
	w->notify = waiter_notify_thread;
	w->exclusive = false;
}
KAPI(waiter_init);

void wait_queue_add(struct wait_queue *q, struct waiter *w)
{
	unsigned long flags = spin_lock_irqsave(&q->lock);

	if (w->exclusive)
		list_add_tail(&q->waiters, &w->link);
	else
		list_add_head(&q->waiters, &w->link);
	spin_unlock_irqrestore(&q->lock, flags);
}
KAPI(wait_queue_add);

void wait_queue_remove(struct wait_queue *q, struct waiter *w)
{
	unsigned long flags = spin_lock_irqsave(&q->lock);

	list_remove(&w->link);
	spin_unlock_irqrestore(&q->lock, flags);
}
KAPI(wait_queue_remove);

void wait_queue_wake(struct wait_queue *q, unsigned int count, unsigned long key)
{
	struct waiter *w, *next;
	unsigned long flags;

	/* Pairs with the barrier in wait_prepare: an entry queued before its condition was tested is seen here. */
	full_barrier();
	if (!wait_queue_active(q))
		return;
	flags = spin_lock_irqsave(&q->lock);
	list_for_each_safe(w, next, &q->waiters, link) {
		bool exclusive = w->exclusive;

		if (w->notify(w, key) && exclusive && --count == 0)
			break;
	}
	spin_unlock_irqrestore(&q->lock, flags);
}
KAPI(wait_queue_wake);

void wait_prepare(enum wait_mode mode)
{
	struct thread *t = current;

	WRITE_ONCE(t->wait_mode, mode);
	__atomic_store_n(&t->state, THREAD_SLEEPING, __ATOMIC_SEQ_CST);
}
KAPI(wait_prepare);

void wait_finish(void)
{
	WRITE_ONCE(current->state, THREAD_RUNNING);
}
KAPI(wait_finish);

int wait_interrupted(enum wait_mode mode)
{
	unsigned int work = READ_ONCE(current->work);

	if (mode >= WAIT_KILLABLE && (work & WORK_KILL))
		return -EINTR;
	if (mode == WAIT_INTERRUPTIBLE && (work & WORK_SIGNAL))
		return -EINTR;
	if (mode == WAIT_INTERRUPTIBLE && (work & WORK_KICK))
		return -ERESTART_MODULE;
	return 0;
}
KAPI(wait_interrupted);

static void sleep_timeout(struct timer *timer)
{
	struct thread *t = container_of(timer, struct thread, sleep_timer);

	WRITE_ONCE(t->timed_out, 1);
	thread_wake(t);
}

int wait_sleep(uint64_t deadline)
{
	return wait_sleep_until((struct wait_limit){ deadline, TIMER_MONOTONIC });
}
KAPI(wait_sleep);

int wait_sleep_until(struct wait_limit limit)
{
	struct thread *t = current;
	int result = 0;

	debug_assert(!in_interrupt());
	if (unlikely(READ_ONCE(t->work))) {
		result = wait_interrupted((enum wait_mode)t->wait_mode);
		if (result) {
			wait_finish();
			return result;
		}
		if (thread_has_work(t, WORK_SETTLE) && t->wait_mode == WAIT_INTERRUPTIBLE)
			gate_settled();
	}
	if (limit.deadline == TIME_NEVER) {
		sched_switch();
		return wait_interrupted((enum wait_mode)t->wait_mode);
	}
	if (limit.deadline <= timer_base_now(limit.base)) {
		wait_finish();
		return -ETIMEDOUT;
	}
	WRITE_ONCE(t->timed_out, 0);
	timer_init(&t->sleep_timer, sleep_timeout);
	timer_arm_on(&t->sleep_timer, limit.base, limit.deadline);
	sched_switch();
	timer_cancel_sync(&t->sleep_timer);
	result = wait_interrupted((enum wait_mode)t->wait_mode);
	return result ? result : READ_ONCE(t->timed_out) ? -ETIMEDOUT : 0;
}
KAPI(wait_sleep_until);
