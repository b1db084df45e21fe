/*
 * What the tests of priority-inheriting futexes share.
 */
#pragma once

#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "test.h"

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static inline long futex(void *word, int op, uint32_t value, const void *timeout, void *word2, uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static inline uint32_t self(void) { return (uint32_t)syscall(SYS_gettid); }
static inline uint32_t get(uint32_t *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }
static inline void set(uint32_t *p, uint32_t v) { __atomic_store_n(p, v, __ATOMIC_SEQ_CST); }
static inline long lock_pi(uint32_t *w) { return futex(w, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0); }
static inline long unlock_pi(uint32_t *w) { return futex(w, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0); }

/* The current time of a clock and a few ms. */
static inline struct timespec after_ms(int clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Waits until a thread sleeps in the kernel. */
static inline void until_asleep(uint32_t *tid)
{
	char path[64], line[256];

	while (!get(tid))
		usleep(500);
	snprintf(path, sizeof(path), "/proc/self/task/%u/stat", get(tid));
	for (int i = 0; i < 4000; i++) {
		FILE *f = fopen(path, "r");
		char *p = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;

		if (f)
			fclose(f);
		if (p && p[2] == 'S')
			break;
		usleep(500);
	}
}

/* Until a word is marked as contended, and its waiters had time to queue themselves. */
static inline void until_contended(uint32_t *w)
{
	while (!(get(w) & FUTEX_WAITERS))
		usleep(500);
}

static inline int fifo(int priority)
{
	struct sched_param p = { .sched_priority = priority };

	return sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &p);
}
