/*
 * Timers: one tree per CPU, ordered by `key`, which is the deadline or earlier: an armed timer that is moved to a later time stays where
 * it is, and finds its place when it comes first. Most timers are moved often and fire never.
 *
 * The lock of the queue that a timer is or was on guards its state; t->queue changes only under that lock, while the timer is
 * idle: arming on another CPU takes it off there first. Callers do not arm one timer on two CPUs at once. timer_interrupt runs callbacks without the lock, with
 * queue->running set, so that timer_cancel_sync can wait and a callback may arm its own timer again.
 *
 * Locking: queue->lock, interrupts off, innermost but for the port's programming of the event.
 */
#include "core/time/timer.h"

#include <asm/errno.h>

#include "core/arch/platform.h"
#include "core/debug/panic.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/sched/cpu.h"
#include "core/sync/spinlock.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"

#define CALLBACKS_MAX 256		/* in one interrupt: the rest comes with the next */

enum { TIMER_IDLE, TIMER_ARMED };

struct timer_queue {
	struct spinlock lock;
	struct rb_root tree;
	struct rb_node *first;
	struct timer *running;
	uint64_t programmed;		/* what the port's event is set to */
};

static struct timer_queue *queue_self(void) { return arch_cpu_self()->timer_queue; }

int timer_cpu_start(struct cpu *cpu)
{
	struct timer_queue *q = kzalloc(sizeof(*q), 0);

	if (!q)
		return -ENOMEM;
	spin_init(&q->lock);
	q->programmed = TIME_NEVER;
	cpu->timer_queue = q;
	return 0;
}

void timer_init(struct timer *t, void (*fn)(struct timer *self))
{
	t->fn = fn;
	t->queue = NULL;
	t->state = TIMER_IDLE;
}
KAPI(timer_init);

static bool earlier(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct timer, node)->key < rb_entry(b, struct timer, node)->key;
}

/* Locks the queue that `t` is or was on; null (with interrupts off all the same) if it never was on one. */
static struct timer_queue *lock_timer(struct timer *t)
{
	for (;;) {
		struct timer_queue *q = READ_ONCE(t->queue);

		if (!q)
			return NULL;
		spin_lock_raw(&q->lock);
		if (likely(q == READ_ONCE(t->queue)))
			return q;
		spin_unlock_raw(&q->lock);
	}
}

static void take_off(struct timer_queue *q, struct timer *t)
{
	if (q->first == &t->node)
		q->first = rb_next(&t->node);
	rb_remove(&q->tree, &t->node);
	WRITE_ONCE(t->state, TIMER_IDLE);
}

/* Sets the port's event if the first key is earlier than what it is set to; a removal or a move costs one empty interrupt. */
static void program(struct timer_queue *q)
{
	uint64_t first = q->first ? rb_entry(q->first, struct timer, node)->key : TIME_NEVER;

	if (first < q->programmed) {
		q->programmed = first;
		arch_timer_program(first);
	}
}

void timer_arm(struct timer *t, uint64_t deadline)
{
	unsigned long flags = arch_irq_save();
	struct timer_queue *here, *q;

	preempt_disable();
	here = queue_self();
	q = lock_timer(t);
	if (q && t->state == TIMER_ARMED && deadline >= t->key) {
		t->deadline = deadline;
		spin_unlock_raw(&q->lock);
		arch_irq_restore(flags);
		preempt_enable();
		return;
	}
	if (q && t->state == TIMER_ARMED)
		take_off(q, t);
	if (q != here) {
		/* A timer whose callback runs elsewhere stays on that queue, so that timer_cancel_sync finds it. */
		if (q && q->running == t) {
			here = q;
		} else {
			WRITE_ONCE(t->queue, here);
			if (q)
				spin_unlock_raw(&q->lock);
			spin_lock_raw(&here->lock);
		}
	}
	t->deadline = t->key = deadline;
	WRITE_ONCE(t->state, TIMER_ARMED);
	if (rb_insert(&here->tree, &t->node, earlier)) {
		here->first = &t->node;
		if (here == queue_self())
			program(here);
	}
	spin_unlock_raw(&here->lock);
	arch_irq_restore(flags);
	preempt_enable();
}
KAPI(timer_arm);

/* True if it was armed; *running tells whether its callback runs on some CPU now. */
static bool cancel(struct timer *t, bool *running)
{
	unsigned long flags = arch_irq_save();
	struct timer_queue *q;
	bool armed = false;

	preempt_disable();
	*running = false;
	q = lock_timer(t);
	if (q) {
		armed = t->state == TIMER_ARMED;
		if (armed)
			take_off(q, t);
		*running = q->running == t;
		spin_unlock_raw(&q->lock);
	}
	arch_irq_restore(flags);
	preempt_enable();
	return armed;
}

bool timer_cancel(struct timer *t)
{
	bool running;

	return cancel(t, &running);
}
KAPI(timer_cancel);

bool timer_cancel_sync(struct timer *t)
{
	bool running, armed = false;

	do {
		armed |= cancel(t, &running);
		if (running)
			arch_cpu_relax();
	} while (running);
	return armed;
}
KAPI(timer_cancel_sync);

/* The timer came first by its key but is for later: to its place. */
static void move_back(struct timer_queue *q, struct timer *t)
{
	q->first = rb_next(&t->node);
	rb_remove(&q->tree, &t->node);
	t->key = t->deadline;
	if (rb_insert(&q->tree, &t->node, earlier))
		q->first = &t->node;
}

void timer_interrupt(void)
{
	struct timer_queue *q = queue_self();
	unsigned int budget = CALLBACKS_MAX;

	spin_lock_raw(&q->lock);
	q->programmed = TIME_NEVER;
	while (q->first && budget--) {
		struct timer *t = rb_entry(q->first, struct timer, node);
		void (*fn)(struct timer *self);
		uint64_t now = clock_monotonic();

		if (t->key > now)
			break;
		if (t->deadline > now) {
			move_back(q, t);
			continue;
		}
		take_off(q, t);
		q->running = t;
		fn = t->fn;
		spin_unlock_raw(&q->lock);
		fn(t);
		spin_lock_raw(&q->lock);
		q->running = NULL;
	}
	program(q);
	spin_unlock_raw(&q->lock);
}

unsigned int timer_count_functions(uintptr_t base, size_t size)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < cpu_count; i++) {
		struct timer_queue *q = cpus[i] ? cpus[i]->timer_queue : NULL;

		for (struct rb_node *n = q ? q->first : NULL; n; n = rb_next(n))
			found += (uintptr_t)rb_entry(n, struct timer, node)->fn - base < size;
	}
	return found;
}
