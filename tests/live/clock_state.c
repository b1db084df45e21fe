/*
 * What adjtimex and settimeofday have set stays across replacements of the module that keeps it: frequency, tick, errors, status with a leap
 * second to come, time zone; an offset that is being worked off goes on.
 */
#define _GNU_SOURCE
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

#include "tests/guest/include/test.h"
#include "tests/live/live.h"

#define MIDNIGHT 1800057600l		/* a multiple of 86400 */
#define FREQUENCY (100l << 16)		/* 100 ppm */

static void same(int state, int status)
{
	struct timex x = { 0 };
	struct timezone z = { 0, 0 };

	CHECK_EQ(adjtimex(&x), state);
	CHECK_EQ(x.freq, FREQUENCY);
	CHECK_EQ(x.tick, 10001);
	CHECK_EQ(x.esterror, 123);
	CHECK(x.maxerror >= 456 && x.maxerror < 456 + 60 * 500);	/* it grows by 500 each second */
	CHECK_EQ(x.constant, 5);
	CHECK_EQ(x.status, status);
	/* The library's own gettimeofday does not ask for the zone. */
	CHECK_EQ(syscall(SYS_gettimeofday, NULL, &z), 0);
	CHECK_EQ(z.tz_minuteswest, -60);
	CHECK_EQ(z.tz_dsttime, 1);
}

static long left(void)
{
	struct timex x = { .modes = ADJ_OFFSET_SS_READ };

	adjtimex(&x);
	return x.offset;
}

/* 500 us are done each second. */
static void slewing(void)
{
	struct timex x = { .modes = ADJ_OFFSET_SINGLESHOT, .offset = 3000 };
	long before;

	CHECK(adjtimex(&x) >= 0);
	CHECK_EQ(x.offset, 0);
	CHECK_EQ(live_replace("posix_timers", ""), 0);
	before = left();
	CHECK(before > 0 && before <= 3000);
	usleep(1500000);
	CHECK(left() < before && left() > 0);
	CHECK_EQ(live_replace("posix_timers", ""), 0);
	/* A second that ended late has done too much, which the next one takes back. */
	for (int i = 0; i < 200 && left(); i++)
		usleep(100000);
	CHECK_EQ(left(), 0);
}

int main(void)
{
	struct timespec before, early = { MIDNIGHT - 3, 0 }, late = { MIDNIGHT, 0 };
	struct timezone zone = { -60, 1 }, none = { 0, 0 };
	struct timex x = {
		.modes = ADJ_FREQUENCY | ADJ_TICK | ADJ_ESTERROR | ADJ_MAXERROR | ADJ_TIMECONST | ADJ_STATUS | ADJ_NANO,
		.freq = FREQUENCY, .tick = 10001, .esterror = 123, .maxerror = 456, .constant = 5, .status = STA_INS,
	};

	clock_gettime(CLOCK_REALTIME, &before);
	CHECK_EQ(syscall(SYS_settimeofday, NULL, &zone), 0);
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &early), 0);
	CHECK_EQ(adjtimex(&x), TIME_INS);
	same(TIME_INS, STA_INS | STA_NANO);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(live_replace("posix_timers", ""), 0);
	same(TIME_INS, STA_INS | STA_NANO);
	/* The leap happens, and the next build of the module knows. */
	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &late, NULL), 0);
	CHECK_EQ(live_replace("posix_timers", ""), 0);
	same(TIME_WAIT, STA_INS | STA_NANO);

	x = (struct timex){ .modes = ADJ_FREQUENCY | ADJ_TICK | ADJ_STATUS | ADJ_MICRO, .tick = 10000 };
	CHECK_EQ(adjtimex(&x), TIME_OK);
	slewing();
	CHECK_EQ(syscall(SYS_settimeofday, NULL, &none), 0);
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &before), 0);
	return test_done();
}
