/*
 * Name spaces (namespaces(7)): leaving those that are shared, and entering others. Mounts have them; each other kind is one for all, and
 * asking for a new one is EINVAL, as on a kernel built without it.
 *
 * A thread's name space of mounts belongs to its directories, so what is done here concerns the calling thread alone.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/capability.h>
#include <linux/sched.h>

#include "modules/linux/sem_undo.h"
#include "modules/vfs/fd.h"

#define CLONE_NEW_ANY (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
		       CLONE_NEWTIME)

int namespaces_check(uint64_t flags)
{
	if ((flags & CLONE_NEWNS) && (flags & CLONE_FS))
		return -EINVAL;
	if (flags & CLONE_NEWUSER)
		return -EINVAL;
	if ((flags & CLONE_NEW_ANY) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return flags & CLONE_NEW_ANY & ~(uint64_t)CLONE_NEWNS ? -EINVAL : 0;
}

long sys_unshare(uintptr_t flags)
{
	int error;

	if (flags & ~(uintptr_t)(CLONE_FS | CLONE_FILES | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_NEW_ANY))
		return -EINVAL;
	/* What threads share they share for good: only a process of one thread has these for itself. */
	if ((flags & (CLONE_THREAD | CLONE_VM | CLONE_SIGHAND)) && READ_ONCE(current_process->task_count) > 1)
		return -EINVAL;
	error = namespaces_check(flags & ~(uintptr_t)CLONE_FS);
	if (!error && (flags & CLONE_FILES))
		error = fd_table_unshare();
	if (!error && (flags & CLONE_FS))
		error = fs_context_unshare();
	if (!error && (flags & CLONE_NEWNS))
		error = mount_ns_unshare();
	if (!error && (flags & CLONE_SYSVSEM))
		sem_undo_leave(current_task);
	return error;
}

/* The name space of mounts that the descriptor of a process leads to, with a reference. */
static int ns_of_process(struct pid *pid, struct mount_ns **out)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct process *p = pid->process;
	struct task *t;
	int error;

	if (p)
		process_get(p);
	spin_unlock_irqrestore(&tree_lock, flags);
	if (!p)
		return -ESRCH;
	error = process_inspect_begin(p, NULL, INSPECT_REAL_IDS);
	if (!error) {
		t = process_leader(p);
		*out = t ? thread_mount_ns(t->thread) : NULL;
		error = *out ? 0 : -ESRCH;
		if (t)
			task_put(t);
		process_inspect_end(p);
	}
	process_put(p);
	return error;
}

static int ns_of_file(struct file *f, uint32_t type, struct mount_ns **out)
{
	struct pid *pid = pidfd_pid(f);

	if (pid)
		return type == CLONE_NEWNS ? ns_of_process(pid, out) : -EINVAL;
	*out = mount_ns_of_file(f);
	if (!*out || (type && type != CLONE_NEWNS))
		return -EINVAL;
	mount_ns_get(*out);
	return 0;
}

/* Everybody is in it already. */
static int enter_global(uint32_t kind, uint32_t type)
{
	if (type && type != kind)
		return -EINVAL;
	if (kind == CLONE_NEWUSER)
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

long sys_setns(int32_t fd, int32_t type)
{
	struct mount_ns *ns;
	uint32_t global;
	struct fd_ref ref;
	int error = fd_get(fd, &ref);

	if (error)
		return error;
	global = ns_global_type(ref.file);
	if (global) {
		fd_put(&ref);
		return enter_global(global, (uint32_t)type);
	}
	error = ns_of_file(ref.file, (uint32_t)type, &ns);
	fd_put(&ref);
	if (error)
		return error;
	error = capable(CAP_SYS_ADMIN) && capable(CAP_SYS_CHROOT) ? mount_ns_enter(ns) : -EPERM;
	mount_ns_put(ns);
	return error;
}
