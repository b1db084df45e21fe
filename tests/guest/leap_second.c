/* Leap seconds: put in and left out at midnight, with the states of adjtimex, TAI, timers at the right second, and who waits for the clock to be set. */
// libc: gcc
// linux: no (sets the machine's clock)
// calls: adjtimex clock_settime clock_nanosleep timerfd_settime
#define _GNU_SOURCE
#include <poll.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "include/test.h"

#define MIDNIGHT 1800057600l		/* a multiple of 86400 */

static struct timex x;

static int status(int value)
{
	/* The clock counts as synchronised only while the error is small. */
	x = (struct timex){ .modes = ADJ_STATUS | ADJ_MAXERROR, .status = value };
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

/* The state follows the status at the next second on Linux, at once here. */
static int settled(void)
{
	usleep(1100000);
	return state();
}

static void set_clock(double before_midnight)
{
	struct timespec t = { MIDNIGHT - 1 - (long)before_midnight, 0 };

	t.tv_nsec = (long)((1 - (before_midnight - (long)before_midnight)) * 1e9);
	if (t.tv_nsec == 1000000000) {
		t.tv_nsec = 0;
		t.tv_sec++;
	}
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
}

static void until_midnight(void)
{
	struct timespec t = { MIDNIGHT, 0 };

	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0);
	clock_gettime(CLOCK_REALTIME, &t);
	CHECK(t.tv_sec >= MIDNIGHT);
}

/* From three and a half seconds before midnight, it is there after so many ms. */
static void one(int flag, long length, int pending)
{
	struct itimerspec far = { .it_value = { MIDNIGHT + 86400, 0 } };
	struct pollfd jump = { timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK), POLLIN, 0 };
	struct timespec on = { 2, 900000000 };
	long start = mono(), expirations;
	int tai, seen;

	set_clock(3.5);
	CHECK_EQ(timerfd_settime(jump.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL), 0);
	status(flag);
	CHECK_EQ(settled(), pending);
	CHECK_ERRNO(read(jump.fd, &expirations, sizeof(expirations)), EAGAIN);	/* it is only to come */
	tai = x.tai;
	if (flag == STA_DEL) {
		CHECK_EQ(poll(&jump, 1, 20000), 1);
	} else {
		/* Half of the second that is put in. */
		clock_nanosleep(CLOCK_MONOTONIC, 0, &on, NULL);
		seen = state();
		CHECK_EQ(seen, x.time.tv_sec < MIDNIGHT ? TIME_OOP : TIME_WAIT);
	}
	until_midnight();
	CHECK(mono() - start >= length);
	CHECK_EQ(settled(), TIME_WAIT);
	CHECK_ERRNO(read(jump.fd, &expirations, sizeof(expirations)), ECANCELED);
	CHECK_ERRNO(read(jump.fd, &expirations, sizeof(expirations)), EAGAIN);
	close(jump.fd);
	CHECK_EQ(x.tai, tai + (flag == STA_INS ? 1 : -1));
	status(0);
	CHECK_EQ(settled(), TIME_OK);
}

int main(void)
{
	CHECK_EQ(MIDNIGHT % 86400, 0);
	one(STA_INS, 4500, TIME_INS);
	one(STA_DEL, 2500, TIME_DEL);
	/* Called off: setting the clock, clearing the flag. */
	set_clock(2.5);
	status(STA_INS);
	CHECK_EQ(settled(), TIME_INS);
	set_clock(0.3);
	status(0);
	until_midnight();
	CHECK_EQ(settled(), TIME_OK);
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
