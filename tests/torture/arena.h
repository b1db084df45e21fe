/*
 * Thread torture: the objects that threads fight for, and what must always hold of them.
 *
 * A lock guards a pair of counters that are equal whenever nobody holds it. Objects in the shared arena belong to both processes of a round;
 * in a round in which a process may be killed, only the robust locks of the arena are used, since nobody frees the others.
 */
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOCKS 4
#define QUEUE 16
#define TOKENS 3

enum { KIND_PLAIN, KIND_INHERIT, KIND_ROBUST, KIND_ROBUST_INHERIT, KINDS };

static const char *const kind_names[] = { "lock", "inheriting lock", "robust lock", "robust inheriting lock" };

struct guarded {
	int kind;
	pthread_mutex_t mutex;
	volatile long first, second;	/* equal outside */
	long repairs;
};

/* A bounded buffer. */
struct buffer {
	pthread_mutex_t mutex;
	pthread_cond_t not_empty, not_full;
	long slot[QUEUE];
	unsigned int head, tail;
	long put_sum, got_sum;
};

struct objects {
	struct guarded lock[KINDS][LOCKS];
	struct buffer buffer;
	sem_t tokens;
	volatile long holders;		/* of tokens: atomic */
};

struct arena {
	struct objects objects;
	int mortal;			/* a process of this round may be killed: see above */
	volatile int failed;
	char why[240];
};

static struct arena *arena;		/* shared by the two processes */
static struct objects own;		/* of this process alone */
static __thread uint64_t seed;
static __thread volatile sig_atomic_t signals_seen;

/* The first failure of a round stays in the arena, every one is printed: which check, where, by whom. Ends the process. */
#define fail(what, value) fail_at(__func__, __LINE__, what, (long)(value))
static void fail_at(const char *function, int line, const char *what, long value)
{
	int error = errno;
	char text[sizeof(arena->why)];

	snprintf(text, sizeof(text), "%s:%d: %s (%ld, errno %d) in thread %ld of %d", function, line, what, value, error,
		 syscall(SYS_gettid), getpid());
	if (!__atomic_exchange_n(&arena->failed, 1, __ATOMIC_SEQ_CST))
		memcpy(arena->why, text, sizeof(text));
	dprintf(1, "# %s\n", text);
	_exit(99);
}

#define MUST(call)                                                                                 \
	do {                                                                                       \
		long must_r = (long)(call);                                                        \
		if (must_r)                                                                        \
			fail(#call, must_r);                                                       \
	} while (0)

static unsigned int dice(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)((seed >> 20) % n);
}

static struct timespec soon(int clock, long microseconds)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += microseconds * 1000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void make_mutex(pthread_mutex_t *m, int kind, int shared)
{
	pthread_mutexattr_t a;

	MUST(pthread_mutexattr_init(&a));
	if (kind == KIND_INHERIT || kind == KIND_ROBUST_INHERIT)
		MUST(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
	if (kind == KIND_ROBUST || kind == KIND_ROBUST_INHERIT)
		MUST(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	MUST(pthread_mutexattr_setpshared(&a, shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE));
	MUST(pthread_mutex_init(m, &a));
	MUST(pthread_mutexattr_destroy(&a));
}

static void make_condition(pthread_cond_t *c, int shared)
{
	pthread_condattr_t a;

	MUST(pthread_condattr_init(&a));
	MUST(pthread_condattr_setpshared(&a, shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE));
	MUST(pthread_condattr_setclock(&a, CLOCK_MONOTONIC));
	MUST(pthread_cond_init(c, &a));
	MUST(pthread_condattr_destroy(&a));
}

static void make_objects(struct objects *o, int shared)
{
	memset(o, 0, sizeof(*o));
	for (int kind = 0; kind < KINDS; kind++) {
		for (int i = 0; i < LOCKS; i++) {
			o->lock[kind][i].kind = kind;
			make_mutex(&o->lock[kind][i].mutex, kind, shared);
		}
	}
	make_mutex(&o->buffer.mutex, KIND_PLAIN, shared);
	make_condition(&o->buffer.not_empty, shared);
	make_condition(&o->buffer.not_full, shared);
	MUST(sem_init(&o->tokens, shared, TOKENS));
}

/*
 * Can the lock be had again when its owner was killed? musl enters a lock that the kernel gave it (robust and inheriting) into its list a moment
 * later, so it cannot be relied on there.
 */
static int survives(int kind)
{
#ifdef __GLIBC__
	return kind == KIND_ROBUST || kind == KIND_ROBUST_INHERIT;
#else
	return kind == KIND_ROBUST;
#endif
}

/*
 * Waits for a lock. While a thread waits, musl does not name the lock to the kernel (list_op_pending), so that a wake-up is lost with a killed
 * thread that it went to, on every kernel: where that can happen, look again from time to time.
 */
static int take(struct guarded *g)
{
#ifndef __GLIBC__
	while (arena->mortal && (char *)g >= (char *)arena && (char *)g < (char *)(arena + 1)) {
		struct timespec t = soon(CLOCK_REALTIME, 100000);
		int r = pthread_mutex_timedlock(&g->mutex, &t);

		if (r != ETIMEDOUT)
			return r;
	}
#endif
	return pthread_mutex_lock(&g->mutex);
}

/* Takes a lock whose owner may have died in it: then what it left half done is repaired. */
static void enter(struct guarded *g, int result)
{
	if (result == EOWNERDEAD) {
		if (g->first != g->second && g->first != g->second + 1)
			fail("a dead owner left more than one step undone", g->first - g->second);
		g->second = g->first;
		g->repairs++;
		MUST(pthread_mutex_consistent(&g->mutex));
	} else if (result) {
		fail(kind_names[g->kind], result);
	}
	if (g->first != g->second)
		fail("two were inside", g->first - g->second);
	g->first++;
}

static void leave(struct guarded *g)
{
	if (g->first != g->second + 1)
		fail("two were inside at the end", g->first - g->second);
	g->second++;
	MUST(pthread_mutex_unlock(&g->mutex));
}

/* Nobody uses them any more: every lock can be had, nothing is lost. */
static void check_objects(struct objects *o, int shared)
{
	int value;

	for (int kind = 0; kind < KINDS; kind++) {
		if (shared && arena->mortal && !survives(kind))
			continue;
		for (int i = 0; i < LOCKS; i++) {
			struct timespec t = soon(CLOCK_REALTIME, 10000000);
			struct guarded *g = &o->lock[kind][i];

			enter(g, pthread_mutex_timedlock(&g->mutex, &t));
			leave(g);
		}
	}
	if (shared && arena->mortal)
		return;
	MUST(sem_getvalue(&o->tokens, &value));
	if (value != TOKENS || o->holders)
		fail("tokens were lost", value);
	while (o->buffer.tail != o->buffer.head)
		o->buffer.got_sum += o->buffer.slot[o->buffer.tail++ % QUEUE];
	if (o->buffer.put_sum != o->buffer.got_sum)
		fail("what was put and what was got differ", o->buffer.put_sum - o->buffer.got_sum);
}
