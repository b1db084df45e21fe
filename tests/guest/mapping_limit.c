/* 65530 mappings of a process are allowed; what would make more is refused and changes nothing. */
// libc: gcc
// errors: mmap munmap mprotect
#include "include/proof.h"

#define PAGE 4096l

int main(void)
{
	char *p = mmap(NULL, 140000 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	long i;

	CHECK(p != MAP_FAILED);
	for (i = 0; i < 70000; i++)
		if (mprotect(p + 2 * i * PAGE, PAGE, PROT_NONE))
			break;
	CHECK_EQ(errno, ENOMEM);
	CHECK(i > 32000 && i < 33000);
	/* With no room for two more there may be room for one. */
	while (mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		;
	CHECK_EQ(errno, ENOMEM);
	FAILS(ENOMEM, mprotect, p + 2 * i * PAGE, PAGE, PROT_NONE);
	/* A hole in the middle would make one more, a piece off the end does not. */
	FAILS(ENOMEM, munmap, p + 100000 * PAGE, PAGE);
	GIVES(0, munmap, p + 139999 * PAGE, PAGE);
	CHECK_EQ(p[100000 * PAGE], 0);
	CHECK_EQ(munmap(p, 139999 * PAGE), 0);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	return test_done();
}
