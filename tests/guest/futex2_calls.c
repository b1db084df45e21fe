/* The second generation of futex calls: waiting, waking with masks, moving waiters, waiting for several; the robust list read back. */
// libc: gcc
// flags: -pthread
// calls: futex_wait futex_wake futex_requeue futex_waitv get_robust_list
#include "include/proof.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#define SYS_futex_wait 455
#define SYS_futex_requeue 456
#endif
#define U32 2
#define PRIVATE 128

struct waiter { uint64_t val, uaddr; uint32_t flags, reserved; };

static uint32_t words[3];
static int done;

static void *wait_masked(void *arg)
{
	long r = syscall(SYS_futex_wait, &words[0], 0l, (long)arg, U32 | PRIVATE, NULL, CLOCK_MONOTONIC);

	__atomic_add_fetch(&done, r == 0 ? 1 : 100, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Wakes until so many have been woken: a waiter may not sleep yet. */
static int wake(uint32_t *word, long mask, int count)
{
	int n = 0;

	for (int i = 0; i < 5000 && n < count; i++) {
		n += syscall(SYS_futex_wake, word, mask, count - n, U32 | PRIVATE);
		usleep(1000);
	}
	return n;
}

static void masks(void)
{
	pthread_t t[3];

	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, wait_masked, (void *)(1l << i));
	CHECK_EQ(wake(&words[0], 2, 1), 1);
	pthread_join(t[1], NULL);
	CHECK_EQ(done, 1);
	GIVES(0, futex_wake, &words[0], 8l, 5, U32 | PRIVATE);
	/* A shared waker does not find private waiters, and none asks for none. */
	GIVES(0, futex_wake, &words[0], 1l, 5, U32);
	GIVES(0, futex_wake, &words[0], 1l, 0, U32 | PRIVATE);
	CHECK_EQ(wake(&words[0], 5, 2), 2);
	pthread_join(t[0], NULL);
	pthread_join(t[2], NULL);
	CHECK_EQ(done, 3);
}

static void moves(void)
{
	struct waiter w[2] = { { 0, (uintptr_t)&words[0], U32 | PRIVATE, 0 }, { 0, (uintptr_t)&words[1], U32 | PRIVATE, 0 } };
	pthread_t t[3];
	int moved = 0;

	done = 0;
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, wait_masked, (void *)1l);
	for (int i = 0; i < 5000 && moved < 3; i++) {
		moved += syscall(SYS_futex_requeue, w, 0, 0, 10);
		usleep(1000);
	}
	CHECK_EQ(moved, 3);
	GIVES(0, futex_wake, &words[0], 1l, 10, U32 | PRIVATE);
	CHECK_EQ(done, 0);
	w[0].uaddr = (uintptr_t)&words[1];
	w[1].uaddr = (uintptr_t)&words[2];
	/* One is woken, one moves on, one stays. */
	GIVES(2, futex_requeue, w, 0, 1, 1);
	CHECK_EQ(wake(&words[2], 1, 1), 1);
	CHECK_EQ(wake(&words[1], 1, 1), 1);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(done, 3);
}

static void *wake_third(void *arg)
{
	wake(&words[2], 1, 1);
	return arg;
}

static void several(void)
{
	struct waiter w[3];
	struct timespec end;
	pthread_t t;

	for (int i = 0; i < 3; i++)
		w[i] = (struct waiter){ 0, (uintptr_t)&words[i], U32 | PRIVATE, 0 };
	pthread_create(&t, NULL, wake_third, NULL);
	GIVES(2, futex_waitv, w, 3, 0, NULL, CLOCK_MONOTONIC);
	pthread_join(t, NULL);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += 20000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	FAILS(ETIMEDOUT, futex_waitv, w, 3, 0, &end, CLOCK_REALTIME);
	FAILS(ETIMEDOUT, futex_wait, &words[0], 0l, 1l, U32, &end, CLOCK_REALTIME);
}

static void lists(void)
{
	static struct { void *next; long offset; void *pending; } head = { &head, 0, NULL };
	uint64_t at = 0, size = 0;

	GIVES(0, set_robust_list, &head, 24l);
	GIVES(0, get_robust_list, 0, &at, &size);
	CHECK(at == (uintptr_t)&head && size == 24);
	GIVES(0, get_robust_list, getpid(), &at, &size);
	CHECK(at == (uintptr_t)&head);
}

int main(void)
{
	masks();
	moves();
	several();
	in_child(lists);
	return test_done();
}
