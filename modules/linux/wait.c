/*
 * wait4 and waitid: children that ended, stopped or went on.
 *
 * A number is looked up, all others are found among the children with something to report (children.c); only __WNOTHREAD looks at each
 * child of the thread. A waiter sleeps on its process's child_wait; every change of a child wakes it after the change, under tree_lock, so the pattern of
 * wait_event loses nothing. Reaping takes the zombie out of the tree under tree_lock: exactly one waiter gets it.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/wait.h>

#include "core/mem/uaccess.h"
#include "modules/vfs/fd.h"

struct wait_request {
	int type;			/* P_ALL, P_PID, P_PGID */
	struct pid *pid;		/* with a reference, or null */
	int options;
	/* results */
	int nr;				/* child's number */
	int code;			/* CLD_* */
	int status;			/* as wait4's word */
	uint32_t uid;
	struct cpu_times times;
	struct process *reaped;		/* the tree's reference to drop */
	bool candidates;		/* some child could still match */
};

static bool eligible(const struct wait_request *w, struct process *c)
{
	if (w->type == P_PID && c->pid != w->pid)
		return false;
	if (w->type == P_PGID && c->group != w->pid)
		return false;
	if (!(w->options & __WALL) && child_is_clone(c) != !!(w->options & __WCLONE))
		return false;
	return c->parent == current_process && (!(w->options & __WNOTHREAD) || c->parent_task == current_task);
}

static uint32_t uid_of(struct process *c)
{
	struct identity id;

	if (list_empty(&c->tasks))
		return c->last_uid;
	service(authority)->identity(list_first(&c->tasks, struct task, link)->thread, &id);
	return id.uid;
}

static void fill(struct wait_request *w, struct process *c, int code, int status)
{
	w->nr = c->pid->nr;
	w->code = code;
	w->status = status;
	w->uid = uid_of(c);
	spin_lock_raw(&c->lock);
	process_cpu_times_locked(c, &w->times);
	cpu_times_add(&w->times, &c->children_times);
	spin_unlock_raw(&c->lock);
}

/* A zombie is taken, or only looked at (WNOWAIT). tree_lock held. */
static void take_zombie(struct wait_request *w, struct process *c)
{
	struct process *me = current_process;

	fill(w, c, c->exit_code & 0x7f ? (c->exit_code & 0x80 ? CLD_DUMPED : CLD_KILLED) : CLD_EXITED, c->exit_code);
	if (w->options & WNOWAIT)
		return;
	spin_lock_raw(&me->lock);
	cpu_times_add(&me->children_times, &w->times);
	spin_unlock_raw(&me->lock);
	process_detach_locked(c);
	w->reaped = c;
}

/* Does the child have something to report? tree_lock held. */
static bool look_at(struct wait_request *w, struct process *c)
{
	bool found = false;

	if (c->state == PROCESS_ZOMBIE) {
		if (!(w->options & WEXITED))
			return false;
		take_zombie(w, c);
		return true;
	}
	spin_lock_raw(&c->lock);
	if (c->stopped && c->stop_code && (w->options & WSTOPPED)) {
		w->status = (c->stop_code << 8) | 0x7f;
		w->code = CLD_STOPPED;
		found = true;
		if (!(w->options & WNOWAIT))
			c->stop_code = 0;
	} else if (c->continued && (w->options & WCONTINUED)) {
		w->status = 0xffff;
		w->code = CLD_CONTINUED;
		found = true;
		if (!(w->options & WNOWAIT))
			c->continued = false;
	}
	spin_unlock_raw(&c->lock);
	if (found)
		fill(w, c, w->code, w->status);
	return found;
}

/* One child. True if it has something to report. tree_lock held. */
static bool scan_one(struct wait_request *w, struct process *c)
{
	bool found;

	if (!eligible(w, c))
		return false;
	/* A zombie that only stops were asked of will never stop. */
	if (c->state != PROCESS_ZOMBIE || (w->options & WEXITED))
		w->candidates = true;
	found = look_at(w, c);
	/* What was told is told; a stop may also have been ended by SIGKILL. */
	if (c->parent && c->state != PROCESS_ZOMBIE)
		child_note_locked(c);
	return found;
}

static bool scan_own(struct wait_request *w)
{
	struct process *c;

	list_for_each(c, &current_task->children, own_sibling)
		if (scan_one(w, c))
			return true;
	return false;
}

/* The eldest child with something to report that was asked for; null if there is none. tree_lock held. */
static struct process *find_event(const struct wait_request *w, bool clones, bool others)
{
	static const struct { unsigned int event; int option; } events[] = {
		{ CHILD_ENDED, WEXITED }, { CHILD_STOPPED, WSTOPPED }, { CHILD_CONTINUED, WCONTINUED },
	};
	struct process *found = NULL;

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(events); i++) {
		unsigned int event = events[i / 2].event + i % 2;
		struct process *c;

		if (!(w->options & events[i / 2].option) || !(i % 2 ? clones : others))
			continue;
		c = w->type == P_ALL ? child_with_event_locked(current_process, event) :
				       child_of_group_with_event_locked(current_process, w->pid, event);
		if (c && (!found || c->birth < found->birth))
			found = c;
	}
	return found;
}

/* Is there a living child of one of these kinds? */
static bool lives(const struct process *p, bool clones, bool others)
{
	return (others && p->living_children[0]) || (clones && p->living_children[1]);
}

static bool scan_all(struct wait_request *w)
{
	struct process *me = current_process, *c;
	bool clones = w->options & (__WCLONE | __WALL);
	bool others = (w->options & __WALL) || !(w->options & __WCLONE);

	while ((c = find_event(w, clones, others)))
		if (scan_one(w, c))
			return true;
	if (w->type == P_ALL)
		w->candidates = lives(me, clones, others);
	else
		w->candidates = child_of_group_lives_locked(me, w->pid, clones, others);
	return false;
}

/* One look at the children: true if there is a result or nothing to wait for. */
static bool scan(struct wait_request *w)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	bool found;

	w->candidates = false;
	if (w->type == P_PID)
		found = w->pid->process && scan_one(w, w->pid->process);
	else
		found = w->options & __WNOTHREAD ? scan_own(w) : scan_all(w);
	spin_unlock_irqrestore(&tree_lock, flags);
	return found || !w->candidates;
}

/* Number of the child, 0 (WNOHANG and nothing yet), or negative errno. */
static int do_wait(struct wait_request *w)
{
	int error;

	if (w->options & WNOHANG) {
		if (!scan(w))
			return 0;
		error = 0;
	} else {
		error = wait_event(&current_process->child_wait, scan(w), WAIT_INTERRUPTIBLE, TIME_NEVER);
	}
	if (w->reaped)
		process_put(w->reaped);
	if (error)
		return error == -EINTR ? -ERESTARTSYS : error;
	return w->nr ? w->nr : -ECHILD;
}

static int get_target(struct wait_request *w, int which, int nr)
{
	w->type = which;
	if (which == P_ALL)
		return 0;
	if (which == P_PGID && nr == 0) {
		w->pid = current_group();
		return 0;
	}
	w->pid = pid_find(nr);
	return w->pid ? 0 : -ECHILD;
}

static int rusage_out(struct uout_rusage to, const struct cpu_times *t)
{
	struct rusage r;

	if (!to.addr)
		return 0;
	rusage_from_times(t, &r);
	return copy_out_rusage(to, &r);
}

long sys_wait4(int32_t nr, struct uout_i32 status, int32_t options, struct uout_rusage usage)
{
	struct wait_request w = { .options = options | WEXITED };
	int result;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (nr == INT32_MIN)
		return -ESRCH;
	result = get_target(&w, nr == -1 ? P_ALL : nr > 0 ? P_PID : P_PGID, nr > 0 ? nr : -nr);
	if (result)
		return result;
	result = do_wait(&w);
	pid_put(w.pid);
	if (result > 0) {
		if (status.addr && user_store_u32(status.addr, (uint32_t)w.status))
			return -EFAULT;
		if (rusage_out(usage, &w.times))
			return -EFAULT;
	}
	return result;
}

static int pidfd_target(struct wait_request *w, int fd)
{
	struct fd_ref ref;
	struct pid *pid;
	int error = fd_get(fd, &ref);

	if (error)
		return error;
	pid = pidfd_pid(ref.file);
	if (pid) {
		pid_get(pid);
		w->pid = pid;
		w->type = P_PID;
		if (ref.file->flags & O_NONBLOCK)
			w->options |= WNOHANG;
	}
	fd_put(&ref);
	return pid ? 0 : -EBADF;
}

static int siginfo_out(struct uout_siginfo to, const struct wait_request *w)
{
	struct siginfo info;

	if (!to.addr)
		return 0;
	memset(&info, 0, sizeof(info));
	if (w->nr) {
		info.si_signo = SIGCHLD;
		info.si_code = w->code;
		info.si_pid = w->nr;
		info.si_uid = w->uid;
		info.si_status = w->code == CLD_EXITED ? (w->status >> 8) & 0xff :
				 w->code == CLD_STOPPED ? (w->status >> 8) & 0xff :
				 w->code == CLD_CONTINUED ? SIGCONT : w->status & 0x7f;
	}
	return copy_out_siginfo(to, &info);
}

/* The number of the child, 0, or a negative errno; *w describes the child. */
static int wait_by_id(struct wait_request *w, int which, int nr)
{
	bool nonblocking;
	int options = w->options, result;

	if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (which == P_ALL)
		result = get_target(w, P_ALL, 0);
	else if (which == P_PID)
		result = nr > 0 ? get_target(w, P_PID, nr) : -EINVAL;
	else if (which == P_PGID)
		result = nr >= 0 ? get_target(w, P_PGID, nr) : -EINVAL;
	else if (which == P_PIDFD)
		result = nr >= 0 ? pidfd_target(w, nr) : -EINVAL;
	else
		result = -EINVAL;
	if (result)
		return result;
	nonblocking = (w->options & WNOHANG) && !(options & WNOHANG);
	result = do_wait(w);
	pid_put(w->pid);
	return result == 0 && nonblocking ? -EAGAIN : result;
}

long sys_waitid(int32_t which, int32_t nr, struct uout_siginfo out, int32_t options, struct uout_rusage usage)
{
	struct wait_request w = { .options = options };
	int result = wait_by_id(&w, which, nr);

	if (result > 0 && rusage_out(usage, &w.times))
		return -EFAULT;
	/* As Linux: the structure is written, with zeroes, also when the call fails. */
	if (siginfo_out(out, &w))
		return -EFAULT;
	return result < 0 ? result : 0;
}
