/*
 * Private to modules/futex: keys, buckets and waiters, shared by the mechanisms (wait_wake.c, requeue.c, waitv.c, robust.c).
 */
#pragma once

#include <asm/errno.h>
#include <linux/futex.h>

#include "core/mem/aspace.h"
#include "core/mem/uaccess.h"
#include "core/module/services.h"
#include "core/sched/thread.h"
#include "core/sync/pi_mutex.h"
#include "core/sync/spinlock.h"
#include "core/sync/wait.h"
#include "core/sync/wake_list.h"

/* As on Linux, calls with and without FUTEX_PRIVATE_FLAG do not meet on private memory. */
enum { KEY_PRIVATE, KEY_OBJECT, KEY_ASPACE };

/* What a word is, wherever it is mapped. */
struct futex_key {
	uint64_t id;			/* address space, or memory object */
	uint64_t offset;		/* address, or offset in the object */
	uint64_t kind;			/* KEY_* */
};

struct futex_bucket {
	struct spinlock lock;
	unsigned int waiters;		/* queued or about to queue; raised before the word is read */
	struct list queue;		/* of futex_waiter: real-time threads by priority, then the others; equals by arrival */
	struct list pi_states;		/* of pi_state */
} __aligned(64);

/* One wait for one word. Lives on the sleeper's stack or in its array; removed by the waker or by the sleeper, under its bucket's lock. */
struct futex_waiter {
	struct list link;
	struct futex_key key;
	struct futex_bucket *bucket;	/* changes in a requeue, under both locks; null: was woken */
	struct thread *thread;
	struct pi_call *pi;		/* waits to be requeued to a priority-inheriting word; null: plain */
	int priority;			/* real-time 1..99, 0: none; its place in the queue */
	uint32_t bitset;
	bool requeued;
};

/* A contended priority-inheriting word: exists from its first waiter until the last call that waited has left. Guarded by its bucket's lock. */
struct pi_state {
	struct list link;
	struct futex_key key;
	struct pi_mutex mutex;
	uint32_t owner_tid;		/* what the word should say, unless the mutex is abandoned */
	unsigned int calls;		/* pi_calls that refer to it */
};

/* One call that wants a priority-inheriting word, on the caller's stack. Guarded by the bucket's lock while it is requeued. */
struct pi_call {
	struct futex_key key;
	struct futex_bucket *bucket;
	struct pi_waiter waiter;
	struct pi_state *state;		/* null: it has the word, or does not wait for it yet */
	struct pi_state *spare;		/* memory for a new state */
};

static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->offset == b->offset && a->id == b->id && a->kind == b->kind;
}

extern int futex_slot;			/* a thread's robust list head, an address */

/* key.c */
/* -EINVAL (not aligned), -EFAULT. */
int futex_key_get(uintptr_t uaddr, bool private_key, struct futex_key *out);
struct futex_bucket *futex_bucket_of(const struct futex_key *key);
/* Both locks, in one order; equal buckets are locked once. */
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

/* Queues a waiter, whose thread is set, at its place. The bucket is locked; its count is the caller's business. */
void futex_queue_locked(struct futex_bucket *b, struct futex_waiter *w);
/* Takes a waiter off its queue and notes its thread. The bucket is locked; the waiter may be gone as soon as this returns. */
void futex_mark_woken(struct futex_waiter *w, struct wake_list *wakes);

/* wait_wake.c */
int futex_wake(uintptr_t uaddr, bool private_key, int count, uint32_t bitset);
int futex_wake_op(uintptr_t uaddr1, uintptr_t uaddr2, bool private_key, int count1, int count2, uint32_t op);
int futex_wait(uintptr_t uaddr, bool private_key, uint32_t value, uint32_t bitset, struct wait_limit limit);
/* Takes the waiter off wherever it is now. False if somebody woke it before. */
bool futex_withdraw(struct futex_waiter *w);
/* Queues `w` if the word has the value. 0; -EAGAIN; -EFAULT. On success the thread is prepared to sleep. */
int futex_enqueue(struct futex_waiter *w, uintptr_t uaddr, uint32_t value);

/* requeue.c */
int futex_requeue(uintptr_t uaddr1, bool private1, uintptr_t uaddr2, bool private2, int wake, int requeue,
		  const uint32_t *expected);

/* time.c */
/* A timeout of user space as what a sleep takes. */
int futex_deadline(uintptr_t timeout, bool relative, bool realtime, struct wait_limit *out);

/* pi_state.c */
enum pi_outcome { PI_QUEUED, PI_TAKEN };
/* Key and memory for a call. -EINVAL, -EFAULT, -ENOMEM. */
int pi_call_init(struct pi_call *c, uintptr_t uaddr, bool private_key);
void pi_call_free_spare(struct pi_call *c);
/*
 * Gives the word to thread `t` if it is free, else queues it behind the owner; *outcome says which. The call's bucket is locked; `spare` may be
 * another call's. `set_waiters`: mark a free word as contended. -EAGAIN: the word changed, unlock and try again; -EFAULT: bring
 * it in without the lock and try again; -EDEADLK, -EINVAL, -ESRCH; -EBUSY instead of queueing if `only_try`.
 */
int pi_take_or_queue(struct pi_call *c, struct thread *t, uintptr_t uaddr, bool set_waiters, bool only_try,
		     struct pi_state **spare, enum pi_outcome *outcome);
/* Sleeps until the word is granted, and leaves the queue. `uaddr` is the word in the caller's address space. 0, or why not. */
int pi_wait_and_leave(struct pi_call *c, uintptr_t uaddr, struct wait_limit limit);
struct pi_state *pi_state_find(struct futex_bucket *b, const struct futex_key *key);
/* Loads or exchanges the word without resolving faults. */
int pi_load_word(uintptr_t uaddr, uint32_t *word);
int pi_exchange_word(uintptr_t uaddr, uint32_t expected, uint32_t desired, uint32_t *seen);
/* Does a plain waiter, or one that waits to be requeued, wait for the key? */
bool futex_has_plain_waiter(struct futex_bucket *b, const struct futex_key *key);

/* pi.c */
int futex_lock_pi(uintptr_t uaddr, bool private_key, struct wait_limit limit, bool only_try);
int futex_unlock_pi(uintptr_t uaddr, bool private_key);

/* pi_requeue.c */
int futex_wait_requeue_pi(uintptr_t uaddr1, uintptr_t uaddr2, bool private_key, uint32_t value, struct wait_limit limit);
int futex_cmp_requeue_pi(uintptr_t uaddr1, uintptr_t uaddr2, bool private_key, int wake, int requeue, uint32_t expected);
