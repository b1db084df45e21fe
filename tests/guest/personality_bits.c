/* personality: set, asked for, inherited by children and kept by exec; and what ADDR_NO_RANDOMIZE does. */
// libc: gcc
// calls: personality
#include "include/proof.h"

#include <sys/personality.h>

static unsigned long stack_of_child(void)
{
	char *args[] = { "self", "where", NULL };
	unsigned long where = 0;
	int ends[2];

	if (pipe(ends))
		exit(2);
	if (fork() == 0) {
		dup2(ends[1], 1);
		execv("/proc/self/exe", args);
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], &where, sizeof(where)) != sizeof(where))
		where = 0;
	close(ends[0]);
	wait(NULL);
	return where;
}

int main(int argc, char **argv)
{
	unsigned long here = (unsigned long)argv;
	int status;

	if (argc > 1)
		return write(1, &here, sizeof(here)) != sizeof(here) || !(personality(0xffffffff) & ADDR_NO_RANDOMIZE);
	CHECK_EQ(personality(0xffffffff) & 0xff, PER_LINUX);
	GIVES(personality(0xffffffff), personality, ADDR_NO_RANDOMIZE);
	GIVES(ADDR_NO_RANDOMIZE, personality, 0xffffffff);
	if (fork() == 0)
		_exit(personality(0xffffffff) != ADDR_NO_RANDOMIZE);
	wait(&status);
	CHECK_EQ(status, 0);
	here = stack_of_child();
	CHECK(here != 0);
	CHECK_EQ(here, stack_of_child());
	CHECK_EQ(here, stack_of_child());
	return test_done();
}
