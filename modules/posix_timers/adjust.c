/*
 * adjtimex(2) and clock_adjtime(2): the state that NTP daemons read and write. The frequency is put into force; a slew is applied at
 * once as a step of the offset, since nothing here runs for as long as the slow adjustment of Linux would take. Leap seconds happen in core/time; their states are kept here.
 */
#include "internal.h"

#include <gen/posix_timers.h>
#include <linux/timex.h>

#define FREQ_SCALE 65536000ll		/* what a frequency is multiplied by must not overflow */
#define FREQ_MAX 32768000ll		/* 500 ppm, scaled by 2^16 */

static struct mutex lock = MUTEX_INIT(lock);
static struct {
	int64_t frequency;		/* ppm << 16 */
	int64_t max_error, est_error, constant, tick;
	int status;
} ntp = { .max_error = 16000000, .est_error = 16000000, .constant = 2, .tick = 10000, .status = STA_UNSYNC };

/* The leap second that the status asks for: as Linux's state of the clock, which adjtimex returns. */
static struct {
	enum { LEAP_NONE, LEAP_SET, LEAP_TAKEN } state;
	int kind;			/* STA_INS or STA_DEL */
	int64_t midnight;
	unsigned int taken;		/* leaps before this one */
} leap;

#define DAY_NS ((int64_t)NSEC_PER_SEC * 86400)

/* Follows a change of status; `before` is the old one. */
static void update_leap(int before)
{
	int wanted = ntp.status & (STA_INS | STA_DEL);
	int64_t now = clock_realtime(), early;

	if (leap.state == LEAP_SET && clock_take_leap() != leap.taken)
		leap.state = LEAP_TAKEN;
	if (leap.state != LEAP_NONE && (!wanted || (leap.state == LEAP_SET && !(wanted & leap.kind)) ||
					((before & STA_PLL) && !(ntp.status & STA_PLL)))) {
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
	clock_set_leap(leap.midnight - early, early ? 1 : -1);
	clock_was_set();
}

static int clock_state(int64_t now)
{
	if (ntp.status & STA_UNSYNC)
		return TIME_ERROR;
	switch (leap.state) {
	case LEAP_SET: return leap.kind == STA_INS ? TIME_INS : TIME_DEL;
	case LEAP_TAKEN: return now < leap.midnight ? TIME_OOP : TIME_WAIT;
	default: return TIME_OK;
	}
}

static void apply(const struct __kernel_timex *t)
{
	int64_t step = 0;

	if (t->modes & ADJ_FREQUENCY)
		ntp.frequency = MAX(-FREQ_MAX, MIN(FREQ_MAX, t->freq));
	if (t->modes & ADJ_TICK)
		ntp.tick = t->tick;
	/* Leaving the loop starts from nothing: units go back to microseconds, too. */
	if ((t->modes & ADJ_STATUS) && (ntp.status & STA_PLL) && !(t->status & STA_PLL))
		ntp.status = STA_UNSYNC;
	if (t->modes & ADJ_STATUS)
		ntp.status = (ntp.status & STA_RONLY) | (t->status & ~STA_RONLY);
	if (t->modes & ADJ_MAXERROR)
		ntp.max_error = t->maxerror;
	if (t->modes & ADJ_ESTERROR)
		ntp.est_error = t->esterror;
	if (t->modes & ADJ_TIMECONST)
		ntp.constant = MAX(0ll, MIN(10ll, t->constant));
	if (t->modes & ADJ_TAI && t->constant >= 0)
		clock_set_tai_offset((int32_t)t->constant);
	if (t->modes & ADJ_NANO)
		ntp.status |= STA_NANO;
	if (t->modes & ADJ_MICRO)
		ntp.status &= ~STA_NANO;
	if ((t->modes & ADJ_OFFSET) && (ntp.status & STA_PLL))
		step += (ntp.status & STA_NANO) ? t->offset : t->offset * 1000;
	if ((t->modes & ADJ_OFFSET_SINGLESHOT) == ADJ_OFFSET_SINGLESHOT)
		step = t->offset * 1000;
	clock_adjust(ntp.frequency * 1000 / 65536 + (ntp.tick - 10000) * 100000, step);
	if (step)
		clock_was_set();
}

static int check(const struct __kernel_timex *t)
{
	if ((t->modes & ADJ_OFFSET_SINGLESHOT) == ADJ_OFFSET_SINGLESHOT || (t->modes & ADJ_OFFSET_SS_READ) == ADJ_OFFSET_SS_READ) {
		if (!(t->modes & ADJ_OFFSET_SINGLESHOT))
			return -EINVAL;
		return (t->modes & 0x2000) || service(authority)->capable(CAP_SYS_TIME) ? 0 : -EPERM;
	}
	if (t->modes && !service(authority)->capable(CAP_SYS_TIME))
		return -EPERM;
	if ((t->modes & ADJ_TICK) && (t->tick < 9000 || t->tick > 11000))
		return -EINVAL;
	if ((t->modes & ADJ_FREQUENCY) && (t->freq > INT64_MAX / FREQ_SCALE || t->freq < INT64_MIN / FREQ_SCALE))
		return -EINVAL;
	if (t->modes & ADJ_SETOFFSET) {
		long limit = t->modes & ADJ_NANO ? (long)NSEC_PER_SEC : 1000000;

		if (t->time.tv_usec < 0 || t->time.tv_usec >= limit)
			return -EINVAL;
	}
	return 0;
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
	before = ntp.status;
	clock_take_leap();
	if (t.modes & ADJ_SETOFFSET) {
		clock_set_realtime(clock_realtime() + t.time.tv_sec * (int64_t)NSEC_PER_SEC +
				   t.time.tv_usec * (t.modes & ADJ_NANO ? 1 : 1000));
		clock_was_set();
	}
	if (t.modes && t.modes != ADJ_OFFSET_SS_READ)
		apply(&t);
	update_leap(before);
	now = clock_realtime();
	t.offset = 0;
	t.freq = ntp.frequency;
	t.maxerror = ntp.max_error;
	t.esterror = ntp.est_error;
	t.status = ntp.status;
	t.constant = ntp.constant;
	t.precision = 1;
	t.tolerance = FREQ_MAX;
	t.tick = ntp.tick;
	t.tai = clock_tai_offset();
	t.time.tv_sec = now / (int64_t)NSEC_PER_SEC;
	t.time.tv_usec = now % (int64_t)NSEC_PER_SEC / (ntp.status & STA_NANO ? 1 : 1000);
	result = clock_state(now);
	mutex_unlock(&lock);
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
