/*
 * Running a function on other CPUs.
 *
 * A CPU asks others by setting its bit in their `asked_by` and sending them an interrupt; each answers by running the function of
 * the asking CPU's request and counting `pending` down. A CPU has one request at a time, with preemption disabled, and waits with
 * interrupts on, so that two CPUs that ask each other both answer.
 */
#include "core/sched/call.h"

#include "core/arch/cpu.h"
#include "core/debug/panic.h"
#include "core/module/export.h"
#include "core/sched/cpu.h"

_Static_assert(CPU_MAX <= BITS_PER_LONG, "sets of CPUs are one word here");

void cpu_call_answer(void)
{
	unsigned long from = __atomic_exchange_n(&arch_cpu_self()->asked_by, 0, __ATOMIC_ACQUIRE);

	arch_cpu_self()->irq_call++;
	while (from) {
		struct cpu_request *r = &cpus[bit_lowest(from)]->request;

		from &= from - 1;
		r->fn(r->arg);
		__atomic_fetch_sub(&r->pending, 1, __ATOMIC_RELEASE);	/* the request may be reused: pairs with the wait */
	}
}

void cpu_call_begin(const struct cpu_set *mask, void (*fn)(void *), void *arg)
{
	struct cpu_request *r;
	unsigned long targets;
	unsigned int self;

	preempt_disable();
	self = arch_cpu_id();
	targets = mask->bits[0] & cpus_online.bits[0] & ~(1ul << self);
	if (!targets)
		return;
	debug_assert(arch_irq_enabled());
	r = &arch_cpu_self()->request;
	r->fn = fn;
	r->arg = arg;
	r->pending = 0;
	for (unsigned long left = targets; left; left &= left - 1)
		r->pending++;
	for (unsigned long left = targets; left; left &= left - 1) {
		unsigned int i = bit_lowest(left);

		/* Release: the target sees the request. */
		__atomic_fetch_or(&cpus[i]->asked_by, 1ul << self, __ATOMIC_SEQ_CST);
		arch_cpu_send_call(i);
	}
}

void cpu_call_end(void)
{
	struct cpu_request *r = &arch_cpu_self()->request;

	while (__atomic_load_n(&r->pending, __ATOMIC_ACQUIRE))
		arch_cpu_relax();
	preempt_enable();
}

void cpu_call(const struct cpu_set *mask, void (*fn)(void *), void *arg)
{
	cpu_call_begin(mask, fn, arg);
	cpu_call_end();
}
KAPI(cpu_call);

void cpu_call_each(const struct cpu_set *mask, void (*fn)(void *), void *arg)
{
	unsigned long irq;

	cpu_call_begin(mask, fn, arg);
	irq = arch_irq_save();
	fn(arg);
	arch_irq_restore(irq);
	cpu_call_end();
}
KAPI(cpu_call_each);
