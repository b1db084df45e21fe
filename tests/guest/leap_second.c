/* Leap seconds: put in and left out at midnight, with the states of adjtimex, TAI, and timers at the right second. */
// libc: gcc
// linux: no (sets the machine's clock)
// calls: adjtimex clock_settime clock_nanosleep
#define _GNU_SOURCE
#include <sys/timex.h>
#include <time.h>

#include "include/test.h"

#define MIDNIGHT 1800057600l		/* a multiple of 86400 */

static struct timex x;

static int status(int value)
{
	x = (struct timex){ .modes = ADJ_STATUS, .status = value };
	return adjtimex(&x);
}

static int state(void)
{
	x = (struct timex){ 0 };
	return adjtimex(&x);
}

static long mono(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void one(int flag, long length, int pending)
{
	struct timespec t = { MIDNIGHT - 3, 0 };
	long start = mono();
	int tai;

	CHECK_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
	CHECK_EQ(status(0), TIME_OK);
	tai = x.tai;
	status(flag);
	CHECK_EQ(state(), pending);
	t.tv_sec = MIDNIGHT;
	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0);
	CHECK(mono() - start >= length);
	CHECK_EQ(state(), TIME_WAIT);
	CHECK(x.time.tv_sec >= MIDNIGHT);
	CHECK_EQ(x.tai, tai + (flag == STA_INS ? 1 : -1));
	CHECK_EQ(status(0), TIME_OK);
}

int main(void)
{
	struct timespec t = { MIDNIGHT - 1, 500000000 };
	int seen;

	CHECK_EQ(MIDNIGHT % 86400, 0);
	one(STA_INS, 4000, TIME_INS);
	one(STA_DEL, 2000, TIME_DEL);
	/* In the second that is put in. */
	clock_settime(CLOCK_REALTIME, &t);
	status(STA_INS);
	t = (struct timespec){ 0, 900000000 };
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	seen = state();
	CHECK_EQ(seen, x.time.tv_sec < MIDNIGHT ? TIME_OOP : TIME_WAIT);
	/* Called off: setting the clock, clearing the flag. */
	t = (struct timespec){ MIDNIGHT - 1, 700000000 };
	CHECK_EQ(status(0), TIME_OK);
	status(STA_INS);
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
	status(0);
	t = (struct timespec){ MIDNIGHT, 0 };
	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL);
	clock_gettime(CLOCK_REALTIME, &t);
	CHECK(t.tv_sec >= MIDNIGHT);
	CHECK_EQ(state(), TIME_OK);
	/* Units of nanoseconds last until the loop is left. */
	x = (struct timex){ .modes = ADJ_NANO };
	adjtimex(&x);
	status(0);
	state();
	CHECK_EQ(x.status, STA_NANO);
	status(STA_PLL);
	state();
	CHECK_EQ(x.status, STA_PLL | STA_NANO);
	status(0);
	state();
	CHECK_EQ(x.status, 0);
	return test_done();
}
