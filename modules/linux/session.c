/*
 * Process groups, sessions and the controlling terminal; the calls on process numbers.
 *
 * All under tree_lock.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/capability.h>

long sys_getpid(void) { return current_process->pid->nr; }
long sys_gettid(void) { return current_task->pid->nr; }

long sys_getppid(void)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct process *parent = current_process->parent;
	int nr = parent ? parent->pid->nr : 0;

	spin_unlock_irqrestore(&tree_lock, flags);
	return nr;
}

struct pid *current_group(void)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *p = current_process->group;

	pid_get(p);
	spin_unlock_irqrestore(&tree_lock, flags);
	return p;
}
MODAPI(current_group);

struct pid *current_session(void)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *p = current_process->session;

	pid_get(p);
	spin_unlock_irqrestore(&tree_lock, flags);
	return p;
}
MODAPI(current_session);

int pty_max = 4096, pty_count;
MODAPI(pty_max);
MODAPI(pty_count);

/* The process that a number of 0 (the caller) or that of any thread means. tree_lock held. */
static struct process *by_number(int nr)
{
	struct pid *pid;

	if (nr == 0)
		return current_process;
	pid = pid_find_locked(nr);
	return !pid ? NULL : pid->process ? pid->process : pid->task ? pid->task->process : NULL;
}

long sys_getpgid(int32_t nr)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct process *p = by_number(nr);
	int result = p ? p->group->nr : -ESRCH;

	spin_unlock_irqrestore(&tree_lock, flags);
	return result;
}

long sys_getpgrp(void)
{
	return sys_getpgid(0);
}

long sys_getsid(int32_t nr)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct process *p = by_number(nr);
	int result = p ? p->session->nr : -ESRCH;

	spin_unlock_irqrestore(&tree_lock, flags);
	return result;
}

/* tree_lock held. */
static void join_group(struct process *p, struct pid *group)
{
	struct pid *old = p->group;

	if (old == group)
		return;
	pid_get(group);
	pid_use_locked(group);
	process_join_list_locked(p, group);
	p->group = group;
	child_note_locked(p);
	pid_unuse_locked(old);
	pid_put(old);
}

static int set_group_locked(int nr, int group_nr)
{
	struct process *me = current_process, *p = by_number(nr);
	struct pid *group;

	if (!p)
		return -ESRCH;
	if (nr && p->pid->nr != nr)
		return -EINVAL;		/* a thread's */
	if (p->parent == me && p != me) {
		if (p->session != me->session)
			return -EPERM;
		if (p->did_exec)
			return -EACCES;
	} else if (p != me) {
		return -ESRCH;
	}
	if (p->session_leader)
		return -EPERM;
	group = group_nr ? pid_find_locked(group_nr) : p->pid;
	if (group != p->pid) {
		struct process *member;

		if (!group || list_empty(&group->group))
			return -EPERM;
		member = list_first(&group->group, struct process, group_link);
		if (member->session != me->session)
			return -EPERM;
	}
	join_group(p, group);
	return 0;
}

long sys_setpgid(int32_t nr, int32_t group_nr)
{
	unsigned long flags;
	int error;

	if (group_nr < 0)
		return -EINVAL;
	if (nr < 0)
		return -ESRCH;
	flags = spin_lock_irqsave(&tree_lock);
	error = set_group_locked(nr, group_nr);
	spin_unlock_irqrestore(&tree_lock, flags);
	return error;
}

long sys_setsid(void)
{
	struct process *p = current_process;
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *old = p->session;

	if (p->session_leader || !list_empty(&p->pid->group)) {
		spin_unlock_irqrestore(&tree_lock, flags);
		return -EPERM;
	}
	join_group(p, p->pid);
	pid_get(p->pid);
	pid_use_locked(p->pid);
	list_remove(&p->session_link);
	list_add_tail(&p->pid->session, &p->session_link);
	p->session = p->pid;
	p->session_leader = true;
	p->tty = NULL;
	pid_unuse_locked(old);
	spin_unlock_irqrestore(&tree_lock, flags);
	pid_put(old);
	return p->pid->nr;
}

struct tty *session_tty(void)
{
	return current_task ? READ_ONCE(current_process->tty) : NULL;
}
MODAPI(session_tty);

int session_set_tty(struct tty *tty, struct pid **session, struct pid **group)
{
	struct process *me = current_process, *p;
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *old = NULL;
	int error = -EPERM;

	if (me->session_leader && !me->tty) {
		old = me->tty_old_group;
		me->tty_old_group = NULL;
		list_for_each(p, &me->session->session, session_link)
			WRITE_ONCE(p->tty, tty);
		*session = me->session;
		*group = me->group;
		pid_get(*session);
		pid_get(*group);
		error = 0;
	}
	spin_unlock_irqrestore(&tree_lock, flags);
	pid_put(old);
	return error;
}
MODAPI(session_set_tty);

void session_clear_tty(struct pid *session)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct process *p;

	list_for_each(p, &session->session, session_link)
		WRITE_ONCE(p->tty, NULL);
	spin_unlock_irqrestore(&tree_lock, flags);
}
MODAPI(session_clear_tty);

void session_note_hangup(struct pid *session, struct pid *group)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct process *leader = session->process;
	struct pid *old = NULL;

	if (leader && leader->session_leader && leader->state == PROCESS_ALIVE) {
		old = leader->tty_old_group;
		leader->tty_old_group = group;
		pid_get(group);
	}
	spin_unlock_irqrestore(&tree_lock, flags);
	pid_put(old);
}
MODAPI(session_note_hangup);

void process_clear_tty(void)
{
	WRITE_ONCE(current_process->tty, NULL);
}
MODAPI(process_clear_tty);

bool group_in_session(struct pid *group, struct pid *session)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	bool result = !list_empty(&group->group) &&
		      list_first(&group->group, struct process, group_link)->session == session;

	spin_unlock_irqrestore(&tree_lock, flags);
	return result;
}
MODAPI(group_in_session);

int task_set_login(uint32_t uid)
{
	static unsigned int last;
	struct task *t = current_task;
	uint32_t session = NO_LOGIN_ID;

	if (t->login_uid != NO_LOGIN_ID && !service(authority)->capable(CAP_AUDIT_CONTROL))
		return -EPERM;
	while (uid != NO_LOGIN_ID && session == NO_LOGIN_ID)
		session = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	WRITE_ONCE(t->login_session, session);
	WRITE_ONCE(t->login_uid, uid);
	return 0;
}
MODAPI(task_set_login);
