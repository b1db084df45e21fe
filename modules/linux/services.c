/*
 * What other modules ask of processes: the `process` service.
 */
#include "internal.h"

#include <linux/fcntl.h>

int suid_dumpable;
MODAPI(suid_dumpable);

static int caller_pid(void) { return current_task ? current_process->pid->nr : 0; }
static int caller_tid(void) { return current_task ? current_task->pid->nr : 0; }

static int thread_pid(struct thread *t)
{
	struct task *task = task_of(t);

	return task ? task->process->pid->nr : 0;
}

static int thread_tid(struct thread *t)
{
	struct task *task = task_of(t);

	return task ? task->pid->nr : 0;
}

/* pid.task is set until the thread's thread_gone hook, a leader's until the process is reaped: references are still there. */
static struct thread *thread_find(int tid)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *pid = pid_find_locked(tid);
	struct thread *t = pid && pid->task ? pid->task->thread : NULL;

	if (t)
		thread_get(t);
	spin_unlock_irqrestore(&tree_lock, flags);
	return t;
}

static void identity_changes(void)
{
	if (!current_task)
		return;
	WRITE_ONCE(current_process->dumpable, READ_ONCE(suid_dumpable));
	current_task->parent_death_signal = 0;
}

static int inspect(int tid, void (*fn)(struct thread *t, void *arg), void *arg)
{
	struct task *t = task_find(tid);
	int error;

	if (!t)
		return -ESRCH;
	error = process_inspect_begin(t->process, t, INSPECT_REAL_IDS);
	if (!error) {
		fn(t->thread, arg);
		process_inspect_end(t->process);
	}
	task_put(t);
	return error;
}

static uint64_t caller_limit(unsigned int resource)
{
	return current_task ? process_limit(current_process, resource) : UINT64_MAX;
}

static void signal_caller(int sig)
{
	if (current_task)
		signal_send_task(current_task, sig, SIGINFO_NONE);
}

/* SIGIO and the like: only where the one who set the owner might have sent it. */
static bool may_notify(struct process *p, uint32_t uid, uint32_t euid)
{
	struct task *t = process_leader(p);
	struct identity id;

	if (!t)
		return false;
	service(authority)->identity(t->thread, &id);
	task_put(t);
	return euid == 0 || euid == id.suid || euid == id.uid || uid == id.suid || uid == id.uid;
}

static void make_info(struct siginfo *info, int sig, int fd, long band)
{
	static const int codes[] = { POLL_IN, POLL_OUT, POLL_MSG, POLL_ERR, POLL_PRI, POLL_HUP };

	memset(info, 0, sizeof(*info));
	info->si_signo = sig ? sig : SIGIO;
	if (!sig) {
		info->si_code = SI_KERNEL;
		return;
	}
	/* EPOLLMSG is a lease that somebody wants; with it comes EPOLLIN. */
	info->si_code = band & 0x400 ? codes[2] : band & 1 ? codes[0] : band & 4 ? codes[1] : codes[3];
	info->si_band = band;
	info->si_fd = fd;
}

static void notify_group(struct pid *group, uint32_t uid, uint32_t euid, const struct siginfo *info)
{
	struct process *p;

	for (int nr = 1; (p = process_next(nr)); process_put(p)) {
		nr = p->pid->nr + 1;
		if (READ_ONCE(p->group) == group && may_notify(p, uid, euid))
			signal_send_process(p, info->si_signo, info);
	}
}

static bool owner_exists(int type, int id)
{
	struct process *p = NULL;
	struct task *t = NULL;
	bool found;

	if (type == F_OWNER_TID) {
		t = task_find(id);
		found = t;
	} else if (type == F_OWNER_PID) {
		p = process_find(id);
		found = p;
	} else {
		struct pid *group = pid_find(id);

		found = group;
		pid_put(group);
	}
	if (t)
		task_put(t);
	if (p)
		process_put(p);
	return found;
}

static void signal_owner(int type, int id, uint32_t uid, uint32_t euid, int sig, int fd, long band)
{
	struct siginfo info;
	struct process *p;
	struct task *t;
	struct pid *group;

	make_info(&info, sig, fd, band);
	if (type == F_OWNER_TID) {
		t = task_find(id);
		if (t && may_notify(t->process, uid, euid))
			signal_send_task(t, info.si_signo, &info);
		if (t)
			task_put(t);
	} else if (type == F_OWNER_PID) {
		p = process_find(id);
		if (p && may_notify(p, uid, euid))
			signal_send_process(p, info.si_signo, &info);
		if (p)
			process_put(p);
	} else {
		group = pid_find(id);
		if (group)
			notify_group(group, uid, euid, &info);
		pid_put(group);
	}
}

const struct process_ops linux_process_ops = {
	.pid = caller_pid, .tid = caller_tid, .thread_pid = thread_pid, .thread_tid = thread_tid,
	.thread_find = thread_find,
	.identity_changes = identity_changes, .inspect = inspect,
	.user_change = user_change, .rlimit = caller_limit,
	.signal_current = signal_caller, .owner_exists = owner_exists, .signal_owner = signal_owner,
};
