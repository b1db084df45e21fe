/*
 * The switch, wake-ups and the busy tick.
 *
 * A thread is `queued` while it is runnable on a queue, running included. sched_switch takes a thread that says SLEEPING off its queue,
 * under the queue's lock; a waker first wins the change SLEEPING -> RUNNING, then takes the same lock: if the thread is still
 * queued there is nothing to do, else its stack is free because on_cpu is cleared before the lock is released after a switch.
 *
 * A waker may come late: the thread it woke was not switched out yet, went on, and sleeps again or has ended. So under the lock it looks
 * once more whether the thread is to run and whether nobody else is about to queue it (`incoming`). A thread's `cpu`, `queued` and
 * `incoming` change under the lock of the queue that `cpu` names, which rq_lock_thread takes.
 *
 * A CPU with something to run has a tick of TICK_NS for time slices and accounting; an idle one has none.
 *
 * Locking: run-queue locks are innermost (only the port's timer programming is below), taken with interrupts off.
 */
#include "internal.h"

#include "core/arch/platform.h"
#include "core/arch/thread.h"
#include "core/debug/panic.h"
#include "core/mem/aspace.h"
#include "core/module/export.h"
#include "core/module/hooks.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"

struct cpu *cpus[CPU_MAX];
KAPI(cpus);
unsigned int cpu_count = 1;
KAPI(cpu_count);
struct cpu_set cpus_online;
KAPI(cpus_online);

struct run_queue *rq_lock_thread(struct thread *t, unsigned long *flags)
{
	for (;;) {
		struct run_queue *rq = rq_of(READ_ONCE(t->cpu));

		*flags = spin_lock_irqsave(&rq->lock);
		if (likely(rq->cpu == READ_ONCE(t->cpu)))
			return rq;
		spin_unlock_irqrestore(&rq->lock, *flags);
	}
}

/* Loads the address space of `next`; kernel threads keep whatever is loaded. Interrupts off. */
static void switch_aspace(struct cpu *cpu, struct thread *next)
{
	struct aspace *old = cpu->aspace, *new = next->aspace;

	if (!new || new == old)
		return;
	bitmap_set_atomic(new->cpus.bits, cpu->id);	/* before the tables are used: pairs with TLB flushes */
	arch_mmu_load(&new->mmu);
	cpu->aspace = new;
	if (old)
		bitmap_clear_atomic(old->cpus.bits, cpu->id);
}

void sched_tick_expired(struct timer *t)
{
	struct run_queue *rq = container_of(t, struct run_queue, tick);

	sched_tick();
	spin_lock_raw(&rq->lock);
	if (rq->count)
		timer_arm(t, clock_monotonic() + TICK_NS);
	spin_unlock_raw(&rq->lock);
}

void sched_finish_switch(struct thread *prev)
{
	struct run_queue *rq = rq_self();
	bool dead = prev->state == THREAD_DEAD;
	struct thread *evicted = rq->evicted;

	rq->evicted = NULL;

	/* Before the lock is released: a waker that gets the lock may run it at once elsewhere. */
	store_release(&prev->on_cpu, 0);
	spin_unlock_raw(&rq->lock);
	if (!hook_list_empty(HOOK_LIST(switch_in)))
		hook_call(switch_in, current);
	if (unlikely(dead))
		thread_put(prev);
	if (unlikely(evicted))
		thread_start(evicted);
	if (unlikely(current->sched.fresh)) {
		/* Its first time on a CPU: nobody's sched_switch will return on this stack. */
		current->sched.fresh = false;
		arch_preempt_add(-1);
	}
}

/* The best runnable thread, or idle. rq->lock held. */
static struct thread *pick_next(struct run_queue *rq)
{
	struct thread *next;

	if (unlikely(READ_ONCE(rq_rt_movable)))
		sched_pull_rt(rq);
	next = rq_pick(rq);
	if (unlikely(!next) && sched_pull(rq))
		next = rq_pick(rq);
	return next ? next : rq->idle;
}

static void switch_to(struct run_queue *rq, struct cpu *cpu, struct thread *prev, struct thread *next, uint64_t now)
{
	rq_set_running(rq, next);
	if (unlikely(rq->rt_movable))
		sched_push(rq);
	rq->switches++;
	next->sched.started = now;
	next->on_cpu = 1;
	if (prev == rq->idle) {
		cpu->idle_ns += now - rq->idle_since;
		if (!timer_armed(&rq->tick))
			timer_arm(&rq->tick, now + TICK_NS);
	} else if (next == rq->idle) {
		rq->idle_since = now;
	}
	if (prev->aspace)
		__atomic_fetch_or(&prev->work, WORK_NOTIFY, __ATOMIC_RELAXED);
	if (!hook_list_empty(HOOK_LIST(switch_out)))
		hook_call(switch_out, prev);
	switch_aspace(cpu, next);
	sched_finish_switch(arch_thread_switch(prev, next));
}

/* `preempted`: the thread did not ask to sleep, whatever its state says. Interrupts off, preemption disabled. */
static void switch_locked(bool preempted)
{
	struct cpu *cpu = arch_cpu_self();
	struct run_queue *rq = cpu->run_queue;
	struct thread *prev = cpu->thread, *next;
	uint64_t now;

	rcu_quiescent();
	spin_lock_raw(&rq->lock);
	now = clock_monotonic();
	rq_charge(rq, now);
	WRITE_ONCE(cpu->need_resched, 0);
	if (prev == rq->idle) {
		/* never waits in a queue */
	} else if (prev->state != THREAD_RUNNING && !preempted) {
		prev->sched.queued = false;
		prev->switches_voluntary++;
		rq->count--;
	} else {
		struct sched_entity *e = &prev->sched;
		bool expired = e->round_robin && e->slice_left == 0;
		bool head = e->class == SCHED_CLASS_RT && !expired && !e->yielded;

		e->yielded = false;
		if (expired)
			e->slice_left = RR_SLICE_NS;
		if (unlikely(!bitmap_test(prev->affinity.bits, cpu->id)) && cpu_count > 1) {
			/* May not stay here: whoever runs next hands it on, when its stack is free. */
			prev->sched.queued = false;
			prev->sched.incoming = true;
			rq->count--;
			rq->evicted = prev;
		} else {
			rq_insert(rq, prev, head);
		}
	}
	next = pick_next(rq);
	if (next == prev) {
		rq_set_running(rq, prev);
		spin_unlock_raw(&rq->lock);
		return;
	}
	if (prev->sched.queued && prev != rq->idle)
		prev->switches_forced++;
	switch_to(rq, cpu, prev, next, now);
}

void sched_switch(void)
{
	unsigned long flags = arch_irq_save();

	arch_preempt_add(1);
	switch_locked(false);
	arch_preempt_add(-1);
	arch_irq_restore(flags);
}
KAPI(sched_switch);

void sched_preempt(void)
{
	if (!arch_irq_enabled())
		return;		/* the interrupt's or lock's end comes here again */
	do {
		unsigned long flags = arch_irq_save();

		arch_preempt_add(1);
		switch_locked(true);
		arch_preempt_add(-1);
		arch_irq_restore(flags);
	} while (arch_need_resched());
}
KAPI(sched_preempt);

void sched_preempt_irq(void)
{
	do {
		arch_preempt_add(1);
		switch_locked(true);
		arch_preempt_add(-1);
	} while (arch_need_resched());
}

void sched_yield(void)
{
	unsigned long flags = arch_irq_save();
	struct run_queue *rq;
	struct thread *t = current;

	arch_preempt_add(1);
	rq = rq_self();
	spin_lock_raw(&rq->lock);
	if (rq->count <= 1) {
		spin_unlock_raw(&rq->lock);
	} else {
		if (t->sched.class == SCHED_CLASS_RT) {
			t->sched.yielded = true;
		} else if (rq->fair_first) {
			/* Behind everybody who waits now. */
			struct rb_node *last = rb_last(&rq->fair);

			t->sched.deadline = rb_entry(last, struct sched_entity, node)->deadline + 1;
		}
		spin_unlock_raw(&rq->lock);
		switch_locked(true);
	}
	arch_preempt_add(-1);
	arch_irq_restore(flags);
}
KAPI(sched_yield);

/* Queues a thread that is in no queue, on the CPU that suits it. Interrupts off; the lock of its present queue is held and is dropped. */
static void enqueue(struct run_queue *rq, struct thread *t, bool woken)
{
	unsigned int cpu;

	for (;;) {
		cpu = sched_select_cpu(t);
		if (cpu == rq->cpu)
			break;
		t->sched.incoming = true;
		WRITE_ONCE(t->cpu, cpu);
		spin_unlock_raw(&rq->lock);
		rq = rq_of(cpu);
		spin_lock_raw(&rq->lock);
		/* Without a lock for a moment: its set of CPUs may be another one by now. */
		if (likely(bitmap_test(t->affinity.bits, cpu)))
			break;
	}
	rq_place(rq, t, woken);
	rq_insert(rq, t, false);
	t->sched.queued = true;
	t->sched.incoming = false;
	rq->count++;
	if (rq_preempts(rq, t)) {
		struct cpu *target = cpus[cpu];

		WRITE_ONCE(target->need_resched, 1);
		if (target != arch_cpu_self())
			arch_cpu_kick(cpu);
	}
	spin_unlock_raw(&rq->lock);
}

void sched_queue_woken(struct thread *t)
{
	unsigned long flags;
	struct run_queue *rq = rq_lock_thread(t, &flags);

	if (!t->sched.queued && !t->sched.incoming && READ_ONCE(t->state) == THREAD_RUNNING)
		enqueue(rq, t, true);
	else
		spin_unlock_raw(&rq->lock);
	arch_irq_restore(flags);
	preempt_enable();
}

bool thread_wake(struct thread *t)
{
	unsigned int expected = THREAD_SLEEPING;

	full_barrier();		/* pairs with wait_prepare */
	if (READ_ONCE(t->state) != THREAD_SLEEPING ||
	    !__atomic_compare_exchange_n(&t->state, &expected, THREAD_RUNNING, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED))
		return false;
	if (t != current)
		sched_queue_woken(t);
	return true;
}
KAPI(thread_wake);

void thread_start(struct thread *t)
{
	unsigned long flags;

	enqueue(rq_lock_thread(t, &flags), t, false);
	arch_irq_restore(flags);
	preempt_enable();
}
KAPI(thread_start);

void thread_set_work(struct thread *t, unsigned int bits)
{
	__atomic_fetch_or(&t->work, bits, __ATOMIC_SEQ_CST);
	if (READ_ONCE(t->state) == THREAD_SLEEPING) {
		unsigned int mode = READ_ONCE(t->wait_mode);

		if ((mode >= WAIT_KILLABLE && (bits & WORK_KILL)) ||
		    (mode == WAIT_INTERRUPTIBLE && (bits & (WORK_KILL | WORK_SIGNAL | WORK_KICK))))
			thread_wake(t);
	}
	if (t != current && READ_ONCE(t->on_cpu))
		arch_cpu_kick(READ_ONCE(t->cpu));
}
KAPI(thread_set_work);

void sched_ipi(void)
{
	arch_cpu_self()->irq_kick++;
	timer_kick();
	/* The interrupt's exit looks at need_resched and at the thread's work. */
}

void sched_tick(void)
{
	struct cpu *cpu = arch_cpu_self();
	struct run_queue *rq = cpu->run_queue;
	struct thread *t = cpu->thread;

	spin_lock_raw(&rq->lock);
	rq_charge(rq, clock_monotonic());
	if (t->sched.class == SCHED_CLASS_RT && t->sched.round_robin && t->sched.slice_left == 0) {
		if (list_empty(&rq->rt[t->sched.priority]))
			t->sched.slice_left = RR_SLICE_NS;
		else
			WRITE_ONCE(cpu->need_resched, 1);
	}
	if (rq->rt_movable)
		sched_push(rq);
	if (cpu_count > 1 && ++rq->ticks % BALANCE_TICKS == 0) {
		sched_catch_up(rq);
		sched_offer(rq);
	}
	spin_unlock_raw(&rq->lock);
}
