/*
 * ioprio_set(2), ioprio_get(2): the priority of a thread's transfers. It is kept and inherited; it orders nothing while
 * there is no device with a queue, as on a Linux whose devices have none.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/ioprio.h>
#include <linux/sched.h>

#include "core/sched/sched.h"

static int check_value(int priority)
{
	int data = IOPRIO_PRIO_DATA(priority);

	switch (IOPRIO_PRIO_CLASS(priority)) {
	case IOPRIO_CLASS_RT:
		if (!capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
			return -EPERM;
		return data >= 8 ? -EINVAL : 0;
	case IOPRIO_CLASS_BE:
		return data >= 8 ? -EINVAL : 0;
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return data ? -EINVAL : 0;
	}
	return -EINVAL;
}

struct ioprio_change {
	int value;
	int error;
};

static int set_one(struct task *t, void *arg)
{
	struct ioprio_change *c = arg;
	struct identity me, other;

	if (c->error)
		return 0;
	service(authority)->identity(current, &me);
	service(authority)->identity(t->thread, &other);
	if (other.uid != me.euid && other.uid != me.uid && !capable(CAP_SYS_NICE))
		c->error = -EPERM;
	else
		WRITE_ONCE(t->io_priority, c->value);
	return 0;
}

long sys_ioprio_set(int32_t which, int32_t who, int32_t priority)
{
	struct ioprio_change c = { .value = priority };
	int error = check_value(priority);

	if (error)
		return error;
	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	if (!task_for_targets(which - IOPRIO_WHO_PROCESS, who, set_one, &c))
		return -ESRCH;
	return c.error;
}

/* What is in force: without a priority of its own the one that follows from nice and policy. */
static int effective(struct task *t)
{
	int value = READ_ONCE(t->io_priority);
	struct sched_params params;

	if (IOPRIO_PRIO_CLASS(value) != IOPRIO_CLASS_NONE)
		return value;
	sched_get_params(t->thread, &params);
	if (params.policy == SCHED_IDLE)
		return IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, (params.nice + 20) / 5);
	return IOPRIO_PRIO_VALUE(params.class == SCHED_CLASS_RT ? IOPRIO_CLASS_RT : IOPRIO_CLASS_BE, (params.nice + 20) / 5);
}

static int best_one(struct task *t, void *arg)
{
	int *best = arg;

	*best = MIN(*best, effective(t));
	return 0;
}

static int own_one(struct task *t, void *arg)
{
	*(int *)arg = READ_ONCE(t->io_priority);
	return 0;
}

long sys_ioprio_get(int32_t which, int32_t who)
{
	int value = INT32_MAX;

	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	if (!task_for_targets(which - IOPRIO_WHO_PROCESS, who, which == IOPRIO_WHO_PROCESS ? own_one : best_one, &value))
		return -ESRCH;
	return value;
}
