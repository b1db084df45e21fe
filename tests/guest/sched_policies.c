/* Policies, priorities and masks of CPUs: set, read back in every way, inherited or reset. */
// libc: gcc
// calls: sched_setscheduler sched_getscheduler sched_setparam sched_getparam sched_setattr sched_getattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_setaffinity sched_getaffinity getpriority setpriority getcpu
#include "include/proof.h"

#include <stdint.h>
#include <sys/resource.h>

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static struct sched_param param;
static struct attr attr;

static void ranges(void)
{
	GIVES(99, sched_get_priority_max, SCHED_FIFO);
	GIVES(1, sched_get_priority_min, SCHED_FIFO);
	GIVES(99, sched_get_priority_max, SCHED_RR);
	GIVES(1, sched_get_priority_min, SCHED_RR);
	GIVES(0, sched_get_priority_max, SCHED_OTHER);
	GIVES(0, sched_get_priority_min, SCHED_BATCH);
	GIVES(0, sched_get_priority_max, SCHED_IDLE);
	GIVES(0, sched_get_priority_min, 6);		/* SCHED_DEADLINE */
}

static void fair(void)
{
	struct timespec t = { -1, -1 };

	GIVES(SCHED_OTHER, sched_getscheduler, 0);
	param.sched_priority = 0;
	GIVES(0, sched_setscheduler, 0, SCHED_BATCH, &param);
	GIVES(SCHED_BATCH, sched_getscheduler, getpid());
	param.sched_priority = 77;
	GIVES(0, sched_getparam, 0, &param);
	CHECK_EQ(param.sched_priority, 0);
	GIVES(0, sched_setscheduler, 0, SCHED_OTHER, &param);
	GIVES(0, sched_rr_get_interval, 0, &t);
	CHECK(t.tv_sec == 0 && t.tv_nsec >= 0);
	/* Better values are smaller; the call gives 20 minus the value. */
	GIVES(20, getpriority, PRIO_PROCESS, 0);
	GIVES(0, setpriority, PRIO_PROCESS, 0, 7);
	GIVES(13, getpriority, PRIO_PROCESS, getpid());
	GIVES(0, setpriority, PRIO_PROCESS, getpid(), 100);
	GIVES(1, getpriority, PRIO_PROCESS, 0);
	GIVES(0, sched_getattr, 0, &attr, sizeof(attr), 0);
	CHECK(attr.size == sizeof(attr) && attr.policy == SCHED_OTHER && attr.nice == 19 && attr.priority == 0);
}

static void children(void)
{
	/* fork inherits the value. */
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	GIVES(SCHED_BATCH, sched_getscheduler, 0);
}

static void attributes(void)
{
	struct attr big[2] = { { .size = 48 } };

	attr = (struct attr){ .size = sizeof(attr), .policy = SCHED_BATCH, .nice = 5 };
	GIVES(0, sched_setattr, 0, &attr, 0);
	GIVES(15, getpriority, PRIO_PROCESS, 0);
	in_child(children);
	GIVES(0, sched_getattr, 0, big, sizeof(big), 0);
	CHECK(big[0].policy == SCHED_BATCH && big[0].nice == 5 && big[0].size >= 48);
}

static void reset_child(void)
{
	GIVES(SCHED_OTHER, sched_getscheduler, 0);
}

static void real_time(void)
{
	struct timespec t;

	param.sched_priority = 3;
	GIVES(0, sched_setscheduler, 0, SCHED_RR, &param);
	GIVES(SCHED_RR, sched_getscheduler, 0);
	GIVES(0, sched_rr_get_interval, 0, &t);
	CHECK(t.tv_sec == 0 && t.tv_nsec > 0);
	param.sched_priority = 9;
	GIVES(0, sched_setparam, 0, &param);
	param.sched_priority = 0;
	GIVES(0, sched_getparam, 0, &param);
	CHECK_EQ(param.sched_priority, 9);
	GIVES(0, sched_getattr, 0, &attr, sizeof(attr), 0);
	CHECK(attr.policy == SCHED_RR && attr.priority == 9 && attr.nice == 0);
	GIVES(0, sched_setscheduler, 0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
	GIVES(SCHED_FIFO | SCHED_RESET_ON_FORK, sched_getscheduler, 0);
	in_child(reset_child);
	GIVES(0, sched_getattr, 0, &attr, sizeof(attr), 0);
	CHECK(attr.flags & 1);
	GIVES(0, sched_rr_get_interval, 0, &t);
	CHECK(t.tv_sec == 0 && t.tv_nsec == 0);
}

static void cpus(void)
{
	uint64_t all[16] = { 0 }, one[16] = { 0 }, now[16] = { 0 };
	long size = syscall(SYS_sched_getaffinity, 0, sizeof(all), all);
	unsigned int cpu = 999, node = 999;
	int last = -1;

	CHECK(size >= 8 && size <= (long)sizeof(all) && all[0]);
	for (int i = 0; i < 64; i++)
		if (all[0] >> i & 1)
			last = i;
	one[0] = 1ull << last;
	GIVES(0, sched_setaffinity, 0, sizeof(one), one);
	GIVES(0, getcpu, &cpu, &node, NULL);
	CHECK(cpu == (unsigned int)last && node != 999);
	GIVES(size, sched_getaffinity, getpid(), sizeof(now), now);
	CHECK_EQ(now[0], one[0]);
	/* CPUs that are not there do not count. */
	one[0] |= 1ull << 63;
	GIVES(0, sched_setaffinity, 0, 8, one);
	GIVES(0, sched_setaffinity, 0, sizeof(all), all);
}

int main(void)
{
	ranges();
	in_child(fair);
	in_child(attributes);
	if (geteuid() == 0)
		in_child(real_time);
	in_child(cpus);
	return test_done();
}
