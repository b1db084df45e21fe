/* The run queue: priorities, order among equals, shares by nice values, throttling of real-time threads. */
// sources: core/sched/run_queue.c core/lib/rbtree.c core/lib/bits.c
#include <string.h>

#include "host.h"

#include "core/sched/internal.h"

static struct run_queue rq;
static struct thread threads[8], idle;

static void reset(void)
{
	memset(&rq, 0, sizeof(rq));
	memset(threads, 0, sizeof(threads));
	rq_init(&rq, 0);
	cpus_online.bits[0] = 0xf;
	idle.sched.priority = RANK_IDLE;
	rq.idle = &idle;
	rq.running = &idle;
	for (int i = 0; i < 8; i++) {
		list_init(&threads[i].sched.rt_link);
		memset(&threads[i].affinity, 0xff, sizeof(threads[i].affinity));
		threads[i].sched.class = SCHED_CLASS_FAIR;
		threads[i].sched.weight = NICE_0_WEIGHT;
	}
}

static void put(struct thread *t, bool head)
{
	rq_place(&rq, t, false);
	rq_insert(&rq, t, head);
}

static void realtime(void)
{
	reset();
	for (int i = 0; i < 4; i++) {
		threads[i].sched.class = SCHED_CLASS_RT;
		threads[i].sched.priority = i < 2 ? 10 : 90;
		put(&threads[i], false);
	}
	put(&threads[4], false);
	CHECK(rq_pick(&rq) == &threads[2]);
	put(&threads[2], true);
	CHECK(rq_pick(&rq) == &threads[2]);
	put(&threads[2], false);
	CHECK(rq_pick(&rq) == &threads[3] && rq_pick(&rq) == &threads[2]);
	CHECK(rq_pick(&rq) == &threads[0] && rq_pick(&rq) == &threads[1] && rq_pick(&rq) == &threads[4]);
	CHECK(!rq_pick(&rq) && rq.rt_count == 0 && rq.fair_count == 0);
}

/* Runs the fair threads for so many slices of 3 ms and counts what each got. */
static void run(int count, int slices, uint64_t *got)
{
	uint64_t now = 1000000;

	for (int i = 0; i < count; i++)
		put(&threads[i], false);
	for (int n = 0; n < slices; n++) {
		struct thread *t = rq_pick(&rq);
		uint64_t before;

		rq.running = t;
		t->sched.started = now;
		before = t->sched.runtime;
		now += 3000000;
		rq_charge(&rq, now);
		got[t - threads] += t->sched.runtime - before;
		rq_insert(&rq, t, false);
	}
}

static void shares(void)
{
	uint64_t got[8] = { 0 }, weighted[8] = { 0 };

	reset();
	run(4, 4000, got);
	for (int i = 1; i < 4; i++)
		CHECK(got[i] * 100 / got[0] >= 95 && got[i] * 100 / got[0] <= 105);
	reset();
	threads[1].sched.weight = sched_nice_weight(5);
	run(2, 4000, weighted);
	/* nice 5 has a third of the weight of nice 0. */
	CHECK(weighted[0] * 100 / weighted[1] >= 270 && weighted[0] * 100 / weighted[1] <= 340);
	CHECK(sched_nice_weight(-20) > sched_nice_weight(0) && sched_nice_weight(19) < sched_nice_weight(0));
}

static void throttling(void)
{
	reset();
	threads[0].sched.class = SCHED_CLASS_RT;
	threads[0].sched.priority = 50;
	put(&threads[1], false);
	rq.running = &threads[0];
	rq.rt_period = 0;
	threads[0].sched.started = 0;
	rq_charge(&rq, RT_SHARE_NS);
	CHECK(host_need_resched || host_cpu.need_resched);
	put(&threads[0], true);
	CHECK(rq_pick(&rq) == &threads[1]);
	rq.running = &threads[1];
	threads[1].sched.started = RT_SHARE_NS;
	rq_charge(&rq, RT_PERIOD_NS + 1);
	put(&threads[1], false);
	CHECK(rq_pick(&rq) == &threads[0]);
}

static void stealing(void)
{
	reset();
	memset(&threads[1].affinity, 0, sizeof(threads[1].affinity));
	put(&threads[0], false);
	put(&threads[1], false);
	CHECK(rq_steal_fair(&rq, 3) == &threads[0]);
	CHECK(!rq_steal_fair(&rq, 3) && !rq_steal_rt(&rq, 3, 0));
	rq_take_out(&rq, &threads[1]);
	for (int i = 0; i < 4; i++) {
		threads[i].sched.class = SCHED_CLASS_RT;
		threads[i].sched.priority = 10 + 20 * i;
		if (i == 3)
			memset(&threads[i].affinity, 0, sizeof(threads[i].affinity));
		CHECK((rq_rt_movable == 1) == (i > 0));
		put(&threads[i], false);
	}
	CHECK(rq_rt_highest(&rq) == 70);
	CHECK(!rq_steal_rt(&rq, 3, 50));	/* the only one above may not run there */
	CHECK(rq_steal_rt(&rq, 3, 49) == &threads[2]);
	CHECK(rq_steal_rt(&rq, 3, 0) == &threads[0]);
	CHECK(rq_rt_movable == 0);		/* the two that are left may run nowhere else */
	CHECK(rq_pick(&rq) == &threads[3] && rq_pick(&rq) == &threads[1]);
	CHECK(rq.rt_movable == 0 && rq.rt_count == 0 && rq_rt_highest(&rq) == 0);
}

/* Threads bound to the queue's own CPU are no work for others; one that may go elsewhere while it waits is. */
static void movable(void)
{
	struct thread *a = &threads[0], *b = &threads[1];

	reset();
	for (int i = 0; i < 2; i++) {
		threads[i].sched.class = SCHED_CLASS_RT;
		threads[i].sched.priority = 10;
		memset(&threads[i].affinity, 0, sizeof(threads[i].affinity));
		bitmap_set(threads[i].affinity.bits, 0);
		put(&threads[i], false);
	}
	CHECK(rq.rt_count == 2 && rq.rt_movable == 0 && rq_rt_movable == 0);
	bitmap_set(b->affinity.bits, 5);	/* not online */
	rq_note_affinity(&rq, b);
	CHECK(rq.rt_movable == 0 && rq_rt_movable == 0);
	bitmap_set(b->affinity.bits, 3);
	rq_note_affinity(&rq, b);
	rq_note_affinity(&rq, b);
	CHECK(rq.rt_movable == 1 && rq_rt_movable == 1);
	CHECK(rq_steal_rt(&rq, 3, 0) == b && rq.rt_movable == 0 && rq_rt_movable == 0);
	put(b, false);
	CHECK(rq.rt_movable == 1);
	bitmap_clear(b->affinity.bits, 3);
	rq_note_affinity(&rq, b);
	CHECK(rq.rt_movable == 0 && rq_rt_movable == 0);
	CHECK(rq_pick(&rq) == a && rq_pick(&rq) == b && rq.rt_count == 0);
}

static void rank(void)
{
	reset();
	CHECK(rq.rank == RANK_IDLE);
	rq_set_running(&rq, &threads[0]);
	CHECK(rq.running == &threads[0] && rq.rank == RANK_FAIR);
	threads[0].sched.class = SCHED_CLASS_RT;
	threads[0].sched.priority = 99;
	rq_set_running(&rq, &threads[0]);
	CHECK(rq.rank == 99);
	rq_set_running(&rq, &idle);
	CHECK(rq.rank == RANK_IDLE);
}

int main(void)
{
	realtime();
	shares();
	throttling();
	stealing();
	movable();
	rank();
	return check_done();
}
