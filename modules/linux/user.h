/*
 * What the processes of one real user use together (user.c).
 */
#pragma once

#include "core/lib/refcount.h"

struct user {
	struct user *next;		/* of its bucket */
	uint32_t uid;
	struct refcount refs;		/* the last goes under the table's lock */
	uint64_t tasks;			/* threads, and processes that nobody waited for yet */
	uint64_t signals;		/* queued ones, and timers */
	uint64_t queue_bytes;		/* what POSIX message queues may hold */
};

/* The user of a real id, with a reference; made when it is the first. Null when out of memory. May sleep. */
struct user *user_find(uint32_t uid);
/* Any context; user_put takes null. */
static inline struct user *user_get(struct user *u)
{
	refcount_get(&u->refs);
	return u;
}
void user_put(struct user *u);

/* Counts one more thread; false if that is more than `limit` and the caller is bound by it. The superuser is not. */
bool user_charge_task(struct user *u, uint64_t limit);
void user_uncharge_task(struct user *u);
/* The same question without counting, to refuse early. */
bool user_may_have_task(const struct user *u, uint64_t limit);

/* Counts a queued signal with a reference; false if there is no room. `must`: counted whether or not there is. Any context. */
bool user_charge_signal(struct user *u, uint64_t limit, bool must);
/* Null is taken. */
void user_uncharge_signal(struct user *u);

/* Counts what a message queue may hold, with a reference; false if it would be more than `limit` in all. Any context. */
bool user_charge_queue(struct user *u, uint64_t bytes, uint64_t limit);
void user_uncharge_queue(struct user *u, uint64_t bytes);

/* The caller is about to get this real user id. -EAGAIN when out of memory. */
int user_change(uint32_t uid);
/* -EAGAIN: the caller's user was over RLIMIT_NPROC when it became it, and still is. */
int user_check_exec(void);
