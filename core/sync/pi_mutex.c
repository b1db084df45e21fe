/*
 * Priority inheritance.
 *
 * The graph. A thread waits for at most one mutex (pi_blocked_on) and a mutex has one owner, so from each thread one chain of
 * owners leads on. pi_mutex_enqueue adds the edge from a thread that waits for nothing to a mutex, after it followed the chain from that
 * mutex and did not meet the thread: no cycle comes into being. pi_mutex_grant makes an owner of a thread that waits for nothing
 * any more: no cycle either. So every chain ends, and the depth is bounded on top of that.
 *
 * Lock order. All of it, the pi_* fields of threads and sched.boost included, is guarded by pi_lock: one lock, because a chain has no direction in
 * which locks of its parts could be taken (docs/decisions/0011-one-lock-for-priority-inheritance.md). It is innermost but for the run
 * queues' locks, which sched_set_boost takes: callers may hold anything else, and nothing is waited for under it.
 *
 * Priority changes. sched_set_params changes the priority, then reads pi_blocked_on; a waiter sets pi_blocked_on, then reads
 * the priority; between them is a full barrier on each side. So either the waiter queues itself by the new priority, or
 * pi_priority_changed is called and moves it. Of several changes the last reads the final priority under pi_lock.
 *
 * Life times. A mutex is in its owner's pi_held exactly while it has waiters, and an owner empties pi_held when it ends: the owner pointer
 * of a mutex with waiters is good without a reference. A waiter's frame and its mutex are good until pi_mutex_leave, which
 * takes pi_lock and so comes after whoever granted.
 */
#include "core/sync/pi_mutex.h"

#include <asm/errno.h>

#include "core/module/export.h"
#include "core/sched/sched.h"

static struct spinlock pi_lock = SPINLOCK_INIT(pi_lock);

static bool waiter_before(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct pi_waiter, node)->priority > rb_entry(b, struct pi_waiter, node)->priority;
}

static bool mutex_before(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct pi_mutex, held)->priority > rb_entry(b, struct pi_mutex, held)->priority;
}

/* Its own and what others lend it; not that it may be in a hurry. */
static int effective_priority(const struct thread *t)
{
	return MAX(READ_ONCE(t->sched.base_priority), READ_ONCE(t->sched.boost));
}

static struct pi_waiter *first_waiter(const struct pi_mutex *m)
{
	struct rb_node *n = rb_first(&m->waiters);

	return n ? rb_entry(n, struct pi_waiter, node) : NULL;
}

/* Takes the mutex out of its owner's tree, or puts it where its best waiter belongs. */
static void relink(struct pi_mutex *m)
{
	const struct pi_waiter *w = first_waiter(m);

	if (m->linked)
		rb_remove(&m->owner->pi_held, &m->held);
	m->linked = w != NULL;
	if (!w)
		return;
	m->priority = w->priority;
	rb_insert(&m->owner->pi_held, &m->held, mutex_before);
}

/* Gives a thread what its waiters lend. True if that changed. */
static bool lend(struct thread *t)
{
	struct rb_node *n = rb_first(&t->pi_held);
	int boost = n ? rb_entry(n, struct pi_mutex, held)->priority : 0;

	if (t->sched.boost == boost)
		return false;
	sched_set_boost(t, boost);
	return true;
}

/* The waiters of `m` changed: tells its owner, and the owners that this one waits for. */
static void propagate(struct pi_mutex *m)
{
	for (unsigned int depth = 0; depth < PI_CHAIN_MAX; depth++) {
		struct pi_waiter *w;

		relink(m);
		if (!lend(m->owner))
			return;
		w = m->owner->pi_blocked_on;
		if (!w || w->priority == effective_priority(w->thread))
			return;
		m = w->mutex;
		rb_remove(&m->waiters, &w->node);
		w->priority = effective_priority(w->thread);
		rb_insert(&m->waiters, &w->node, waiter_before);
	}
}

static void remove_waiter(struct pi_mutex *m, struct pi_waiter *w)
{
	rb_remove(&m->waiters, &w->node);
	w->mutex = NULL;
	w->thread->pi_blocked_on = NULL;
}

void pi_mutex_init(struct pi_mutex *m, struct thread *owner)
{
	*m = (struct pi_mutex){ .owner = owner };
}
KAPI(pi_mutex_init);

/* Would `t` wait for itself behind `m`? */
static bool is_deadlock(const struct pi_mutex *m, const struct thread *t)
{
	for (unsigned int depth = 0; depth < PI_CHAIN_MAX; depth++) {
		if (m->owner == t)
			return true;
		if (!m->owner->pi_blocked_on)
			return false;
		m = m->owner->pi_blocked_on->mutex;
	}
	return true;
}

int pi_mutex_enqueue(struct pi_mutex *m, struct pi_waiter *w, struct thread *t)
{
	unsigned long flags = spin_lock_irqsave(&pi_lock);
	int error = 0;

	if (rb_empty(&m->waiters) && m->owner->pi_exited) {
		error = -ESRCH;
	} else if (is_deadlock(m, t)) {
		error = -EDEADLK;
	} else {
		*w = (struct pi_waiter){ .mutex = m, .thread = t };
		WRITE_ONCE(t->pi_blocked_on, w);
		full_barrier();			/* pairs with pi_priority_changed */
		w->priority = effective_priority(t);
		rb_insert(&m->waiters, &w->node, waiter_before);
		propagate(m);
	}
	spin_unlock_irqrestore(&pi_lock, flags);
	return error;
}
KAPI(pi_mutex_enqueue);

struct pi_waiter *pi_mutex_first(struct pi_mutex *m)
{
	unsigned long flags = spin_lock_irqsave(&pi_lock);
	struct pi_waiter *w = first_waiter(m);

	spin_unlock_irqrestore(&pi_lock, flags);
	return w;
}
KAPI(pi_mutex_first);

static void grant_locked(struct pi_mutex *m, struct pi_waiter *w, struct wake_list *wakes)
{
	struct thread *before = m->owner;

	rb_remove(&before->pi_held, &m->held);
	m->linked = false;
	remove_waiter(m, w);
	store_release(&m->owner, w->thread);	/* after `abandoned`, which users read after it */
	propagate(m);
	lend(before);
	/* The thread may go on at once, but not past pi_mutex_leave. Before the wake-up: see core/sync/wake_list.h. */
	store_release(&w->granted, true);
	wake_list_add(wakes, w->thread);
}

void pi_mutex_grant(struct pi_mutex *m, struct pi_waiter *w, struct wake_list *wakes)
{
	unsigned long flags = spin_lock_irqsave(&pi_lock);

	grant_locked(m, w, wakes);
	spin_unlock_irqrestore(&pi_lock, flags);
}
KAPI(pi_mutex_grant);

bool pi_mutex_leave(struct pi_waiter *w)
{
	unsigned long flags = spin_lock_irqsave(&pi_lock);
	struct pi_mutex *m = w->mutex;

	if (m) {
		remove_waiter(m, w);
		propagate(m);
	}
	spin_unlock_irqrestore(&pi_lock, flags);
	return w->granted;
}
KAPI(pi_mutex_leave);

/* Gives away what others wait for. */
static void release_all(struct thread *t, bool for_good)
{
	struct wake_list wakes;
	unsigned long flags;

	wake_list_init(&wakes);
	preempt_disable();		/* the lent priority goes before the wake-ups are delivered */
	flags = spin_lock_irqsave(&pi_lock);
	while (!rb_empty(&t->pi_held)) {
		struct pi_mutex *m = rb_entry(rb_first(&t->pi_held), struct pi_mutex, held);

		m->abandoned = true;
		grant_locked(m, first_waiter(m), &wakes);
	}
	if (for_good)
		t->pi_exited = true;
	spin_unlock_irqrestore(&pi_lock, flags);
	wake_list_deliver(&wakes);
	preempt_enable();
}

void pi_release_all(void)
{
	if (!rb_empty(&current->pi_held))	/* who comes now waits for what the thread does next */
		release_all(current, false);
}
KAPI(pi_release_all);

void pi_thread_exit(struct thread *t)
{
	if (!t->pi_exited)
		release_all(t, true);
}
KAPI(pi_thread_exit);

void pi_priority_changed(struct thread *t)
{
	unsigned long flags;
	struct pi_waiter *w;

	full_barrier();			/* pairs with pi_mutex_enqueue */
	if (!READ_ONCE(t->pi_blocked_on))
		return;
	flags = spin_lock_irqsave(&pi_lock);
	w = t->pi_blocked_on;
	if (w && w->priority != effective_priority(t)) {
		struct pi_mutex *m = w->mutex;

		rb_remove(&m->waiters, &w->node);
		w->priority = effective_priority(t);
		rb_insert(&m->waiters, &w->node, waiter_before);
		propagate(m);
	}
	spin_unlock_irqrestore(&pi_lock, flags);
}
