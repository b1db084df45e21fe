/* membarrier: what is offered, registration, and that a light reader and a heavy writer never both miss the other's store. */
// libc: gcc
// flags: -pthread
// calls: membarrier
#include "include/proof.h"

#include <linux/membarrier.h>
#include <pthread.h>

static volatile int x, y, seen_x, seen_y, stop;
static pthread_barrier_t start, end;

static void *reader(void *arg)
{
	for (;;) {
		pthread_barrier_wait(&start);
		if (stop)
			return arg;
		x = 1;
		asm volatile("" : : : "memory");	/* the compiler only: the other side orders the CPU */
		seen_y = y;
		pthread_barrier_wait(&end);
	}
}

int main(void)
{
	long offered = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	int missed = 0;
	pthread_t t;

	CHECK(offered & MEMBARRIER_CMD_GLOBAL);
	CHECK(offered & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	CHECK(offered & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
	GIVES(0, membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	GIVES(0, membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	GIVES(0, membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	pthread_barrier_init(&start, NULL, 2);
	pthread_barrier_init(&end, NULL, 2);
	pthread_create(&t, NULL, reader, NULL);
	for (int i = 0; i < 300; i++) {
		x = y = 0;
		pthread_barrier_wait(&start);
		y = 1;
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
		seen_x = x;
		pthread_barrier_wait(&end);
		missed += !seen_x && !seen_y;
	}
	stop = 1;
	pthread_barrier_wait(&start);
	pthread_join(t, NULL);
	CHECK_EQ(missed, 0);
	return test_done();
}
