/*
 * The discipline of the clock, as time daemons steer it by adjtimex(2) and adjtime(3): a frequency, a length of the tick, and two kinds of
 * offset that are worked off by bending the clock's rate, never by a jump:
 *
 *	ADJ_OFFSET, a phase-locked loop (STA_PLL): each second a part of what is left, 2^-(2 + time constant); it also pulls the frequency.
 *	ADJ_OFFSET_SINGLESHOT, adjtime: at most 500 us each second.
 *
 * While there is an offset a timer ends each second: what that second has really done, late or not, is taken off the offset, and the next
 * one's share is chosen. The estimated error grows by 500 us a second until a daemon sets it again, counted when somebody asks. The rules
 * are those of RFC 1305 and 5905 in Linux's units.
 *
 * `lock`, an irq-safe spinlock, is over all of it.
 */
#include "internal.h"

#include <linux/timex.h>

#define FREQUENCY_MAX	500000ll		/* ns per second */
#define PHASE_MAX	500000000ll		/* ns */
#define ERROR_MAX	16000000ll		/* us */
#define SINGLE_MAX	500000ll		/* ns per second of adjtime */
#define CONSTANT_MAX	10
#define TAI_MAX		100000
#define PLL_SHIFT	2
#define FLL_SHIFT	2
#define FLL_MIN_S	256			/* intervals of the frequency-locked loop */
#define FLL_MAX_S	2048
#define SCALE		32			/* of what is measured more finely than in ns */
#define PPM		(1000ll << 16)		/* one of adjtimex's units of 2^-16 ppm, in ns per second and scaled */
#define USER_TICK	10000ll			/* us */

static struct spinlock lock = SPINLOCK_INIT(lock);
static void second_over(struct timer *timer);
static struct ntp_state ntp = {
	.max_error = ERROR_MAX, .est_error = ERROR_MAX, .constant = 2, .tick = USER_TICK, .status = STA_UNSYNC,
	.second = { .fn = second_over },
};

/* What a rate per second makes in so many ns. */
static int64_t made(int64_t rate, uint64_t ns)
{
	uint64_t seconds = (uint64_t)((unsigned __int128)ns * 18446744073ull >> 32);	/* 2^64 / 10^9: seconds, scaled */

	return (int64_t)((__int128)rate * (int64_t)seconds >> SCALE);
}

static int64_t toward_zero(int64_t x, unsigned int shift)
{
	return x < 0 ? -(-x >> shift) : x >> shift;
}

static void apply_rate(void)
{
	/* A tick that is longer by 1 us makes a second longer by 100. */
	int64_t plain = ntp.frequency + ((ntp.tick - USER_TICK) * 100000 << SCALE);

	clock_set_rate((plain + ntp.offset_rate + ntp.single_rate) >> (SCALE - 16));
}

/* Takes off what the second that began last has done until now. */
static void settle(uint64_t now)
{
	ntp.offset -= made(ntp.offset_rate, now - ntp.since);
	ntp.single -= made(ntp.single_rate, now - ntp.since) >> SCALE;
	ntp.offset_rate = ntp.single_rate = 0;
}

/* After settle(): chooses what the next second does. */
static void begin(uint64_t now)
{
	ntp.since = now;
	ntp.offset_rate = toward_zero(ntp.offset, PLL_SHIFT + (unsigned int)ntp.constant);
	ntp.single_rate = MAX(-SINGLE_MAX, MIN(SINGLE_MAX, ntp.single)) << SCALE;
	apply_rate();
	if (ntp.offset_rate || ntp.single_rate)
		timer_arm(&ntp.second, now + NSEC_PER_SEC);
	else
		timer_cancel(&ntp.second);
}

static void second_over(struct timer *timer)
{
	unsigned long flags = spin_lock_irqsave(&lock);
	uint64_t now = clock_monotonic();

	(void)timer;
	/* One that was set anew meanwhile has a timer of its own. */
	if (now - ntp.since >= NSEC_PER_SEC) {
		settle(now);
		begin(now);
	}
	spin_unlock_irqrestore(&lock, flags);
}

/* Lets the error grow for the seconds that have passed. */
static void age(uint64_t now)
{
	uint64_t seconds = (now - ntp.error_since) / NSEC_PER_SEC;

	ntp.error_since += seconds * NSEC_PER_SEC;
	ntp.max_error += 500 * (int64_t)MIN(seconds, (uint64_t)ERROR_MAX);
	if (ntp.max_error > ERROR_MAX) {
		ntp.max_error = ERROR_MAX;
		ntp.status |= STA_UNSYNC;
	}
}

/* What the interval since the last offset says of the frequency, if it was long or the daemon asks for that. */
static int64_t frequency_locked(int64_t offset, int64_t seconds)
{
	ntp.status &= ~STA_MODE;
	if (seconds < FLL_MIN_S || (!(ntp.status & STA_FLL) && seconds <= FLL_MAX_S))
		return 0;
	ntp.status |= STA_MODE;
	return (offset << (SCALE - FLL_SHIFT)) / seconds;
}

static void set_offset(int64_t offset)
{
	int64_t now = clock_realtime() / (int64_t)NSEC_PER_SEC, seconds, frequency;

	if (!(ntp.status & STA_PLL))
		return;
	if (!(ntp.status & STA_NANO))
		offset = MAX(-1000000ll, MIN(1000000ll, offset)) * 1000;
	offset = MAX(-PHASE_MAX, MIN(PHASE_MAX, offset));
	seconds = ntp.status & STA_FREQHOLD ? 0 : MAX(0ll, now - ntp.reference);
	ntp.reference = now;
	frequency = frequency_locked(offset, seconds);
	/* Offsets that come seldom do not pull harder for it. */
	seconds = MIN(seconds, 1ll << (PLL_SHIFT + 1 + ntp.constant));
	frequency += offset * seconds * (1ll << (SCALE - 2 * (PLL_SHIFT + 2 + ntp.constant)));
	frequency = MIN(frequency + ntp.frequency, FREQUENCY_MAX << SCALE);
	ntp.frequency = MAX(frequency, -FREQUENCY_MAX << SCALE);
	ntp.offset = offset << SCALE;
}

static void set_status(int status)
{
	/* Leaving the loop starts from nothing: units go back to microseconds, too. */
	if ((ntp.status & STA_PLL) && !(status & STA_PLL))
		ntp.status = STA_UNSYNC;
	if (!(ntp.status & STA_PLL) && (status & STA_PLL))
		ntp.reference = clock_realtime() / (int64_t)NSEC_PER_SEC;
	ntp.status = (ntp.status & STA_RONLY) | (status & ~STA_RONLY);
}

static void apply(const struct __kernel_timex *t, uint64_t now)
{
	if (t->modes & ADJ_STATUS)
		set_status(t->status);
	if (t->modes & ADJ_NANO)
		ntp.status |= STA_NANO;
	if (t->modes & ADJ_MICRO)
		ntp.status &= ~STA_NANO;
	if (t->modes & ADJ_FREQUENCY)
		ntp.frequency = MAX(-(FREQUENCY_MAX << SCALE), MIN(FREQUENCY_MAX << SCALE, t->freq * PPM));
	if (t->modes & ADJ_MAXERROR) {
		ntp.error_since = now;
		ntp.max_error = MAX(0ll, MIN(ERROR_MAX, t->maxerror));
	}
	if (t->modes & ADJ_ESTERROR)
		ntp.est_error = MAX(0ll, MIN(ERROR_MAX, t->esterror));
	if (t->modes & ADJ_TIMECONST) {
		ntp.constant = MAX(0ll, MIN((int64_t)CONSTANT_MAX, t->constant));
		if (!(ntp.status & STA_NANO))
			ntp.constant = MIN(ntp.constant + 4, CONSTANT_MAX);
	}
	if ((t->modes & ADJ_TAI) && t->constant >= 0 && t->constant <= TAI_MAX)
		clock_set_tai_offset((int32_t)t->constant);
	if (t->modes & ADJ_OFFSET)
		set_offset(t->offset);
	if (t->modes & ADJ_TICK)
		ntp.tick = t->tick;
}

static int64_t single_us(void)
{
	return ntp.single / 1000;
}

void ntp_adjust(struct __kernel_timex *t)
{
	unsigned long flags = spin_lock_irqsave(&lock);
	uint64_t now = clock_monotonic();

	age(now);
	if ((t->modes & MODE_ADJTIME) && (t->modes & MODE_ADJTIME_READ)) {
		t->offset = single_us();
	} else if (t->modes & MODE_ADJTIME) {
		int64_t wanted = MAX(-INT64_MAX / 1000, MIN(INT64_MAX / 1000, t->offset)) * 1000;

		t->offset = single_us();
		settle(now);
		ntp.single = wanted;
		begin(now);
	} else {
		if (t->modes & (ADJ_OFFSET | ADJ_TIMECONST)) {
			settle(now);
			apply(t, now);
			begin(now);
		} else if (t->modes) {
			apply(t, now);
			apply_rate();
		}
		t->offset = toward_zero(ntp.offset, SCALE) / (ntp.status & STA_NANO ? 1 : 1000);
	}
	t->freq = ntp.frequency / PPM;
	t->maxerror = ntp.max_error;
	t->esterror = ntp.est_error;
	t->status = ntp.status;
	t->constant = ntp.constant;
	t->precision = 1;
	t->tolerance = FREQUENCY_MAX / 1000 << 16;
	t->tick = ntp.tick;
	spin_unlock_irqrestore(&lock, flags);
}

int ntp_status(void)
{
	return READ_ONCE(ntp.status);
}

void ntp_clear(void)
{
	unsigned long flags = spin_lock_irqsave(&lock);
	uint64_t now = clock_monotonic();

	ntp.offset = ntp.single = ntp.offset_rate = ntp.single_rate = 0;
	ntp.max_error = ntp.est_error = ERROR_MAX;
	ntp.error_since = now;
	ntp.status |= STA_UNSYNC;
	begin(now);
	spin_unlock_irqrestore(&lock, flags);
}

struct ntp_state *ntp_state(void)
{
	return &ntp;
}

void ntp_adopt(struct ntp_state *old)
{
	bool armed = timer_cancel(&old->second);

	ntp = *old;
	timer_init(&ntp.second, second_over);
	if (armed)
		timer_arm(&ntp.second, ntp.since + NSEC_PER_SEC);
}
