/*
 * Read-copy-update by quiescent states. A reader has preemption disabled; a CPU is quiescent when it switches threads,
 * runs user code or idles. Readers may nest, may run in interrupts, and never sleep.
 */
#pragma once

#include "core/arch/cpu.h"
#include "core/lib/types.h"

struct module;

static inline void rcu_read_lock(void) { preempt_disable(); }
static inline void rcu_read_unlock(void) { preempt_enable(); }

#define rcu_dereference(p) __atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_assign(p, v)   __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

struct rcu_head {
	struct rcu_head *next;
	void (*fn)(struct rcu_head *);
};

/* Calls fn(head) in a kernel thread after a grace period. Any context. */
void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *));
/* Waits for a grace period. May sleep. */
void rcu_synchronize(void);
/* Waits until all callbacks queued before have run. May sleep. */
void rcu_barrier(void);

/* Scheduler and idle loop: this CPU holds no reference obtained under RCU. Preemption is disabled. */
void rcu_quiescent(void);
/* The timer interrupt asks whether a grace period waits for this CPU; makes it reschedule then. */
void rcu_tick(bool from_user);
void rcu_start(void);
