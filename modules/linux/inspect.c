/*
 * Looking into another process: the one place that decides, as ptrace(2) describes it, who may.
 *
 * What is asked about a process holds only until it executes another program. exec changes the memory,
 * `dumpable`, the descriptors that are closed and the credentials in one step under exec_lock. So the
 * same lock is held here from the check until the caller has taken what it wants: a reference to the
 * address space or to a file, or a copy of numbers. Nothing is waited for meanwhile that needs another
 * process to go on.
 *
 * Locking: exec_lock outside of all spinlocks and of aspace.lock. Two of them in order of addresses.
 */
#include "internal.h"

#include "core/mem/aspace.h"
#include "modules/vfs/fd.h"

/* The task itself, or the process's first, ended or not; with a reference. */
static struct task *task_to_ask(struct process *p, struct task *t)
{
	if (!t)
		return process_leader(p);
	task_get(t);
	return t;
}

static int may_inspect(struct process *p, struct task *task, enum inspect_ids ids)
{
	struct task *t;
	int error;

	if (p == current_process)
		return 0;
	t = task_to_ask(p, task);
	if (!t)
		return -ESRCH;
	error = t->thread ? service(authority)->may_trace(t->thread, ids == INSPECT_REAL_IDS) : -ESRCH;
	task_put(t);
	/* setuid(2) and the like take `dumpable` away before they change what was asked above. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (!error && READ_ONCE(p->dumpable) != 1 && !capable(CAP_SYS_PTRACE))
		error = -EPERM;
	return error;
}

int process_may_inspect(struct process *p)
{
	return may_inspect(p, NULL, INSPECT_FS_IDS);
}
MODAPI(process_may_inspect);

int process_inspect_begin(struct process *p, struct task *t, enum inspect_ids ids)
{
	int error = mutex_lock_killable(&p->exec_lock);

	if (error)
		return error;
	error = may_inspect(p, t, ids);
	if (error)
		mutex_unlock(&p->exec_lock);
	return error;
}
MODAPI(process_inspect_begin);

void process_inspect_end(struct process *p)
{
	mutex_unlock(&p->exec_lock);
}
MODAPI(process_inspect_end);

int process_inspect_begin_two(struct process *a, struct process *b, enum inspect_ids ids)
{
	struct process *first = a < b ? a : b, *second = a < b ? b : a;
	int error = process_inspect_begin(first, NULL, ids);

	if (error || first == second)
		return error;
	error = process_inspect_begin(second, NULL, ids);
	if (error)
		process_inspect_end(first);
	return error;
}

void process_inspect_end_two(struct process *a, struct process *b)
{
	process_inspect_end(a);
	if (a != b)
		process_inspect_end(b);
}

int process_take_aspace(struct process *p, struct task *t, enum inspect_ids ids, struct aspace **out)
{
	int error = process_inspect_begin(p, t, ids);
	struct task *from;

	*out = NULL;
	if (error)
		return error;
	from = task_to_ask(p, t);
	if (from && from->thread)
		*out = thread_get_aspace(from->thread);
	if (from)
		task_put(from);
	process_inspect_end(p);
	return *out ? 0 : -ESRCH;
}
MODAPI(process_take_aspace);

int process_take_file(struct process *p, struct task *t, enum inspect_ids ids, int fd, struct file **out)
{
	int error = process_inspect_begin(p, t, ids);
	struct task *from;

	if (error)
		return error;
	from = task_to_ask(p, t);
	error = from && from->thread ? thread_fd_file(from->thread, fd, out) : -ESRCH;
	if (from)
		task_put(from);
	process_inspect_end(p);
	return error;
}
MODAPI(process_take_file);
