/* The timer queue against a simple model: what is due fires once, in order, and the event is set for the first one left. */
// sources: core/time/timer.c core/lib/rbtree.c
#include <string.h>

#include "host.h"

#include "core/time/timer.h"

#define COUNT 100

static uint64_t now, programmed;
static struct probe { struct timer timer; uint64_t due; bool armed; } probes[COUNT];
static uint64_t last_fired;
static unsigned int wrong, fired;

uint64_t clock_monotonic(void) { return now; }
void arch_timer_program(uint64_t deadline) { programmed = deadline; }
void *kmalloc(size_t size, unsigned int flags) { (void)flags; return calloc(1, size); }

static void fire(struct timer *t)
{
	struct probe *p = container_of(t, struct probe, timer);

	fired++;
	wrong += !p->armed || p->due > now || p->timer.key > p->due;
	last_fired = p->due;
	p->armed = false;
}

static uint64_t first_due(void)
{
	uint64_t first = UINT64_MAX;

	for (int i = 0; i < COUNT; i++)
		if (probes[i].armed && probes[i].due < first)
			first = probes[i].due;
	return first;
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

		switch (rand_r(&seed) % 3) {
		case 0:
			p->due = now + rand_r(&seed) % 1000;
			p->armed = true;
			timer_arm(&p->timer, p->due);
			break;
		case 1:
			wrong += timer_cancel(&p->timer) != p->armed;
			p->armed = false;
			break;
		default:
			now += rand_r(&seed) % 20;
			if (programmed <= now) {
				last_fired = 0;
				programmed = UINT64_MAX;
				timer_interrupt();
				wrong += first_due() <= now;
			}
		}
		wrong += first_due() < programmed;
	}
	CHECK(wrong == 0);
	CHECK(fired > 1000);
	free(host_cpu.timer_queue);
	return check_done();
}
