/* Threads and what they wait on. */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#define SLEEPERS 100

static int word, turn;
static int asleep[SLEEPERS];

static long futex(int *at, int what, int value) { return syscall(SYS_futex, at, what | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0); }

static void *nothing(void *arg) { return arg; }

static void create_run(long n)
{
	while (n--) {
		pthread_t t;

		NEED(pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0);
	}
}

static void wake_nobody_run(long n) { while (n--) NEED(futex(&word, FUTEX_WAKE, 1) == 0); }
static void wait_changed_run(long n) { while (n--) NEED(futex(&word, FUTEX_WAIT, 1) == -1); }

static void pass(int from)
{
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != from)
		futex(&turn, FUTEX_WAIT, !from);
	__atomic_store_n(&turn, !from, __ATOMIC_RELEASE);
	futex(&turn, FUTEX_WAKE, 1);
}

static void *partner(void *unused)
{
	for (;;)
		pass(1);
	return unused;
}

static void one_partner(void)
{
	pthread_t t;

	NEED(pthread_create(&t, NULL, partner, NULL) == 0);
}

static void turns_run(long n) { while (n--) pass(0); }

static void *sleeper(void *mine)
{
	for (;;) {
		int seen = __atomic_load_n(&word, __ATOMIC_ACQUIRE);

		__atomic_store_n((int *)mine, 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == seen)
			futex(&word, FUTEX_WAIT, seen);
	}
	return mine;
}

static void many_sleepers(void)
{
	for (int i = 0; i < SLEEPERS; i++) {
		pthread_t t;

		NEED(pthread_create(&t, NULL, sleeper, &asleep[i]) == 0);
	}
}

/* One operation: all are awake, have run, and sleep again. */
static void wake_all_run(long n)
{
	while (n--) {
		for (int i = 0; i < SLEEPERS; i++) {
			while (!__atomic_load_n(&asleep[i], __ATOMIC_ACQUIRE))
				sched_yield();
			asleep[i] = 0;
		}
		__atomic_fetch_add(&word, 1, __ATOMIC_RELEASE);
		futex(&word, FUTEX_WAKE, SLEEPERS);
	}
}

const struct measure threads[] = {
	{ "thread_create_join", NULL, create_run, 300 },
	{ "futex_wake_nobody", NULL, wake_nobody_run, 10000 },
	{ "futex_wait_changed", NULL, wait_changed_run, 10000 },
	{ "futex_turns", one_partner, turns_run, 1500 },
	{ "futex_wake_100", many_sleepers, wake_all_run, 20 },
	{ 0 },
};
