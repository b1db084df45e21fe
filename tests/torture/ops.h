/*
 * Thread torture: what a thread does in one step. Everything it blocks on is freed by somebody in the end, so a round that does not end has
 * lost a wake-up.
 */
#pragma once

#include "arena.h"

static void dawdle(void)
{
	unsigned int n = dice(20);

	if (n == 0)
		usleep(dice(300));
	else if (n < 6)
		sched_yield();
}

/* The objects of this process, or those of both. Not everything is safe to share with somebody who is killed. */
static struct objects *choose(int safe)
{
	if (dice(3) || (arena->mortal && !safe))
		return &own;
	return &arena->objects;
}

static void step_lock(void)
{
	int kind = (int)dice(KINDS), r;
	struct guarded *g = &choose(survives(kind))->lock[kind][dice(LOCKS)];
	struct timespec t;

	switch (dice(4)) {
	case 0:
		r = pthread_mutex_trylock(&g->mutex);
		break;
	case 1:
		t = soon(CLOCK_REALTIME, (long)dice(2000));
		r = pthread_mutex_timedlock(&g->mutex, &t);
		break;
	default:
		r = take(g);
	}
	if (r == EBUSY || r == ETIMEDOUT)
		return;
	enter(g, r);
	dawdle();
	leave(g);
}

static void step_put(void)
{
	struct buffer *b = &choose(0)->buffer;
	struct timespec t = soon(CLOCK_MONOTONIC, (long)dice(5000));
	int r = 0;

	MUST(pthread_mutex_lock(&b->mutex));
	while (b->head - b->tail == QUEUE && !r)
		r = pthread_cond_timedwait(&b->not_full, &b->mutex, &t);
	if (b->head - b->tail < QUEUE) {
		long value = (long)dice(1000);

		b->slot[b->head++ % QUEUE] = value;
		b->put_sum += value;
		MUST(pthread_cond_signal(&b->not_empty));
	} else if (r != ETIMEDOUT) {
		fail("pthread_cond_timedwait", r);
	}
	MUST(pthread_mutex_unlock(&b->mutex));
}

static void step_get(void)
{
	struct buffer *b = &choose(0)->buffer;
	struct timespec t = soon(CLOCK_MONOTONIC, (long)dice(5000));
	int r = 0;

	MUST(pthread_mutex_lock(&b->mutex));
	while (b->head == b->tail && !r)
		r = pthread_cond_timedwait(&b->not_empty, &b->mutex, &t);
	if (b->head != b->tail) {
		b->got_sum += b->slot[b->tail++ % QUEUE];
		MUST(dice(2) ? pthread_cond_signal(&b->not_full) : pthread_cond_broadcast(&b->not_full));
	} else if (r != ETIMEDOUT) {
		fail("pthread_cond_timedwait", r);
	}
	MUST(pthread_mutex_unlock(&b->mutex));
}

static void step_token(void)
{
	struct objects *o = choose(0);
	struct timespec t = soon(CLOCK_REALTIME, (long)dice(3000));
	int r;

	if (dice(2)) {
		while ((r = sem_wait(&o->tokens)) && errno == EINTR)
			;
	} else {
		while ((r = sem_timedwait(&o->tokens, &t)) && errno == EINTR)
			;
		if (r && errno == ETIMEDOUT)
			return;
	}
	MUST(r);
	if (__atomic_add_fetch(&o->holders, 1, __ATOMIC_SEQ_CST) > TOKENS)
		fail("more holders than tokens", o->holders);
	dawdle();
	__atomic_sub_fetch(&o->holders, 1, __ATOMIC_SEQ_CST);
	MUST(sem_post(&o->tokens));
}

/* ---- threads of threads ---- */

static pthread_attr_t small_stack;

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t t;
	int r;

	/* As many as the machine has room for: others end meanwhile. */
	while ((r = pthread_create(&t, &small_stack, fn, arg)) == EAGAIN)
		usleep(1000);
	if (r)
		fail("pthread_create", r);
	return t;
}

static void *answer(void *arg)
{
	return (void *)((long)arg * 3 + 1);
}

static void step_join(void)
{
	long n = (long)dice(100000);
	void *result;

	MUST(pthread_join(start(answer, (void *)n), &result));
	if ((long)result != n * 3 + 1)
		fail("a thread's result", (long)result);
}

/* Ends with a robust lock held and its work half done. */
static void *die_inside(void *arg)
{
	struct guarded *g = arg;

	enter(g, take(g));
	return NULL;
}

/* musl releases a dead thread's robust locks itself, and does not know of waiters in the kernel then. */
#ifdef __GLIBC__
#define DYING_KINDS 2
#else
#define DYING_KINDS 1
#endif

static void step_die(void)
{
	int kind = dice(DYING_KINDS) ? KIND_ROBUST_INHERIT : KIND_ROBUST;
	struct guarded *g = &choose(survives(kind))->lock[kind][dice(LOCKS)];

	MUST(pthread_join(start(die_inside, g), NULL));
}

struct victim {
	int way;
	sem_t never;
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	volatile int cleaned;
};

static void clean(void *arg)
{
	((struct victim *)arg)->cleaned++;
}

static void clean_locked(void *arg)
{
	struct victim *v = arg;

	/* Cancelled in pthread_cond_wait: the mutex is held again. */
	MUST(pthread_mutex_unlock(&v->mutex));
}

static void *wait_for_end(void *arg)
{
	struct victim *v = arg;

	pthread_cleanup_push(clean, v);
	switch (v->way) {
	case 0:
		while (sem_wait(&v->never))
			;
		break;
	case 1:
		for (;;)
			sleep(1000);
	case 2:
		MUST(pthread_mutex_lock(&v->mutex));
		pthread_cleanup_push(clean_locked, v);
		for (;;)
			pthread_cond_wait(&v->condition, &v->mutex);
		pthread_cleanup_pop(1);
	default:
		for (;;)
			pthread_testcancel();
	}
	pthread_cleanup_pop(0);
	return NULL;
}

static void step_cancel(void)
{
	struct victim v = { .way = (int)dice(4) };
	void *result;
	pthread_t t;

	MUST(sem_init(&v.never, 0, 0));
	make_mutex(&v.mutex, KIND_PLAIN, 0);
	make_condition(&v.condition, 0);
	t = start(wait_for_end, &v);
	dawdle();
	MUST(pthread_cancel(t));
	MUST(pthread_join(t, &result));
	if (result != PTHREAD_CANCELED)
		fail("a cancelled thread's result", (long)result);
	/* Cancelled before it began, it has nothing to clean. */
	if (v.cleaned > 1)
		fail("cleaned more than once", v.cleaned);
	MUST(pthread_mutex_destroy(&v.mutex));
	MUST(pthread_cond_destroy(&v.condition));
	MUST(sem_destroy(&v.never));
}

static volatile long detached;

static void *run_away(void *arg)
{
	(void)arg;
	dawdle();
	__atomic_sub_fetch(&detached, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void step_detach(void)
{
	__atomic_add_fetch(&detached, 1, __ATOMIC_SEQ_CST);
	MUST(pthread_detach(start(run_away, NULL)));
}

static void on_signal(int sig)
{
	(void)sig;
	signals_seen++;
}

static void step_signal(void)
{
	sig_atomic_t before = signals_seen;

	MUST(pthread_kill(pthread_self(), SIGUSR1));
	if (signals_seen == before)
		fail("a signal to oneself did not arrive", before);
}

/* ---- one of the thousand ---- */

static void step(void)
{
	static void (*const rare[])(void) = { step_join, step_die, step_cancel, step_detach };
	static void (*const common[])(void) = { step_lock, step_lock, step_lock, step_put, step_get, step_token, step_signal };

	if (dice(8))
		common[dice(sizeof(common) / sizeof(common[0]))]();
	else
		rare[dice(sizeof(rare) / sizeof(rare[0]))]();
}

static int steps_each;

static void *worker(void *arg)
{
	seed = (uint64_t)(long)arg * 0x9e3779b97f4a7c15ull | 1;
	for (int i = 0; i < steps_each; i++)
		step();
	return arg;
}
