/*
 * Where threads run: the choice of a CPU at wake-up and creation, and pulling work to a CPU that would idle.
 *
 * Reads other queues' counts without their locks: a wrong guess costs time, never correctness.
 */
#include "internal.h"

static bool cpu_usable(const struct thread *t, unsigned int cpu)
{
	return cpu < cpu_count && cpus[cpu] && READ_ONCE(cpus[cpu]->online) &&
	       bitmap_test(t->affinity.bits, cpu);
}

unsigned int sched_select_cpu(struct thread *t)
{
	unsigned int best = CPU_MAX, best_count = ~0u, i;

	if (cpu_count == 1)
		return 0;
	if (cpu_usable(t, t->cpu)) {
		best = t->cpu;
		best_count = READ_ONCE(rq_of(best)->count);
		if (best_count == 0)
			return best;
	}
	for (i = 0; i < cpu_count; i++) {
		unsigned int count;

		if (!cpu_usable(t, i))
			continue;
		count = READ_ONCE(rq_of(i)->count);
		if (count < best_count && (count == 0 || best == CPU_MAX || count + 1 < best_count)) {
			best = i;
			best_count = count;
			if (count == 0)
				break;
		}
	}
	return best != CPU_MAX ? best : 0;
}

/* The queue with the most waiting threads, without locks. */
static struct run_queue *busiest(const struct run_queue *self)
{
	struct run_queue *found = NULL;
	unsigned int most = 1, i;

	for_each_online_cpu(i) {
		struct run_queue *rq = rq_of(i);
		unsigned int count = READ_ONCE(rq->count);

		if (rq != self && count > most) {
			most = count;
			found = rq;
		}
	}
	return found;
}

/* Takes a second queue's lock: in order if the numbers allow it, else only if it comes free soon. */
static bool lock_second(const struct run_queue *held, struct run_queue *other)
{
	if (other->cpu > held->cpu) {
		spin_lock_raw(&other->lock);
		return true;
	}
	for (unsigned int i = 0; i < 64; i++) {
		if (spin_trylock(&other->lock)) {
			preempt_enable_no_resched();
			return true;
		}
		arch_cpu_relax();
	}
	return false;
}

/*
 * This CPU has nothing to run: takes one thread over from the busiest. rq->lock is held throughout: it keeps wakers away from the
 * thread that is about to sleep, whose stack is still in use. True if something became runnable here.
 */
bool sched_pull(struct run_queue *rq)
{
	struct run_queue *from = cpu_count > 1 ? busiest(rq) : NULL;
	struct thread *t;

	if (!from || !lock_second(rq, from))
		return false;
	if (rq->count == 0 && from->count > 1) {
		t = rq_steal(from, rq->cpu);
		if (t) {
			from->count--;
			WRITE_ONCE(t->cpu, rq->cpu);
			rq_place(rq, t, false);
			rq_insert(rq, t, false);
			rq->count++;
		}
	}
	spin_unlock_raw(&from->lock);
	return rq->count != 0;
}
