/* Deadlines of POSIX message queues are the real-time clock's: when it is set, who waits looks again. */
// libc: gcc
// timeout: 120
// linux: no (sets the clock)
// calls: mq_timedsend mq_timedreceive
#include "include/mq.h"

static mqd_t q;

static void shift(long seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += seconds;
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
}

/* Waits until so many seconds from now; exits with the errno. */
static pid_t waits(int sends, long seconds)
{
	struct timespec t = in_ms(seconds * 1000);
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		char text[64];

		_exit((sends ? mq_timedsend(q, "x", 1, 0, &t) : (int)mq_timedreceive(q, text, 64, NULL, &t)) < 0 ? errno : 0);
	}
	until_sleeps(child);
	return child;
}

int main(void)
{
	int status;
	pid_t a, b;

	q = queue("/clock", O_RDWR | O_EXCL, 1, 64);
	a = waits(0, 5000);
	b = waits(0, 50000);
	shift(10000);
	CHECK_EQ(ended_with(a), ETIMEDOUT);
	CHECK_EQ(waitpid(b, &status, WNOHANG), 0);
	CHECK_EQ(say(q, "go", 0), 0);
	CHECK_EQ(ended_with(b), 0);
	/* Set back, there is more time. */
	CHECK_EQ(say(q, "full", 0), 0);
	a = waits(1, 5000);
	shift(-10000);
	shift(14000);
	until_sleeps(a);
	CHECK_EQ(waitpid(a, &status, WNOHANG), 0);
	shift(2000);
	CHECK_EQ(ended_with(a), ETIMEDOUT);
	CHECK(heard(q, "full", 0));
	shift(-16000);
	mq_close(q);
	CHECK_EQ(mq_unlink("/clock"), 0);
	return test_done();
}
