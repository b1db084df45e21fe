/*
 * The end of threads and processes.
 *
 * In the thread_exit hook a thread gives back what it has in user memory; in thread_gone, when its files are closed and its address space is
 * released, it leaves its process. The last thread makes the process a zombie: children get a new parent, groups that
 * lose their last tie to the session are told, the parent is notified. All of that is one step under tree_lock.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/wait.h>

#include "core/debug/panic.h"
#include "core/mem/uaccess.h"
#include "core/module/hooks.h"
#include "modules/linux/sem_undo.h"
#include "modules/vfs/file.h"

void (*session_leader_exit)(struct tty *tty, struct pid *session);
MODAPI(session_leader_exit);

void (*session_tty_info)(struct tty *tty, uint64_t *rdev, int *foreground_group);
MODAPI(session_tty_info);

void task_exit(int code)
{
	struct task *t = current_task;
	struct process *p = t->process;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	t->exit_code = code;
	t->exiting = true;
	spin_unlock_irqrestore(&p->lock, flags);
	thread_exit();
}

/* Tells the other threads to die. process.lock held. */
static void kill_others_locked(struct process *p, struct task *self)
{
	struct task *t;

	list_for_each(t, &p->tasks, link)
		if (t != self && t->thread)
			thread_set_work(t->thread, WORK_KILL | WORK_SIGNAL);
}

void process_exit_group(int code)
{
	struct process *p = current_process;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	if (p->group_exit) {
		code = p->group_exit_code;
	} else if (p->group_exec && p->group_exec != current_task) {
		code = 0;		/* another thread's exec is killing us */
	} else {
		p->group_exit = true;
		p->group_exit_code = code;
		kill_others_locked(p, current_task);
	}
	spin_unlock_irqrestore(&p->lock, flags);
	task_exit(code);
}
MODAPI(process_exit_group);

int process_kill_others(void)
{
	struct task *t = current_task;
	struct process *p = t->process;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	int error = 0;

	if (p->group_exit || p->group_exec) {
		error = -EAGAIN;
	} else {
		p->group_exec = t;
		kill_others_locked(p, t);
	}
	spin_unlock_irqrestore(&p->lock, flags);
	if (error)
		return error;
	error = wait_event(&p->exec_wait, READ_ONCE(p->task_count) == 1, WAIT_KILLABLE, TIME_NEVER);
	flags = spin_lock_irqsave(&p->lock);
	p->group_exec = NULL;
	spin_unlock_irqrestore(&p->lock, flags);
	return error ? -EAGAIN : 0;
}

void task_finish_vfork(struct task *t)
{
	unsigned long flags;

	if (!READ_ONCE(t->vfork_wait))
		return;
	flags = spin_lock_irqsave(&tree_lock);
	if (t->vfork_wait) {
		struct wait_queue *q = t->vfork_wait;

		WRITE_ONCE(t->vfork_wait, NULL);
		wait_wake_all(q);	/* under the lock: the queue is on the parent's stack */
	}
	spin_unlock_irqrestore(&tree_lock, flags);
}

/* Exec and exit: what refers to user memory that goes away. */
void task_release_user_state(struct task *t)
{
	uintptr_t address = t->clear_child_tid;

	t->clear_child_tid = 0;
	if (!address || t->thread != current || refcount_read(&current->aspace->users) < 2)
		return;
	/* Somebody else may look at the word: a failed store is nobody's fault but the program's. */
	if (!user_store_u32(address, 0))
		service(futex)->wake(address, false, 1);
}

void linux_thread_exit(struct thread *thread)
{
	struct task *t = task_of(thread);
	struct identity id;
	unsigned long flags;

	if (!t)
		return;
	service(authority)->identity(thread, &id);
	flags = spin_lock_irqsave(&t->process->lock);
	t->process->last_uid = id.uid;
	memcpy(t->process->last_name, thread->name, sizeof(t->process->last_name));
	t->exiting = true;
	process_add_thread_times(t->process, thread);
	t->counted = true;
	spin_unlock_irqrestore(&t->process->lock, flags);
	task_release_user_state(t);
}

/* The process that takes over the children of `p`: the nearest living subreaper above, else init. tree_lock held. */
static struct process *new_parent(struct process *p)
{
	if (p->has_subreaper_above)
		for (struct process *a = p->parent; a && a != init_process; a = a->parent)
			if (a->subreaper && a->state == PROCESS_ALIVE && a->task_count)
				return a;
	return init_process;
}

/* Is the group without a member whose parent is in another group of the session? tree_lock held. */
static bool orphaned(struct pid *group, struct process *leaving)
{
	struct process *p;

	list_for_each(p, &group->group, group_link) {
		if (p->state != PROCESS_ALIVE)
			break;		/* and so are all behind it */
		if (p == leaving || !p->parent || p->parent == init_process)
			continue;
		if (p->parent->group != p->group && p->parent->session == p->session)
			return false;
	}
	return true;
}

static bool has_stopped(struct pid *group)
{
	struct process *p;

	list_for_each(p, &group->group, group_link)
		if (p->stopped)
			return true;
	return false;
}

/* A group that becomes orphaned by `leaving` and has stopped members gets SIGHUP and SIGCONT. tree_lock held. */
static void check_orphaned_group(struct pid *group, struct process *leaving, struct process *parent, struct pid *session)
{
	if (!parent || parent->group == group || parent->session != session)
		return;
	if (orphaned(group, leaving) && has_stopped(group)) {
		signal_send_group_locked(group, SIGHUP, SIGINFO_KERNEL);
		signal_send_group_locked(group, SIGCONT, SIGINFO_KERNEL);
	}
}

bool group_is_orphaned(struct pid *group)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	bool result = orphaned(group, NULL);

	spin_unlock_irqrestore(&tree_lock, flags);
	return result;
}
MODAPI(group_is_orphaned);

/* Frees a zombie that nobody will wait for; drops the tree's reference after the lock. tree_lock held. */
static void autoreap_locked(struct process *p, struct list *reaped)
{
	process_detach_locked(p);
	list_add_tail(reaped, &p->sibling);
}

static void reparent_children(struct process *p, struct list *reaped)
{
	struct process *to = new_parent(p), *child, *next;

	list_for_each_safe(child, next, &p->children, sibling) {
		struct task *t;

		child_remove_locked(child);
		child->exit_signal = SIGCHLD;
		child_add_locked(child, to, NULL);
		list_for_each(t, &child->tasks, link)
			if (t->parent_death_signal)
				signal_send_process_locked(child, t->parent_death_signal, SIGINFO_NONE);
		check_orphaned_group(child->group, NULL, p, child->session);
		if (child->state == PROCESS_ZOMBIE) {
			signal_notify_parent_locked(child, 0);
			if (child->autoreap)
				autoreap_locked(child, reaped);
		}
	}
}

/* Children whose parent thread ended: pdeath signals go out in its name, the link to the thread is cut. tree_lock held. */
static void leave_children(struct task *t)
{
	while (!list_empty(&t->children)) {
		struct process *child = list_first(&t->children, struct process, own_sibling);
		struct task *c;

		child_leave_task_locked(child);
		list_for_each(c, &child->tasks, link)
			if (c->parent_death_signal)
				signal_send_process_locked(child, c->parent_death_signal, SIGINFO_NONE);
	}
}

/* The last thread is gone. tree_lock held. */
static void become_zombie(struct process *p, struct list *reaped)
{
	int code = p->group_exit ? p->group_exit_code : p->exit_code;

	if (p == init_process)
		panic("init ended with status 0x%x", code);
	p->exit_code = code;
	WRITE_ONCE(p->state, PROCESS_ZOMBIE);
	process_join_list_locked(p, p->group);
	reparent_children(p, reaped);
	check_orphaned_group(p->group, p, p->parent, p->session);
	signal_notify_parent_locked(p, code & 0x7f ? (code & 0x80 ? CLD_DUMPED : CLD_KILLED) : CLD_EXITED);
	wait_wake_all(&p->pid->wait);
	if (p->autoreap)
		autoreap_locked(p, reaped);
}

static void release_reaped(struct list *reaped)
{
	while (!list_empty(reaped)) {
		struct process *p = list_first(reaped, struct process, sibling);

		list_remove(&p->sibling);
		process_put(p);
	}
}

/* A session leader takes its terminal with it; if that hung up before, who was in its foreground hears of it now. */
static void leave_terminal(struct process *p)
{
	struct tty *tty = READ_ONCE(p->tty);
	unsigned long flags;
	struct pid *group;

	if (!p->session_leader)
		return;
	if (tty && session_leader_exit)
		session_leader_exit(tty, p->session);
	flags = spin_lock_irqsave(&tree_lock);
	group = p->tty_old_group;
	p->tty_old_group = NULL;
	spin_unlock_irqrestore(&tree_lock, flags);
	if (group && !tty) {
		signal_send_group(group, SIGHUP, SIGINFO_KERNEL);
		signal_send_group(group, SIGCONT, SIGINFO_KERNEL);
	}
	pid_put(group);
}

static void release_program(struct process *p)
{
	struct file *exe;

	mutex_lock(&p->exec_lock);
	exe = p->exe;
	p->exe = NULL;
	mutex_unlock(&p->exec_lock);
	if (exe)
		file_exec_put(exe);
}

void linux_thread_gone(struct thread *thread)
{
	struct task *t = task_of(thread);
	struct list reaped = LIST_INIT(reaped), dead = LIST_INIT(dead);
	struct process *p;
	unsigned long flags;
	bool last;

	if (!t)
		return;
	p = t->process;
	task_finish_vfork(t);
	sem_undo_leave(t);
	flags = spin_lock_irqsave(&tree_lock);
	leave_children(t);
	spin_lock_raw(&p->lock);
	signal_flush_locked(&t->pending, &dead);
	list_remove(&t->link);
	if (p->last_taker == t)
		p->last_taker = NULL;
	last = --p->task_count == 0;
	if (last)
		signal_flush_locked(&p->pending, &dead);
	if (t != p->leader) {
		user_uncharge_task(t->user);
		if (t->pid->task == t)
			t->pid->task = NULL;
	} else {
		p->user = user_get(t->user);	/* counts until the process is reaped, or another thread takes its place */
		p->exit_code = t->exit_code;	/* a process that exits as a group overrides it */
		task_get(t);			/* it stays behind its number until then */
	}
	WRITE_ONCE(t->ended, true);
	/* A stop that waited for this thread, too, may be complete now. */
	if (!last)
		signal_stop_count_locked(t);
	spin_unlock_raw(&p->lock);
	pid_unuse_locked(t->pid);
	spin_unlock_irqrestore(&tree_lock, flags);
	/* Whoever waits for the process finds its signals uncounted. */
	signal_release_list(&dead);
	if (last) {
		leave_terminal(p);	/* not by a look at the count before: several may end at once */
		/* The program may be written again as soon as somebody sees the zombie. */
		release_program(p);
		flags = spin_lock_irqsave(&tree_lock);
		become_zombie(p, &reaped);
		spin_unlock_irqrestore(&tree_lock, flags);
	}
	if (!last)
		wait_wake_all(&p->exec_wait);
	if (last)
		hook_call(group_gone, p);
	release_reaped(&reaped);
	thread_set_data(thread, linux_slot, NULL);
	task_put(t);
}

long sys_exit(int32_t status)
{
	task_exit((status & 0xff) << 8);
}

long sys_exit_group(int32_t status)
{
	process_exit_group((status & 0xff) << 8);
}

long sys_set_tid_address(struct uaddr_i32 address)
{
	current_task->clear_child_tid = address.addr;
	return current_task->pid->nr;
}
