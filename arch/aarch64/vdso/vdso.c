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

static inline uint64_t read_cycles(void)
{
	uint64_t cycles;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(cycles) : : "memory");
	return cycles;
}

#include "core/time/vdso_clock.h"

int __kernel_clock_gettime(int clock, struct __kernel_timespec *ts)
{
	return vdso_clock_gettime(clock, ts);
}

int __kernel_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz)
{
	return vdso_gettimeofday(tv, tz);
}

int __kernel_clock_getres(int clock, struct __kernel_timespec *ts)
{
	return (int)system_call(__NR_clock_getres, clock, (long)ts);
}
