/*
 * Threads that write, protect, drop, unmap and fork at once in one address space: every byte is as its writer left it, or zero
 * where it was dropped, in the children, too.
 */
// libc: gcc
// calls: mprotect munmap madvise fork
#include "include/proof.h"

#include <pthread.h>
#include <stdint.h>

#define PAGE 4096l
#define PAGES 64
#define ROUNDS 30

static volatile int stop;
static volatile unsigned int wrong;
static char *kept;		/* written by one thread alone, protected by another between its rounds */
static pthread_rwlock_t may_write = PTHREAD_RWLOCK_INITIALIZER;

static uint64_t *word(char *p, long page) { return (uint64_t *)(p + page * PAGE); }

static void *writes(void *arg)
{
	for (uint64_t n = 1; !stop; n++) {
		pthread_rwlock_rdlock(&may_write);
		for (long i = 0; i < PAGES; i++)
			*word(kept, i) = n;
		pthread_rwlock_unlock(&may_write);
		for (long i = 0; i < PAGES; i++)
			if (*word(kept, i) != n)
				wrong |= 1;
	}
	return arg;
}

static void *protects(void *arg)
{
	while (!stop) {
		pthread_rwlock_wrlock(&may_write);
		mprotect(kept + PAGE, (PAGES - 2) * PAGE, PROT_READ);
		mprotect(kept + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE);
		mprotect(kept + PAGE, (PAGES - 2) * PAGE, PROT_READ | PROT_WRITE);
		pthread_rwlock_unlock(&may_write);
	}
	return arg;
}

/* Its own memory, again and again: zero at first, as written then, and zero after it was dropped. */
static void *maps(void *arg)
{
	for (uint64_t n = 1; !stop; n++) {
		char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (long i = 0; i < PAGES; i++) {
			if (*word(p, i))
				wrong |= 2;
			*word(p, i) = n + (uint64_t)i;
		}
		madvise(p + 8 * PAGE, 8 * PAGE, MADV_DONTNEED);
		for (long i = 0; i < PAGES; i++)
			if (*word(p, i) != (i >= 8 && i < 16 ? 0 : n + (uint64_t)i))
				wrong |= 4;
		munmap(p + 16 * PAGE, 16 * PAGE);
		if (*word(p, 32) != n + 32)
			wrong |= 8;
		munmap(p, PAGES * PAGE);
	}
	return arg;
}

/* A child sees memory that stands still: what it writes is its own. */
static int child(char *own)
{
	for (long i = 0; i < PAGES; i++)
		if (*word(own, i) != (uint64_t)i)
			return 1;
	for (long i = 0; i < PAGES; i++)
		*word(own, i) = ~0ul;
	for (long i = 0; i < PAGES; i++)
		*word(kept, i) = 7;
	for (long i = 0; i < PAGES; i++)
		if (*word(own, i) != ~0ul || *word(kept, i) != 7)
			return 2;
	return 0;
}

int main(void)
{
	char *own = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *(*const work[])(void *) = { writes, protects, maps, maps };
	pthread_t t[4];

	kept = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (long i = 0; i < PAGES; i++)
		*word(own, i) = (uint64_t)i;
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, work[i], NULL), 0);
	for (int round = 0; round < ROUNDS; round++) {
		int status;
		pid_t p;

		pthread_rwlock_rdlock(&may_write);	/* nothing is read-only in the child */
		p = fork();
		if (p == 0)
			_exit(child(own));
		pthread_rwlock_unlock(&may_write);
		CHECK_EQ(waitpid(p, &status, 0), p);
		CHECK_EQ(status, 0);
		for (long i = 0; i < PAGES; i++)
			if (*word(own, i) != (uint64_t)i)
				wrong |= 16;
	}
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(wrong, 0);
	return test_done();
}
