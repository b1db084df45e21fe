/*
 * Waiting: the only way in which a thread of this kernel sleeps (mutexes are built on it, too). A sleep has a mode that
 * says what may end it early, and an absolute deadline on the monotonic clock. A thread asleep in a module that is being
 * replaced is ended with -ERESTART_MODULE; callers hand every negative result on to the system-call exit.
 *
 * Pattern (wait_event does it): queue the waiter, wait_prepare(mode), test the condition, wait_sleep(deadline), ..., finish.
 * wait_prepare's full barrier pairs with the one in thread_wake: either the waker sees the new state or the sleeper
 * sees the condition.
 */
#pragma once

#include "core/lib/list.h"
#include "core/sync/spinlock.h"
#include "core/time/timer.h"

struct thread;
struct waiter;

/* What ends a sleep besides a wake-up and its deadline. Each includes the ones before. */
enum wait_mode {
	WAIT_UNINTERRUPTIBLE = 1,	/* nothing */
	WAIT_KILLABLE,			/* WORK_KILL */
	WAIT_INTERRUPTIBLE,		/* WORK_SIGNAL and the kick of a module replacement */
};

/* Results of a system call that only the exit path sees; never reach user space. */
#define ERESTARTSYS           512	/* restart if the handler has SA_RESTART */
#define ERESTARTNOINTR        513	/* always restart */
#define ERESTARTNOHAND        514	/* restart if no handler runs */
#define ERESTART_RESTARTBLOCK 516	/* restart through restart_syscall */
#define ERESTART_MODULE       520	/* the module below is replaced: execute the call again */

#define TIME_NEVER UINT64_MAX

struct wait_queue {
	struct spinlock lock;
	struct list waiters;
};

#define WAIT_QUEUE_INIT(name) { SPINLOCK_INIT((name).lock), LIST_INIT((name).waiters) }

static inline void wait_queue_init(struct wait_queue *q)
{
	spin_init(&q->lock);
	list_init(&q->waiters);
}

/*
 * One entry on a queue. notify() runs under the queue's lock with interrupts off when the queue is woken; `key` is what
 * the waker passed (poll event bits, or 0). It returns true if it used up one of the wake-ups meant for exclusive waiters.
 */
struct waiter {
	struct list link;
	struct thread *thread;
	bool (*notify)(struct waiter *self, unsigned long key);
	bool exclusive;
};

/* Prepares an entry that wakes the current thread. */
void waiter_init(struct waiter *w);
/* The notify of such an entry. */
bool waiter_notify_thread(struct waiter *w, unsigned long key);

/* Any context. Exclusive entries go to the tail, others to the head. */
void wait_queue_add(struct wait_queue *q, struct waiter *w);
void wait_queue_remove(struct wait_queue *q, struct waiter *w);

/* Notifies all non-exclusive entries and up to `count` exclusive ones. Any context, also with interrupts off. */
void wait_queue_wake(struct wait_queue *q, unsigned int count, unsigned long key);
static inline void wait_wake_all(struct wait_queue *q) { wait_queue_wake(q, ~0u, 0); }
static inline void wait_wake_one(struct wait_queue *q) { wait_queue_wake(q, 1, 0); }
/* False is only a hint unless the caller ordered its store before it with full_barrier(). */
static inline bool wait_queue_active(const struct wait_queue *q) { return !list_empty(&q->waiters); }

/* Declares that the current thread is about to sleep. Full barrier. Preemption from here on does not put it to sleep. */
void wait_prepare(enum wait_mode mode);
/*
 * Sleeps until woken, ended early as the mode of wait_prepare says, or the deadline (ns on the monotonic clock, TIME_NEVER).
 * 0: woken (perhaps spuriously); -ETIMEDOUT; -EINTR; -ERESTART_MODULE. The thread is running again afterwards.
 */
int wait_sleep(uint64_t deadline);
/* The same with a deadline on another clock, which is followed when it is set. */
struct wait_limit {
	uint64_t deadline;		/* ns of the clock, or TIME_NEVER */
	enum timer_base base;
};
int wait_sleep_until(struct wait_limit limit);
/* Declares that the current thread does not want to sleep after all. */
void wait_finish(void);
/* Would a sleep in this mode end at once? 0, -EINTR or -ERESTART_MODULE. */
int wait_interrupted(enum wait_mode mode);

/*
 * Sleeps on `q` until `cond` holds. 0, -ETIMEDOUT, -EINTR, -ERESTART_MODULE; a condition that holds wins over all of them.
 */
#define wait_event(q, cond, mode, deadline) wait_event_general(q, cond, mode, deadline, false)
/* One waker's wait_wake_one releases one such thread. */
#define wait_event_exclusive(q, cond, mode, deadline) wait_event_general(q, cond, mode, deadline, true)

#define wait_event_general(q, cond, mode, deadline, excl)                                          \
	({                                                                                         \
		int wait_result = 0;                                                               \
		if (!(cond)) {                                                                     \
			struct waiter wait_self;                                                   \
			waiter_init(&wait_self);                                                   \
			wait_self.exclusive = (excl);                                              \
			wait_queue_add((q), &wait_self);                                           \
			for (;;) {                                                                 \
				wait_prepare(mode);                                                \
				if (cond) {                                                        \
					wait_result = 0;                                           \
					break;                                                     \
				}                                                                  \
				if (wait_result)                                                   \
					break;                                                     \
				wait_result = wait_sleep(deadline);                                \
			}                                                                          \
			wait_finish();                                                             \
			wait_queue_remove((q), &wait_self);                                        \
		}                                                                                  \
		wait_result;                                                                       \
	})
