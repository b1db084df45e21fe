/*
 * The timer queue against a simple model: what is due by its clock fires once, in order, also when real time and TAI jump, and the
 * event is set for the first one left.
 */
// sources: core/time/timer.c core/lib/rbtree.c
#include <string.h>

#include "host.h"

#include "core/time/timer.h"

#define COUNT 100

#define TAI_AHEAD 37

static uint64_t now, programmed;
static int64_t real_ahead = 5000;	/* of real time before monotonic time */
static struct probe { struct timer timer; enum timer_base base; uint64_t due; bool armed; } probes[COUNT];
static unsigned int wrong, fired;

uint64_t clock_monotonic(void) { return now; }
int64_t clock_realtime(void) { return (int64_t)now + real_ahead; }
int64_t clock_tai(void) { return clock_realtime() + TAI_AHEAD; }
uint64_t clock_realtime_to_deadline(int64_t ns) { return ns > real_ahead ? (uint64_t)(ns - real_ahead) : 0; }
uint64_t clock_tai_to_deadline(int64_t ns) { return clock_realtime_to_deadline(ns - TAI_AHEAD); }
void arch_cpu_kick(unsigned int cpu) { (void)cpu; wrong++; /* there is one */ }
void arch_timer_program(uint64_t deadline) { programmed = deadline; }
void *kmalloc(size_t size, unsigned int flags) { (void)flags; return calloc(1, size); }

/* When it is due in monotonic time. */
static uint64_t deadline(const struct probe *p)
{
	if (p->base == TIMER_MONOTONIC)
		return p->due;
	return p->base == TIMER_TAI ? clock_tai_to_deadline((int64_t)p->due) : clock_realtime_to_deadline((int64_t)p->due);
}

static void fire(struct timer *t)
{
	struct probe *p = container_of(t, struct probe, timer);

	fired++;
	wrong += !p->armed || deadline(p) > now || p->timer.key > p->due;
	p->armed = false;
}

static uint64_t first_due(void)
{
	uint64_t first = UINT64_MAX;

	for (int i = 0; i < COUNT; i++)
		if (probes[i].armed && deadline(&probes[i]) < first)
			first = deadline(&probes[i]);
	return first;
}

static void interrupt(void)
{
	programmed = UINT64_MAX;
	timer_interrupt();
	wrong += first_due() <= now;
}

int main(void)
{
	unsigned int seed = 21;

	if (timer_cpu_start(&host_cpu))
		return 1;
	for (int i = 0; i < COUNT; i++)
		timer_init(&probes[i].timer, fire);
	for (int n = 0; n < 100000; n++) {
		struct probe *p = &probes[rand_r(&seed) % COUNT];

		switch (rand_r(&seed) % 10) {
		case 0 ... 3:
			p->base = (enum timer_base)(rand_r(&seed) % TIMER_BASES);
			p->due = timer_base_now(p->base) + rand_r(&seed) % 1000;
			p->armed = true;
			timer_arm_on(&p->timer, p->base, p->due);
			break;
		case 4 ... 6:
			wrong += timer_cancel(&p->timer) != p->armed;
			p->armed = false;
			break;
		case 7:
			real_ahead += rand_r(&seed) % 600;
			real_ahead -= rand_r(&seed) % 600;
			timer_clock_changed();
			break;
		default:
			now += rand_r(&seed) % 20;
			if (programmed <= now)
				interrupt();
		}
		wrong += first_due() < programmed;
	}
	CHECK(wrong == 0);
	CHECK(fired > 1000);
	free(host_cpu.timer_queue);
	return check_done();
}
