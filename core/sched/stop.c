/*
 * Stopping all CPUs.
 *
 * The caller asks the others by an interrupt and waits, with interrupts on, until all have arrived: two CPUs that ask each other for
 * something else meanwhile both get their answers. Then it turns its own interrupts off, acts, and lets the others go.
 */
#include "core/sched/stop.h"

#include "core/arch/cpu.h"
#include "core/sched/cpu.h"
#include "core/sync/spinlock.h"

struct stop {
	void (*each)(void *arg);
	void *arg;
	unsigned int arrived;
	bool go;
};

static void stopped(void *arg)
{
	struct stop *s = arg;

	s->each(s->arg);
	/* Release: what each() found is seen by who counts. */
	__atomic_fetch_add(&s->arrived, 1, __ATOMIC_RELEASE);
	while (!load_acquire(&s->go))
		arch_cpu_relax();
}

void cpus_stop(void (*each)(void *arg), void (*alone)(void *arg), void *arg)
{
	struct stop s = { .each = each, .arg = arg };
	unsigned int others = 0, i;
	unsigned long flags;

	preempt_disable();
	for_each_online_cpu(i)
		others += i != arch_cpu_id();
	cpu_call_begin(&cpus_online, stopped, &s);
	while (__atomic_load_n(&s.arrived, __ATOMIC_ACQUIRE) != others)
		arch_cpu_relax();
	flags = arch_irq_save();
	alone(arg);
	arch_irq_restore(flags);
	store_release(&s.go, true);
	cpu_call_end();
	preempt_enable();
}
