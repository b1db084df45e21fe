/*
 * Page faults, and calls that change the mappings of the same process, each get their share beside the other: counted by what
 * each has done when the slower one has done enough.
 */
// libc: gcc
// calls: mprotect madvise mmap munmap
#include "include/proof.h"

#include <pthread.h>
#include <sys/mman.h>

#define PAGE 4096l
#define ENOUGH 400l
#define SHARE 20		/* nobody does so many times as much as another */

static volatile int stop;
static volatile long done[3];

static void *mapping(void)
{
	return mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *protects(void *arg)
{
	char *p = mapping();

	for (p[0] = 1; !stop; done[(long)arg]++) {
		mprotect(p, 10 * PAGE, PROT_READ);
		mprotect(p, 10 * PAGE, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

static void *maps(void *arg)
{
	for (; !stop; done[(long)arg]++) {
		char *p = mapping();

		p[0] = 1;
		munmap(p, 10 * PAGE);
	}
	return NULL;
}

static void *faults(void *arg)
{
	char *p = mapping();

	for (; !stop; done[(long)arg]++) {
		madvise(p, PAGE, MADV_DONTNEED);
		p[0] = 1;
	}
	return NULL;
}

/* All at once, until each has done enough or one has done far more than another. */
static void race(const char *what, void *(*const who[])(void *), long count)
{
	pthread_t t[3];
	long least, most;

	stop = 0;
	for (long i = 0; i < count; i++) {
		done[i] = 0;
		CHECK_EQ(pthread_create(&t[i], NULL, who[i], (void *)i), 0);
	}
	do {
		usleep(2000);
		least = most = done[0];
		for (long i = 1; i < count; i++) {
			least = done[i] < least ? done[i] : least;
			most = done[i] > most ? done[i] : most;
		}
	} while (least < ENOUGH && most < ENOUGH * SHARE);
	stop = 1;
	for (long i = 0; i < count; i++)
		pthread_join(t[i], NULL);
	printf("# %s: %ld %ld %ld\n", what, done[0], done[1], count > 2 ? done[2] : 0);
	CHECK(least >= ENOUGH);
}

int main(void)
{
	race("faults beside mprotect", (void *(*const[])(void *)){ faults, protects }, 2);
	race("faults beside munmap", (void *(*const[])(void *)){ faults, maps }, 2);
	race("two change, one faults", (void *(*const[])(void *)){ faults, protects, maps }, 3);
	race("two fault, one changes", (void *(*const[])(void *)){ faults, faults, protects }, 3);
	return test_done();
}
