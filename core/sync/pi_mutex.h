/*
 * Priority inheritance: who owns a lock, who waits for it in which order, and what priority that lends to the owner.
 *
 * Only contended locks are known here; whether a free one is taken is the user's business (modules/futex/pi_state.c). Sleeping is
 * the user's, too: a waiter is queued, its thread sleeps until `granted`, and then leaves in any case.
 *
 * Real-time waiters go by priority, others behind them; equals by arrival. An owner runs at least at the priority of the
 * best of those that wait for it, directly or through other owners.
 */
#pragma once

#include "core/lib/rbtree.h"
#include "core/sched/thread.h"
#include "core/sync/wake_list.h"

/* Longer chains of owners that wait for others are refused. */
#define PI_CHAIN_MAX 1024

struct pi_mutex {
	struct thread *owner;
	struct rb_root waiters;		/* of pi_waiter, best first */
	struct rb_node held;		/* in owner->pi_held while there are waiters */
	int priority;			/* of the best waiter: the key there */
	bool linked;			/* in owner->pi_held */
	bool abandoned;			/* the owner before ended without unlocking it; cleared by the user */
};

struct pi_waiter {
	struct rb_node node;
	struct pi_mutex *mutex;		/* null: not queued */
	struct thread *thread;
	int priority;
	bool granted;
};

void pi_mutex_init(struct pi_mutex *m, struct thread *owner);
/*
 * Queues `t` (the caller, or a thread that sleeps) and lends its priority. -EDEADLK: it would wait for itself, or the chain is
 * too long; -ESRCH: there is no waiter yet and the owner is past pi_thread_exit. For a mutex without waiters the caller
 * has a reference to the owner; later the owner's exit takes care of it.
 */
int pi_mutex_enqueue(struct pi_mutex *m, struct pi_waiter *w, struct thread *t);
/* The waiter that is next; null if there is none. It stays until the caller lets others in or out. */
struct pi_waiter *pi_mutex_first(struct pi_mutex *m);
/*
 * Makes a waiter the owner and notes its thread. The caller keeps preemption disabled until the wake-ups are delivered: it may
 * have lost the priority that it needs to come so far.
 */
void pi_mutex_grant(struct pi_mutex *m, struct pi_waiter *w, struct wake_list *wakes);
/* Ends a wait. True if the mutex was granted. From then on neither is used by anybody. */
bool pi_mutex_leave(struct pi_waiter *w);
static inline bool pi_waiter_granted(const struct pi_waiter *w) { return load_acquire(&w->granted); }

/* The current thread gives away all that others wait for (exec, exit). */
void pi_release_all(void);
/* The same for good: nobody waits for `t` from now on. Once, or more often. */
void pi_thread_exit(struct thread *t);
/* The priority of `t` changed: its place and what it lends follow. Not under run-queue locks. */
void pi_priority_changed(struct thread *t);
