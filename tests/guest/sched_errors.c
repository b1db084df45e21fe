/* What the calls on scheduling and priorities refuse. */
// libc: gcc
// errors: sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_setaffinity sched_getaffinity sched_setattr sched_getattr getpriority setpriority getcpu
#include "include/proof.h"

#include <stdint.h>
#include <sys/resource.h>

#define NOBODY 0x7ffffff

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static void policies(void)
{
	struct sched_param zero = { 0 }, one = { 1 }, over = { 100 };
	struct timespec t;

	FAILS(EINVAL, sched_setscheduler, -1, SCHED_OTHER, &zero);
	FAILS(EINVAL, sched_setscheduler, 0, 99, &zero);
	FAILS(EINVAL, sched_setscheduler, 0, -1, &zero);
	FAILS(EINVAL, sched_setscheduler, 0, SCHED_OTHER, NULL);
	FAILS(EINVAL, sched_setscheduler, 0, SCHED_OTHER, &one);
	FAILS(EINVAL, sched_setscheduler, 0, SCHED_BATCH, &one);
	FAILS(EINVAL, sched_setscheduler, 0, SCHED_FIFO, &zero);
	FAILS(EINVAL, sched_setscheduler, 0, SCHED_RR, &over);
	FAILS(ESRCH, sched_setscheduler, NOBODY, SCHED_OTHER, &zero);
	FAULTS(sched_setscheduler, 2, sizeof(zero), 0, SCHED_OTHER, 0);
	FAILS(EINVAL, sched_setparam, -1, &zero);
	FAILS(EINVAL, sched_setparam, 0, NULL);
	FAILS(EINVAL, sched_setparam, 0, &one);
	FAILS(ESRCH, sched_setparam, NOBODY, &zero);
	FAULTS(sched_setparam, 1, sizeof(zero), 0, 0);
	FAILS(EINVAL, sched_getparam, -1, &zero);
	FAILS(EINVAL, sched_getparam, 0, NULL);
	FAILS(ESRCH, sched_getparam, NOBODY, &zero);
	FAULTS(sched_getparam, 1, sizeof(zero), 0, 0);
	FAILS(EINVAL, sched_getscheduler, -1);
	FAILS(ESRCH, sched_getscheduler, NOBODY);
	FAILS(EINVAL, sched_get_priority_max, -1);
	FAILS(EINVAL, sched_get_priority_max, 99);
	FAILS(EINVAL, sched_get_priority_min, -1);
	FAILS(EINVAL, sched_get_priority_min, 4);
	FAILS(EINVAL, sched_rr_get_interval, -1, &t);
	FAILS(ESRCH, sched_rr_get_interval, NOBODY, &t);
	FAULTS(sched_rr_get_interval, 1, sizeof(t), 0, 0);
}

static void masks(void)
{
	uint64_t mask[128] = { 1 }, none[128] = { 0 };

	FAILS(ESRCH, sched_setaffinity, NOBODY, 8, mask);
	FAILS(ESRCH, sched_setaffinity, -1, 8, mask);
	FAILS(EINVAL, sched_setaffinity, 0, 8, none);
	FAILS(EINVAL, sched_setaffinity, 0, 0, mask);
	FAULTS(sched_setaffinity, 2, 8, 0, 8, 0);
	/* The mask is read before the thread is looked for. */
	FAILS(EFAULT, sched_setaffinity, NOBODY, 8, 8l);
	FAILS(ESRCH, sched_getaffinity, NOBODY, sizeof(mask), mask);
	FAILS(ESRCH, sched_getaffinity, -1, sizeof(mask), mask);
	FAILS(EINVAL, sched_getaffinity, 0, 0, mask);
	FAILS(EINVAL, sched_getaffinity, 0, 7, mask);
	FAILS(EINVAL, sched_getaffinity, 0, sizeof(mask) - 1, mask);
	FAULTS(sched_getaffinity, 2, 8, 0, 1024, 0);
	FAULTS(getcpu, 0, 4, 0, 0, 0);
	FAULTS(getcpu, 1, 4, 0, 0, 0);
	GIVES(0, getcpu, NULL, NULL, NULL);
	/* The third argument has had no meaning for long. */
	GIVES(0, getcpu, NULL, NULL, 8l);
}

static void attributes(void)
{
	struct { struct attr a; char more[40]; } big = { { sizeof(big) }, "x" };
	struct attr a = { .size = sizeof(a) }, small = { .size = 8 };

	FAILS(EINVAL, sched_setattr, 0, NULL, 0);
	FAILS(EINVAL, sched_setattr, -1, &a, 0);
	FAILS(EINVAL, sched_setattr, 0, &a, 1);
	FAILS(ESRCH, sched_setattr, NOBODY, &a, 0);
	FAILS(E2BIG, sched_setattr, 0, &small, 0);
	FAILS(E2BIG, sched_setattr, 0, &big, 0);
	CHECK_EQ(big.a.size, sizeof(a));
	FAULTS(sched_setattr, 1, 4, 0, 0, 0);
	FAILS(EFAULT, sched_setattr, 0, memcpy(proof_edge(8, NULL), (uint32_t[2]){ 48, 0 }, 8), 0);
	a.policy = 77;
	FAILS(EINVAL, sched_setattr, 0, &a, 0);
	a.policy = SCHED_OTHER;
	a.flags = 1ull << 40;
	FAILS(EINVAL, sched_setattr, 0, &a, 0);
	a.flags = 0;
	a.priority = 5;
	FAILS(EINVAL, sched_setattr, 0, &a, 0);
	FAILS(EINVAL, sched_getattr, 0, NULL, sizeof(a), 0);
	FAILS(EINVAL, sched_getattr, -1, &a, sizeof(a), 0);
	FAILS(EINVAL, sched_getattr, 0, &a, sizeof(a), 1);
	FAILS(EINVAL, sched_getattr, 0, &a, 47, 0);
	FAILS(EINVAL, sched_getattr, 0, &a, 5000, 0);
	FAILS(ESRCH, sched_getattr, NOBODY, &a, sizeof(a), 0);
	FAULTS(sched_getattr, 1, sizeof(a), 0, 0, sizeof(a), 0);
}

static void priorities(void)
{
	FAILS(EINVAL, getpriority, -1, 0);
	FAILS(EINVAL, getpriority, 3, 0);
	FAILS(ESRCH, getpriority, PRIO_PROCESS, NOBODY);
	FAILS(ESRCH, getpriority, PRIO_PGRP, NOBODY);
	FAILS(ESRCH, getpriority, PRIO_USER, 54321);
	FAILS(EINVAL, setpriority, -1, 0, 0);
	FAILS(EINVAL, setpriority, 3, 0, 0);
	FAILS(ESRCH, setpriority, PRIO_PROCESS, NOBODY, 0);
	FAILS(ESRCH, setpriority, PRIO_PGRP, NOBODY, 0);
	FAILS(ESRCH, setpriority, PRIO_USER, 54321, 0);
}

static void foreign(void)
{
	struct sched_param zero = { 0 }, one = { 1 };
	struct attr a = { .size = sizeof(a), .nice = -5 };
	uint64_t mask = 1;

	FAILS(EPERM, sched_setscheduler, 0, SCHED_FIFO, &one);
	FAILS(EPERM, sched_setscheduler, getppid(), SCHED_BATCH, &zero);
	FAILS(EPERM, sched_setparam, getppid(), &zero);
	FAILS(EPERM, sched_setaffinity, getppid(), 8, &mask);
	FAILS(EPERM, sched_setattr, 0, &a, 0);
	FAILS(EACCES, setpriority, PRIO_PROCESS, 0, -5);
	FAILS(EPERM, setpriority, PRIO_PROCESS, getppid(), 5);
	/* Everybody may look. */
	GIVES(0, sched_getscheduler, getppid());
	GIVES(0, sched_getparam, getppid(), &zero);
	GIVES(0, sched_setscheduler, 0, SCHED_BATCH, &zero);
	GIVES(0, setpriority, PRIO_PROCESS, 0, 5);
	FAILS(EACCES, setpriority, PRIO_PROCESS, 0, 0);
}

int main(void)
{
	policies();
	masks();
	attributes();
	priorities();
	if (geteuid() == 0)
		as_user(foreign);
	return test_done();
}
