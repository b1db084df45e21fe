/*
 * eventfd: a counter to wait for. `lock` guards it, with interrupts off, because other parts of the kernel may signal
 * it from anywhere. Readers and writers share one queue, so all of them wake and look.
 */
#include <gen/vfs.h>

#include "modules/vfs/internal.h"

#define EFD_SEMAPHORE 1
#define EFD_CLOEXEC   O_CLOEXEC
#define EFD_NONBLOCK  O_NONBLOCK

struct eventfd {
	struct spinlock lock;
	uint64_t count;
	bool semaphore;
	unsigned int id;
	struct wait_queue wait;
};

static unsigned int next_eventfd_id;

static bool take(struct eventfd *e, uint64_t *value)
{
	unsigned long flags = spin_lock_irqsave(&e->lock);
	bool any = e->count > 0;

	if (any) {
		*value = e->semaphore ? 1 : e->count;
		e->count -= *value;
	}
	spin_unlock_irqrestore(&e->lock, flags);
	return any;
}

static bool add(struct eventfd *e, uint64_t value)
{
	unsigned long flags = spin_lock_irqsave(&e->lock);
	bool room = UINT64_MAX - 1 - e->count >= value;

	if (room)
		e->count += value;
	spin_unlock_irqrestore(&e->lock, flags);
	return room;
}

static long eventfd_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct eventfd *e = f->private;
	uint64_t value;
	int error = 0;

	(void)pos;
	if (to->count < sizeof(value))
		return -EINVAL;
	if (!take(e, &value)) {
		if (io_flags & IO_NONBLOCK)
			return -EAGAIN;
		error = wait_event(&e->wait, take(e, &value), WAIT_INTERRUPTIBLE, TIME_NEVER);
	}
	if (error)
		return wait_error(error);
	poll_wake(&e->wait, POLL_OUT_SET);
	return io_iter_write(to, &value, sizeof(value)) == sizeof(value) ? (long)sizeof(value) : -EFAULT;
}

static long eventfd_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	struct eventfd *e = f->private;
	uint64_t value;
	int error = 0;

	(void)pos;
	if (from->count < sizeof(value))
		return -EINVAL;
	if (io_iter_read(from, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	if (!add(e, value)) {
		if (io_flags & IO_NONBLOCK)
			return -EAGAIN;
		error = wait_event(&e->wait, add(e, value), WAIT_INTERRUPTIBLE, TIME_NEVER);
	}
	if (error)
		return wait_error(error);
	poll_wake(&e->wait, POLL_IN_SET);
	return sizeof(value);
}

static unsigned int eventfd_poll(struct file *f, struct poll_table *table)
{
	struct eventfd *e = f->private;
	uint64_t count;
	unsigned int mask = 0;

	poll_wait(table, f, &e->wait);
	count = READ_ONCE(e->count);
	if (count > 0)
		mask |= EPOLLIN;
	if (count == UINT64_MAX)
		mask |= EPOLLERR;
	if (count < UINT64_MAX - 1)
		mask |= EPOLLOUT;
	return mask;
}

static void eventfd_release(struct file *f)
{
	kfree(f->private);
}

static int eventfd_describe(struct file *f, char *buf, size_t size)
{
	struct eventfd *e = f->private;

	return snprintf(buf, size, "eventfd-count: %16llx\neventfd-id: %u\n",
			(unsigned long long)READ_ONCE(e->count), e->id);
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.describe = eventfd_describe,
};

long sys_eventfd2(uint32_t value, int32_t flags)
{
	struct eventfd *e;
	struct file *f;
	int fd;

	if (flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return -EINVAL;
	e = kzalloc(sizeof(*e), 0);
	if (!e)
		return -ENOMEM;
	spin_init(&e->lock);
	wait_queue_init(&e->wait);
	e->count = value;
	e->semaphore = flags & EFD_SEMAPHORE;
	e->id = __atomic_fetch_add(&next_eventfd_id, 1, __ATOMIC_RELAXED);
	fd = anon_file_create("[eventfd]", &eventfd_ops, e, O_RDWR | ((unsigned int)flags & O_NONBLOCK), &f);
	if (fd) {
		kfree(e);
		return fd;
	}
	fd = fd_install(f, (unsigned int)flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

long sys_eventfd(uint32_t value)
{
	return sys_eventfd2(value, 0);
}
