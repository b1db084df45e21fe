/* Messages until memory is out: the call says ENOMEM, nobody is killed for it, and removal gives all back. A queue alone takes nothing. */
// libc: gcc
// timeout: 120
// linux: no (fills the whole machine)
// errors: mq_timedsend
#include "include/memory.h"
#include "include/mq.h"

static mqd_t q;

/* The errno of the send that failed. */
static void fill(size_t size)
{
	long before = free_mib();
	char *text = malloc(size);
	pid_t child;

	memset(text, 'x', size);
	q = queue("/full", O_RDWR | O_NONBLOCK, 65536, (long)size);
	CHECK(q >= 0);
	CHECK(free_mib() >= before - 8);
	fflush(stdout);
	child = fork();
	if (!child) {
		int reads = 0;

		mlockall(MCL_CURRENT);		/* a page that it lacks then would be worth a victim */
		memset(text, 'y', size);
		while (!mq_timedsend(q, text, size, 1, NULL))
			;
		if (errno == ENOMEM)		/* what is taken out makes room for as much */
			reads = mq_receive(q, text, size, NULL) == (long)size && mq_send(q, text, size, 1) == 0;
		_exit(reads ? ENOMEM : errno);
	}
	CHECK_EQ(ended_with(child), ENOMEM);
	CHECK(count_of(q) > 0);
	mq_close(q);
	CHECK_EQ(mq_unlink("/full"), 0);
	free(text);
	CHECK(comes_back(before));
}

int main(void)
{
	struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	mlockall(MCL_CURRENT | MCL_FUTURE);	/* here, too */
	CHECK_EQ(setrlimit(RLIMIT_MSGQUEUE, &none), 0);
	fill(20000);
	fill(1 << 20);
	q = queue("/small", O_RDWR, 2, 64);
	CHECK_EQ(say(q, "works", 0), 0);
	CHECK(heard(q, "works", 0));
	mq_close(q);
	CHECK_EQ(mq_unlink("/small"), 0);
	return test_done();
}
