/*
 * Process descriptors: pidfd_open, pidfd_send_signal, pidfd_getfd, and polling for the end of a process.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/pidfd.h>
#include <linux/eventpoll.h>

#include "modules/vfs/fd.h"
#include "modules/vfs/poll.h"

static unsigned int pidfd_poll(struct file *f, struct poll_table *table)
{
	struct pid *pid = f->private;
	struct process *p;
	unsigned long flags;
	bool ended;

	poll_wait(table, f, &pid->wait);
	flags = spin_lock_irqsave(&tree_lock);
	p = pid->process;
	ended = !p || p->state != PROCESS_ALIVE;
	spin_unlock_irqrestore(&tree_lock, flags);
	return ended ? EPOLLIN | EPOLLRDNORM : 0;
}

static void pidfd_release(struct file *f)
{
	pid_put(f->private);
}

static int pidfd_describe(struct file *f, char *buf, size_t size)
{
	struct pid *pid = f->private;
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	int nr = pid->process ? pid->nr : -1;

	spin_unlock_irqrestore(&tree_lock, flags);
	return snprintf(buf, size, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll, .release = pidfd_release, .describe = pidfd_describe,
};

int pidfd_create(struct pid *pid, unsigned int flags, struct file **out)
{
	int error = anon_file_create("[pidfd]", &pidfd_ops, pid, flags, out);

	if (!error)
		pid_get(pid);
	return error;
}

struct pid *pidfd_pid(struct file *f)
{
	return f->ops == &pidfd_ops ? f->private : NULL;
}

static int install(struct pid *pid, unsigned int flags)
{
	struct file *f;
	int fd, error = pidfd_create(pid, O_RDWR | (flags & O_NONBLOCK), &f);

	if (error)
		return error;
	fd = fd_install(f, O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

long sys_pidfd_open(int32_t nr, uint32_t flags)
{
	struct pid *pid;
	unsigned long irq;
	int result;

	if (flags & ~PIDFD_NONBLOCK || nr <= 0)
		return -EINVAL;
	pid = pid_find(nr);
	if (!pid)
		return -ESRCH;
	irq = spin_lock_irqsave(&tree_lock);
	result = pid->process ? 0 : pid->task ? -EINVAL : -ESRCH;
	spin_unlock_irqrestore(&tree_lock, irq);
	if (!result)
		result = install(pid, flags);
	pid_put(pid);
	return result;
}

struct process *(*process_of_directory)(struct file *f);
MODAPI(process_of_directory);

int pidfd_process(int fd, bool directories, struct process **out)
{
	struct fd_ref ref;
	struct pid *pid;
	unsigned long flags;
	int error = fd_get(fd, &ref);

	if (error)
		return error;
	pid = pidfd_pid(ref.file);
	error = -EBADF;
	if (!pid && directories && process_of_directory) {
		*out = process_of_directory(ref.file);
		if (*out && READ_ONCE((*out)->state) == PROCESS_REAPED) {
			process_put(*out);
			error = -ESRCH;
		} else if (*out) {
			error = 0;
		}
	} else if (pid) {
		flags = spin_lock_irqsave(&tree_lock);
		*out = pid->process;
		if (*out)
			process_get(*out);
		spin_unlock_irqrestore(&tree_lock, flags);
		error = *out ? 0 : -ESRCH;
	}
	fd_put(&ref);
	return error;
}

long sys_pidfd_send_signal(int32_t fd, int32_t sig, struct uin_siginfo from, uint32_t flags)
{
	struct siginfo info;
	struct process *p;
	int error;

	if (flags)
		return -EINVAL;
	error = pidfd_process(fd, true, &p);
	if (error)
		return error;
	if (sig < 0 || sig > SIGNALS)
		error = -EINVAL;
	if (!error && from.addr) {
		error = siginfo_from_user(&info, from.addr);
		if (!error && info.si_signo != sig)
			error = -EINVAL;
		if (!error && (info.si_code >= 0 || info.si_code == SI_TKILL) && p != current_process)
			error = -EPERM;
	}
	if (!error)
		error = signal_may_send(p, sig);
	if (!error && sig)
		error = signal_send_process(p, sig, from.addr ? &info : SIGINFO_NONE);
	process_put(p);
	return error;
}

long sys_pidfd_getfd(int32_t pidfd, int32_t target, uint32_t flags)
{
	struct process *p;
	struct file *f;
	int result;

	if (flags)
		return -EINVAL;
	result = pidfd_process(pidfd, false, &p);
	if (result)
		return result;
	result = process_take_file(p, NULL, INSPECT_REAL_IDS, target, &f);
	process_put(p);
	if (result)
		return result;
	result = fd_install(f, O_CLOEXEC);
	if (result < 0)
		file_put(f);
	return result;
}

/* The process has been killed and frees its memory itself: waits until that is done. */
long sys_process_mrelease(int32_t fd, uint32_t flags)
{
	struct process *p;
	bool ending;
	int error;

	if (flags)
		return -EINVAL;
	error = pidfd_process(fd, false, &p);
	if (error)
		return error;
	ending = READ_ONCE(p->group_exit);
	if (READ_ONCE(p->state) != PROCESS_ALIVE)
		error = -ESRCH;
	else if (!ending)
		error = -EINVAL;
	else
		error = wait_event(&p->pid->wait, READ_ONCE(p->state) != PROCESS_ALIVE, WAIT_INTERRUPTIBLE, TIME_NEVER);
	process_put(p);
	return error == -EINTR ? -ERESTARTSYS : error;
}
