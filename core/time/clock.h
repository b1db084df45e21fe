/*
 * Clocks: monotonic ns since boot from the port's counter; real time and TAI as offsets to it; the raw clock, whose rate nothing steers.
 * Boot time equals monotonic, since this kernel does not suspend. Readable in every context.
 */
#pragma once

#include "core/lib/types.h"

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

uint64_t clock_monotonic(void);		/* ns */
uint64_t clock_raw(void);		/* ns */
int64_t clock_realtime(void);		/* ns since 1970 */
int32_t clock_tai_offset(void);		/* seconds */
void clock_set_tai_offset(int32_t seconds);
int64_t clock_tai(void);		/* ns since 1970, atomic time */
/* Sets the real-time clock; timers on it follow. */
void clock_set_realtime(int64_t ns);
/*
 * Puts the clock forward (step 1) or back (-1) by a second when real time reaches `at`, and TAI's offset with it; 0 calls that off, as setting the
 * clock does. Deadlines of times beyond `at` take it into account. Thread context.
 */
void clock_set_leap(int64_t at, int step);
/* Takes the leap if it is due, before its timer gets to it. How many leaps there have been. Any context. */
unsigned int clock_take_leap(void);
/* Makes the clocks faster by so many ns per second, scaled by 2^16; below 2^45. Monotonic time goes on from where it is. Any context. */
void clock_set_rate(int64_t rate);
/* How often real time has jumped: by being set and by leaps. */
uint32_t clock_jumps(void);

/* Converts a real-time instant to the monotonic deadline it has now; saturates to 0 and TIME_NEVER. */
uint64_t clock_realtime_to_deadline(int64_t ns);
uint64_t clock_tai_to_deadline(int64_t ns);

/*
 * What the vDSO reads, on a page of its own, consistent while `sequence` is even and unchanged.
 * ns = base_ns + ((cycles - base_cycles) * mult >> CLOCK_SHIFT).
 */
#define CLOCK_SHIFT 32		/* the rate of a counter of 1 GHz to 0.23 ns per second */
struct clock_page {
	uint32_t sequence;
	uint32_t usable;		/* 0: user space must make the system call */
	uint64_t base_cycles;
	uint64_t mult;
	uint64_t base_ns;		/* monotonic */
	int64_t realtime_offset;	/* realtime = monotonic + this */
	int32_t tai_offset;
	uint64_t raw_cycles;		/* these two as base_cycles and mult, for the raw clock; fixed once `usable` */
	uint64_t raw_mult;
};
extern struct clock_page *clock_page;

/* The port: frequency of arch_cycles() in Hz, and the wall clock at boot in ns since 1970. */
void clock_start(uint64_t cycles_hz, int64_t realtime_ns);
/* Busy-waits; any context. */
void clock_delay_ns(uint64_t ns);
