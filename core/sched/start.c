/*
 * Start of the scheduler on the boot CPU and on the others, and the idle loop.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/arch/platform.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page.h"
#include "core/mem/slab.h"
#include "core/time/clock.h"
#include "core/time/timer.h"

static int make_queue(struct cpu *cpu)
{
	struct run_queue *rq = kzalloc(sizeof(*rq), 0);
	int error;

	if (!rq)
		return -ENOMEM;
	rq_init(rq, cpu->id);
	rq->idle = cpu->idle;
	rq_set_running(rq, cpu->idle);
	cpu->run_queue = rq;
	error = timer_cpu_start(cpu);
	if (error)
		return error;
	page_cpu_start(cpu);
	return 0;
}

static void tick_start(struct run_queue *rq)
{
	timer_init(&rq->tick, sched_tick_expired);
	rq->idle_since = clock_monotonic();
}

void sched_adopt_boot(void)
{
	struct cpu *cpu = arch_cpu_self();

	cpu->idle = thread_make_idle(cpu->id, false);
	arch_cpu_set_current(cpu->idle);
}

void sched_start(void)
{
	struct cpu *cpu = arch_cpu_self();

	if (make_queue(cpu))
		panic("no memory for the first run queue");
	cpu->online = true;
	bitmap_set(cpus_online.bits, cpu->id);
	tick_start(cpu->run_queue);
}

int sched_cpu_prepare(unsigned int id, unsigned int hw_id, struct cpu **out)
{
	char *block = kmalloc(ARCH_CPU_LEAD + ALIGN_UP(sizeof(struct cpu), PAGE_SIZE), ALLOC_ZERO);
	struct cpu *cpu = (struct cpu *)(block + ARCH_CPU_LEAD);
	struct thread *idle;
	int error;

	if (!block)
		return -ENOMEM;
	idle = thread_make_idle(id, true);
	if (!idle) {
		kfree(block);
		return -ENOMEM;
	}
	cpu->self = cpu;
	cpu->id = id;
	cpu->hw_id = hw_id;
	cpu->thread = idle;
	cpu->idle = idle;
	cpu->kernel_stack = idle->stack_base + KERNEL_STACK_SIZE;
	error = make_queue(cpu);
	if (error)
		return error;
	cpus[id] = cpu;
	*out = cpu;
	return 0;
}

void sched_idle(void)
{
	for (;;) {
		arch_irq_disable();
		if (!arch_need_resched()) {
			preempt_disable();
			rcu_quiescent();
			preempt_enable_no_resched();
			if (!arch_need_resched())
				arch_cpu_idle();
		}
		arch_irq_enable();
		sched_switch();
	}
}

void sched_cpu_start(void)
{
	struct cpu *cpu = arch_cpu_self();

	tick_start(cpu->run_queue);
	bitmap_set_atomic(cpus_online.bits, cpu->id);
	store_release(&cpu->online, true);
	sched_idle();
}
