/* Locked memory: counted once, present at once or on first use, given up in parts and as a whole, not inherited. */
// libc: gcc
// calls: mlock mlock2 munlock mlockall munlockall
#include "include/locked.h"

#define PAGE 4096l

static int present(char *p)
{
	unsigned char v[1];

	return syscall(SYS_mincore, p, PAGE, v) == 0 && (v[0] & 1);
}

static void child(void)
{
	CHECK_EQ(locked(), 0);
}

int main(void)
{
	char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_EQ(locked(), 0);
	GIVES(0, mlock, p + 10, 2 * PAGE);		/* three pages have a part of it */
	CHECK_EQ(locked(), 12);
	CHECK(present(p) && present(p + 2 * PAGE) && !present(p + 3 * PAGE));
	GIVES(0, mlock, p, 3 * PAGE);
	CHECK_EQ(locked(), 12);
	GIVES(0, mlock2, p + 4 * PAGE, PAGE, MLOCK_ONFAULT);
	CHECK_EQ(locked(), 16);
	CHECK(!present(p + 4 * PAGE));
	p[4 * PAGE] = 1;
	CHECK(present(p + 4 * PAGE));
	GIVES(0, mlock2, p + 6 * PAGE, PAGE, 0);
	CHECK(present(p + 6 * PAGE));
	CHECK_EQ(locked(), 20);
	/* Locked pages cannot be thrown away. */
	FAILS(EINVAL, madvise, p, PAGE, MADV_DONTNEED);
	in_child(child);
	GIVES(0, munlock, p + PAGE, PAGE);
	CHECK_EQ(locked(), 16);
	munmap(p + 6 * PAGE, PAGE);
	CHECK_EQ(locked(), 12);
	GIVES(0, munlockall);
	CHECK_EQ(locked(), 0);
	GIVES(0, mlockall, MCL_FUTURE);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(present(p + PAGE));
	CHECK_EQ(locked(), 8);
	GIVES(0, munlockall);
	CHECK_EQ(locked(), 0);
	return test_done();
}
