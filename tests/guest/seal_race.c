/* A memory file is sealed against writing while it is mapped for that: one of the two is refused. */
// flags: -pthread
// calls: memfd_create fcntl mmap
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "include/test.h"

#define ROUNDS 1500

static int fd, turn;	/* odd: the mapper's */
static char *mapped;

static void *mapper(void *arg)
{
	(void)arg;
	for (int round = 0; round < ROUNDS; round++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * round + 1)
			sched_yield();
		mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		__atomic_store_n(&turn, 2 * round + 2, __ATOMIC_RELEASE);
	}
	return NULL;
}

int main(void)
{
	int both = 0, neither = 0;
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, mapper, NULL), 0);
	for (int round = 0; round < ROUNDS; round++) {
		int sealed;

		fd = (int)syscall(SYS_memfd_create, "race", 2u);
		if (fd < 0 || ftruncate(fd, 4096))
			return 1;
		__atomic_store_n(&turn, 2 * round + 1, __ATOMIC_RELEASE);
		for (volatile int i = 0; i < round % 64 * 8; i++)
			;
		sealed = !fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * round + 2)
			sched_yield();
		both += sealed && mapped != MAP_FAILED;
		neither += !sealed && mapped == MAP_FAILED;
		if (mapped != MAP_FAILED)
			munmap(mapped, 4096);
		close(fd);
	}
	pthread_join(thread, NULL);
	CHECK_EQ(both, 0);
	CHECK(neither < ROUNDS);
	return test_done();
}
