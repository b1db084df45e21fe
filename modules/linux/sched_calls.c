/*
 * The sched_* calls: policies, priorities, affinity.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

#include "core/sched/sched.h"

/* A thread by number, the caller for 0, with a reference. */
static struct task *target(int nr)
{
	if (nr < 0)
		return NULL;
	if (nr)
		return task_find(nr);
	task_get(current_task);
	return current_task;
}

static int check_policy(int policy, int priority)
{
	switch (policy) {
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return priority ? -EINVAL : 0;
	case SCHED_FIFO:
	case SCHED_RR:
		return priority < 1 || priority > 99 ? -EINVAL : 0;
	}
	return -EINVAL;
}

/* Without CAP_SYS_NICE: no more than RLIMIT_RTPRIO, no better nice than RLIMIT_NICE, not away from SCHED_IDLE to something better. */
static int may_change(struct task *t, const struct sched_params *old, const struct sched_params *new)
{
	uint64_t rt_limit = process_limit(t->process, RLIMIT_RTPRIO);
	int64_t floor = 20 - (int64_t)MIN(process_limit(t->process, RLIMIT_NICE), 40ul);

	if (capable(CAP_SYS_NICE))
		return 0;
	if (new->class == SCHED_CLASS_RT) {
		if (new->policy != old->policy && !rt_limit)
			return -EPERM;
		if (new->priority > old->priority && (uint64_t)new->priority > rt_limit)
			return -EPERM;
	}
	if (new->nice < old->nice && new->nice < floor)
		return -EPERM;
	if (old->policy == SCHED_IDLE && new->policy != SCHED_IDLE && old->nice < floor)
		return -EPERM;
	if (old->reset_on_fork && !new->reset_on_fork)
		return -EPERM;
	return service(authority)->may_schedule(t->thread);
}

static int change(int nr, int policy, int priority, const int *nice, int reset)
{
	struct sched_params old, new;
	struct task *t = target(nr);
	int error;

	if (!t)
		return -ESRCH;
	sched_get_params(t->thread, &old);
	new = old;
	if (policy >= 0) {
		new.policy = (unsigned int)policy;
		new.reset_on_fork = reset;
	}
	error = check_policy((int)new.policy, priority);
	new.class = new.policy == SCHED_FIFO || new.policy == SCHED_RR ? SCHED_CLASS_RT : SCHED_CLASS_FAIR;
	new.round_robin = new.policy == SCHED_RR;
	new.priority = priority;
	if (nice)
		new.nice = *nice;
	if (!error)
		error = may_change(t, &old, &new);
	if (!error)
		sched_set_params(t->thread, &new);
	task_put(t);
	return error;
}

long sys_sched_setscheduler(int32_t nr, int32_t policy, struct uin_sched_param param)
{
	struct sched_param p;
	int reset = policy >= 0 && (policy & SCHED_RESET_ON_FORK);

	if (nr < 0 || policy < 0 || !param.addr)
		return -EINVAL;
	if (copy_in_sched_param(&p, param))
		return -EFAULT;
	return change(nr, policy & ~SCHED_RESET_ON_FORK, p.sched_priority, NULL, reset);
}

long sys_sched_setparam(int32_t nr, struct uin_sched_param param)
{
	struct sched_param p;

	if (nr < 0 || !param.addr)
		return -EINVAL;
	if (copy_in_sched_param(&p, param))
		return -EFAULT;
	return change(nr, -1, p.sched_priority, NULL, 0);
}

static int get_params(int nr, struct sched_params *out)
{
	struct task *t;

	if (nr < 0)
		return -EINVAL;
	t = target(nr);
	if (!t)
		return -ESRCH;
	sched_get_params(t->thread, out);
	task_put(t);
	return 0;
}

long sys_sched_getscheduler(int32_t nr)
{
	struct sched_params p;
	int error = get_params(nr, &p);

	return error ? error : (long)(p.policy | (p.reset_on_fork ? SCHED_RESET_ON_FORK : 0));
}

long sys_sched_getparam(int32_t nr, struct uout_sched_param param)
{
	struct sched_param out;
	struct sched_params p;
	int error;

	if (!param.addr)
		return -EINVAL;
	error = get_params(nr, &p);
	if (error)
		return error;
	out.sched_priority = p.class == SCHED_CLASS_RT ? p.priority : 0;
	return copy_out_sched_param(param, &out);
}

long sys_sched_get_priority_max(int32_t policy)
{
	switch (policy) {
	case SCHED_FIFO: case SCHED_RR: return 99;
	case SCHED_NORMAL: case SCHED_BATCH: case SCHED_IDLE: case SCHED_DEADLINE: return 0;
	}
	return -EINVAL;
}

long sys_sched_get_priority_min(int32_t policy)
{
	switch (policy) {
	case SCHED_FIFO: case SCHED_RR: return 1;
	case SCHED_NORMAL: case SCHED_BATCH: case SCHED_IDLE: case SCHED_DEADLINE: return 0;
	}
	return -EINVAL;
}

long sys_sched_rr_get_interval(int32_t nr, struct uout_timespec out)
{
	struct __kernel_timespec ts = { 0 };
	struct task *t;
	uint64_t ns;

	if (nr < 0)
		return -EINVAL;
	t = target(nr);
	if (!t)
		return -ESRCH;
	ns = sched_rr_interval(t->thread);
	task_put(t);
	ts.tv_sec = (long)(ns / NSEC_PER_SEC);
	ts.tv_nsec = (long)(ns % NSEC_PER_SEC);
	return copy_out_timespec(out, &ts);
}

long sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

long sys_sched_setaffinity(int32_t nr, uint32_t size, struct uin_u8 mask)
{
	struct cpu_set set = { { 0 } };
	struct task *t;
	int error;

	if (copy_from_user(set.bits, mask.addr, MIN((size_t)size, sizeof(set.bits))))
		return -EFAULT;
	t = target(nr);
	if (!t)
		return -ESRCH;
	error = service(authority)->may_schedule(t->thread);
	if (!error)
		error = sched_set_affinity(t->thread, &set);
	/* A mask must not keep the caller where it may not be any more. */
	if (!error && t->thread == current && !bitmap_test(set.bits, arch_cpu_id()))
		sched_yield();
	task_put(t);
	return error;
}

long sys_sched_getaffinity(int32_t nr, uint32_t size, struct uout_u8 mask)
{
	struct cpu_set set;
	struct task *t;
	size_t n = sizeof(set.bits);

	if (size * 8ul < cpu_count || (size & (sizeof(long) - 1)))
		return -EINVAL;
	t = target(nr);
	if (!t)
		return -ESRCH;
	for (unsigned int i = 0; i < BITMAP_LONGS(CPU_MAX); i++)
		set.bits[i] = t->thread->affinity.bits[i] & cpus_online.bits[i];
	task_put(t);
	n = MIN(n, (size_t)size);
	return copy_to_user(mask.addr, set.bits, n) ? -EFAULT : (long)n;
}

long sys_sched_setattr(int32_t nr, struct uinout_sched_attr attr, uint32_t flags)
{
	struct sched_attr a;
	uint32_t size;
	int error, nice;

	if (!attr.addr || nr < 0 || flags)
		return -EINVAL;
	if (user_load_u32(attr.addr, &size))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		goto too_big;
	error = copy_struct_from_user(&a, sizeof(a), attr.addr, size);
	if (error == -E2BIG)
		goto too_big;
	if (error)
		return error;
	if ((int)a.sched_policy < 0 || (a.sched_flags & ~(uint64_t)SCHED_FLAG_RESET_ON_FORK))
		return -EINVAL;
	if (a.sched_policy == SCHED_DEADLINE)
		return -EINVAL;
	nice = MAX(-20, MIN(19, a.sched_nice));
	return change(nr, (int)a.sched_policy, (int)a.sched_priority, a.sched_policy == SCHED_NORMAL ||
		      a.sched_policy == SCHED_BATCH ? &nice : NULL, a.sched_flags & SCHED_FLAG_RESET_ON_FORK);
too_big:
	return user_store_u32(attr.addr, sizeof(a)) ? -EFAULT : -E2BIG;
}

long sys_sched_getattr(int32_t nr, struct uout_u8 attr, uint32_t size, uint32_t flags)
{
	struct sched_attr a = { 0 };
	struct sched_params p;
	int error;

	if (!attr.addr || nr < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || flags)
		return -EINVAL;
	error = get_params(nr, &p);
	if (error)
		return error;
	a.size = MIN(size, (uint32_t)sizeof(a));
	a.sched_policy = p.policy;
	a.sched_flags = p.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	if (p.class == SCHED_CLASS_RT)
		a.sched_priority = (uint32_t)p.priority;
	else
		a.sched_nice = p.nice;
	a.sched_util_max = 1024;
	return copy_to_user(attr.addr, &a, a.size);
}
