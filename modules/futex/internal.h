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
#include "core/sync/spinlock.h"
#include "core/sync/wait.h"
#include "core/sync/wake_list.h"

/* What a word is, wherever it is mapped. */
struct futex_key {
	uint64_t id;			/* address space, or memory object */
	uint64_t offset;		/* address, or offset in the object */
	uint64_t shared;
};

struct futex_bucket {
	struct spinlock lock;
	unsigned int waiters;		/* queued or about to queue; raised before the word is read */
	struct list queue;		/* of futex_waiter, in order of arrival */
} __aligned(64);

/* One wait for one word. Lives on the sleeper's stack or in its array; removed by the waker or by the sleeper, under its bucket's lock. */
struct futex_waiter {
	struct list link;
	struct futex_key key;
	struct futex_bucket *bucket;	/* changes in a requeue, under both locks; null: was woken */
	struct thread *thread;
	uint32_t bitset;
	bool requeued;
};

static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->offset == b->offset && a->id == b->id && a->shared == b->shared;
}

extern int futex_slot;			/* a thread's robust list head, an address */

/* key.c */
/* -EINVAL (not aligned), -EFAULT. */
int futex_key_get(uintptr_t uaddr, bool private_key, struct futex_key *out);
struct futex_bucket *futex_bucket_of(const struct futex_key *key);
/* Both locks, in one order; equal buckets are locked once. */
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

/* Takes a waiter off its queue and notes its thread. The bucket is locked; the waiter may be gone as soon as this returns. */
void futex_mark_woken(struct futex_waiter *w, struct wake_list *wakes);

/* wait_wake.c */
int futex_wake(uintptr_t uaddr, bool private_key, int count, uint32_t bitset);
int futex_wake_op(uintptr_t uaddr1, uintptr_t uaddr2, bool private_key, int count1, int count2, uint32_t op);
int futex_wait(uintptr_t uaddr, bool private_key, uint32_t value, uint32_t bitset, uint64_t deadline);
/* Takes the waiter off wherever it is now. False if somebody woke it before. */
bool futex_withdraw(struct futex_waiter *w);
/* Queues `w` if the word has the value. 0; -EAGAIN; -EFAULT. On success the thread is prepared to sleep. */
int futex_enqueue(struct futex_waiter *w, uintptr_t uaddr, uint32_t value);

/* requeue.c */
int futex_requeue(uintptr_t uaddr1, bool private1, uintptr_t uaddr2, bool private2, int wake, int requeue,
		  const uint32_t *expected);

/* time.c */
/* A timeout of user space as a monotonic deadline. */
int futex_deadline(uintptr_t timeout, bool relative, bool realtime, uint64_t *out);
