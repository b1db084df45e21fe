/*
 * aarch64: the generic timer: the virtual counter is the clock, its comparator this CPU's one-shot event. The interrupt is a level
 * that lasts until the event is programmed anew or switched off.
 */
#include "platform.h"

#include <arch/percpu.h>
#include <arch/sysreg.h>

#include "core/arch/platform.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/time/clock.h"
#include "core/sync/wait.h"

#define CTL_ENABLE 1ul
#define CTL_MASKED 2ul
#define VIRTUAL_TIMER 2			/* third interrupt of the node */
#define VIRTUAL_LINE 27u

static uint64_t hz;
static uint64_t ticks_per_ns_32;	/* scaled by 2^32 */
static unsigned int line = VIRTUAL_LINE;

void timer_start(void)
{
	struct fdt_node n;
	bool edge;

	hz = sysreg_read("cntfrq_el0");
	if (fdt_find("arm,armv8-timer", &n) || fdt_find("arm,armv7-timer", &n)) {
		int id = fdt_interrupt(&n, VIRTUAL_TIMER, &edge);

		if (id >= 16 && id < 32)
			line = (unsigned int)id;
		if (!hz)
			hz = fdt_cell(&n, "clock-frequency", 0);
	}
	if (!hz)
		panic("the generic timer's frequency is not known");
	ticks_per_ns_32 = (hz / NSEC_PER_SEC << 32) + (hz % NSEC_PER_SEC << 32) / NSEC_PER_SEC;
	log_info("timer: %lu.%03lu MHz, interrupt %u", (unsigned long)(hz / 1000000), (unsigned long)(hz / 1000 % 1000), line);
}

void timer_cpu_enable(void)
{
	timer_quiet();
	gic_enable_private(line);
}

void timer_quiet(void)
{
	sysreg_write("cntv_ctl_el0", CTL_MASKED);
	isb();
}

unsigned int timer_line(void)
{
	return line;
}

uint64_t timer_hz(void)
{
	return hz;
}

/* At most 1000 s ahead: the core programs the event again when it comes too early. */
void arch_timer_program(uint64_t deadline)
{
	uint64_t now, ticks;

	if (deadline == TIME_NEVER) {
		timer_quiet();
		return;
	}
	now = clock_monotonic();
	ticks = deadline > now ? MIN(deadline - now, 1000 * NSEC_PER_SEC) : 0;
	ticks = (uint64_t)(((unsigned __int128)ticks * ticks_per_ns_32) >> 32) + 1;
	sysreg_write("cntv_cval_el0", sysreg_read("cntvct_el0") + ticks);
	sysreg_write("cntv_ctl_el0", CTL_ENABLE);
	isb();
}
