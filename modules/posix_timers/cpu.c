/*
 * Timers on CPU time: POSIX timers on CPU clocks, ITIMER_VIRTUAL and ITIMER_PROF, RLIMIT_CPU.
 *
 * The tick only marks the running thread; the looking is done in that thread's own context on its way to user mode, so that it never meets
 * a thread or process that is going away. Resolution is the tick.
 */
#include "internal.h"

#include <linux/resource.h>

#include "core/module/hooks.h"

void cpu_armed_changed(struct timer_group *g, int by)
{
	WRITE_ONCE(g->cpu_armed, g->cpu_armed + (unsigned int)by);
}

void cpu_timer_arm_locked(struct posix_timer *t)
{
	if (list_empty(&t->cpu_link)) {
		list_add_tail(&t->group->cpu_timers, &t->cpu_link);
		cpu_armed_changed(t->group, 1);
	}
}

void cpu_timer_disarm_locked(struct posix_timer *t)
{
	if (!list_empty(&t->cpu_link)) {
		list_remove(&t->cpu_link);
		cpu_armed_changed(t->group, -1);
	}
}

static bool limited(const struct process *p)
{
	return READ_ONCE(p->limits[RLIMIT_CPU].rlim_cur) != RLIM64_INFINITY;
}

void cpu_timers_tick(struct thread *thread, bool user)
{
	struct task *t = task_of(thread);
	struct timer_group *g;

	(void)user;
	if (!t || t->exiting)
		return;
	g = timer_group_of(t->process);
	if ((g && READ_ONCE(g->cpu_armed)) || limited(t->process))
		__atomic_fetch_or(&thread->work, WORK_TASK, __ATOMIC_RELAXED);
}

/* group->lock held: any thread of the process looks, and setitimer sets. */
static void check_interval_locked(struct timer_group *g, int which, int sig, int64_t now)
{
	int64_t *expires = &g->cpu_interval[which - 1].expires, interval = g->cpu_interval[which - 1].interval;

	if (!*expires || now < *expires)
		return;
	if (interval) {
		*expires += ((now - *expires) / interval + 1) * interval;
	} else {
		*expires = 0;
		cpu_armed_changed(g, -1);
	}
	signal_send_process(g->process, sig, SIGINFO_KERNEL);
}

static void check_group(struct timer_group *g)
{
	struct posix_timer *t, *next;
	int64_t user = cpu_clock_read(g->process, NULL, 1), all = cpu_clock_read(g->process, NULL, 0);
	unsigned long flags = spin_lock_irqsave(&g->lock);

	list_for_each_safe(t, next, &g->cpu_timers, cpu_link) {
		int64_t now = t->cpu.task ? cpu_clock_read(t->cpu.process, t->cpu.task, t->cpu.kind) :
			      t->cpu.process == g->process ? (t->cpu.kind == 1 ? user : all) :
			      cpu_clock_read(t->cpu.process, NULL, t->cpu.kind);

		if (now >= t->expires) {
			cpu_timer_disarm_locked(t);
			timer_expired_locked(t);
		}
	}
	check_interval_locked(g, ITIMER_VIRTUAL, SIGVTALRM, user);
	check_interval_locked(g, ITIMER_PROF, SIGPROF, all);
	spin_unlock_irqrestore(&g->lock, flags);
}

/* RLIMIT_CPU: SIGXCPU each second beyond the soft limit, SIGKILL at the hard one. */
static void check_limit(struct process *p)
{
	struct rlimit64 *limit = &p->limits[RLIMIT_CPU];
	uint64_t seconds = (uint64_t)cpu_clock_read(p, NULL, 0) / NSEC_PER_SEC;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	int sig = 0;

	/* Only one thread sees a second begin, and prlimit(2) does not lose its limit. */
	if (seconds >= limit->rlim_max) {
		sig = SIGKILL;
	} else if (seconds >= limit->rlim_cur) {
		sig = SIGXCPU;
		limit->rlim_cur = seconds + 1;
	}
	spin_unlock_irqrestore(&p->lock, flags);
	if (sig)
		signal_send_process(p, sig, SIGINFO_KERNEL);
}

void cpu_timers_work(struct thread *thread)
{
	struct process *p = task_of(thread)->process;
	struct timer_group *g = timer_group_of(p);

	if (g && READ_ONCE(g->cpu_armed))
		check_group(g);
	if (limited(p))
		check_limit(p);
}
