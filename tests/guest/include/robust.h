/*
 * A thread that ends while it wants a robust lock, and another that waits for the lock: for the tests of wake-ups that die.
 */
#pragma once

#include "pi.h"

#define PATIENCE 20	/* seconds: who sleeps for so long sleeps for ever */

struct node {
	struct robust_list list;
	uint32_t word;
};

static struct node lock;
static uint32_t elsewhere;
static volatile long waited;

static void *waiter(void *arg)
{
	struct timespec t = { PATIENCE, 0 };

	(void)arg;
	waited = futex(&elsewhere, FUTEX_WAIT, 0, &t, NULL, 0) ? errno : 0;
	return NULL;
}

/* Ends while it wants the lock: as if it had been woken for it. */
static void *ends_wanting(void *arg)
{
	static struct robust_list_head head;

	(void)arg;
	head.list.next = &head.list;
	head.futex_offset = offsetof(struct node, word);
	head.list_op_pending = &lock.list;
	syscall(SYS_set_robust_list, &head, sizeof(head));
	syscall(SYS_exit, 0);
	return NULL;
}

/* What the waiter got when the word had this value at the other's end. */
static inline long passed_on(uint32_t word)
{
	pthread_t w, e;

	lock.word = word;
	elsewhere = 0;
	pthread_create(&w, NULL, waiter, NULL);
	while (futex(&elsewhere, FUTEX_REQUEUE, 0, (void *)1, &lock.word, 0) != 1)
		usleep(500);		/* from here on it waits for the lock */
	pthread_create(&e, NULL, ends_wanting, NULL);
	pthread_join(e, NULL);
	pthread_join(w, NULL);
	return waited;
}
