/*
 * mlockall(2): MCL_CURRENT brings all pages in, with copies of what is shared by fork, MCL_ONFAULT those that are touched alone,
 * MCL_FUTURE those of later mappings.
 */
// libc: gcc
// calls: mlockall munlockall
#include "include/proof.h"

#include <sys/resource.h>

#define PAGES 32

static long page;

static char *fresh(int prot, int flags)
{
	char *p = mmap(NULL, PAGES * page, prot, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(99);
	return p;
}

static int resident(char *p)
{
	unsigned char vec[PAGES];
	int n = 0;

	CHECK_EQ(mincore(p, PAGES * page, vec), 0);
	for (int i = 0; i < PAGES; i++)
		n += vec[i] & 1;
	return n;
}

static long faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_minflt;
}

static void current_ones(void)
{
	char *p = fresh(PROT_READ | PROT_WRITE, 0), *none = fresh(PROT_NONE, 0), *touched = fresh(PROT_READ | PROT_WRITE, 0), *later;
	long before;

	memset(touched, 1, PAGES * page);
	CHECK_EQ(resident(p), 0);
	CHECK_EQ(mlockall(MCL_CURRENT | MCL_ONFAULT), 0);
	CHECK_EQ(resident(p), 0);
	p[3 * page] = 1;
	CHECK_EQ(resident(p), 1);
	CHECK_EQ(mlockall(MCL_CURRENT), 0);
	CHECK_EQ(resident(p), PAGES);
	CHECK_EQ(resident(none), 0);
	before = faults();
	for (int i = 0; i < PAGES; i++)
		p[i * page]++;
	CHECK_EQ(faults() - before, 0);
	later = fresh(PROT_READ | PROT_WRITE, 0);
	CHECK_EQ(resident(later), 0);
	CHECK_EQ(mlockall(MCL_FUTURE), 0);
	later = fresh(PROT_READ | PROT_WRITE, 0);
	CHECK_EQ(resident(later), PAGES);
	CHECK_EQ(munlockall(), 0);
	later = fresh(PROT_READ | PROT_WRITE, 0);
	CHECK_EQ(resident(later), 0);
}

static char *shared_by_fork;

/* In a child: its pages are copies of its own afterwards. */
static void copies(void)
{
	long before;

	CHECK_EQ(mlockall(MCL_CURRENT), 0);
	before = faults();
	for (int i = 0; i < PAGES; i++)
		shared_by_fork[i * page]++;
	CHECK_EQ(faults() - before, 0);
}

int main(void)
{
	page = sysconf(_SC_PAGESIZE);
	setvbuf(stdout, malloc(1 << 16), _IOFBF, 1 << 16);
	current_ones();
	shared_by_fork = fresh(PROT_READ | PROT_WRITE, 0);
	memset(shared_by_fork, 1, PAGES * page);
	in_child(copies);
	return test_done();
}
