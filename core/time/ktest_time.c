/*
 * In-kernel tests of timers and clocks.
 */
#include "core/debug/ktest.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"
#include "core/time/timer.h"

#define COUNT 32

static struct probe {
	struct timer timer;
	unsigned int order;
} probes[COUNT];
static unsigned int fired;

static void fire(struct timer *t)
{
	container_of(t, struct probe, timer)->order = __atomic_add_fetch(&fired, 1, __ATOMIC_SEQ_CST);
}

static void pause_for(uint64_t ns)
{
	static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);

	wait_event(&nobody, false, WAIT_UNINTERRUPTIBLE, clock_monotonic() + ns);
}

KTEST(timers_fire_in_order)
{
	uint64_t start = clock_monotonic() + 3 * NSEC_PER_MSEC;
	bool ordered = true;

	fired = 0;
	preempt_disable();
	for (unsigned int i = 0; i < COUNT; i++) {
		timer_init(&probes[i].timer, fire);
		timer_arm(&probes[i].timer, start + (i * 7 % COUNT) * 10000);
	}
	preempt_enable();
	pause_for(10 * NSEC_PER_MSEC);
	ktest_check(fired == COUNT);
	for (unsigned int i = 0; i < COUNT; i++)
		ordered &= probes[i].order == i * 7 % COUNT + 1;
	ktest_check(ordered);
}

KTEST(timers_cancelled_do_not_fire)
{
	fired = 0;
	timer_init(&probes[0].timer, fire);
	timer_arm(&probes[0].timer, clock_monotonic() + 2 * NSEC_PER_MSEC);
	ktest_check(timer_armed(&probes[0].timer));
	ktest_check(timer_cancel_sync(&probes[0].timer));
	ktest_check(!timer_cancel(&probes[0].timer));
	timer_arm(&probes[0].timer, TIME_NEVER - 1);
	timer_arm(&probes[0].timer, clock_monotonic() + 2 * NSEC_PER_MSEC);
	pause_for(6 * NSEC_PER_MSEC);
	ktest_check(fired == 1);
	timer_arm(&probes[0].timer, 0);
	pause_for(NSEC_PER_MSEC);
	ktest_check(fired == 2);
}

KTEST(clock_set_moves_deadlines)
{
	int64_t real = clock_realtime();
	uint64_t now = clock_monotonic(), deadline = clock_realtime_to_deadline(real + (int64_t)NSEC_PER_SEC);
	uint32_t jumps = clock_jumps();

	ktest_check(deadline >= now && deadline <= now + 2 * NSEC_PER_SEC);
	clock_set_realtime(real + 100 * (int64_t)NSEC_PER_SEC);
	ktest_check(clock_jumps() == jumps + 1);
	ktest_check(clock_realtime_to_deadline(real + (int64_t)NSEC_PER_SEC) < now);
	ktest_check(clock_monotonic() >= now && clock_monotonic() < now + NSEC_PER_SEC);
	clock_set_realtime(clock_realtime() - 100 * (int64_t)NSEC_PER_SEC);
	ktest_check(clock_realtime_to_deadline(INT64_MIN) == 0);
	ktest_check(clock_realtime_to_deadline(INT64_MAX) > now + NSEC_PER_SEC);
}
