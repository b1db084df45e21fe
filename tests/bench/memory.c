/* Mappings and page faults. */
#include "bench.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ul
#define PAGES 256ul
#define RANGE (PAGES * PAGE)

static int fd = -1;
static char *whole;

static char *map(size_t size, int prot, int flags, int file)
{
	char *p = mmap(NULL, size, prot, flags, file, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static char *anonymous(size_t size)
{
	char *p = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

static void touch(volatile char *p, int write)
{
	for (size_t at = 0; at < RANGE; at += PAGE) {
		if (write)
			p[at] = 1;
		else
			(void)p[at];
	}
}

/* n faults: PAGES of them a mapping. */
static void fault_write_run(long n)
{
	for (; n > 0; n -= PAGES) {
		char *p = anonymous(RANGE);

		touch(p, 1);
		munmap(p, RANGE);
	}
}

static void fault_read_run(long n)
{
	for (; n > 0; n -= PAGES) {
		char *p = anonymous(RANGE);

		touch(p, 0);
		munmap(p, RANGE);
	}
}

static void a_file(void)
{
	static char block[RANGE];

	NEED((fd = open("file", O_RDWR | O_CREAT, 0600)) >= 0 && write(fd, block, RANGE) == (long)RANGE);
}

static void fault_file_run(long n)
{
	for (; n > 0; n -= PAGES) {
		char *p = map(RANGE, PROT_READ, MAP_SHARED, fd);

		touch(p, 0);
		munmap(p, RANGE);
	}
}

static void fault_copy_run(long n)
{
	for (; n > 0; n -= PAGES) {
		char *p = map(RANGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);

		touch(p, 1);
		munmap(p, RANGE);
	}
}

static void map_run(long n)
{
	while (n--)
		munmap(map(16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1), 16 * PAGE);
}

static void touched(void) { whole = anonymous(16 * PAGE); memset(whole, 1, 16 * PAGE); }

static void protect_run(long n)
{
	while (n--)
		NEED(mprotect(whole, 16 * PAGE, n & 1 ? PROT_READ : PROT_READ | PROT_WRITE) == 0);
}

const struct measure memory[] = {
	{ "fault_write", NULL, fault_write_run, 8 * PAGES },
	{ "fault_read", NULL, fault_read_run, 8 * PAGES },
	{ "fault_file", a_file, fault_file_run, 8 * PAGES },
	{ "fault_copy", a_file, fault_copy_run, 8 * PAGES },
	{ "mmap_munmap", NULL, map_run, 3000 },
	{ "mprotect_16", touched, protect_run, 3000 },
	{ 0 },
};
