/*
 * Changing how a thread is scheduled: class, priority, nice, affinity, boost; load figures.
 *
 * A waiting thread is taken out of its queue, changed, and put in again, under the queue's lock.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/module/export.h"
#include "core/sync/pi_mutex.h"
#include "core/time/clock.h"

void sched_get_params(struct thread *t, struct sched_params *out)
{
	unsigned long flags;
	struct run_queue *rq = rq_lock_thread(t, &flags);

	out->class = t->sched.base_class;
	out->round_robin = t->sched.round_robin;
	out->priority = t->sched.base_priority;
	out->nice = t->sched.nice;
	out->policy = t->sched.policy;
	out->reset_on_fork = t->sched.reset_on_fork;
	spin_unlock_irqrestore(&rq->lock, flags);
}
KAPI(sched_get_params);

/* Computes the effective class and priority from base and boost. */
static void apply_effective(struct sched_entity *e)
{
	e->class = e->base_class;
	e->priority = e->base_priority;
	if (e->boost > e->priority) {
		e->class = SCHED_CLASS_RT;
		e->priority = e->boost;
	}
	if (e->hurry && e->priority < 1) {
		e->class = SCHED_CLASS_RT;
		e->priority = 1;
	}
}

/* Runs change() with `t` out of its queue, then asks for what follows from the new order. */
static void with_thread_out(struct thread *t, void (*change)(struct sched_entity *e, const void *arg), const void *arg)
{
	unsigned long flags;
	struct run_queue *rq = rq_lock_thread(t, &flags);
	bool waiting = t->sched.queued && rq->running != t;
	enum sched_class before = t->sched.class;
	struct cpu *target = cpus[rq->cpu];

	if (waiting)
		rq_take_out(rq, t);
	change(&t->sched, arg);
	apply_effective(&t->sched);
	if (t->sched.slice_left == 0)
		t->sched.slice_left = t->sched.class == SCHED_CLASS_RT ? RR_SLICE_NS : FAIR_SLICE_NS;
	/* A fair thread that ran as a real-time one must not have saved up time. */
	if (waiting || t->sched.class != before)
		rq_place(rq, t, false);
	if (waiting)
		rq_insert(rq, t, false);
	if (rq->running == t || (waiting && rq_preempts(rq, t))) {
		WRITE_ONCE(target->need_resched, 1);
		if (target != arch_cpu_self())
			arch_cpu_kick(rq->cpu);
	} else if (waiting && t->sched.class == SCHED_CLASS_RT) {
		sched_push(rq);
	}
	spin_unlock_irqrestore(&rq->lock, flags);
}

static void change_params(struct sched_entity *e, const void *arg)
{
	const struct sched_params *p = arg;

	e->base_class = p->class;
	e->round_robin = p->round_robin;
	e->base_priority = p->class == SCHED_CLASS_RT ? p->priority : 0;
	e->nice = p->nice;
	e->weight = sched_nice_weight(p->nice);
	e->policy = p->policy;
	e->reset_on_fork = p->reset_on_fork;
}

void sched_set_params(struct thread *t, const struct sched_params *p)
{
	with_thread_out(t, change_params, p);
	pi_priority_changed(t);
}
KAPI(sched_set_params);

static void change_boost(struct sched_entity *e, const void *arg)
{
	e->boost = *(const int *)arg;
}

void sched_set_boost(struct thread *t, int priority)
{
	with_thread_out(t, change_boost, &priority);
}
KAPI(sched_set_boost);

static void change_hurry(struct sched_entity *e, const void *arg)
{
	e->hurry = *(const bool *)arg;
}

void sched_set_hurry(struct thread *t, bool on)
{
	with_thread_out(t, change_hurry, &on);
}

/* Moves a waiting thread off a CPU outside its set. */
static void move_waiting(struct thread *t)
{
	unsigned long flags;
	struct run_queue *rq = rq_lock_thread(t, &flags);
	bool move = t->sched.queued && rq->running != t && !bitmap_test(t->affinity.bits, rq->cpu);

	if (move) {
		rq_take_out(rq, t);
		t->sched.queued = false;
		t->sched.incoming = true;
		rq->count--;
	}
	spin_unlock_irqrestore(&rq->lock, flags);
	if (move)
		thread_start(t);
}

int sched_set_affinity(struct thread *t, const struct cpu_set *set)
{
	unsigned long usable = 0;
	unsigned long flags;
	struct run_queue *rq;

	for (unsigned int i = 0; i < BITMAP_LONGS(CPU_MAX); i++)
		usable |= set->bits[i] & cpus_online.bits[i];
	if (!usable)
		return -EINVAL;
	rq = rq_lock_thread(t, &flags);
	t->affinity = *set;
	if (rq->running == t && !bitmap_test(set->bits, rq->cpu)) {
		WRITE_ONCE(cpus[rq->cpu]->need_resched, 1);
		if (cpus[rq->cpu] != arch_cpu_self())
			arch_cpu_kick(rq->cpu);
	} else if (t->sched.class == SCHED_CLASS_RT && t->sched.queued && rq->running != t) {
		rq_note_affinity(rq, t);
		sched_push(rq);
	}
	spin_unlock_irqrestore(&rq->lock, flags);
	move_waiting(t);
	return 0;
}
KAPI(sched_set_affinity);

uint64_t sched_rr_interval(struct thread *t)
{
	if (t->sched.base_class == SCHED_CLASS_RT)
		return t->sched.round_robin ? RR_SLICE_NS : 0;
	return FAIR_SLICE_NS;
}
KAPI(sched_rr_interval);

unsigned int sched_runnable(void)
{
	unsigned int n = 0, i;

	for_each_online_cpu(i)
		n += READ_ONCE(rq_of(i)->count);
	return n;
}
KAPI(sched_runnable);

uint64_t sched_switch_count(void)
{
	uint64_t n = 0;
	unsigned int i;

	for_each_online_cpu(i)
		n += READ_ONCE(rq_of(i)->switches);
	return n;
}
KAPI(sched_switch_count);

#define LOAD_PERIOD_NS (5 * NSEC_PER_SEC)

static struct {
	struct spinlock lock;
	uint64_t updated;
	unsigned long load[3];
} loads = { .lock = SPINLOCK_INIT(loads.lock) };

/* Exponential averages over 1, 5 and 15 minutes, advanced for the periods that passed since somebody asked or ticked. */
void sched_loads(unsigned long out[3])
{
	static const unsigned long decay[3] = { 60302, 64453, 65173 };	/* exp(-5s/period) * 65536 */
	unsigned long flags = spin_lock_irqsave(&loads.lock);
	uint64_t now = clock_monotonic();
	unsigned long active = (unsigned long)sched_runnable() << 16;

	for (unsigned int n = 0; now - loads.updated >= LOAD_PERIOD_NS && n < 2000; n++) {
		loads.updated += LOAD_PERIOD_NS;
		for (unsigned int i = 0; i < 3; i++)
			loads.load[i] = (loads.load[i] * decay[i] + active * (65536 - decay[i])) >> 16;
	}
	if (now - loads.updated >= LOAD_PERIOD_NS)
		loads.updated = now;
	for (unsigned int i = 0; i < 3; i++)
		out[i] = loads.load[i];
	spin_unlock_irqrestore(&loads.lock, flags);
}
KAPI(sched_loads);
