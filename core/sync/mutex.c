/*
 * Sleeping mutex, built on a wait queue.
 *
 * `owner` is taken by compare-and-swap; a waiter queues itself, then tries again, so that an unlock which sees an empty queue cannot
 * have missed it (both sides have a full barrier between their store and their load). Before it queues, it looks for a while whether
 * a holder that runs on another CPU lets go.
 *
 * Waiters are in the order in which they came. One that was woken in vain marks the mutex with MUTEX_HAND_OVER; then the unlock, which
 * fails to swap, makes the first waiter the owner under the queue's lock. So who leaves the queue without the lock looks once
 * more, after that, whether it has been made the owner.
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
	m->owner = 0;
	wait_queue_init(&m->wait);
}
KAPI(mutex_init);

bool owner_worth_spinning(const uintptr_t *owner)
{
	const struct thread *t;
	bool runs;

	if (READ_ONCE(cpu_count) == 1 || arch_need_resched())
		return false;
	/* Whoever was the owner at the look is freed only after a switch on every CPU. */
	preempt_disable();
	t = (const struct thread *)(READ_ONCE(*owner) & ~1ul);
	runs = !t || READ_ONCE(t->on_cpu);
	preempt_enable();
	return runs;
}

/* True if a holder that ran on another CPU let go and the lock is ours. */
static bool spin(struct mutex *m)
{
	for (unsigned int i = 0; i < LOCK_SPINS && owner_worth_spinning(&m->owner); i++) {
		uintptr_t owner = READ_ONCE(m->owner);

		if (owner & MUTEX_HAND_OVER)
			return false;
		if (!owner && mutex_trylock(m))
			return true;
		arch_cpu_relax();
	}
	return false;
}

/* Makes the next unlock give the lock to a waiter. False if it is free now. */
static bool press(struct mutex *m)
{
	uintptr_t owner = READ_ONCE(m->owner);

	while (owner && !(owner & MUTEX_HAND_OVER))
		if (__atomic_compare_exchange_n(&m->owner, &owner, owner | MUTEX_HAND_OVER, false, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return true;
	return owner != 0;
}

static bool is_ours(const struct mutex *m)
{
	return (load_acquire(&m->owner) & ~MUTEX_HAND_OVER) == (uintptr_t)current;
}

static int lock_queued(struct mutex *m, enum wait_mode mode)
{
	struct waiter self;
	bool woken = false;
	int result = 0;

	waiter_init(&self);
	self.exclusive = true;
	wait_queue_add(&m->wait, &self);
	for (;;) {
		wait_prepare(mode);
		if (is_ours(m) || mutex_trylock(m)) {
			result = 0;
			break;
		}
		if (result)
			break;
		if (woken && !press(m))
			continue;
		result = wait_sleep(TIME_NEVER);
		woken = true;
	}
	wait_finish();
	wait_queue_remove(&m->wait, &self);
	if (!result || is_ours(m))
		return 0;
	/* A wake-up meant for one waiter may have reached us: pass it on. */
	if (!READ_ONCE(m->owner))
		wait_wake_one(&m->wait);
	return result;
}

void mutex_lock_slow(struct mutex *m)
{
	debug_assert(!mutex_is_owned(m));
	if (!spin(m))
		lock_queued(m, WAIT_UNINTERRUPTIBLE);
}
KAPI(mutex_lock_slow);

int mutex_lock_killable(struct mutex *m)
{
	might_sleep();
	return mutex_trylock(m) || spin(m) ? 0 : lock_queued(m, WAIT_KILLABLE);
}
KAPI(mutex_lock_killable);

void mutex_unlock_slow(struct mutex *m)
{
	struct thread *next = NULL;
	unsigned long flags;

	if (!mutex_is_owned(m)) {
		wait_wake_one(&m->wait);	/* it was free when we came here */
		return;
	}
	flags = spin_lock_irqsave(&m->wait.lock);
	if (!list_empty(&m->wait.waiters))
		next = list_first(&m->wait.waiters, struct waiter, link)->thread;
	__atomic_store_n(&m->owner, (uintptr_t)next, __ATOMIC_SEQ_CST);
	if (next)
		thread_wake(next);
	spin_unlock_irqrestore(&m->wait.lock, flags);
}
KAPI(mutex_unlock_slow);
