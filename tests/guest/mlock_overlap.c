/* The limit of locked memory counts pages, not calls: what is locked already may be locked again in any overlap. */
// libc: gcc
// calls: mlock mlock2 munlock
#include "include/locked.h"

#include <sys/resource.h>

#define PAGE 4096l
#define LIMIT 16

static void user(void)
{
	char *p = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int seed = 1;
	int refused = 0;

	GIVES(0, mlock, p, 10 * PAGE);
	GIVES(0, mlock, p, 10 * PAGE);
	GIVES(0, mlock, p + 5 * PAGE, 10 * PAGE);
	CHECK_EQ(locked() / 4, 15);
	FAILS(ENOMEM, mlock, p + 10 * PAGE, 7 * PAGE);
	FAILS(ENOMEM, mlock2, p + 20 * PAGE, 2 * PAGE, MLOCK_ONFAULT);
	CHECK_EQ(locked() / 4, 15);
	GIVES(0, mlock2, p, 16 * PAGE, MLOCK_ONFAULT);
	CHECK_EQ(locked() / 4, 16);
	/* With a gap in between. */
	GIVES(0, munlock, p + 4 * PAGE, 8 * PAGE);
	GIVES(0, mlock, p + 2 * PAGE, 12 * PAGE);
	CHECK_EQ(locked() / 4, 16);
	for (int i = 0; i < 200; i++) {
		size_t length = (size_t)rand_r(&seed) % (LIMIT * PAGE);
		size_t start = (size_t)rand_r(&seed) % (LIMIT * PAGE - length);

		refused += mlock(p + start, length) != 0;
	}
	CHECK_EQ(refused, 0);
	CHECK_EQ(locked() / 4, 16);
	GIVES(0, munlock, p, 32 * PAGE);
	CHECK_EQ(locked() / 4, 0);
}

int main(void)
{
	struct rlimit limit = { LIMIT * PAGE, LIMIT * PAGE };

	CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	as_user(user);
	return test_done();
}
