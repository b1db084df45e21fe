/*
 * clone, clone3, fork, vfork: checks, the new address space, the task of a new thread, and vfork's wait.
 *
 * The core creates the thread and asks every module (thread_create hooks); ours makes the task and the process, and publishes them: from
 * then on signals reach the child, which is not started yet. After the hooks nothing can fail.
 */
#include "internal.h"

#include <gen/linux.h>

#include "core/arch/thread.h"
#include "core/mem/uaccess.h"
#include "core/trap/trap.h"
#include "modules/linux/sem_undo.h"
#include "modules/vfs/fd.h"

static struct linux_clone *request_of(struct clone_request *r) { return container_of(r, struct linux_clone, head); }

/* RLIMIT_NPROC counts processes and threads of the real user; the superuser is free of it. */
static bool too_many(void)
{
	return thread_count() >= PID_MAX - 2 ||
	       !user_may_have_task(current_task->user, process_limit(current_process, RLIMIT_NPROC));
}

/* Numbers the new task. */
static int number_task(struct task *t, const struct linux_clone *q)
{
	return pid_allocate(q->set_tid_count ? q->set_tid[0] : 0, &t->pid);
}

static void copy_task_state(struct task *t, struct task *parent, const struct linux_clone *q)
{
	t->blocked = parent->blocked;
	t->timer_slack_ns = t->timer_slack_default_ns = parent->timer_slack_ns;
	t->io_priority = parent->io_priority;
	t->login_uid = parent->login_uid;
	t->login_session = parent->login_session;
	t->memory_policy = parent->memory_policy;
	t->vfork_wait = q->vfork_wait;
	if (!(q->head.flags & CLONE_VM) || (q->head.flags & CLONE_VFORK)) {
		t->altstack_base = parent->altstack_base;
		t->altstack_size = parent->altstack_size;
		t->altstack_flags = parent->altstack_flags;
	}
	if (q->head.flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = q->child_tid;
}

/*
 * Publishes a thread of the caller's process. -ERESTARTNOINTR if the process is being killed or
 * stopped: its list of threads must not grow.
 */
static int attach_thread(struct task *t, struct process *p)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	int error = 0;

	spin_lock_raw(&p->lock);
	if (p->group_exit || p->group_exec || p->stop_signal)
		error = -ERESTARTNOINTR;
	else
		task_attach_locked(t);
	spin_unlock_raw(&p->lock);
	spin_unlock_irqrestore(&tree_lock, flags);
	return error;
}

/* Publishes a new process. -ERESTARTNOINTR if a signal came first that the child would otherwise miss. */
static int attach_process(struct task *t, struct process *p, struct task *parent_task, const struct linux_clone *q)
{
	struct process *caller = parent_task->process, *parent = caller;
	unsigned long flags = spin_lock_irqsave(&tree_lock);

	if (thread_has_work(current, WORK_KILL) || signal_pending()) {
		spin_unlock_irqrestore(&tree_lock, flags);
		return -ERESTARTNOINTR;
	}
	if (q->head.flags & CLONE_PARENT) {
		parent = caller->parent;
		parent_task = caller->parent_task;
		p->exit_signal = caller->exit_signal;
		p->parent_exec_id = caller->parent_exec_id;
	} else {
		p->parent_exec_id = caller->exec_id;
	}
	p->pid = t->pid;
	pid_get(p->pid);
	pid_use_locked(p->pid);
	p->leader = t;
	p->group = caller->group;
	p->session = caller->session;
	p->tty = caller->tty;
	p->has_subreaper_above = caller->has_subreaper_above || caller->subreaper;
	process_attach_locked(p, parent, parent_task);
	spin_lock_raw(&p->lock);
	task_attach_locked(t);
	spin_unlock_raw(&p->lock);
	spin_unlock_irqrestore(&tree_lock, flags);
	return 0;
}

int linux_thread_create(struct thread *child, struct thread *parent_thread, struct clone_request *head)
{
	struct linux_clone *q = request_of(head);
	struct task *parent = task_of(parent_thread), *t;
	struct process *p;
	int error;

	if (head->flags & CLONE_THREAD) {
		p = parent->process;
		process_get(p);
	} else {
		p = process_create(parent->process, q);
		if (!p)
			return -ENOMEM;
	}
	t = task_create(child, p, user_get(parent->user));
	process_put(p);		/* the task's reference is enough */
	if (!t)
		return -ENOMEM;
	error = user_charge_task(t->user, process_limit(parent->process, RLIMIT_NPROC)) ? 0 : -EAGAIN;
	if (error) {
		task_put(t);
		return error;
	}
	copy_task_state(t, parent, q);
	error = head->flags & CLONE_SYSVSEM ? sem_undo_inherit(t) : 0;
	if (!error)
		error = number_task(t, q);
	if (error)
		goto undo_charge;
	error = head->flags & CLONE_THREAD ? attach_thread(t, p) : attach_process(t, p, parent, q);
	if (error) {
		unsigned long flags = spin_lock_irqsave(&tree_lock);

		pid_unuse_locked(t->pid);
		spin_unlock_irqrestore(&tree_lock, flags);
		goto undo_charge;
	}
	thread_set_data(child, linux_slot, t);
	q->child = t;
	return 0;
undo_charge:
	sem_undo_leave(t);
	user_uncharge_task(t->user);
	task_put(t);
	return error;
}

static int check_flags(const struct linux_clone *q)
{
	uint64_t f = q->head.flags;

	int error = namespaces_check(f);

	if (error)
		return error;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_PARENT) && current_process == init_process)
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & (CLONE_THREAD | CLONE_DETACHED)))
		return -EINVAL;
	if ((f & CLONE_CLEAR_SIGHAND) && (f & CLONE_SIGHAND))
		return -EINVAL;
	return 0;
}

/* Makes the child's descriptor before the child exists for others: its number is written only when all went well. */
static int open_pidfd(struct linux_clone *q)
{
	q->pidfd_number = fd_reserve(O_CLOEXEC);
	return q->pidfd_number < 0 ? q->pidfd_number : 0;
}

static int publish_pidfd(struct linux_clone *q)
{
	struct file *f;
	int error = pidfd_create(q->child->pid, O_RDWR, &f);

	if (error)
		return error;
	if (user_store_u32(q->pidfd, (uint32_t)q->pidfd_number)) {
		file_put(f);
		return -EFAULT;
	}
	fd_publish(q->pidfd_number, f);
	return 0;
}

/* Waits until the child let go of our memory. Killable: a fatal signal must not wait for the child. */
static void vfork_wait(struct linux_clone *q, struct task *child)
{
	struct wait_queue *wait = q->vfork_wait;
	unsigned long flags;

	wait_event(wait, !READ_ONCE(child->vfork_wait), WAIT_KILLABLE, TIME_NEVER);
	/* Taken back if we were killed; otherwise this waits until the waker is done with the queue on our stack. */
	flags = spin_lock_irqsave(&tree_lock);
	WRITE_ONCE(child->vfork_wait, NULL);
	spin_unlock_irqrestore(&tree_lock, flags);
}

static int write_tids(struct linux_clone *q, struct thread *child)
{
	uint32_t tid = (uint32_t)q->child->pid->nr;

	if ((q->head.flags & CLONE_PARENT_SETTID) && user_store_u32(q->parent_tid, tid))
		return -EFAULT;
	if ((q->head.flags & CLONE_CHILD_SETTID) && child->aspace)
		aspace_write(child->aspace, q->child_tid, &tid, sizeof(tid), false);
	return 0;
}

static void place_child(struct linux_clone *q, struct thread *child)
{
	if (q->stack)
		arch_frame_set_sp(child->frame, q->stack);
	if (q->head.flags & CLONE_SETTLS)
		arch_thread_set_tls(child, q->tls);
	if (q->head.flags & CLONE_CLEAR_SIGHAND) {
		struct sighand *s = q->child->process->sighand;

		for (unsigned int i = 0; i < SIGNALS; i++)
			if (s->action[i].handler != (uintptr_t)SIG_IGN)
				s->action[i] = (struct signal_action){ 0 };
	}
}

static int child_aspace(const struct linux_clone *q, struct aspace **out)
{
	if (q->head.flags & CLONE_VM) {
		*out = current->aspace;
		aspace_get(*out);
		return 0;
	}
	return aspace_fork(current->aspace, out);
}

long linux_clone_thread(struct linux_clone *q, struct trap_frame *frame)
{
	struct wait_queue vfork = WAIT_QUEUE_INIT(vfork);
	struct aspace *as;
	struct thread *child;
	struct task *t;
	int error = check_flags(q), nr;

	(void)frame;
	if (error)
		return error;
	if (too_many())
		return -EAGAIN;
	if ((q->head.flags & CLONE_SETTLS) && !arch_thread_tls_valid(q->tls))
		return -EPERM;
	q->pidfd_number = -1;
	if (q->head.flags & CLONE_VFORK)
		q->vfork_wait = &vfork;
	if (q->head.flags & CLONE_PIDFD) {
		error = open_pidfd(q);
		if (error)
			return error;
	}
	error = child_aspace(q, &as);
	if (error)
		goto undo_pidfd;
	error = thread_create(current, as, &q->head, &child);
	aspace_put(as);
	if (error)
		goto undo_pidfd;
	t = q->child;
	task_get(t);
	place_child(q, child);
	error = write_tids(q, child);
	if (!error && q->pidfd_number >= 0)
		error = publish_pidfd(q);
	if (error) {
		t->process->autoreap |= !(q->head.flags & CLONE_THREAD);
		t->vfork_wait = NULL;
		thread_abandon(child);
		task_put(t);
		goto undo_pidfd;
	}
	nr = t->pid->nr;
	thread_start(child);
	if (q->vfork_wait)
		vfork_wait(q, t);
	task_put(t);
	return nr;
undo_pidfd:
	if (q->pidfd_number >= 0)
		fd_cancel(q->pidfd_number);
	return error;
}

long sys_fork(struct trap_frame *frame)
{
	struct linux_clone q = { .exit_signal = SIGCHLD };

	return linux_clone_thread(&q, frame);
}

long sys_vfork(struct trap_frame *frame)
{
	struct linux_clone q = { .head.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD };

	return linux_clone_thread(&q, frame);
}

long sys_clone(struct trap_frame *frame, uintptr_t flags, uintptr_t stack, struct uaddr_i32 parent, uintptr_t child,
	       uintptr_t tls)
{
	struct linux_clone q = {
		.head.flags = (uint32_t)flags & ~CSIGNAL, .exit_signal = flags & CSIGNAL, .stack = stack,
		.parent_tid = parent.addr, .pidfd = parent.addr,
	};

	arch_clone_arguments(child, tls, &q.child_tid, &q.tls);
	if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
		return -EINVAL;
	return linux_clone_thread(&q, frame);
}

static int check_clone3(const struct clone_args *a, struct linux_clone *q)
{
	if (a->flags & ~(0xffffffffull | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP))
		return -EINVAL;
	if (a->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME)))
		return -EINVAL;
	if (a->flags & CLONE_INTO_CGROUP)
		return -EINVAL;
	if (a->exit_signal & ~(uint64_t)CSIGNAL || a->exit_signal > SIGNALS)
		return -EINVAL;
	if ((a->flags & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal)
		return -EINVAL;
	if (!a->stack != !a->stack_size)
		return -EINVAL;
	if (a->stack && !user_range_ok(a->stack, a->stack_size))
		return -EINVAL;
	if (a->set_tid_size > 1 || !a->set_tid != !a->set_tid_size)
		return -EINVAL;
	if (a->set_tid_size) {
		uint32_t nr;

		if (user_load_u32(a->set_tid, &nr))
			return -EFAULT;
		if ((int)nr <= 0 || (int)nr >= PID_MAX)
			return -EINVAL;
		if (!capable(CAP_SYS_ADMIN) && !capable(CAP_CHECKPOINT_RESTORE))
			return -EPERM;
		q->set_tid[0] = (int)nr;
		q->set_tid_count = 1;
	}
	return 0;
}

long sys_clone3(struct trap_frame *frame, struct uext_clone_args args, size_t size)
{
	struct linux_clone q = { 0 };
	struct clone_args a;
	int error;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	error = copy_struct_from_user(&a, sizeof(a), args.addr, size);
	if (!error)
		error = check_clone3(&a, &q);
	if (error)
		return error;
	q.head.flags = a.flags;
	q.exit_signal = (int)a.exit_signal;
	q.stack = a.stack ? a.stack + a.stack_size : 0;
	q.tls = a.tls;
	q.child_tid = a.child_tid;
	q.parent_tid = a.parent_tid;
	q.pidfd = a.pidfd;
	return linux_clone_thread(&q, frame);
}
