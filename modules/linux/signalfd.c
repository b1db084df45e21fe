/*
 * signalfd: reading signals from a descriptor. The signals are the reader's, not those of whoever made the descriptor.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/eventpoll.h>
#include <linux/signalfd.h>

#include "modules/vfs/fd.h"
#include "modules/vfs/poll.h"

struct signalfd {
	uint64_t mask;
};

static void fill(struct signalfd_siginfo *s, const struct siginfo *i)
{
	memset(s, 0, sizeof(*s));
	s->ssi_signo = (uint32_t)i->si_signo;
	s->ssi_errno = i->si_errno;
	s->ssi_code = i->si_code;
	s->ssi_pid = (uint32_t)i->si_pid;
	s->ssi_uid = i->si_uid;
	if (i->si_code == SI_TIMER) {
		s->ssi_pid = s->ssi_uid = 0;
		s->ssi_tid = (uint32_t)i->si_tid;
		s->ssi_overrun = (uint32_t)i->si_overrun;
	}
	s->ssi_ptr = (uintptr_t)i->si_ptr;
	s->ssi_int = i->si_int;
	if (i->si_signo == SIGCHLD) {
		s->ssi_status = i->si_status;
		s->ssi_utime = (uint64_t)i->si_utime;
		s->ssi_stime = (uint64_t)i->si_stime;
	} else if (i->si_code > 0 && (i->si_signo == SIGSEGV || i->si_signo == SIGBUS || i->si_signo == SIGILL || i->si_signo == SIGFPE)) {
		s->ssi_addr = (uintptr_t)i->si_addr;
	}
}

static bool something_pending(const struct signalfd *s)
{
	struct task *t = current_task;

	return ((READ_ONCE(t->pending.set) | READ_ONCE(t->process->pending.set)) & READ_ONCE(s->mask)) != 0;
}

static long signalfd_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct signalfd *s = f->private;
	struct signalfd_siginfo out;
	struct siginfo info;
	long done = 0;

	(void)pos;
	if (to->count < sizeof(out))
		return -EINVAL;
	while (to->count >= sizeof(out)) {
		if (!signal_dequeue(s->mask, &info)) {
			int error;

			if (done)
				break;
			if (io_flags & IO_NONBLOCK)
				return -EAGAIN;
			error = wait_event(&current_process->signalfd_wait, something_pending(s), WAIT_INTERRUPTIBLE, TIME_NEVER);
			if (error)
				return error == -EINTR ? -ERESTARTSYS : error;
			continue;
		}
		fill(&out, &info);
		if (io_iter_write(to, &out, sizeof(out)) != sizeof(out))
			return done ? done : -EFAULT;
		done += (long)sizeof(out);
	}
	return done;
}

static unsigned int signalfd_poll(struct file *f, struct poll_table *table)
{
	poll_wait(table, f, &current_process->signalfd_wait);
	return something_pending(f->private) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void signalfd_release(struct file *f)
{
	kfree(f->private);
}

static int signalfd_describe(struct file *f, char *buf, size_t size)
{
	const struct signalfd *s = f->private;

	return snprintf(buf, size, "sigmask:\t%016llx\n", (unsigned long long)s->mask);
}

static const struct file_ops signalfd_ops = {
	.read = signalfd_read, .poll = signalfd_poll, .release = signalfd_release, .describe = signalfd_describe,
};

static int change_mask(int fd, uint64_t mask)
{
	struct fd_ref ref;
	int error = fd_get(fd, &ref);

	if (error)
		return error;
	if (ref.file->ops == &signalfd_ops) {
		WRITE_ONCE(((struct signalfd *)ref.file->private)->mask, mask);
		wait_wake_all(&current_process->signalfd_wait);
	} else {
		error = -EINVAL;
	}
	fd_put(&ref);
	return error ? error : fd;
}

long sys_signalfd4(int32_t fd, struct uin_sigset set, size_t size, int32_t flags)
{
	struct signalfd *s;
	struct file *f;
	uint64_t mask;
	int error;

	if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK) || size != sizeof(mask))
		return -EINVAL;
	if (user_load_u64(set.addr, &mask))
		return -EFAULT;
	mask &= ~SIG_KILL_STOP;
	if (fd != -1)
		return change_mask(fd, mask);
	s = kzalloc(sizeof(*s), 0);
	if (!s)
		return -ENOMEM;
	s->mask = mask;
	error = anon_file_create("[signalfd]", &signalfd_ops, s, O_RDWR | (flags & O_NONBLOCK), &f);
	if (error) {
		kfree(s);
		return error;
	}
	error = fd_install(f, flags & SFD_CLOEXEC ? O_CLOEXEC : 0);
	if (error < 0)
		file_put(f);
	return error;
}

long sys_signalfd(int32_t fd, struct uin_sigset set, size_t size)
{
	return sys_signalfd4(fd, set, size, 0);
}
