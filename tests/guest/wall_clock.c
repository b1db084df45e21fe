/* Wall-clock time in its forms agrees; what adjusts it answers with its state. */
// libc: gcc
// calls: time gettimeofday clock_adjtime adjtimex
#include "include/proof.h"

#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

int main(void)
{
	struct timex x = { .modes = 0 }, y = { .modes = 0 };
	struct timespec a, b;
	struct timeval v;
	struct timezone z = { 99, 99 };
	long kept = -1, t;

	clock_gettime(CLOCK_REALTIME, &a);
	t = syscall(SYS_time, &kept);
	GIVES(0, gettimeofday, &v, &z);
	clock_gettime(CLOCK_REALTIME, &b);
	if (t == LEGACY_ABSENT)
		t = kept = a.tv_sec;
	CHECK(t == kept && t >= a.tv_sec - 1 && t <= b.tv_sec);
	CHECK(v.tv_sec * 1000000 + v.tv_usec >= a.tv_sec * 1000000 + a.tv_nsec / 1000);
	CHECK(v.tv_sec * 1000000 + v.tv_usec <= b.tv_sec * 1000000 + b.tv_nsec / 1000);
	CHECK(z.tz_minuteswest != 99 && z.tz_dsttime == 0);
	CHECK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &x) >= 0);
	CHECK(syscall(SYS_adjtimex, &y) >= 0);
	CHECK(x.tick == 10000 && y.tick == 10000 && x.freq == y.freq && x.precision > 0);
	CHECK(x.time.tv_sec >= a.tv_sec && x.time.tv_sec <= y.time.tv_sec);
	return test_done();
}
