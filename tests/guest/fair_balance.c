/* Fair threads spread out again when one processor has clearly more of them than the other. */
// libc: gcc
// flags: -pthread
// timeout: 120
// linux: no (other programs run beside it, and are spread out with it)
#include "include/balance.h"

#include <pthread.h>

#define HOGS 4

static int stop, hog_cpu[HOGS];

static void *hog(void *arg)
{
	int i = (int)(long)arg;

	run_on(i != 0, i != 0);
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		__atomic_store_n(&hog_cpu[i], sched_getcpu(), __ATOMIC_RELAXED);
	return NULL;
}

static int on_first(void)
{
	int n = 0;

	for (int i = 0; i < HOGS; i++)
		n += __atomic_load_n(&hog_cpu[i], __ATOMIC_RELAXED) == 0;
	return n;
}

/* Three spin on one processor and one on the other; when they may run on both, there are soon two on each. */
int main(void)
{
	pthread_t t[HOGS];
	cpu_set_t both;
	int first;

	if (sysconf(_SC_NPROCESSORS_ONLN) == 1) {
		CHECK_EQ(sched_getcpu(), 0);	/* nothing to spread */
		return test_done();
	}
	CPU_ZERO(&both);
	CPU_SET(0, &both);
	CPU_SET(1, &both);
	for (int i = 0; i < HOGS; i++)
		hog_cpu[i] = -1;
	for (long i = 0; i < HOGS; i++)
		pthread_create(&t[i], NULL, hog, (void *)i);
	for (double end = now() + 20; (first = on_first()) != 1 && now() < end;)
		usleep(10000);
	CHECK_EQ(first, 1);
	for (int i = 0; i < HOGS; i++)
		pthread_setaffinity_np(t[i], sizeof(both), &both);
	for (double end = now() + 20; (first = on_first()) != 2 && now() < end;)
		usleep(20000);
	CHECK_EQ(first, 2);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < HOGS; i++)
		pthread_join(t[i], NULL);
	return test_done();
}
