/*
 * One-shot timers, in a tree per CPU and clock: O(log n), the first in O(1). Those on real time and TAI follow the clock when it is set.
 * Callbacks run in the timer interrupt with interrupts off; they may arm timers (their own, too), wake threads, and take irq-safe spinlocks.
 */
#pragma once

#include "core/lib/rbtree.h"
#include "core/lib/types.h"

enum timer_base { TIMER_MONOTONIC, TIMER_REALTIME, TIMER_TAI, TIMER_BASES };

struct timer {
	struct rb_node node;
	uint64_t deadline;		/* ns of its clock */
	uint64_t key;			/* place in the tree, never after the deadline */
	void (*fn)(struct timer *self);
	struct timer_queue *queue;	/* the tree it is or was on */
	unsigned char state;		/* idle, armed, running */
	unsigned char base;		/* the clock that it was armed on last */
};

void timer_init(struct timer *t, void (*fn)(struct timer *self));
/* Callers see to it that no two arm one timer at once: a lock of theirs, which its callback takes, too. */
/* Arms, moving the deadline if it is armed already (to a later time in O(1)); on this CPU, unless it is moved to a later time. Any context. A deadline in the past fires at once. */
void timer_arm_on(struct timer *t, enum timer_base base, uint64_t deadline);
static inline void timer_arm(struct timer *t, uint64_t deadline) { timer_arm_on(t, TIMER_MONOTONIC, deadline); }
/* True if it was armed and will not fire. The callback may still be running on another CPU. Any context. */
bool timer_cancel(struct timer *t);
/* As timer_cancel, and waits until a running callback has returned. Not from the callback nor under a lock that it takes. */
bool timer_cancel_sync(struct timer *t);
static inline bool timer_armed(const struct timer *t) { return READ_ONCE(t->state) == 1; }

/* The port's timer interrupt: runs what is due and programs the next event. Interrupts are off. */
void timer_interrupt(void);
/* Real time or TAI jumped, or will: all CPUs look anew when their first timers are due. Any context, no lock of a timer's held. */
void timer_clock_changed(void);
/* This CPU's part of it, in the kick interrupt. */
void timer_kick(void);
/* What a clock shows, in ns. */
uint64_t timer_base_now(enum timer_base base);
/* Creates a CPU's queue. -ENOMEM. */
struct cpu;
int timer_cpu_start(struct cpu *cpu);
/* Armed timers whose function lies in [base, base + size). The machine is stopped. */
unsigned int timer_count_functions(uintptr_t base, size_t size);
