/*
 * What the kernel keeps for each real user, beyond what is in a process or in a file system: counted by kind, with a limit for each
 * (account.c). Objects hold the account that they are charged to.
 */
#pragma once

#include "core/lib/refcount.h"

enum account_kind {
	ACCOUNT_PIPE_PAGES,		/* room of pipes; limited by their own rules (fifo.c) */
	ACCOUNT_WATCHES,		/* interests of epolls */
	ACCOUNT_LOCKS,			/* file locks */
	ACCOUNT_SOCKET_BYTES,		/* messages sent through local sockets and not read yet */
	ACCOUNT_RIGHTS,			/* files in such messages; limited by RLIMIT_NOFILE */
	ACCOUNT_SEGMENT_PAGES,		/* System V segments, by their size */
	ACCOUNT_IPC_BYTES,		/* System V messages and semaphores */
	ACCOUNT_KINDS,
};

struct account {
	struct account *next;		/* of its bucket */
	uint32_t uid;
	struct refcount refs;		/* the last goes under the table's lock */
	uint64_t used[ACCOUNT_KINDS];	/* atomic */
};

/* The most that one user without CAP_SYS_RESOURCE may have of a kind; set by /proc/sys. */
extern uint64_t account_limits[ACCOUNT_KINDS];

/* The account of the caller's real user, with a reference. Null when out of memory. May sleep. */
struct account *account_find(void);
static inline struct account *account_get(struct account *a)
{
	refcount_get(&a->refs);
	return a;
}
/* Null is taken. Any context. */
void account_put(struct account *a);
/* Counts n more; the sum. And takes them back. Any context. */
static inline uint64_t account_add(struct account *a, enum account_kind kind, uint64_t n)
{
	return __atomic_add_fetch(&a->used[kind], n, __ATOMIC_RELAXED);
}
static inline void account_sub(struct account *a, enum account_kind kind, uint64_t n)
{
	__atomic_fetch_sub(&a->used[kind], n, __ATOMIC_RELAXED);
}
static inline bool account_is_full(const struct account *a, enum account_kind kind)
{
	return READ_ONCE(a->used[kind]) >= READ_ONCE(account_limits[kind]);
}
/* May the caller have more than others? */
bool account_privileged(void);
/* account_add unless that were more than the limit and the caller is bound by it. */
bool account_charge(struct account *a, enum account_kind kind, uint64_t n);
/* At the start: limits by the size of memory. */
void account_start(void);
