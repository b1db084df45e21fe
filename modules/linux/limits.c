/*
 * Resource limits, priorities and usage: rlimits, nice, getrusage, times.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/resource.h>

#include "core/module/autoload.h"
#include "core/sched/sched.h"

#define CLOCK_TICK_NS 10000000ull	/* USER_HZ 100 */
#define NR_OPEN 1048576

/* The core keeps the limits of memory in the address space. */
static void limit_memory(struct process *p, unsigned int which)
{
	struct task *t = p == current_process ? NULL : process_leader(p);
	struct thread *thread = p == current_process ? current : t ? t->thread : NULL;
	struct aspace *as = thread ? thread_get_aspace(thread) : NULL;

	if (as && which == RLIMIT_STACK)
		WRITE_ONCE(as->stack_limit, process_limit(p, which));
	if (as && which == RLIMIT_DATA)
		WRITE_ONCE(as->data_limit, process_data_limit(p));
	if (as && which == RLIMIT_AS)
		WRITE_ONCE(as->size_limit, process_limit(p, which));
	if (as && which == RLIMIT_MEMLOCK)
		WRITE_ONCE(as->locked_limit, service(authority)->thread_capable(thread, CAP_IPC_LOCK) ? UINT64_MAX / 2
												       : process_limit(p, which));
	if (as)
		aspace_put(as);
	if (t)
		task_put(t);
}

/* 0 or negative errno; the old value goes to *old. */
static int change_limit(struct process *p, unsigned int which, const struct rlimit64 *new, struct rlimit64 *old)
{
	unsigned long flags;
	int error = 0;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	if (new && new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (new && which == RLIMIT_NOFILE && new->rlim_max > NR_OPEN)
		return -EPERM;
	flags = spin_lock_irqsave(&p->lock);
	*old = p->limits[which];
	if (new && new->rlim_max > old->rlim_max && !capable(CAP_SYS_RESOURCE))
		error = -EPERM;
	else if (new)
		p->limits[which] = *new;
	spin_unlock_irqrestore(&p->lock, flags);
	/* The module of the CPU timers holds processes to the limit. */
	if (!error && new && which == RLIMIT_CPU && new->rlim_cur != RLIM64_INFINITY)
		module_request("posix_timers");
	if (!error && new && (which == RLIMIT_STACK || which == RLIMIT_DATA || which == RLIMIT_MEMLOCK || which == RLIMIT_AS))
		limit_memory(p, which);
	return error;
}

long sys_getrlimit(uint32_t which, struct uout_rlimit out)
{
	struct rlimit64 old;
	struct rlimit r;
	int error = change_limit(current_process, which, NULL, &old);

	if (error)
		return error;
	r.rlim_cur = old.rlim_cur;
	r.rlim_max = old.rlim_max;
	return copy_out_rlimit(out, &r);
}

long sys_setrlimit(uint32_t which, struct uin_rlimit in)
{
	struct rlimit64 new, old;
	struct rlimit r;

	if (copy_in_rlimit(&r, in))
		return -EFAULT;
	new.rlim_cur = r.rlim_cur;
	new.rlim_max = r.rlim_max;
	return change_limit(current_process, which, &new, &old);
}

/* Another's limits: the same ids throughout, or CAP_SYS_RESOURCE. */
static int may_limit(struct process *p)
{
	struct identity me, other;
	struct task *t;

	if (p == current_process || capable(CAP_SYS_RESOURCE))
		return 0;
	t = process_leader(p);
	if (!t)
		return -ESRCH;
	service(authority)->identity(current, &me);
	service(authority)->identity(t->thread, &other);
	task_put(t);
	return me.uid == other.uid && me.uid == other.euid && me.uid == other.suid && me.gid == other.gid &&
	       me.gid == other.egid && me.gid == other.sgid ? 0 : -EPERM;
}

long sys_prlimit64(int32_t nr, uint32_t which, struct uin_rlimit64 in, struct uout_rlimit64 out)
{
	struct rlimit64 new, old;
	struct process *p;
	int error;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	if (in.addr && copy_in_rlimit64(&new, in))
		return -EFAULT;
	p = nr ? process_find_any(nr) : current_process;
	if (!p)
		return -ESRCH;
	/* Of the program that was asked about, not of one with more rights that comes meanwhile. */
	error = mutex_lock_killable(&p->exec_lock);
	if (!error) {
		error = may_limit(p);
		if (!error)
			error = change_limit(p, which, in.addr ? &new : NULL, &old);
		mutex_unlock(&p->exec_lock);
	}
	if (nr)
		process_put(p);
	if (!error && out.addr)
		error = copy_out_rlimit64(out, &old);
	return error;
}

static struct __kernel_old_timeval to_timeval(uint64_t ns)
{
	return (struct __kernel_old_timeval){ (long)(ns / NSEC_PER_SEC), (long)(ns % NSEC_PER_SEC / 1000) };
}

void rusage_from_times(const struct cpu_times *t, struct rusage *r)
{
	struct __kernel_old_timeval user = to_timeval(t->user_ns), system = to_timeval(t->system_ns);

	memset(r, 0, sizeof(*r));
	memcpy(&r->ru_utime, &user, sizeof(user));
	memcpy(&r->ru_stime, &system, sizeof(system));
	r->ru_maxrss = (long)(t->peak_pages * (PAGE_SIZE / 1024));
	r->ru_minflt = (long)t->faults_minor;
	r->ru_majflt = (long)t->faults_major;
	r->ru_nvcsw = (long)t->switches_voluntary;
	r->ru_nivcsw = (long)t->switches_forced;
}

static uint64_t resident_peak(void)
{
	struct aspace *as = current->aspace;

	return as ? MAX(as->resident_peak, as->resident_anon + as->resident_file) : 0;
}

long sys_getrusage(int32_t who, struct uout_rusage out)
{
	struct process *p = current_process;
	struct cpu_times t = { 0 };
	struct rusage r;

	switch (who) {
	case RUSAGE_SELF:
		process_cpu_times(p, &t);
		t.peak_pages = MAX(t.peak_pages, resident_peak());
		break;
	case RUSAGE_CHILDREN:
		process_children_times(p, &t);
		break;
	case RUSAGE_THREAD:
		thread_times(current, &t.user_ns, &t.system_ns);
		t.faults_minor = current->faults_minor;
		t.faults_major = current->faults_major;
		t.switches_voluntary = current->switches_voluntary;
		t.switches_forced = current->switches_forced;
		t.peak_pages = resident_peak();
		break;
	default:
		return -EINVAL;
	}
	rusage_from_times(&t, &r);
	return copy_out_rusage(out, &r);
}

long sys_times(struct uout_tms out)
{
	struct process *p = current_process;
	struct cpu_times self, children;
	struct tms t;

	if (out.addr) {
		process_cpu_times(p, &self);
		process_children_times(p, &children);
		t.tms_utime = (long)(self.user_ns / CLOCK_TICK_NS);
		t.tms_stime = (long)(self.system_ns / CLOCK_TICK_NS);
		t.tms_cutime = (long)(children.user_ns / CLOCK_TICK_NS);
		t.tms_cstime = (long)(children.system_ns / CLOCK_TICK_NS);
		if (copy_out_tms(out, &t))
			return -EFAULT;
	}
	return (long)(clock_monotonic() / CLOCK_TICK_NS);
}

int task_for_targets(int which, int who, int (*fn)(struct task *t, void *arg), void *arg)
{
	struct identity me, id;
	struct process *p;
	struct task *t;
	int found = 0;

	if (which == PRIO_PROCESS) {
		t = who ? task_find(who) : current_task;
		if (!t)
			return 0;
		fn(t, arg);
		if (who)
			task_put(t);
		return 1;
	}
	service(authority)->identity(current, &me);
	for (int nr = 1; (p = process_next(nr)); process_put(p)) {
		nr = p->pid->nr + 1;
		for (int tid = 0; (t = process_next_task(p, tid)); task_put(t)) {
			bool hit;

			tid = t->pid->nr;
			service(authority)->identity(t->thread, &id);
			if (which == PRIO_PGRP)
				hit = who ? p->group && p->group->nr == who : p->group == current_process->group;
			else
				hit = id.uid == (who ? (uint32_t)who : me.uid);
			if (hit) {
				found++;
				fn(t, arg);
			}
		}
	}
	return found;
}

static int best_nice(struct task *t, void *arg)
{
	struct sched_params params;
	int *best = arg;

	sched_get_params(t->thread, &params);
	*best = MIN(*best, params.nice);
	return 0;
}

long sys_getpriority(int32_t which, int32_t who)
{
	int best = 20;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	if (!task_for_targets(which, who, best_nice, &best))
		return -ESRCH;
	return 20 - best;
}

struct nice_change {
	int nice;
	int error;
};

static int set_nice(struct task *t, void *arg)
{
	struct nice_change *c = arg;
	struct sched_params params;
	int64_t floor;

	c->error = service(authority)->may_schedule(t->thread);
	if (c->error)
		return 0;
	sched_get_params(t->thread, &params);
	floor = 20 - (int64_t)MIN(process_limit(t->process, RLIMIT_NICE), 40ul);
	if (c->nice < params.nice && c->nice < floor && !capable(CAP_SYS_NICE)) {
		c->error = -EACCES;
		return 0;
	}
	params.nice = c->nice;
	sched_set_params(t->thread, &params);
	return 0;
}

long sys_setpriority(int32_t which, int32_t who, int32_t nice)
{
	struct nice_change c = { .nice = MAX(-20, MIN(19, nice)) };

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	if (!task_for_targets(which, who, set_nice, &c))
		return -ESRCH;
	return c.error;
}
