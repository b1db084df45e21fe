/*
 * x86_64: the vDSO, code that user programs run to read the clocks without a system call. It reads the clock page, which is mapped
 * just below this image, and the time-stamp counter. What it cannot answer goes to the kernel.
 *
 * Position-independent and without relocations: no writable data, no tables of pointers, no calls out of the image.
 */
#include <asm/errno.h>
#include <asm/unistd_64.h>
#include <linux/time.h>
#include <linux/types.h>

#include "core/time/clock.h"

#define GDT_CPU_SELECTOR 0x7bu		/* its segment limit holds the CPU's number */

struct getcpu_cache;

extern const struct clock_page clock_frame;	/* vdso.lds */

#define EXPORT __attribute__((visibility("default")))

EXPORT int __vdso_clock_gettime(int clock, struct __kernel_timespec *ts);
EXPORT int __vdso_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz);
EXPORT int __vdso_clock_getres(int clock, struct __kernel_timespec *ts);
EXPORT long __vdso_time(long *t);
EXPORT int __vdso_getcpu(unsigned int *cpu, unsigned int *node, struct getcpu_cache *unused);

static inline long system_call(long nr, long a, long b)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "0"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return result;
}

static inline uint64_t read_cycles(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

#include "core/time/vdso_clock.h"

int __vdso_clock_gettime(int clock, struct __kernel_timespec *ts)
{
	return vdso_clock_gettime(clock, ts);
}

int __vdso_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz)
{
	return vdso_gettimeofday(tv, tz);
}

int __vdso_clock_getres(int clock, struct __kernel_timespec *ts)
{
	return (int)system_call(__NR_clock_getres, clock, (long)ts);
}

long __vdso_time(long *t)
{
	uint64_t ns;
	int64_t offset;
	int32_t tai;
	long seconds;

	if (!read_clock(&ns, &offset, &tai))
		return system_call(__NR_time, (long)t, 0);
	seconds = (long)((ns + (uint64_t)offset) / NSEC);
	if (t)
		*t = seconds;
	return seconds;
}

int __vdso_getcpu(unsigned int *cpu, unsigned int *node, struct getcpu_cache *unused)
{
	unsigned int limit;

	(void)unused;
	__asm__ volatile("lsl %1, %0" : "=r"(limit) : "r"(GDT_CPU_SELECTOR));
	if (cpu)
		*cpu = limit & 0xfff;
	if (node)
		*node = limit >> 12;
	return 0;
}

EXPORT int clock_gettime(int, struct __kernel_timespec *) __attribute__((weak, alias("__vdso_clock_gettime")));
EXPORT int gettimeofday(struct __kernel_old_timeval *, struct timezone *) __attribute__((weak, alias("__vdso_gettimeofday")));
EXPORT int clock_getres(int, struct __kernel_timespec *) __attribute__((weak, alias("__vdso_clock_getres")));
EXPORT long time(long *) __attribute__((weak, alias("__vdso_time")));
EXPORT int getcpu(unsigned int *, unsigned int *, struct getcpu_cache *) __attribute__((weak, alias("__vdso_getcpu")));
