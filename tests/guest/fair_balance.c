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

static int spinning_on(int cpu)
{
	int n = 0;

	for (int i = 0; i < HOGS; i++)
		n += __atomic_load_n(&hog_cpu[i], __ATOMIC_RELAXED) == cpu;
	return n;
}

/* Are there so many on the first processor, and all the others on the second, within 20 s? */
static int spread(int on_first)
{
	double end = now() + 20;

	while (spinning_on(0) != on_first || spinning_on(1) != HOGS - on_first) {
		if (now() > end)
			return 0;
		usleep(20000);
	}
	return 1;
}

/* Three spin on one processor and one on the other; when they may run on both, there are soon two on each. */
int main(void)
{
	pthread_t t[HOGS];
	cpu_set_t both;

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
	/* All of them: one that has not bound itself yet would do so after it was set free. */
	CHECK(spread(1));
	for (int i = 0; i < HOGS; i++)
		pthread_setaffinity_np(t[i], sizeof(both), &both);
	CHECK(spread(2));
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < HOGS; i++)
		pthread_join(t[i], NULL);
	return test_done();
}
