/*
 * The run queue: which of the waiting threads is next.
 *
 * Real-time threads wait in one list for each priority, with a bitmap over them. Fair threads wait in a tree by virtual deadline: vruntime
 * (weighted CPU time) plus a weighted slice. A thread that slept starts at most one slice behind the queue's clock, so that it
 * is served soon but cannot save up time.
 *
 * Real-time threads that use up their share of a period let waiting fair threads run until the period ends, so that a program that
 * spins at a real-time priority does not take the machine away.
 *
 * Pure logic over the structures of one queue; the caller holds its lock.
 */
#include "internal.h"

#include "core/debug/panic.h"
#include "core/time/clock.h"

/* Weights of nice -20..19: each step is a factor of 1.25, as users of nice(1) expect. */
static const unsigned int nice_weights[40] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277,
	1024, 820, 655, 526, 423, 335, 272, 215, 172, 137,
	110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
};

unsigned long rq_rt_movable;

unsigned int sched_nice_weight(int nice)
{
	return nice_weights[nice + 20];
}

void rq_init(struct run_queue *rq, unsigned int cpu)
{
	spin_init_unchecked(&rq->lock);	/* passes from thread to thread in a switch */
	rq->cpu = cpu;
	rq->rank = RANK_IDLE;
	for (unsigned int i = 0; i < RT_PRIORITIES; i++)
		list_init(&rq->rt[i]);
}

static uint64_t weighted(const struct thread *t, uint64_t ns)
{
	if (likely(t->sched.weight == NICE_0_WEIGHT))
		return ns;
	return ns * NICE_0_WEIGHT / t->sched.weight;
}

static bool deadline_before(const struct rb_node *a, const struct rb_node *b)
{
	const struct sched_entity *x = rb_entry(a, struct sched_entity, node);
	const struct sched_entity *y = rb_entry(b, struct sched_entity, node);

	return (int64_t)(x->deadline - y->deadline) < 0;
}

static void set_movable(struct run_queue *rq, struct sched_entity *e, bool movable)
{
	if (movable == e->movable)
		return;
	e->movable = movable;
	if (movable && rq->rt_movable++ == 0)
		__atomic_fetch_or(&rq_rt_movable, 1ul << rq->cpu, __ATOMIC_SEQ_CST);
	else if (!movable && --rq->rt_movable == 0)
		__atomic_fetch_and(&rq_rt_movable, ~(1ul << rq->cpu), __ATOMIC_SEQ_CST);
}

void rq_note_affinity(struct run_queue *rq, struct thread *t)
{
	bool movable = false;

	for (unsigned int i = 0; i < BITMAP_LONGS(CPU_MAX); i++) {
		unsigned long others = t->affinity.bits[i] & cpus_online.bits[i];

		if (i == rq->cpu / 64)
			others &= ~(1ul << rq->cpu % 64);
		movable |= others != 0;
	}
	set_movable(rq, &t->sched, movable);
}

void rq_insert(struct run_queue *rq, struct thread *t, bool head)
{
	struct sched_entity *e = &t->sched;

	if (e->class == SCHED_CLASS_RT) {
		if (head)
			list_add_head(&rq->rt[e->priority], &e->rt_link);
		else
			list_add_tail(&rq->rt[e->priority], &e->rt_link);
		bitmap_set(rq->rt_map, (unsigned int)e->priority);
		rq->rt_count++;
		rq_note_affinity(rq, t);
		return;
	}
	if (rb_insert(&rq->fair, &e->node, deadline_before))
		rq->fair_first = &e->node;
	rq->fair_count++;
}

void rq_take_out(struct run_queue *rq, struct thread *t)
{
	struct sched_entity *e = &t->sched;

	if (e->class == SCHED_CLASS_RT) {
		list_remove(&e->rt_link);
		if (list_empty(&rq->rt[e->priority]))
			bitmap_clear(rq->rt_map, (unsigned int)e->priority);
		rq->rt_count--;
		set_movable(rq, e, false);
		return;
	}
	if (rq->fair_first == &e->node)
		rq->fair_first = rb_next(&e->node);
	rb_remove(&rq->fair, &e->node);
	rq->fair_count--;
}

int rq_rt_highest(const struct run_queue *rq)
{
	unsigned long high = READ_ONCE(rq->rt_map[1]), low = READ_ONCE(rq->rt_map[0]);

	if (high)
		return (int)(64 + bit_highest(high));
	return low ? (int)bit_highest(low) : 0;
}

bool rq_rt_throttled(const struct run_queue *rq)
{
	return rq->rt_used >= RT_SHARE_NS && rq->fair_first;
}

struct thread *rq_pick(struct run_queue *rq)
{
	struct thread *t;

	if (rq->rt_count && !rq_rt_throttled(rq))
		t = list_first(&rq->rt[rq_rt_highest(rq)], struct thread, sched.rt_link);
	else if (rq->fair_first)
		t = rb_entry(rq->fair_first, struct thread, sched.node);
	else
		return NULL;
	rq_take_out(rq, t);
	return t;
}

bool rq_preempts(const struct run_queue *rq, const struct thread *t)
{
	const struct thread *now = rq->running;

	if (now == rq->idle)
		return true;
	if (t->sched.class != now->sched.class)
		return t->sched.class > now->sched.class && rq->rt_used < RT_SHARE_NS;
	if (t->sched.class == SCHED_CLASS_RT)
		return t->sched.priority > now->sched.priority;
	return (int64_t)(t->sched.deadline - now->sched.deadline) < 0;
}

void rq_charge(struct run_queue *rq, uint64_t now)
{
	struct thread *t = rq->running;
	struct sched_entity *e = &t->sched;
	uint64_t ran = now - e->started;

	e->started = now;
	if (t == rq->idle)
		return;
	e->runtime += ran;
	e->slice_left = e->slice_left > ran ? e->slice_left - ran : 0;
	if (now - rq->rt_period >= RT_PERIOD_NS) {
		rq->rt_period = now;
		rq->rt_used = 0;
		if (rq->rt_count && e->class != SCHED_CLASS_RT)
			WRITE_ONCE(arch_cpu_self()->need_resched, 1);
	}
	if (e->class != SCHED_CLASS_FAIR) {
		rq->rt_used += ran;
		if (rq_rt_throttled(rq))
			WRITE_ONCE(arch_cpu_self()->need_resched, 1);
		return;
	}
	e->vruntime += weighted(t, ran);
	if (e->slice_left == 0 || (int64_t)(e->vruntime - e->deadline) >= 0) {
		e->deadline = e->vruntime + weighted(t, FAIR_SLICE_NS);
		e->slice_left = FAIR_SLICE_NS;
		if (rq->fair_count)
			WRITE_ONCE(arch_cpu_self()->need_resched, 1);
	}
	if ((int64_t)(e->vruntime - rq->fair_clock) > 0) {
		uint64_t first = e->vruntime;

		if (rq->fair_first) {
			uint64_t v = rb_entry(rq->fair_first, struct sched_entity, node)->vruntime;

			if ((int64_t)(v - first) < 0)
				first = v;
		}
		if ((int64_t)(first - rq->fair_clock) > 0)
			rq->fair_clock = first;
	}
}

void rq_place(struct run_queue *rq, struct thread *t, bool woken)
{
	struct sched_entity *e = &t->sched;
	uint64_t earliest = rq->fair_clock - (woken ? FAIR_SLICE_NS / 2 : 0);

	if (e->class != SCHED_CLASS_FAIR) {
		if (e->slice_left == 0)
			e->slice_left = RR_SLICE_NS;
		return;
	}
	if ((int64_t)(e->vruntime - earliest) < 0)
		e->vruntime = earliest;
	/* A thread that comes from another queue must not wait for that queue's clock. */
	if ((int64_t)(e->vruntime - rq->fair_clock) > (int64_t)(20 * FAIR_SLICE_NS))
		e->vruntime = rq->fair_clock + FAIR_SLICE_NS;
	e->deadline = e->vruntime + weighted(t, FAIR_SLICE_NS);
	e->slice_left = FAIR_SLICE_NS;
}

struct thread *rq_steal_rt(struct run_queue *rq, unsigned int cpu, int above)
{
	struct thread *t;

	for (int p = rq_rt_highest(rq); p > above && rq->rt_count; p--)
		list_for_each(t, &rq->rt[p], sched.rt_link)
			if (bitmap_test(t->affinity.bits, cpu)) {
				rq_take_out(rq, t);
				return t;
			}
	return NULL;
}

struct thread *rq_steal_fair(struct run_queue *rq, unsigned int cpu)
{
	struct rb_node *n;

	for (n = rb_last(&rq->fair); n; n = rb_prev(n)) {
		struct thread *t = rb_entry(n, struct thread, sched.node);

		if (bitmap_test(t->affinity.bits, cpu)) {
			rq_take_out(rq, t);
			return t;
		}
	}
	return NULL;
}
