/* A processor that has nothing to do takes over what waits elsewhere, also when threads may run there only later than it fell idle. */
// libc: gcc
// flags: -pthread
// timeout: 120
// linux: no (other programs run beside it)
#include "include/balance.h"

#include <pthread.h>

#define FREE 3
#define BOUND 4

static int stop, on_cpu[FREE + BOUND];

static void spin(int i)
{
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		__atomic_store_n(&on_cpu[i], sched_getcpu(), __ATOMIC_RELAXED);
}

static void *free_later(void *arg)
{
	run_on(0, 0);
	spin((int)(long)arg);
	return NULL;
}

static void *bound(void *arg)
{
	run_on(1, 1);
	spin((int)(long)arg);
	return NULL;
}

static unsigned int processors(int first, int count)
{
	unsigned int set = 0;

	for (int i = first; i < first + count; i++)
		set |= 1u << (__atomic_load_n(&on_cpu[i], __ATOMIC_RELAXED) & 31);
	return set;
}

/* Do so many threads, each seen, run on so many processors within 20 s? */
static int spread(int first, int count, int wanted)
{
	double end = now() + 20;

	while (__builtin_popcount(processors(first, count)) != wanted || (processors(first, count) & 1u << 31)) {
		if (now() > end)
			return 0;
		usleep(20000);
	}
	return 1;
}

/* Threads wait on one processor, `others` more are bound to the next one; those that are set free leave none idle that nobody else uses. */
static void set_free(int others)
{
	int processors = (int)sysconf(_SC_NPROCESSORS_ONLN), wanted = processors - (others != 0);
	pthread_t t[FREE + BOUND];
	cpu_set_t all;

	stop = 0;
	memset(on_cpu, -1, sizeof(on_cpu));
	for (long i = 0; i < FREE; i++)
		pthread_create(&t[i], NULL, free_later, (void *)i);
	for (long i = FREE; i < FREE + others; i++)
		pthread_create(&t[i], NULL, bound, (void *)i);
	CHECK(spread(0, FREE, 1));
	CHECK(!others || spread(FREE, others, 1));
	CPU_ZERO(&all);
	for (int i = 0; i < processors; i++)
		CPU_SET(i, &all);
	for (int i = 0; i < FREE; i++)
		pthread_setaffinity_np(t[i], sizeof(all), &all);
	CHECK(spread(0, FREE, wanted < FREE ? wanted : FREE));
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < FREE + others; i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	set_free(0);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		set_free(BOUND);
	return test_done();
}
