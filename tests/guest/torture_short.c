/* The short form of the thread torture (tests/torture): a few rounds with fewer threads. What fails is printed before the check. */
// flags: -pthread
// timeout: 150
#include "../torture/rounds.h"

#include "include/test.h"

int main(int argc, char **argv)
{
	unsigned int rounds = 0;

	if (argc > 1 && !strcmp(argv[1], "noop"))
		return 0;
	hang_seconds = 100;		/* the report comes before the end of our time */
	CHECK_EQ(torture(60, 15, 4, (unsigned int)getpid(), &rounds), 0);
	CHECK(rounds > 0);
	return test_done();
}
