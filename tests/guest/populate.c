/* madvise(MADV_POPULATE_*): makes pages present as a read or a write would, and says where it may not; mlock of what nothing may touch. */
// libc: gcc
// calls: madvise mlock
// errors: madvise
#include "include/proof.h"

#include <sys/mman.h>

#define PAGE 4096l
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static char *map(int protection, int flags, int fd)
{
	return mmap(NULL, 8 * PAGE, protection, flags, fd, 0);
}

static int present(const char *p)
{
	unsigned char seen[8] = { 0 };
	int n = 0;

	mincore((void *)p, 8 * PAGE, seen);
	for (int i = 0; i < 8; i++)
		n += seen[i] & 1;
	return n;
}

static void permissions(int fd)
{
	static const int protections[] = { PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE };
	static const int kinds[] = { MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED };

	for (int k = 0; k < 4; k++) {
		for (int i = 0; i < 4; i++) {
			int protection = protections[i];
			char *p = map(protection, kinds[k], kinds[k] & MAP_ANONYMOUS ? -1 : fd);

			if (protection & PROT_READ)
				GIVES(0, madvise, p, 8 * PAGE, MADV_POPULATE_READ);
			else
				FAILS(EINVAL, madvise, p, 8 * PAGE, MADV_POPULATE_READ);
			if (protection & PROT_WRITE)
				GIVES(0, madvise, p, 8 * PAGE, MADV_POPULATE_WRITE);
			else
				FAILS(EINVAL, madvise, p, 8 * PAGE, MADV_POPULATE_WRITE);
			if (protection)
				CHECK_EQ(present(p), 8);
			if (protection)
				GIVES(0, mlock, p, 8 * PAGE);
			else
				FAILS(ENOMEM, mlock, p, 8 * PAGE);
			munmap(p, 8 * PAGE);
		}
	}
}

int main(void)
{
	int fd = memfd_create("populate", 0);
	char *p, *q;

	CHECK_EQ(ftruncate(fd, 8 * PAGE), 0);
	permissions(fd);
	/* A hole: what stands before it is there. */
	p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	munmap(p + 4 * PAGE, PAGE);
	FAILS(ENOMEM, madvise, p, 8 * PAGE, MADV_POPULATE_WRITE);
	CHECK_EQ(p[3 * PAGE], 0);
	FAILS(ENOMEM, madvise, p + 4 * PAGE, PAGE, MADV_POPULATE_READ);
	GIVES(0, madvise, p + 4 * PAGE, 0l, MADV_POPULATE_READ);
	FAILS(EINVAL, madvise, p + 1, PAGE, MADV_POPULATE_READ);
	/* Past the end of the file. */
	CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
	q = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	GIVES(0, madvise, q, 2 * PAGE, MADV_POPULATE_WRITE);
	FAILS(EFAULT, madvise, q, 8 * PAGE, MADV_POPULATE_READ);
	FAILS(EFAULT, madvise, q, 8 * PAGE, MADV_POPULATE_WRITE);
	FAILS(ENOMEM, mlock, q, 8 * PAGE);
	return test_done();
}
