/*
 * Job control: stopping all threads of a process, going on, and what the parent hears of it.
 *
 * A stop signal makes every thread of the process count itself into the stop; the last one completes
 * it and tells the parent. SIGCONT (signal.c) undoes it at once, wherever it stands: a signal that is
 * queued leaves the queue, one that a thread has taken and not yet acted on loses its mark (stop_taken),
 * a stop that has begun ends.
 *
 * Invariants: process.stop_left is the number of threads with stop_counted. A thread that is attached
 * during a stop would not be among them, so clone refuses and starts again after the stop.
 *
 * Locking: process.lock for the counters; tree_lock around the parent's notice.
 */
#include "internal.h"

#include "core/module/hooks.h"

static void complete_stop_locked(struct process *p)
{
	p->stopped = true;
	p->stop_code = p->stop_signal;
	p->continued = false;
	signal_notify_parent_locked(p, CLD_STOPPED);
}

/* The current thread took a stop signal. Nothing happens if SIGCONT or SIGKILL came since. */
void signal_start_stop(int sig)
{
	struct task *me = current_task, *t;
	struct process *p = me->process;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	if (me->stop_taken && !p->stop_signal && !p->stopped && !p->group_exit && !p->group_exec) {
		p->stop_signal = sig;
		p->stop_left = 0;
		list_for_each(t, &p->tasks, link)
			if (!t->exiting && t->thread) {
				t->stop_counted = true;
				p->stop_left++;
				if (t != me)
					thread_set_work(t->thread, WORK_SIGNAL);
			}
		thread_set_work(current, WORK_SIGNAL);
	}
	me->stop_taken = false;
	spin_unlock_irqrestore(&p->lock, flags);
}

/* A thread of a stop that has begun has stopped, or ends. tree_lock and process.lock held. */
void signal_stop_count_locked(struct task *t)
{
	struct process *p = t->process;

	if (!t->stop_counted)
		return;
	t->stop_counted = false;
	if (--p->stop_left == 0)
		complete_stop_locked(p);
}

void signal_end_stop_locked(struct process *p)
{
	struct task *t;

	p->stopped = p->stop_taken = false;
	p->stop_signal = 0;
	p->stop_left = 0;
	p->none_takes = 0;
	list_for_each(t, &p->tasks, link) {
		t->stop_taken = false;
		t->stop_counted = false;
		if (t->stopped) {
			t->stopped = false;
			wait_wake_all(&t->stop_wait);
		}
	}
}

bool signal_take_part_in_stop(void)
{
	struct task *t = current_task;
	struct process *p = t->process;
	unsigned long flags;

	if (likely(!READ_ONCE(p->stop_signal)))
		return false;
	flags = spin_lock_irqsave(&tree_lock);
	spin_lock_raw(&p->lock);
	if (!p->stop_signal || p->group_exit || p->group_exec) {
		spin_unlock_raw(&p->lock);
		spin_unlock_irqrestore(&tree_lock, flags);
		return false;
	}
	t->stopped = true;
	signal_stop_count_locked(t);
	spin_unlock_raw(&p->lock);
	spin_unlock_irqrestore(&tree_lock, flags);
	/* SIGCONT and SIGKILL clear t->stopped; only the latter ends the sleep by itself. */
	wait_event(&t->stop_wait, !READ_ONCE(t->stopped), WAIT_KILLABLE, TIME_NEVER);
	WRITE_ONCE(t->stopped, false);
	return true;
}

/*
 * What the parent's SIGCHLD action says. The lock keeps the table, which exec may replace.
 */
static bool parent_ignores(struct process *parent, uint64_t *flags)
{
	unsigned long irq = spin_lock_irqsave(&parent->lock);
	const struct signal_action *a = &parent->sighand->action[SIGCHLD - 1];
	bool ignore = a->handler == (uintptr_t)SIG_IGN;

	*flags = a->flags;
	spin_unlock_irqrestore(&parent->lock, irq);
	return ignore;
}

/*
 * The signal of a child's end: what its creator chose. A parent that executed another program since
 * gets SIGCHLD. Numbers that are no signal (clone takes eight bits) are never sent.
 */
static int exit_signal(const struct process *p, const struct process *parent)
{
	int sig = p->exit_signal;

	if (sig != SIGCHLD && p->parent_exec_id != READ_ONCE(parent->exec_id))
		return SIGCHLD;
	return sig > 0 && sig <= SIGNALS ? sig : 0;
}

static void child_info(struct process *p, int why, struct siginfo *info)
{
	struct identity id = { 0 };
	const struct cpu_times *dead = &p->dead_threads;
	struct cpu_split times = p->told;

	cpu_split_adjust(&times, dead->run_ns, dead->user_ns, dead->system_ns);
	memset(info, 0, sizeof(*info));
	info->si_signo = SIGCHLD;
	info->si_code = why;
	info->si_pid = p->pid->nr;
	if (!list_empty(&p->tasks))
		service(authority)->identity(list_first(&p->tasks, struct task, link)->thread, &id);
	else
		id.uid = p->last_uid;
	info->si_uid = id.uid;
	info->si_utime = (long)(times.user / 10000000);
	info->si_stime = (long)(times.system / 10000000);
	switch (why) {
	case CLD_EXITED: info->si_status = (p->exit_code >> 8) & 0xff; break;
	case CLD_STOPPED: info->si_status = p->stop_code; break;
	case CLD_CONTINUED: info->si_status = SIGCONT; break;
	default: info->si_status = p->exit_code & 0x7f;
	}
}

void signal_notify_parent_locked(struct process *p, int why)
{
	struct process *parent = p->parent;
	bool ended = p->state == PROCESS_ZOMBIE, no_signal = false;
	struct siginfo info;
	uint64_t flags;
	int sig;

	if (!parent)
		return;
	child_note_locked(p);
	sig = ended ? exit_signal(p, parent) : SIGCHLD;
	if (ended && why == 0)
		why = p->exit_code & 0x7f ? CLD_KILLED : CLD_EXITED;
	if (sig == SIGCHLD) {
		no_signal = parent_ignores(parent, &flags);
		if (ended && (no_signal || (flags & SA_NOCLDWAIT)))
			p->autoreap = true;
		if (!ended)
			no_signal = flags & SA_NOCLDSTOP;
	}
	if (sig && !no_signal) {
		child_info(p, why, &info);
		info.si_signo = sig;
		signal_send_process_locked(parent, sig, &info);
	}
	wait_wake_all(&parent->child_wait);
}
