/*
 * adjtimex(2) and clock_adjtime(2): what is allowed, jumps of the clock, and the states of a leap second, which itself happens in core/time.
 * What the daemons steer is in ntp.c.
 *
 * `lock`, a mutex, is over the leap second and keeps the parts of one call together.
 */
#include "internal.h"

#include <gen/posix_timers.h>
#include <linux/timex.h>

#define FREQ_SCALE 65536000ll		/* what a frequency is multiplied by must not overflow */
#define DAY_NS ((int64_t)NSEC_PER_SEC * 86400)

static struct mutex lock = MUTEX_INIT(lock);
static void leap_due(struct timer *timer);
static struct leap_state leap = { .watch = { .fn = leap_due } };

struct leap_state *leap_state(void)
{
	return &leap;
}

static void watch_leap(void)
{
	int64_t left = leap.at - clock_realtime();

	timer_arm(&leap.watch, clock_monotonic() + (uint64_t)MAX(left, (int64_t)0));
}

/* The clock may have been slowed since the timer was armed, or set, which calls the leap off. */
static void leap_due(struct timer *timer)
{
	(void)timer;
	if (clock_take_leap() != leap.taken)
		clock_was_set();
	else if (leap.at > clock_realtime())
		watch_leap();
}

void leap_adopt(struct leap_state *old)
{
	bool armed = timer_cancel(&old->watch);

	leap = *old;
	timer_init(&leap.watch, leap_due);
	if (armed)
		watch_leap();
}

/* Follows a change of status; `before` is the old one. */
static void update_leap(int before, int status)
{
	int wanted = status & (STA_INS | STA_DEL);
	int64_t now = clock_realtime(), early;

	if (leap.state == LEAP_SET && clock_take_leap() != leap.taken)
		leap.state = LEAP_TAKEN;
	if (leap.state != LEAP_NONE && (!wanted || (leap.state == LEAP_SET && !(wanted & leap.kind)) ||
					((before & STA_PLL) && !(status & STA_PLL)))) {
		timer_cancel_sync(&leap.watch);
		if (leap.state == LEAP_SET) {
			clock_set_leap(0, 0);
			clock_was_set();
		}
		leap.state = LEAP_NONE;
	}
	if (leap.state != LEAP_NONE || !wanted)
		return;
	/* A second is put in after the last one of a day, or the last one is left out. */
	leap.kind = wanted & STA_INS ? STA_INS : STA_DEL;
	early = leap.kind == STA_DEL ? (int64_t)NSEC_PER_SEC : 0;
	leap.midnight = ((now + early) / DAY_NS + 1) * DAY_NS;
	leap.taken = clock_take_leap();
	leap.state = LEAP_SET;
	leap.at = leap.midnight - early;
	clock_set_leap(leap.at, early ? 1 : -1);
	watch_leap();
	clock_was_set();
}

static int clock_state(int status, int64_t now)
{
	if (status & STA_UNSYNC)
		return TIME_ERROR;
	switch (leap.state) {
	case LEAP_SET: return leap.kind == STA_INS ? TIME_INS : TIME_DEL;
	case LEAP_TAKEN: return now < leap.midnight ? TIME_OOP : TIME_WAIT;
	default: return TIME_OK;
	}
}

static int check(const struct __kernel_timex *t)
{
	bool may = service(authority)->capable(CAP_SYS_TIME);

	if (t->modes & MODE_ADJTIME) {
		if (!(t->modes & ADJ_OFFSET))
			return -EINVAL;
		if (!(t->modes & MODE_ADJTIME_READ) && !may)
			return -EPERM;
	} else {
		if (t->modes && !may)
			return -EPERM;
		if ((t->modes & ADJ_TICK) && (t->tick < 9000 || t->tick > 11000))
			return -EINVAL;
	}
	if (t->modes & ADJ_SETOFFSET) {
		long limit = t->modes & ADJ_NANO ? (long)NSEC_PER_SEC : 1000000;

		if (!may)
			return -EPERM;
		if (t->time.tv_usec < 0 || t->time.tv_usec >= limit)
			return -EINVAL;
	}
	if ((t->modes & ADJ_FREQUENCY) && (t->freq > INT64_MAX / FREQ_SCALE || t->freq < INT64_MIN / FREQ_SCALE))
		return -EINVAL;
	return 0;
}

/* Puts the clock forward or back by a time. */
static int jump(const struct __kernel_timex *t)
{
	int64_t by, to;

	if (__builtin_mul_overflow(t->time.tv_sec, (int64_t)NSEC_PER_SEC, &by) ||
	    __builtin_add_overflow(by, t->time.tv_usec * (t->modes & ADJ_NANO ? 1 : 1000), &by) ||
	    __builtin_add_overflow(by, clock_realtime(), &to))
		return -EINVAL;
	return clock_change(to);
}

static void report(struct __kernel_timex *t, int64_t now)
{
	t->tai = clock_tai_offset();
	t->time.tv_sec = now / (int64_t)NSEC_PER_SEC;
	t->time.tv_usec = now % (int64_t)NSEC_PER_SEC / (t->status & STA_NANO ? 1 : 1000);
	/* There is no pulse per second. */
	t->ppsfreq = t->jitter = t->stabil = t->jitcnt = t->calcnt = t->errcnt = t->stbcnt = 0;
	t->shift = 0;
}

static long adjust(struct uinout_timex io)
{
	struct __kernel_timex t;
	int64_t now;
	long result;
	int before;

	if (copy_from_user(&t, io.addr, sizeof(t)))
		return -EFAULT;
	result = check(&t);
	if (result)
		return result;
	mutex_lock(&lock);
	clock_take_leap();
	if (t.modes & ADJ_SETOFFSET)
		result = jump(&t);
	if (!result) {
		before = ntp_status();
		ntp_adjust(&t);
		update_leap(before, t.status);
		now = clock_realtime();
		report(&t, now);
		result = clock_state(t.status, now);
	}
	mutex_unlock(&lock);
	if (result < 0)
		return result;
	return copy_to_user(io.addr, &t, sizeof(t)) ? -EFAULT : result;
}

long sys_adjtimex(struct uinout_timex io) { return adjust(io); }

long sys_clock_adjtime(int32_t clock, struct uinout_timex io)
{
	int64_t ns;

	if (clock != CLOCK_REALTIME)
		return clock_now(clock, &ns) ? -EINVAL : -EOPNOTSUPP;
	return adjust(io);
}
