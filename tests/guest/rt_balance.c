/*
 * With two processors the two highest of the real-time threads run: one that must leave its processor goes on where something lower
 * runs, one that waits is fetched when the other processor turns to something lower, and neither is kept by higher ones that are bound.
 */
// libc: gcc
// flags: -pthread
// timeout: 120
#include "include/balance.h"

#include <pthread.h>
#include <semaphore.h>

#define ROUNDS 20

static int cpu_a, cpu_b;
static int ready, order, done_middle, stop;
static int low_started, middle_started, high_runs;
static sem_t start_high, start_middle, start_low;

static void priority(int p)
{
	struct sched_param sp = { .sched_priority = p };

	if (pthread_setschedparam(pthread_self(), p ? SCHED_FIFO : SCHED_OTHER, &sp))
		exit(98);
}

/* With the last of its preparations behind it, the thread waits. */
static void wait_for(sem_t *s)
{
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	sem_wait(s);
}

static void all_wait(int count)
{
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != count)
		usleep(500);
	usleep(5000);
}

static void *high(void *arg)
{
	double end;

	(void)arg;
	run_on(cpu_b, cpu_b);
	priority(30);
	wait_for(&start_high);
	__atomic_store_n(&high_runs, 1, __ATOMIC_RELEASE);
	for (end = now() + 3; !__atomic_load_n(&done_middle, __ATOMIC_SEQ_CST) && now() < end;)
		;
	return NULL;
}

static void *middle(void *arg)
{
	double end;

	(void)arg;
	run_on(cpu_b, cpu_b);
	priority(20);
	run_on(cpu_a, cpu_b);
	wait_for(&start_middle);
	middle_started = __atomic_add_fetch(&order, 1, __ATOMIC_SEQ_CST);
	for (end = now() + 0.01; now() < end;)
		;
	__atomic_store_n(&done_middle, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *low(void *arg)
{
	(void)arg;
	run_on(cpu_a, cpu_a);
	priority(10);
	run_on(cpu_a, cpu_b);
	wait_for(&start_low);
	low_started = __atomic_add_fetch(&order, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/*
 * We run above all on A. `high` takes B; `middle`, last there, and `low`, last on A, wait. When we sleep, A is for `middle`.
 */
static void waiting_one_is_fetched(void)
{
	pthread_t t[3];
	int wrong = 0;

	run_on(cpu_a, cpu_a);
	for (int i = 0; i < ROUNDS; i++) {
		ready = order = done_middle = low_started = middle_started = high_runs = 0;
		pthread_create(&t[0], NULL, high, NULL);
		pthread_create(&t[1], NULL, middle, NULL);
		pthread_create(&t[2], NULL, low, NULL);
		all_wait(3);
		sem_post(&start_high);
		while (!__atomic_load_n(&high_runs, __ATOMIC_ACQUIRE))
			usleep(100);
		sem_post(&start_middle);
		sem_post(&start_low);
		for (int j = 0; j < 3; j++)
			pthread_join(t[j], NULL);
		wrong += low_started < middle_started;
	}
	CHECK_EQ(wrong, 0);
}

static void *fair_hog(void *arg)
{
	(void)arg;
	run_on(cpu_a, cpu_a);
	priority(0);
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		;
	return NULL;
}

static void *spins_on_b(void *arg)
{
	double end;

	(void)arg;
	run_on(cpu_b, cpu_b);
	priority(20);
	run_on(cpu_a, cpu_b);
	__atomic_store_n(&middle_started, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&order, __ATOMIC_SEQ_CST))	/* until the higher one is there */
		;
	for (end = now() + 0.005; now() < end;)
		;
	__atomic_store_n(&done_middle, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *displaces(void *arg)
{
	double end;

	run_on(cpu_b, cpu_b);
	priority(30);
	wait_for(&start_high);
	__atomic_store_n(&order, 1, __ATOMIC_SEQ_CST);
	for (end = now() + 3; !__atomic_load_n(&done_middle, __ATOMIC_SEQ_CST) && now() < end;)
		;
	*(int *)arg += !__atomic_load_n(&done_middle, __ATOMIC_SEQ_CST);
	return NULL;
}

/* A runs a fair hog. On B a thread is displaced by a higher one, which waits for it: it must go on on A. */
static void displaced_one_goes_on(void)
{
	pthread_t t[3];
	int wrong = 0;

	run_on(cpu_a, cpu_a);
	for (int i = 0; i < ROUNDS && !wrong; i++) {
		ready = order = done_middle = middle_started = stop = 0;
		pthread_create(&t[0], NULL, fair_hog, NULL);
		pthread_create(&t[1], NULL, displaces, &wrong);
		all_wait(1);
		pthread_create(&t[2], NULL, spins_on_b, NULL);
		while (!__atomic_load_n(&middle_started, __ATOMIC_SEQ_CST))
			usleep(500);
		sem_post(&start_high);
		pthread_join(t[1], NULL);
		pthread_join(t[2], NULL);
		__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
		pthread_join(t[0], NULL);
	}
	CHECK_EQ(wrong, 0);
}

static void *bound_above(void *arg)
{
	double end;

	run_on(cpu_b, cpu_b);
	priority(25);
	wait_for(&start_high);
	for (end = now() + 3; !__atomic_load_n(&done_middle, __ATOMIC_SEQ_CST) && now() < end;)
		;
	if (!__atomic_load_n(&done_middle, __ATOMIC_SEQ_CST))
		__atomic_store_n((int *)arg, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *lowers_itself(void *arg)
{
	(void)arg;
	run_on(cpu_b, cpu_b);
	priority(28);
	wait_for(&start_middle);
	sem_post(&start_high);
	sem_post(&start_high);
	run_on(cpu_a, cpu_b);
	priority(20);
	__atomic_store_n(&done_middle, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* A is idle. On B a thread comes to stand behind two that are bound to B: one runs, the other waits, and we go on on A. */
static void bound_one_does_not_hide_others(void)
{
	pthread_t t[3];
	int wrong = 0;

	run_on(cpu_a, cpu_a);
	for (int i = 0; i < ROUNDS && !wrong; i++) {
		ready = done_middle = 0;
		pthread_create(&t[0], NULL, bound_above, &wrong);
		pthread_create(&t[1], NULL, bound_above, &wrong);
		pthread_create(&t[2], NULL, lowers_itself, NULL);
		all_wait(3);
		usleep(30000);		/* what else A does would let it look around */
		sem_post(&start_middle);
		for (int j = 0; j < 3; j++)
			pthread_join(t[j], NULL);
	}
	CHECK_EQ(wrong, 0);
}

int main(void)
{
	struct sched_param sp = { .sched_priority = 40 };
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (cpu_a = 0; !CPU_ISSET(cpu_a, &set); cpu_a++)
		;
	for (cpu_b = cpu_a + 1; cpu_b < CPU_SETSIZE && !CPU_ISSET(cpu_b, &set); cpu_b++)
		;
	if (cpu_b == CPU_SETSIZE) {
		CHECK_EQ(CPU_COUNT(&set), 1);	/* nothing to balance */
		return test_done();
	}
	sem_init(&start_high, 0, 0);
	sem_init(&start_middle, 0, 0);
	sem_init(&start_low, 0, 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &sp), 0);
	waiting_one_is_fetched();
	displaced_one_goes_on();
	bound_one_does_not_hide_others();
	return test_done();
}
