/*
 * The clock is steered as time daemons expect it: offsets are worked off by its rate, at the speed that the loop or adjtime(3) has, and it
 * never goes backwards meanwhile; the estimated error grows; setting the clock ends all of it.
 */
// libc: gcc
// linux: no (sets the machine's clock)
// calls: adjtimex clock_settime settimeofday
// errors: adjtimex clock_settime
#include "include/proof.h"

#include <limits.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

#define DAEMON (STA_PLL | STA_FREQHOLD)
#define MS 1000000l

static struct timex x;

static int64_t ns_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000l + t.tv_nsec;
}

/* How far the clock is before the counter that nothing steers; the sample during which least time passed of some. */
static int64_t ahead(clockid_t clock)
{
	int64_t best = INT64_MAX, result = 0;

	for (int i = 0; i < 50; i++) {
		int64_t before = ns_of(CLOCK_MONOTONIC_RAW), now = ns_of(clock), after = ns_of(CLOCK_MONOTONIC_RAW);

		if (after - before < best) {
			best = after - before;
			result = now - (before + best / 2);
		}
	}
	return result;
}

static int steer(struct timex change)
{
	x = change;
	return adjtimex(&x);
}

/* Sleeps, looking whether the clock goes backwards. */
static int sleeps(double seconds)
{
	int64_t end = ns_of(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9), last = 0;
	int backwards = 0;

	while (ns_of(CLOCK_MONOTONIC) < end) {
		int64_t now = ns_of(CLOCK_REALTIME);

		backwards += now < last;
		last = now;
		usleep(1000);
	}
	return backwards;
}

static void near(int64_t value, int64_t from, int64_t to)
{
	if (value < from || value > to)
		printf("# %ld is not between %ld and %ld\n", (long)value, (long)from, (long)to);
	CHECK(value >= from && value <= to);
}

static long left(void)
{
	struct timeval t;

	CHECK_EQ(adjtime(NULL, &t), 0);
	return t.tv_sec * 1000000 + t.tv_usec;
}

/* By 400 us at 500 us a second, within the second or, on Linux, in the next one. */
static void slow_adjustment(void)
{
	struct timeval want = { 0, 400 }, old;
	int64_t before = ahead(CLOCK_REALTIME);

	steer((struct timex){ .modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR | ADJ_TIMECONST, .maxerror = 100, .esterror = 77 });
	CHECK_EQ(x.constant, 4);	/* in units of us it is four more */
	CHECK_EQ(adjtime(&want, NULL), 0);
	CHECK_EQ(left(), 400);
	near(ahead(CLOCK_REALTIME) - before, -MS / 5, MS / 5);
	CHECK_EQ(sleeps(2.2), 0);
	for (int i = 0; i < 50 && left(); i++)		/* here, a second that ended late has done too much; the next one takes it back */
		usleep(100000);
	CHECK_EQ(left(), 0);
	near(ahead(CLOCK_REALTIME) - before, 380000, 420000);
	steer((struct timex){ 0 });
	near(x.maxerror, 100 + 500, 100 + 20 * 500);
	CHECK_EQ(x.esterror, 77);
	want.tv_usec = -5000;
	CHECK_EQ(adjtime(&want, NULL), 0);
	want.tv_usec = 0;
	CHECK_EQ(adjtime(&want, &old), 0);
	CHECK_EQ(old.tv_sec * 1000000 + old.tv_usec, -5000);
	CHECK_EQ(left(), 0);
}

/* Backwards, which no reader may notice: a quarter of what is left each second; and it says how wrong the frequency is. */
static void loop(void)
{
	int64_t offset = -160 * MS, before;

	CHECK_EQ(steer((struct timex){ .modes = ADJ_STATUS | ADJ_NANO | ADJ_TIMECONST, .status = DAEMON, .constant = 0 }), TIME_OK);
	CHECK_EQ(x.constant, 0);
	before = ahead(CLOCK_REALTIME);
	CHECK_EQ(steer((struct timex){ .modes = ADJ_OFFSET, .offset = offset }), TIME_OK);
	CHECK_EQ(x.offset, offset);
	near(ahead(CLOCK_REALTIME) - before, -20 * MS, 20 * MS);	/* no jump */
	CHECK_EQ(sleeps(2.5), 0);
	steer((struct timex){ 0 });
	near(x.offset * 100 / offset, 10, 80);
	near((ahead(CLOCK_REALTIME) - before) * 100 / offset, 25, 95);
	CHECK_EQ(x.freq, 0);
	/* The last offset was 2 s or 3 ago: 1 ms x seconds x 2^-8, in ppm x 2^16. */
	steer((struct timex){ .modes = ADJ_STATUS, .status = STA_PLL });
	steer((struct timex){ .modes = ADJ_OFFSET, .offset = MS });
	near(x.freq, 1000 * 256 * 2, 1000 * 256 * 8);
	/* Out of the loop. */
	CHECK_EQ(steer((struct timex){ .modes = ADJ_STATUS, .status = 0 }), TIME_OK);
	CHECK_EQ(x.status, 0);
	steer((struct timex){ .modes = ADJ_FREQUENCY, .freq = 501l << 16 });
	CHECK_EQ(x.freq, 500l << 16);
	steer((struct timex){ .modes = ADJ_FREQUENCY, .freq = -12345 });
	CHECK_EQ(x.freq, -12345);
	steer((struct timex){ .modes = ADJ_FREQUENCY });
}

static void setting_ends_it(void)
{
	struct timeval half = { 0, 500000 }, now;

	CHECK_EQ(steer((struct timex){ .modes = ADJ_STATUS | ADJ_NANO, .status = DAEMON }), TIME_OK);
	CHECK_EQ(steer((struct timex){ .modes = ADJ_OFFSET, .offset = 100 * MS }), TIME_OK);
	CHECK_EQ(adjtime(&half, NULL), 0);
	gettimeofday(&now, NULL);
	GIVES(0, settimeofday, &now, NULL);
	CHECK_EQ(steer((struct timex){ 0 }), TIME_ERROR);
	CHECK_EQ(x.status, DAEMON | STA_UNSYNC | STA_NANO);
	CHECK_EQ(x.offset, 0);
	CHECK_EQ(x.maxerror, 16000000);
	CHECK_EQ(x.esterror, 16000000);
	CHECK_EQ(left(), 0);
	CHECK_EQ(steer((struct timex){ .modes = ADJ_STATUS | ADJ_MICRO }), TIME_OK);
}

static void refused(void)
{
	struct timespec last = { 8277292035l, 0 }, past = { 8277292036l, 0 }, now;
	struct timex wrong = { .modes = 0x8000 };

	FAILS(EINVAL, adjtimex, &wrong);
	for (int i = 0; i < 4; i++) {
		static const long far[] = { LONG_MAX, LONG_MIN, LONG_MAX / 1000000000, -4000000000 };

		wrong = (struct timex){ .modes = ADJ_SETOFFSET, .time = { far[i], 0 } };
		FAILS(EINVAL, adjtimex, &wrong);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	FAILS(EINVAL, clock_settime, CLOCK_REALTIME, &past);
	GIVES(0, clock_settime, CLOCK_REALTIME, &last);
	GIVES(0, clock_settime, CLOCK_REALTIME, &now);
	wrong = (struct timex){ .modes = ADJ_TAI, .constant = 100001 };
	CHECK(adjtimex(&wrong) >= 0 && wrong.tai != 100001);
	wrong = (struct timex){ .shift = 5, .jitter = 6, .calcnt = 7 };
	CHECK(adjtimex(&wrong) >= 0 && !wrong.shift && !wrong.jitter && !wrong.calcnt);
}

int main(void)
{
	struct timex same = { .modes = ADJ_STATUS | ADJ_FREQUENCY | ADJ_TICK | ADJ_MICRO, .tick = 10000 };

	adjtimex(&same);
	slow_adjustment();
	loop();
	setting_ends_it();
	refused();
	return test_done();
}
