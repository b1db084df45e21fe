/*
 * Where threads run: the choice of a CPU at wake-up and creation, and moving work between queues later.
 *
 * Fair threads: a CPU that would idle takes one over from the longest queue that has one for it, and now and then one whose queue is
 * clearly shorter does. Where some are left waiting, an idle CPU that may run one is asked now and then to look: nothing else wakes it.
 * Real-time threads: as many of the highest as there are CPUs run. A newcomer goes to the CPU that runs the lowest; each switch looks
 * whether another CPU has something waiting that is above what waits here (pull); and where one is left waiting, a CPU that runs
 * something lower is asked to look (push), again at each tick, since it is found without its lock.
 *
 * Reads other queues' figures without their locks: a wrong guess costs time, never correctness.
 */
#include "internal.h"

#include "core/arch/platform.h"

static bool cpu_usable(const struct thread *t, unsigned int cpu)
{
	return cpu < cpu_count && cpus[cpu] && READ_ONCE(cpus[cpu]->online) &&
	       bitmap_test(t->affinity.bits, cpu);
}

/* The highest of what runs there and what waits there for its turn. */
static int rank_of(const struct run_queue *rq)
{
	int rank = READ_ONCE(rq->rank), waiting = rq_rt_highest(rq);

	if (rank == RANK_IDLE && READ_ONCE(rq->count))
		rank = RANK_FAIR;
	return waiting ? MAX(rank, waiting) : rank;
}

/* The CPU with the lowest rank, the thread's own before others; CPU_MAX if it may run on none. `except`: not this one. */
static unsigned int lowest(const struct thread *t, unsigned int except, int *out)
{
	unsigned int best = CPU_MAX;
	int best_rank = RT_PRIORITIES;

	for (unsigned int i = 0; i < cpu_count; i++) {
		int rank;

		if (i == except || !cpu_usable(t, i))
			continue;
		rank = rank_of(rq_of(i));
		if (rank < best_rank || (rank == best_rank && i == t->cpu)) {
			best = i;
			best_rank = rank;
		}
	}
	*out = best_rank;
	return best;
}

unsigned int sched_select_cpu(struct thread *t)
{
	unsigned int best = CPU_MAX, best_count = ~0u, i;

	if (cpu_count == 1)
		return 0;
	if (t->sched.class == SCHED_CLASS_RT) {
		int rank;

		best = lowest(t, CPU_MAX, &rank);
		return best != CPU_MAX ? best : 0;
	}
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

/* The queue with the most threads, at least so many, of those that are not in `tried`; it is put in there. Without locks. */
static struct run_queue *busiest(unsigned long *tried, unsigned int least)
{
	struct run_queue *found = NULL;
	unsigned int most = least - 1, i;

	for_each_online_cpu(i) {
		struct run_queue *rq = rq_of(i);
		unsigned int count = READ_ONCE(rq->count);

		if (count > most && !(*tried & 1ul << i)) {
			most = count;
			found = rq;
		}
	}
	if (found)
		*tried |= 1ul << found->cpu;
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

/* A waiting thread that was taken out of one queue goes into another; both are locked. */
static void move(struct thread *t, struct run_queue *from, struct run_queue *to)
{
	from->count--;
	WRITE_ONCE(t->cpu, to->cpu);
	rq_place(to, t, false);
	rq_insert(to, t, false);
	to->count++;
}

/* rq->lock is held throughout: it keeps wakers away from the thread that is about to sleep, whose stack is still in use. */
bool sched_pull(struct run_queue *rq)
{
	unsigned long tried = 1ul << rq->cpu;
	struct run_queue *from;
	struct thread *t;

	if (cpu_count == 1)
		return false;
	/* What waits in the longest may be bound to its CPU. */
	while (rq->count == 0 && (from = busiest(&tried, 2))) {
		if (!lock_second(rq, from)) {
			WRITE_ONCE(arch_cpu_self()->need_resched, 1);
			return false;
		}
		t = from->count > 1 ? rq_steal_rt(from, rq->cpu, 0) : NULL;
		if (!t && from->count > 1)
			t = rq_steal_fair(from, rq->cpu);
		if (t)
			move(t, from, rq);
		spin_unlock_raw(&from->lock);
	}
	return rq->count != 0;
}

/* Of the queues in `candidates`, without locks, the one where the highest waits, if that is above `above`. */
static struct run_queue *highest_waiting(unsigned long candidates, int above)
{
	struct run_queue *found = NULL;

	for (; candidates; candidates &= candidates - 1) {
		struct run_queue *rq = rq_of(bit_lowest(candidates));
		int priority = rq_rt_highest(rq);

		if (priority > above) {
			above = priority;
			found = rq;
		}
	}
	return found;
}

void sched_pull_rt(struct run_queue *rq)
{
	unsigned long candidates = READ_ONCE(rq_rt_movable) & ~(1ul << rq->cpu);
	struct run_queue *from;
	struct thread *t;

	if (rq_rt_throttled(rq))
		return;
	/* Where the highest waits, all above what waits here may be bound to that CPU; and the next queue may have one above what came. */
	while ((from = highest_waiting(candidates, rq_rt_highest(rq)))) {
		candidates &= ~(1ul << from->cpu);
		if (!lock_second(rq, from)) {
			WRITE_ONCE(arch_cpu_self()->need_resched, 1);
			return;
		}
		t = rq_steal_rt(from, rq->cpu, rq_rt_highest(rq));
		if (t)
			move(t, from, rq);
		spin_unlock_raw(&from->lock);
	}
}

void sched_catch_up(struct run_queue *rq)
{
	unsigned long tried = 1ul << rq->cpu;
	struct thread *t = NULL;
	struct run_queue *from;

	while (!t && (from = busiest(&tried, rq->count + 2)) && lock_second(rq, from)) {
		t = from->count >= rq->count + 2 ? rq_steal_fair(from, rq->cpu) : NULL;
		if (t) {
			move(t, from, rq);
			/* The tick may have come while nothing ran. */
			if (rq_preempts(rq, t))
				WRITE_ONCE(arch_cpu_self()->need_resched, 1);
		}
		spin_unlock_raw(&from->lock);
	}
}

void sched_offer(const struct run_queue *rq)
{
	unsigned long idle = 0;
	unsigned int i;

	for_each_online_cpu(i)
		if (rank_of(rq_of(i)) == RANK_IDLE)
			idle |= 1ul << i;
	for (struct rb_node *n = rb_last(&rq->fair); n && idle; n = rb_prev(n)) {
		unsigned long may = rb_entry(n, struct thread, sched.node)->affinity.bits[0] & idle;

		if (may) {
			i = bit_lowest(may);
			WRITE_ONCE(cpus[i]->need_resched, 1);
			arch_cpu_kick(i);
			return;
		}
	}
}

_Static_assert(CPU_MAX <= 64, "sets of CPUs are one word here");

/* The lowest of what the other CPUs have. */
static int floor_of_others(const struct run_queue *rq)
{
	int floor = RT_PRIORITIES;
	unsigned int i;

	for_each_online_cpu(i)
		if (i != rq->cpu)
			floor = MIN(floor, rank_of(rq_of(i)));
	return floor;
}

/* The CPU that should take over the highest waiting thread for which there is one; CPU_MAX: all wait rightly. */
static unsigned int taker(const struct run_queue *rq)
{
	int floor = floor_of_others(rq), rank;
	const struct thread *t;

	for (int priority = rq_rt_highest(rq); priority > MAX(floor, 0); priority--)
		list_for_each(t, &rq->rt[priority], sched.rt_link) {
			unsigned int cpu = t->sched.movable ? lowest(t, rq->cpu, &rank) : CPU_MAX;

			if (cpu != CPU_MAX && rank < priority)
				return cpu;
		}
	return CPU_MAX;
}

void sched_push(struct run_queue *rq)
{
	unsigned int cpu = cpu_count > 1 && rq->rt_movable ? taker(rq) : CPU_MAX;
	struct run_queue *to;
	bool locked;

	if (cpu == CPU_MAX)
		return;
	/* Under its lock the request is not lost in a switch that has begun; without, the next tick makes it again. */
	to = rq_of(cpu);
	locked = lock_second(rq, to);
	WRITE_ONCE(cpus[cpu]->need_resched, 1);
	if (cpus[cpu] != arch_cpu_self())
		arch_cpu_kick(cpu);
	if (locked)
		spin_unlock_raw(&to->lock);
}
