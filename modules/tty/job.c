/*
 * Job control: sessions and their terminal, the foreground group, hang-ups.
 *
 * session and group of a terminal change under tty_mutex and lock together, so that each suffices for reading. Processes point back at the terminal
 * (process.tty), under the personality's tree lock; a terminal forgets its session before it goes away.
 */
#include "internal.h"

#include <gen/tty.h>
#include <linux/capability.h>

void tty_signal_foreground(struct tty *t, int sig)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct pid *group = t->group;

	if (group)
		pid_get(group);
	spin_unlock_irqrestore(&t->lock, flags);
	if (!group)
		return;
	signal_send_group(group, sig, SIGINFO_KERNEL);
	pid_put(group);
}

static bool ignores(int sig)
{
	return signal_blocked(sig) || signal_ignored(current_process, sig);
}

int tty_check_change(struct tty *t, int sig)
{
	struct pid *mine, *foreground;
	unsigned long flags;
	int error = 0;

	if (session_tty() != t)
		return 0;
	mine = current_group();
	flags = spin_lock_irqsave(&t->lock);
	foreground = t->group;		/* compared only */
	spin_unlock_irqrestore(&t->lock, flags);
	if (foreground && foreground != mine) {
		if (ignores(sig)) {
			error = sig == SIGTTIN ? -EIO : 0;
		} else if (group_is_orphaned(mine)) {
			error = -EIO;
		} else {
			signal_send_group(mine, sig, SIGINFO_KERNEL);
			error = -ERESTARTSYS;
		}
	}
	pid_put(mine);
	return error;
}

/* Exchanges session and group (references pass). tty_mutex held. */
static void set_session(struct tty *t, struct pid *session, struct pid *group)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct pid *old_session = t->session, *old_group = t->group;

	t->session = session;
	t->group = group;
	spin_unlock_irqrestore(&t->lock, flags);
	if (old_session)
		pid_put(old_session);
	if (old_group)
		pid_put(old_group);
}

/* tty_mutex held. */
static int take_session(struct tty *t)
{
	struct pid *session, *group;
	int error = session_set_tty(t, &session, &group);

	if (!error)
		set_session(t, session, group);
	return error;
}

void tty_open_session(struct tty *t, struct file *f)
{
	if (t->session || session_tty() || !current_task)
		return;
	/* Write access alone must not make it somebody's terminal. */
	if ((f->mode & FILE_READ) || service(authority)->capable(CAP_SYS_TTY_CONFIG))
		take_session(t);
}

/* The session loses the terminal; `tell`: its foreground group is told, and goes on if it is to. tty_mutex held. */
static void release_session(struct tty *t, bool tell, bool continue_group)
{
	struct pid *session = t->session, *group = t->group;

	if (!session)
		return;
	pid_get(session);
	if (group)
		pid_get(group);
	set_session(t, NULL, NULL);
	session_clear_tty(session);
	if (group && tell)
		signal_send_group(group, SIGHUP, SIGINFO_KERNEL);
	if (group && tell && continue_group)
		signal_send_group(group, SIGCONT, SIGINFO_KERNEL);
	if (group)
		pid_put(group);
	pid_put(session);
}

/* The leader hears of a hang-up wherever it stands. */
static void signal_leader(struct pid *session)
{
	struct process *leader = process_find(session->nr);

	if (!leader)
		return;
	signal_send_process(leader, SIGHUP, SIGINFO_KERNEL);
	signal_send_process(leader, SIGCONT, SIGINFO_KERNEL);
	process_put(leader);
}

/* Files opened so far are dead but those of /dev/console. tty_mutex held. */
void tty_hangup_locked(struct tty *t)
{
	struct pid *session = t->session;
	unsigned long flags;

	if (session) {
		pid_get(session);
		if (t->group)
			session_note_hangup(session, t->group);
		release_session(t, false, false);
		/* The leader alone: what it started hears of it from the leader, or when that ends. */
		signal_leader(session);
		pid_put(session);
	}
	tty_input_flush(t);
	flags = spin_lock_irqsave(&t->lock);
	t->generation++;
	t->stopped = false;
	t->exclusive = false;
	tty_line_flush_locked(t);
	spin_unlock_irqrestore(&t->lock, flags);
	wait_queue_wake(&t->read_wait, ~0u, POLL_IN_SET | EPOLLHUP | EPOLLERR);
	wait_queue_wake(&t->write_wait, ~0u, POLL_OUT_SET | EPOLLHUP | EPOLLERR);
}

void tty_hangup(struct tty *t)
{
	mutex_lock(&tty_mutex);
	tty_hangup_locked(t);
	mutex_unlock(&tty_mutex);
}

void tty_leader_exit(struct tty *t, struct pid *session)
{
	mutex_lock(&tty_mutex);
	if (t->session == session) {
		release_session(t, true, false);
		if (!t->master_wait)
			tty_hangup_locked(t);
	}
	mutex_unlock(&tty_mutex);
}

void tty_session_info(struct tty *t, uint64_t *rdev, int *foreground_group)
{
	/* Under tree_lock the terminal stays: its session would have to be cleared first. A group's memory stays, too: RCU. */
	struct pid *group = READ_ONCE(t->group);

	*rdev = t->device;
	*foreground_group = group ? group->nr : -1;
}

static int set_controlling(struct tty *t, struct file *f, uintptr_t steal)
{
	struct pid *session = current_session();
	int error = 0;

	mutex_lock(&tty_mutex);
	if (current_process->session_leader && t->session == session)
		goto out;
	error = -EPERM;
	if (!current_process->session_leader || session_tty())
		goto out;
	if (t->session) {
		if (steal != 1 || !service(authority)->capable(CAP_SYS_ADMIN))
			goto out;
		session_clear_tty(t->session);
		set_session(t, NULL, NULL);
	}
	if ((f->mode & FILE_READ) || service(authority)->capable(CAP_SYS_ADMIN))
		error = take_session(t);
out:
	mutex_unlock(&tty_mutex);
	pid_put(session);
	return error;
}

static int give_up(struct tty *t)
{
	if (session_tty() != t)
		return -ENOTTY;
	if (!current_process->session_leader) {
		process_clear_tty();
		return 0;
	}
	mutex_lock(&tty_mutex);
	release_session(t, true, true);
	mutex_unlock(&tty_mutex);
	return 0;
}

static int set_group(struct tty *real, uintptr_t arg)
{
	struct pid *session, *group;
	unsigned long flags;
	uint32_t nr;
	int error = tty_check_change(real, SIGTTOU);

	if (error)
		return error == -EIO ? -ENOTTY : error;
	session = current_session();
	error = -ENOTTY;
	if (session_tty() != real || READ_ONCE(real->session) != session)
		goto out;
	error = -EFAULT;
	if (user_load_u32(arg, &nr))
		goto out;
	error = -EINVAL;
	if ((int32_t)nr < 0)
		goto out;
	group = pid_find((int)nr);
	error = -ESRCH;
	if (!group)
		goto out;
	if (!group_in_session(group, session)) {
		pid_put(group);
		error = -EPERM;
		goto out;
	}
	mutex_lock(&tty_mutex);
	flags = spin_lock_irqsave(&real->lock);
	error = -ENOTTY;
	if (real->session == session) {
		struct pid *old = real->group;

		real->group = group;
		group = old;
		error = 0;
	}
	spin_unlock_irqrestore(&real->lock, flags);
	mutex_unlock(&tty_mutex);
	if (group)
		pid_put(group);
out:
	pid_put(session);
	return error;
}

static int get_number(struct tty *t, struct tty *real, bool session, uintptr_t arg)
{
	unsigned long flags;
	struct pid *p;
	int nr;

	if (t == real && session_tty() != real)
		return -ENOTTY;
	flags = spin_lock_irqsave(&real->lock);
	p = session ? real->session : real->group;
	nr = p ? p->nr : session ? -ENOTTY : 0;
	spin_unlock_irqrestore(&real->lock, flags);
	return nr < 0 ? nr : user_store_u32(arg, (uint32_t)nr);
}

long sys_vhangup(void)
{
	struct tty *t;

	if (!service(authority)->capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	t = tty_get_controlling();
	if (t) {
		tty_hangup(t);
		tty_put(t);
	}
	return 0;
}

long tty_job_ioctl(struct tty *t, struct tty *real, struct file *f, unsigned int cmd, uintptr_t arg)
{
	switch (cmd) {
	case TIOCSCTTY:
		return set_controlling(real, f, arg);
	case TIOCNOTTY:
		return t == real ? give_up(real) : -ENOTTY;
	case TIOCSPGRP:
		return set_group(real, arg);
	case TIOCGPGRP:
		return get_number(t, real, false, arg);
	case TIOCGSID:
		return get_number(t, real, true, arg);
	case TIOCVHANGUP:
		if (!service(authority)->capable(CAP_SYS_ADMIN))
			return -EPERM;
		tty_hangup(real);
		return 0;
	default:
		return -ENOIOCTLCMD;
	}
}
