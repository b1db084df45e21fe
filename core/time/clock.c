/*
 * The clocks: one conversion from the port's counter to ns, on a page that the vDSO shares.
 *
 * Writers hold `lock` with interrupts off and make `sequence` odd while they write; readers retry. Each change of rate first
 * moves the base to now, so that monotonic time never jumps.
 */
#include "core/time/clock.h"

#include "core/arch/cpu.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/sync/wait.h"
#include "core/time/timer.h"

/* A whole page of its own: user space sees all of it. */
static union {
	struct clock_page page;
	char bytes[PAGE_SIZE];
} clock_frame __aligned(PAGE_SIZE);
#define clock_storage clock_frame.page
struct clock_page *clock_page = &clock_frame.page;
KAPI(clock_page);

static struct spinlock lock = SPINLOCK_INIT(lock);
static uint32_t jumps;

static inline uint64_t cycles_to_ns(const struct clock_page *p, uint64_t cycles)
{
	return p->base_ns + (uint64_t)(((unsigned __int128)(cycles - p->base_cycles) * p->mult) >> CLOCK_SHIFT);
}

uint64_t clock_monotonic(void)
{
	const struct clock_page *p = &clock_storage;
	uint32_t sequence;
	uint64_t ns;

	do {
		sequence = __atomic_load_n(&p->sequence, __ATOMIC_ACQUIRE);
		ns = cycles_to_ns(p, arch_cycles());
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely((sequence & 1) || READ_ONCE(p->sequence) != sequence));
	return ns;
}
KAPI(clock_monotonic);

uint64_t clock_raw(void)
{
	const struct clock_page *p = &clock_storage;

	return (uint64_t)(((unsigned __int128)(arch_cycles() - p->raw_cycles) * p->raw_mult) >> CLOCK_SHIFT);
}
KAPI(clock_raw);

int64_t clock_realtime(void)
{
	const struct clock_page *p = &clock_storage;
	uint32_t sequence;
	int64_t ns;

	do {
		sequence = __atomic_load_n(&p->sequence, __ATOMIC_ACQUIRE);
		ns = (int64_t)cycles_to_ns(p, arch_cycles()) + p->realtime_offset;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely((sequence & 1) || READ_ONCE(p->sequence) != sequence));
	return ns;
}
KAPI(clock_realtime);

int64_t clock_tai(void)
{
	const struct clock_page *p = &clock_storage;
	uint32_t sequence;
	int64_t ns;

	do {
		sequence = __atomic_load_n(&p->sequence, __ATOMIC_ACQUIRE);
		ns = (int64_t)cycles_to_ns(p, arch_cycles()) + p->realtime_offset + (int64_t)p->tai_offset * (int64_t)NSEC_PER_SEC;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely((sequence & 1) || READ_ONCE(p->sequence) != sequence));
	return ns;
}
KAPI(clock_tai);

static unsigned long write_begin(void)
{
	unsigned long flags = spin_lock_irqsave(&lock);

	WRITE_ONCE(clock_storage.sequence, clock_storage.sequence + 1);
	full_barrier();		/* pairs with the readers' acquires */
	return flags;
}

static void write_end(unsigned long flags)
{
	store_release(&clock_storage.sequence, clock_storage.sequence + 1);
	spin_unlock_irqrestore(&lock, flags);
}

int32_t clock_tai_offset(void) { return READ_ONCE(clock_storage.tai_offset); }
KAPI(clock_tai_offset);

void clock_set_tai_offset(int32_t seconds)
{
	unsigned long flags = write_begin();

	clock_storage.tai_offset = seconds;
	write_end(flags);
	timer_clock_changed();
}
KAPI(clock_set_tai_offset);

/* A leap second to come: at this real time the clock is put forward (1) or back (-1) by a second; 0: none. Written as the page is. */
static struct {
	int64_t at;
	int step;
	unsigned int taken;		/* how many there were */
} leap;
static void leap_due(struct timer *timer);
static struct timer leap_timer = { .fn = leap_due };
static struct spinlock leap_arm_lock = SPINLOCK_INIT(leap_arm_lock);

/* Arms for the moment of the leap, if there is one. Who comes last has seen what all before did. */
static void leap_arm(void)
{
	unsigned long flags = spin_lock_irqsave(&leap_arm_lock);
	int64_t deadline = READ_ONCE(leap.at) - READ_ONCE(clock_storage.realtime_offset);

	if (READ_ONCE(leap.step))
		timer_arm(&leap_timer, (uint64_t)MAX(deadline, (int64_t)0));
	spin_unlock_irqrestore(&leap_arm_lock, flags);
}

void clock_set_leap(int64_t at, int step)
{
	unsigned long flags = write_begin();

	leap.at = at;
	leap.step = step;
	write_end(flags);
	leap_arm();
	timer_clock_changed();
}
KAPI(clock_set_leap);

unsigned int clock_take_leap(void)
{
	unsigned long flags = write_begin();
	int64_t now = (int64_t)cycles_to_ns(&clock_storage, arch_cycles()) + clock_storage.realtime_offset;
	unsigned int taken;
	bool due = leap.step && now >= leap.at;

	if (due) {
		clock_storage.realtime_offset += leap.step * (int64_t)NSEC_PER_SEC;
		clock_storage.tai_offset -= leap.step;
		leap.step = 0;
		leap.taken++;
			jumps++;
	}
	taken = leap.taken;
	write_end(flags);
	if (due)
		timer_clock_changed();
	return taken;
}
KAPI(clock_take_leap);

/* The clock may have been slowed since the timer was armed: then it is not time yet. */
static void leap_due(struct timer *timer)
{
	(void)timer;
	clock_take_leap();
	leap_arm();
}

static void rebase(void)
{
	uint64_t now = arch_cycles();

	clock_storage.base_ns = cycles_to_ns(&clock_storage, now);
	clock_storage.base_cycles = now;
}

void clock_set_realtime(int64_t ns)
{
	unsigned long flags = write_begin();

	rebase();
	clock_storage.realtime_offset = ns - (int64_t)clock_storage.base_ns;
	leap.step = 0;
	jumps++;
	write_end(flags);
	timer_clock_changed();
}
KAPI(clock_set_realtime);

void clock_set_rate(int64_t rate)
{
	int64_t fraction = rate * 65536 / (int64_t)NSEC_PER_SEC;	/* scaled by 2^32 */
	unsigned long flags = write_begin();

	rebase();
	clock_storage.mult = clock_storage.raw_mult + (uint64_t)((__int128)clock_storage.raw_mult * fraction >> 32);
	write_end(flags);
}
KAPI(clock_set_rate);

uint32_t clock_jumps(void) { return READ_ONCE(jumps); }
KAPI(clock_jumps);

uint64_t clock_realtime_to_deadline(int64_t ns)
{
	int64_t offset, at, deadline;
	uint32_t sequence;
	int step;

	do {
		sequence = __atomic_load_n(&clock_storage.sequence, __ATOMIC_ACQUIRE);
		offset = READ_ONCE(clock_storage.realtime_offset);
		at = READ_ONCE(leap.at);
		step = READ_ONCE(leap.step);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely((sequence & 1) || READ_ONCE(clock_storage.sequence) != sequence));
	/* Times beyond a leap come a second later or sooner; those that are left out, at the leap. */
	if (step && ns >= at) {
		if (step > 0)
			ns = MAX(at, ns - (int64_t)NSEC_PER_SEC);
		else if (__builtin_add_overflow(ns, (int64_t)NSEC_PER_SEC, &ns))
			return TIME_NEVER;
	}
	if (__builtin_sub_overflow(ns, offset, &deadline))
		return ns > 0 ? TIME_NEVER : 0;
	return deadline < 0 ? 0 : (uint64_t)deadline;
}
KAPI(clock_realtime_to_deadline);

/* Atomic time has no leaps: a second of real time put in or left out is in its offset at the same moment. */
uint64_t clock_tai_to_deadline(int64_t ns)
{
	int64_t offset, deadline;
	uint32_t sequence;

	do {
		sequence = __atomic_load_n(&clock_storage.sequence, __ATOMIC_ACQUIRE);
		offset = READ_ONCE(clock_storage.realtime_offset) +
			 (int64_t)READ_ONCE(clock_storage.tai_offset) * (int64_t)NSEC_PER_SEC;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely((sequence & 1) || READ_ONCE(clock_storage.sequence) != sequence));
	if (__builtin_sub_overflow(ns, offset, &deadline))
		return ns > 0 ? TIME_NEVER : 0;
	return deadline < 0 ? 0 : (uint64_t)deadline;
}
KAPI(clock_tai_to_deadline);

void clock_start(uint64_t cycles_hz, int64_t realtime_ns)
{
	unsigned long flags = write_begin();

	clock_storage.mult = clock_storage.raw_mult = (NSEC_PER_SEC << CLOCK_SHIFT) / cycles_hz;	/* 2^62 at most */
	clock_storage.base_cycles = clock_storage.raw_cycles = arch_cycles();
	clock_storage.base_ns = 0;
	clock_storage.realtime_offset = realtime_ns;
	clock_storage.usable = 1;
	write_end(flags);
}

void clock_delay_ns(uint64_t ns)
{
	uint64_t end = clock_monotonic() + ns;

	while (clock_monotonic() < end)
		arch_cpu_relax();
}
KAPI(clock_delay_ns);
