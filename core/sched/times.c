/*
 * CPU time as others see it: exact sums, split into user and system by what interrupts found, and never less than what was told before.
 *
 * A thread's running time is exact: the switch charges it. What interrupts find at work is a sample. As Linux does it, the exact
 * time is split in the ratio of the samples, and what was told last is kept: each part only grows, and their sum is exact. A
 * processor's time is split in the same way; what is not idle is busy.
 *
 * Locking: all of it under the run queue's lock (that of the thread's, or of the processor), so that the charge of a switch and what
 * was told last are seen whole. The switch itself pays nothing. Any context that may take run queues' locks.
 */
#include "core/arch/cpu.h"
#include "core/module/export.h"
#include "core/sched/internal.h"
#include "core/time/clock.h"

void thread_account(bool was_user)
{
	struct thread *t = current;
	struct cpu *cpu = arch_cpu_self();
	uint64_t total = t->sched.runtime + (clock_monotonic() - t->sched.started);
	uint64_t part = total - t->account_stamp;

	t->account_stamp = total;
	if (was_user) {
		t->user_ns += part;
		cpu->user_ns += part;
	} else {
		t->system_ns += part;
		cpu->system_ns += part;
	}
}

/* total * part / whole for part <= whole, without 128 bits: the ratio keeps 32 of them. */
static uint64_t scale(uint64_t total, uint64_t part, uint64_t whole)
{
	while (whole >> 32) {
		whole >>= 1;
		part >>= 1;
	}
	return total / whole * part + total % whole * part / whole;
}

void cpu_split_adjust(struct cpu_split *told, uint64_t total, uint64_t user, uint64_t system)
{
	uint64_t s;

	if (total <= told->user + told->system)
		return;
	if (!system)
		s = 0;
	else if (!user)
		s = total;
	else
		s = scale(total, system, user + system);
	s = MAX(s, told->system);
	if (total - MIN(s, total) < told->user)
		s = total - told->user;
	told->system = s;
	told->user = total - s;
}
KAPI(cpu_split_adjust);

/* Running time so far. The queue's lock is held. Clocks of processors may differ a little: the reader's may be ahead. */
static uint64_t runtime_locked(const struct run_queue *rq, struct thread *t)
{
	uint64_t total = t->sched.runtime, now;

	if (rq->running == t) {
		now = clock_monotonic();
		total += now > t->sched.started ? now - t->sched.started : 0;
	}
	t->told_runtime = MAX(t->told_runtime, total);
	return t->told_runtime;
}

uint64_t thread_runtime(struct thread *t)
{
	unsigned long flags;
	struct run_queue *rq = rq_lock_thread(t, &flags);
	uint64_t total = runtime_locked(rq, t);

	spin_unlock_irqrestore(&rq->lock, flags);
	return total;
}
KAPI(thread_runtime);

void thread_times(struct thread *t, uint64_t *user_ns, uint64_t *system_ns)
{
	unsigned long flags;
	struct run_queue *rq = rq_lock_thread(t, &flags);

	cpu_split_adjust(&t->told, runtime_locked(rq, t), READ_ONCE(t->user_ns), READ_ONCE(t->system_ns));
	*user_ns = t->told.user;
	*system_ns = t->told.system;
	spin_unlock_irqrestore(&rq->lock, flags);
}
KAPI(thread_times);

void sched_cpu_times(unsigned int id, struct cpu_split *busy, uint64_t *idle_ns)
{
	struct cpu *cpu = cpu_get(id);
	struct run_queue *rq = cpu->run_queue;
	unsigned long flags = spin_lock_irqsave(&rq->lock);
	uint64_t now = clock_monotonic(), idle = cpu->idle_ns;

	if (rq->running == rq->idle && now > rq->idle_since)
		idle += now - rq->idle_since;
	rq->told_idle = MAX(rq->told_idle, idle);
	cpu_split_adjust(&rq->told, now - MIN(now, idle), READ_ONCE(cpu->user_ns), READ_ONCE(cpu->system_ns));
	*busy = rq->told;
	*idle_ns = rq->told_idle;
	spin_unlock_irqrestore(&rq->lock, flags);
}
KAPI(sched_cpu_times);
