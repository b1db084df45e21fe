/*
 * The clocks as the vDSO of a port answers them: from the clock page, which is mapped just below its image, and the raw counter.
 * Before it includes this, the port declares clock_frame and defines
 *   long system_call(long nr, long a, long b)    what the page cannot answer goes to the kernel
 *   uint64_t read_cycles(void)                   the counter, read after everything before it
 * Code of user space: no writable data, no tables, no calls out of the image.
 */
#pragma once

#include "core/time/clock.h"

#define NSEC 1000000000ull

/* Monotonic ns and the offsets to the other clocks; false if the kernel must be asked. */
static inline bool read_clock(uint64_t *ns, int64_t *realtime_offset, int32_t *tai_offset)
{
	const struct clock_page *p = &clock_frame;
	uint32_t sequence;

	do {
		sequence = __atomic_load_n(&p->sequence, __ATOMIC_ACQUIRE);
		if (!READ_ONCE(p->usable))
			return false;
		*ns = READ_ONCE(p->base_ns) +
		      (uint64_t)((unsigned __int128)(read_cycles() - READ_ONCE(p->base_cycles)) * READ_ONCE(p->mult) >>
				 CLOCK_SHIFT);
		*realtime_offset = READ_ONCE(p->realtime_offset);
		*tai_offset = READ_ONCE(p->tai_offset);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__builtin_expect((sequence & 1) || READ_ONCE(p->sequence) != sequence, 0));
	return true;
}

/* The raw clock, and those that the page does not have: apart, since the others are asked for so often. */
static __attribute__((noinline)) int other_clock(int clock, struct __kernel_timespec *ts)
{
	const struct clock_page *p = &clock_frame;
	uint64_t ns;

	if (clock != CLOCK_MONOTONIC_RAW || !READ_ONCE(p->usable))
		return (int)system_call(__NR_clock_gettime, clock, (long)ts);
	ns = (uint64_t)((unsigned __int128)(read_cycles() - p->raw_cycles) * p->raw_mult >> CLOCK_SHIFT);
	ts->tv_sec = (int64_t)(ns / NSEC);
	ts->tv_nsec = (int64_t)(ns % NSEC);
	return 0;
}

static inline int vdso_clock_gettime(int clock, struct __kernel_timespec *ts)
{
	uint64_t ns;
	int64_t offset;
	int32_t tai;

	/* REALTIME, MONOTONIC, their coarse forms, BOOTTIME, TAI. */
	if ((unsigned int)clock > CLOCK_TAI || !((1u << clock) & 0x8e3u) || !read_clock(&ns, &offset, &tai))
		return other_clock(clock, ts);
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		ns += (uint64_t)offset;
	else if (clock == CLOCK_TAI)
		ns += (uint64_t)offset + (uint64_t)(tai * (int64_t)NSEC);
	ts->tv_sec = (int64_t)(ns / NSEC);
	ts->tv_nsec = (int64_t)(ns % NSEC);
	return 0;
}

static inline int vdso_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz)
{
	uint64_t ns;
	int64_t offset;
	int32_t tai;

	if (tz || !read_clock(&ns, &offset, &tai))
		return (int)system_call(__NR_gettimeofday, (long)tv, (long)tz);
	if (tv) {
		ns += (uint64_t)offset;
		tv->tv_sec = (long)(ns / NSEC);
		tv->tv_usec = (long)(ns % NSEC / 1000);
	}
	return 0;
}
