/* Setting the clock: time jumps, monotonic time does not, absolute sleeps on it notice; the time zone; adjusting by an offset. */
// libc: gcc
// linux: no (sets the machine's clock)
// calls: settimeofday clock_settime clock_adjtime
#include "include/proof.h"

#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

int main(void)
{
	struct timeval v = { 2000000000, 500000 }, now;
	struct timezone z = { -60, 1 }, back = { 0, 0 };
	struct timespec before, after, until;
	struct timex x = { .modes = ADJ_SETOFFSET, .time = { 1000, 0 } };
	int status;
	pid_t child;

	clock_gettime(CLOCK_MONOTONIC, &before);
	GIVES(0, settimeofday, &v, NULL);
	GIVES(0, gettimeofday, &now, NULL);
	CHECK(now.tv_sec >= 2000000000 && now.tv_sec < 2000000010);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK(after.tv_sec - before.tv_sec < 10);
	GIVES(0, settimeofday, NULL, &z);
	GIVES(0, gettimeofday, NULL, &back);
	CHECK_EQ(back.tz_minuteswest, -60);
	z.tz_minuteswest = 0;
	GIVES(0, settimeofday, NULL, &z);
	CHECK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &x) >= 0);
	GIVES(0, gettimeofday, &now, NULL);
	CHECK(now.tv_sec >= 2000001000 && now.tv_sec < 2000001010);
	/* Whoever sleeps until a time that has come by setting the clock wakes. */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10000;
	child = fork();
	if (child == 0)
		_exit(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
	usleep(50000);
	until.tv_sec += 1;
	GIVES(0, clock_settime, CLOCK_REALTIME, &until);
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	return test_done();
}
