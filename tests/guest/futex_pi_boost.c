/* Priority inheritance on one CPU: inversion, chains, priority changes while waiting, order of waiters, deadlocks in chains. */
// libc: gcc
// flags: -pthread
// calls: sched_setscheduler
#include "include/pi.h"

static uint32_t lock[4], tids[8], stop, high_done, starved;
static long results[8];

struct job {
	int i, priority;
	uint32_t *held, *wanted;
};

static void raise_self(int priority) { if (fifo(priority)) CHECK(!"sched_setscheduler"); }

/* Holds one lock, works until told to stop holding, wants another one. */
static void *holder(void *arg)
{
	struct job *j = arg;

	raise_self(j->priority);
	if (j->held)
		lock_pi(j->held);
	set(&tids[j->i], self());
	if (j->wanted) {
		results[j->i] = lock_pi(j->wanted);
		unlock_pi(j->wanted);
	} else {
		while (!get(&high_done) && !(get(j->held) & FUTEX_WAITERS))
			sched_yield();
		for (volatile int n = 0; n < 2000000; n++)
			;
	}
	if (j->held)
		unlock_pi(j->held);
	return NULL;
}

static void *spinner(void *arg)
{
	struct timespec now = { 0, 0 }, end;

	raise_self(20);
	set(&tids[7], self());
	clock_gettime(CLOCK_MONOTONIC, &end);
	for (end.tv_sec += 3; !get(&stop); clock_gettime(CLOCK_MONOTONIC, &now))
		if (now.tv_sec > end.tv_sec) {
			set(&starved, 1);
			break;
		}
	return arg;
}

static void *high(void *arg)
{
	raise_self(30);
	results[6] = lock_pi(arg);
	set(&high_done, 1);
	set(&stop, 1);
	unlock_pi(arg);
	return NULL;
}

static void reset(void)
{
	memset(lock, 0, sizeof(lock));
	memset(tids, 0, sizeof(tids));
	stop = high_done = starved = 0;
}

/* A holds lock 0; with `depth` more threads each of which holds lock i and wants lock i - 1; high wants the last. Medium spins. */
static void inversion(int depth)
{
	struct job jobs[4];
	pthread_t t[4], h, m;

	reset();
	for (int i = 0; i <= depth; i++) {
		jobs[i] = (struct job){ i, 1 + i, &lock[i], i ? &lock[i - 1] : NULL };
		pthread_create(&t[i], NULL, holder, &jobs[i]);
		if (i)
			until_asleep(&tids[i]);
		else
			while (!get(&tids[0]))
				usleep(500);
	}
	/* Both start while this thread, above all of them, keeps the CPU. */
	pthread_create(&m, NULL, spinner, NULL);
	pthread_create(&h, NULL, high, &lock[depth]);
	pthread_join(h, NULL);
	CHECK_EQ(results[6], 0);
	pthread_join(m, NULL);
	CHECK_EQ(starved, 0);		/* by the medium one, until it gave up */
	for (int i = 0; i <= depth; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(lock[depth], 0);
}

static uint32_t order[4], arrived;

static void *in_order(void *arg)
{
	struct job *j = arg;

	raise_self(j->priority);
	set(&tids[j->i], self());
	results[j->i] = lock_pi(&lock[0]);
	order[__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST)] = (uint32_t)j->i;
	unlock_pi(&lock[0]);
	return NULL;
}

/* Waiters by priority, equals by arrival; a change of priority while waiting moves a waiter. */
static void ordering(int change)
{
	struct job jobs[4] = { { 0, 5, 0, 0 }, { 1, 5, 0, 0 }, { 2, 9, 0, 0 }, { 3, 0, 0, 0 } };
	static const uint32_t expected[2][4] = { { 2, 0, 1, 3 }, { 3, 2, 1, 0 } };
	struct sched_param p = { .sched_priority = 12 };
	pthread_t t[4];

	reset();
	arrived = 0;
	lock_pi(&lock[0]);
	for (int i = 0; i < 4; i++) {
		pthread_create(&t[i], NULL, in_order, &jobs[i]);
		until_asleep(&tids[i]);
	}
	if (change) {
		CHECK_EQ(sched_setscheduler((pid_t)tids[3], SCHED_FIFO, &p), 0);
		p.sched_priority = 2;
		CHECK_EQ(sched_setscheduler((pid_t)tids[0], SCHED_FIFO, &p), 0);
	}
	unlock_pi(&lock[0]);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(order[i], expected[change][i]);
}

static uint32_t unlocking, unlocked, waiter_done, may_unlock;

static void *low_holder(void *arg)
{
	raise_self(1);
	lock_pi(&lock[0]);
	set(&tids[0], self());
	while (!get(&may_unlock))
		usleep(500);
	set(&unlocking, 1);
	unlock_pi(&lock[0]);
	set(&unlocked, 1);
	return arg;
}

static void *late_waiter(void *arg)
{
	raise_self(0);
	set(&tids[1], self());
	results[1] = lock_pi(&lock[0]);
	unlock_pi(&lock[0]);
	set(&waiter_done, 1);
	return arg;
}

/* A waiter is raised while it waits: the owner is, too, and sinks back at the unlock. A spinner is between the two. */
static void late_raise(void)
{
	struct sched_param p = { .sched_priority = 40 };
	pthread_t low, waiter, spin;

	reset();
	pthread_create(&low, NULL, low_holder, NULL);
	until_asleep(&tids[0]);
	pthread_create(&waiter, NULL, late_waiter, NULL);
	until_contended(&lock[0]);
	until_asleep(&tids[1]);
	pthread_create(&spin, NULL, spinner, NULL);
	while (!get(&tids[7]))
		usleep(500);
	set(&may_unlock, 1);
	usleep(50000);
	CHECK_EQ(unlocking, 0);
	CHECK_EQ(sched_setscheduler((pid_t)tids[1], SCHED_FIFO, &p), 0);
	usleep(50000);
	CHECK_EQ(unlocking, 1);
	CHECK_EQ(waiter_done, 1);
	CHECK_EQ(unlocked, 0);
	set(&stop, 1);
	pthread_join(spin, NULL);
	pthread_join(low, NULL);
	pthread_join(waiter, NULL);
	CHECK_EQ(results[1], 0);
}

/* 0 -> 1 -> 2 -> 0: the one that would close the circle is refused. */
static void deadlock(void)
{
	struct job jobs[2] = { { 0, 2, &lock[0], &lock[1] }, { 1, 2, &lock[1], &lock[2] } };
	pthread_t t[2];

	reset();
	lock_pi(&lock[2]);
	for (int i = 1; i >= 0; i--) {
		pthread_create(&t[i], NULL, holder, &jobs[i]);
		until_asleep(&tids[i]);
	}
	CHECK_ERRNO(lock_pi(&lock[0]), EDEADLK);
	CHECK_ERRNO(lock_pi(&lock[1]), EDEADLK);
	unlock_pi(&lock[2]);
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], NULL);
		CHECK_EQ(results[i], 0);
	}
	CHECK_EQ(lock[0] | lock[1] | lock[2], 0);
}

int main(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	CHECK_EQ(fifo(60), 0);
	inversion(0);
	inversion(1);
	inversion(3);
	ordering(0);
	ordering(1);
	deadlock();
	late_raise();
	return test_done();
}
