/*
 * /proc/<pid>/timers, timerslack_ns, oom_adj, sched, autogroup, clear_refs, cpuset, projid_map, timens_offsets: small files on how a process
 * is timed, scheduled and counted.
 */
#include <asm/siginfo.h>
#include <linux/capability.h>
#include <linux/sched.h>

#include "core/sched/sched.h"
#include "modules/procfs/internal.h"

#define OOM_ADJ_MAX 15
#define OOM_ADJ_MIN (-17)
#define OOM_SCORE_MAX 1000

int proc_show_timers(struct text_out *t, void *arg)
{
	static const char *const kinds[] = { [SIGEV_SIGNAL] = "signal", [SIGEV_NONE] = "none", [SIGEV_THREAD] = "thread" };
	struct proc_target *who = arg;
	struct timer_view v = { .id = -1 };

	while (service(timers)->next(who->process, v.id, &v)) {
		text_printf(t, "ID: %d\nsignal: %d/%016lx\nnotify: %s/%s.%d\nClockID: %d\n", v.id, v.signal, v.value,
			    kinds[v.notify & 3], v.notify & SIGEV_THREAD_ID ? "tid" : "pid", v.target, v.clock);
		if (t->error)
			break;
	}
	return 0;
}

/* Others' slack is for those who may schedule. */
static struct task *slack_task(const struct proc_target *who, int *error)
{
	struct task *task = who->task ? who->task : process_leader(who->process);

	if (task && who->task)
		task_get(task);
	*error = !task ? -ESRCH : task == current_task || service(authority)->capable(CAP_SYS_NICE) ? 0 : -EPERM;
	if (task && *error)
		task_put(task);
	return *error ? NULL : task;
}

int proc_show_timerslack(struct text_out *t, void *arg)
{
	int error;
	struct task *task = slack_task(arg, &error);

	if (!task)
		return error;
	text_printf(t, "%llu\n", (unsigned long long)READ_ONCE(task->timer_slack_ns));
	task_put(task);
	return 0;
}

long proc_store_timerslack(const char *text, size_t n, void *arg)
{
	int error;
	struct task *task = slack_task(arg, &error);
	int64_t value;

	if (!task)
		return error;
	error = proc_parse_setting(text, n, &value);
	if (!error && value < 0)
		error = -EINVAL;
	if (!error)
		WRITE_ONCE(task->timer_slack_ns, value ? (uint64_t)value : task->timer_slack_default_ns);
	task_put(task);
	return error ? error : (long)n;
}

int proc_show_oom_adj(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	int score = READ_ONCE(who->process->oom_score_adj);
	int adj = score == OOM_SCORE_MAX ? OOM_ADJ_MAX : score * -OOM_ADJ_MIN / OOM_SCORE_MAX;

	text_printf(t, "%d\n", MIN(adj, OOM_ADJ_MAX));
	return 0;
}

long proc_store_oom_adj(const char *text, size_t n, void *arg)
{
	struct proc_target *who = arg;
	int64_t value;
	int error = proc_parse_setting(text, n, &value);

	if (error)
		return error;
	if (value < OOM_ADJ_MIN || value > OOM_ADJ_MAX)
		return -EINVAL;
	value = value == OOM_ADJ_MAX ? OOM_SCORE_MAX : value * OOM_SCORE_MAX / -OOM_ADJ_MIN;
	if (value < READ_ONCE(who->process->oom_score_adj) && !service(authority)->capable(CAP_SYS_RESOURCE))
		return -EACCES;
	WRITE_ONCE(who->process->oom_score_adj, (int)value);
	return (long)n;
}

static void show_ns(struct text_out *t, const char *name, uint64_t ns)
{
	text_printf(t, "%-45s:%14llu.%06llu\n", name, (unsigned long long)(ns / 1000000), (unsigned long long)(ns % 1000000));
}

static void show_count(struct text_out *t, const char *name, uint64_t n)
{
	text_printf(t, "%-45s:%21llu\n", name, (unsigned long long)n);
}

/* Those of Linux's figures that this scheduler has. */
int proc_show_sched(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	struct thread *thread = proc_thread(who);
	struct sched_params p;

	if (!thread)
		return -ESRCH;
	sched_get_params(thread, &p);
	text_printf(t, "%s (%d, #threads: %u)\n", thread->name, proc_number(who), proc_thread_count(who->process));
	text_printf(t, "-------------------------------------------------------------------\n");
	show_ns(t, "se.exec_start", READ_ONCE(thread->sched.started));
	show_ns(t, "se.vruntime", READ_ONCE(thread->sched.vruntime));
	show_ns(t, "se.sum_exec_runtime", thread_runtime(thread));
	show_count(t, "nr_switches", thread->switches_voluntary + thread->switches_forced);
	show_count(t, "nr_voluntary_switches", thread->switches_voluntary);
	show_count(t, "nr_involuntary_switches", thread->switches_forced);
	show_count(t, "se.load.weight", READ_ONCE(thread->sched.weight));
	show_count(t, "policy", p.policy);
	show_count(t, "prio", (uint64_t)(p.class == SCHED_CLASS_RT ? 99 - p.priority : 120 + p.nice));
	thread_put(thread);
	return 0;
}

/* Threads are scheduled each for itself: no process belongs to such a group, which is an empty file on Linux. */
int proc_show_autogroup(struct text_out *t, void *arg)
{
	return 0;
}

/* 5 forgets the peak of resident memory. Pages are not marked as read or written, which 1 to 4 would take back. */
long proc_store_clear_refs(const char *text, size_t n, void *arg)
{
	struct aspace *as;
	int64_t value;

	if (proc_parse_setting(text, n, &value) || value != 5)
		return -EINVAL;
	as = proc_aspace(arg);
	if (as) {
		WRITE_ONCE(as->resident_peak, READ_ONCE(as->resident_anon) + READ_ONCE(as->resident_file));
		aspace_put(as);
	}
	return (long)n;
}

int proc_show_cpuset(struct text_out *t, void *arg)
{
	text_printf(t, "/\n");
	return 0;
}

int proc_show_projid_map(struct text_out *t, void *arg)
{
	text_printf(t, "%10u %10u %10u\n", 0u, 0u, ~0u);
	return 0;
}

/* The one name space of clocks: both are the machine's. */
int proc_show_timens_offsets(struct text_out *t, void *arg)
{
	text_printf(t, "%-10s %10d %9d\n%-10s %10d %9d\n", "monotonic", 0, 0, "boottime", 0, 0);
	return 0;
}
