/*
 * Timers: one tree per CPU and clock, ordered by `key`, which is the deadline or earlier: an armed timer that is moved to a later time stays where
 * it is, and finds its place when it comes first. Most timers are moved often and fire never.
 *
 * Deadlines are kept in ns of their clock and turned into monotonic time when the event is programmed, so a jump of real time changes
 * no timer: each CPU only has to program its event anew. Whoever makes the clock jump does so before it takes the queues' locks one
 * after the other; a timer that is armed later sees the new clock, one that was armed before is seen by it.
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
	struct rb_root tree[TIMER_BASES];
	struct rb_node *first[TIMER_BASES];
	struct timer *running;
	bool stale;			/* real time jumped: the event is to be programmed anew */
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
	if (q->first[t->base] == &t->node)
		q->first[t->base] = rb_next(&t->node);
	rb_remove(&q->tree[t->base], &t->node);
	WRITE_ONCE(t->state, TIMER_IDLE);
}

uint64_t timer_base_now(enum timer_base base)
{
	return likely(base == TIMER_MONOTONIC) ? clock_monotonic() :
	       (uint64_t)(base == TIMER_TAI ? clock_tai() : clock_realtime());
}
KAPI(timer_base_now);

/* The monotonic time at which the first timer of a clock is due. */
static uint64_t first_due(const struct timer_queue *q, enum timer_base base)
{
	uint64_t key = q->first[base] ? rb_entry(q->first[base], struct timer, node)->key : TIME_NEVER;

	if (base == TIMER_MONOTONIC || key == TIME_NEVER)
		return key;
	return base == TIMER_TAI ? clock_tai_to_deadline((int64_t)key) : clock_realtime_to_deadline((int64_t)key);
}

/* Sets the port's event if one is due before what it is set to; a removal or a move costs one empty interrupt. */
static void program_for(struct timer_queue *q, uint64_t due)
{
	if (due < q->programmed) {
		q->programmed = due;
		arch_timer_program(due);
	}
}

static void program(struct timer_queue *q)
{
	uint64_t due = first_due(q, TIMER_MONOTONIC);

	for (enum timer_base b = TIMER_REALTIME; b < TIMER_BASES; b++)
		if (unlikely(q->first[b]))
			due = MIN(due, first_due(q, b));
	program_for(q, due);
}

void timer_kick(void)
{
	struct timer_queue *q = queue_self();

	if (likely(!q || !READ_ONCE(q->stale)))
		return;
	spin_lock_raw(&q->lock);
	q->stale = false;
	program(q);
	spin_unlock_raw(&q->lock);
}

void timer_clock_changed(void)
{
	unsigned int self;

	preempt_disable();
	self = arch_cpu_self()->id;
	for (unsigned int i = 0; i < cpu_count; i++) {
		struct timer_queue *q = cpus[i] ? cpus[i]->timer_queue : NULL;
		unsigned long flags;
		bool there;

		if (!q)
			continue;
		flags = spin_lock_irqsave(&q->lock);
		there = q->first[TIMER_REALTIME] || q->first[TIMER_TAI];
		if (there && i == self)
			program(q);
		else if (there)
			WRITE_ONCE(q->stale, true);
		spin_unlock_irqrestore(&q->lock, flags);
		if (there && i != self)
			arch_cpu_kick(i);
	}
	preempt_enable();
}

void timer_arm_on(struct timer *t, enum timer_base base, uint64_t deadline)
{
	unsigned long flags = arch_irq_save();
	struct timer_queue *here, *q;

	preempt_disable();
	here = queue_self();
	q = lock_timer(t);
	if (q && t->state == TIMER_ARMED && deadline >= t->key && base == t->base) {
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
	t->base = (unsigned char)base;
	WRITE_ONCE(t->state, TIMER_ARMED);
	if (rb_insert(&here->tree[base], &t->node, earlier)) {
		here->first[base] = &t->node;
		if (here == queue_self())
			program_for(here, first_due(here, base));
	}
	spin_unlock_raw(&here->lock);
	arch_irq_restore(flags);
	preempt_enable();
}
KAPI(timer_arm_on);

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
	q->first[t->base] = rb_next(&t->node);
	rb_remove(&q->tree[t->base], &t->node);
	t->key = t->deadline;
	if (rb_insert(&q->tree[t->base], &t->node, earlier))
		q->first[t->base] = &t->node;
}

/* Runs what is due on one clock, up to `budget` callbacks; returns what is left of that. The queue is locked, but for the callbacks. */
static unsigned int run_due(struct timer_queue *q, enum timer_base base, unsigned int budget)
{
	while (q->first[base] && budget) {
		struct timer *t = rb_entry(q->first[base], struct timer, node);
		void (*fn)(struct timer *self);
		uint64_t now = timer_base_now(base);

		if (t->key > now)
			break;
		budget--;
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
	return budget;
}

void timer_interrupt(void)
{
	struct timer_queue *q = queue_self();
	unsigned int budget = CALLBACKS_MAX;

	arch_cpu_self()->irq_timer++;
	spin_lock_raw(&q->lock);
	q->programmed = TIME_NEVER;
	q->stale = false;
	for (enum timer_base b = TIMER_MONOTONIC; b < TIMER_BASES; b++)
		if (q->first[b])
			budget = run_due(q, b, budget);
	program(q);
	spin_unlock_raw(&q->lock);
}

unsigned int timer_count_functions(uintptr_t base, size_t size)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < cpu_count; i++) {
		struct timer_queue *q = cpus[i] ? cpus[i]->timer_queue : NULL;

		for (unsigned int b = 0; q && b < TIMER_BASES; b++)
			for (struct rb_node *n = q->first[b]; n; n = rb_next(n))
				found += (uintptr_t)rb_entry(n, struct timer, node)->fn - base < size;
	}
	return found;
}
