/*
 * aarch64: the vDSO, code that user programs run to read the clocks without a system call. It reads the clock page, which is mapped
 * just below this image, and the virtual counter. What it cannot answer goes to the kernel.
 *
 * Position-independent and without relocations: no writable data, no tables of pointers, no calls out of the image.
 */
#include <asm/errno.h>
#include <asm/unistd.h>
#include <linux/time.h>
#include <linux/types.h>

#include "core/time/clock.h"

#define NSEC 1000000000ull

extern const struct clock_page clock_frame __attribute__((visibility("hidden")));	/* vdso.lds */

#define EXPORT __attribute__((visibility("default")))

EXPORT int __kernel_clock_gettime(int clock, struct __kernel_timespec *ts);
EXPORT int __kernel_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz);
EXPORT int __kernel_clock_getres(int clock, struct __kernel_timespec *ts);

static inline long system_call(long nr, long a, long b)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
	return x0;
}

/* Monotonic ns and the offsets to the other clocks; false if the kernel must be asked. */
static inline bool read_clock(uint64_t *ns, int64_t *realtime_offset, int32_t *tai_offset)
{
	const struct clock_page *p = &clock_frame;
	uint32_t sequence;

	do {
		uint64_t cycles;

		sequence = __atomic_load_n(&p->sequence, __ATOMIC_ACQUIRE);
		if (!READ_ONCE(p->usable))
			return false;
		__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(cycles) : : "memory");
		*ns = READ_ONCE(p->base_ns) +
		      (uint64_t)((unsigned __int128)(cycles - READ_ONCE(p->base_cycles)) * READ_ONCE(p->mult) >>
				 READ_ONCE(p->shift));
		*realtime_offset = READ_ONCE(p->realtime_offset);
		*tai_offset = READ_ONCE(p->tai_offset);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__builtin_expect((sequence & 1) || READ_ONCE(p->sequence) != sequence, 0));
	return true;
}

int __kernel_clock_gettime(int clock, struct __kernel_timespec *ts)
{
	uint64_t ns;
	int64_t offset;
	int32_t tai;

	/* REALTIME, MONOTONIC, their coarse forms, BOOTTIME, TAI. */
	if ((unsigned int)clock > CLOCK_TAI || !((1u << clock) & 0x8e3u) || !read_clock(&ns, &offset, &tai))
		return (int)system_call(__NR_clock_gettime, clock, (long)ts);
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		ns += (uint64_t)offset;
	else if (clock == CLOCK_TAI)
		ns += (uint64_t)offset + (uint64_t)(tai * (int64_t)NSEC);
	ts->tv_sec = (int64_t)(ns / NSEC);
	ts->tv_nsec = (int64_t)(ns % NSEC);
	return 0;
}

int __kernel_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz)
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

int __kernel_clock_getres(int clock, struct __kernel_timespec *ts)
{
	return (int)system_call(__NR_clock_getres, clock, (long)ts);
}
