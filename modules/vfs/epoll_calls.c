/*
 * The calls of epoll: creation, control with the check against loops, and waiting.
 */
#include <gen/vfs.h>

#include "core/time/clock.h"
#include "modules/vfs/epoll.h"

long sys_epoll_create1(int32_t flags)
{
	struct epoll *ep;
	struct file *f;
	int fd;

	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	ep = kzalloc(sizeof(*ep), 0);
	if (!ep)
		return -ENOMEM;
	mutex_init(&ep->mutex);
	spin_init(&ep->lock);
	list_init(&ep->ready);
	wait_queue_init(&ep->wait);
	wait_queue_init(&ep->poll_wait);
	fd = anon_file_create("[eventpoll]", &epoll_ops, ep, O_RDWR, &f);
	if (fd) {
		kfree(ep);
		return fd;
	}
	ep->file = f;
	fd = fd_install(f, (unsigned int)flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

long sys_epoll_create(int32_t size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

static struct epoll *file_epoll(const struct file *f)
{
	return f->ops == &epoll_ops ? f->private : NULL;
}

/* Does `from` lead to `to`, or deeper than allowed? graph_mutex is held. */
static bool leads_to(struct epoll *from, const struct epoll *to, int depth)
{
	bool found = false;

	if (from == to || depth > EPOLL_NESTS)
		return true;
	mutex_lock(&from->mutex);
	for (struct rb_node *n = rb_first(&from->items); n && !found; n = rb_next(n)) {
		struct epoll *next = file_epoll(rb_entry(n, struct epoll_item, node)->file);

		if (next)
			found = leads_to(next, to, depth + 1);
	}
	mutex_unlock(&from->mutex);
	return found;
}

/* How many epolls lie above that of `f`. graph_mutex is held: epolls on the lists stay. */
static int height_above(struct epoll *ep, int depth)
{
	struct epoll_item *i;
	int height = 0;

	if (depth > EPOLL_NESTS)
		return depth;
	list_for_each(i, &ep->file->epoll, file_link)
		height = MAX(height, 1 + height_above(i->ep, depth + 1));
	return height;
}

static int check_event(const struct file *target, int operation, const struct epoll_event *event)
{
	if (!(event->events & EPOLLEXCLUSIVE))
		return 0;
	if (operation == EPOLL_CTL_MOD || file_epoll(target))
		return -EINVAL;
	if (event->events & ~(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE))
		return -EINVAL;
	return 0;
}

static int control(struct file *f, struct file *target, int operation, int fd, struct epoll_event *event)
{
	struct epoll *ep = file_epoll(f), *inner;
	bool nesting;
	int error;

	if (!target->ops->poll)
		return -EPERM;
	if (!ep || f == target)
		return -EINVAL;
	if (operation != EPOLL_CTL_DEL) {
		error = check_event(target, operation, event);
		if (error)
			return error;
		event->events |= EPOLLERR | EPOLLHUP;
	}
	inner = file_epoll(target);
	nesting = inner && operation != EPOLL_CTL_MOD;
	if (nesting) {
		mutex_lock(&epoll_graph_mutex);
		if (operation == EPOLL_CTL_ADD && leads_to(inner, ep, height_above(ep, 0) + 1)) {
			mutex_unlock(&epoll_graph_mutex);
			return -ELOOP;
		}
	}
	mutex_lock(&ep->mutex);
	switch (operation) {
	case EPOLL_CTL_ADD:
		error = epoll_add(ep, target, fd, event);
		break;
	case EPOLL_CTL_MOD:
		error = epoll_modify(ep, target, fd, event);
		break;
	case EPOLL_CTL_DEL:
		error = epoll_delete(ep, target, fd);
		break;
	default:
		error = -EINVAL;
		break;
	}
	mutex_unlock(&ep->mutex);
	if (nesting)
		mutex_unlock(&epoll_graph_mutex);
	return error;
}

long sys_epoll_ctl(int32_t epfd, int32_t operation, int32_t fd, struct uin_epoll_event user)
{
	struct epoll_event event = { 0 };
	struct fd_ref ep, target;
	long error;

	if (operation != EPOLL_CTL_DEL && copy_in_epoll_event(&event, user))
		return -EFAULT;
	error = fd_get(epfd, &ep);
	if (error)
		return error;
	error = fd_get(fd, &target);
	if (!error) {
		error = control(ep.file, target.file, operation, fd, &event);
		fd_put(&target);
	}
	fd_put(&ep);
	return error;
}

static long wait_for_events(int epfd, uintptr_t user, int count, uint64_t deadline)
{
	struct fd_ref r;
	struct epoll *ep;
	long n;

	if (count <= 0 || count > (int)(INT32_MAX / sizeof(struct epoll_event)))
		return -EINVAL;
	if (!user_range_ok(user, (size_t)count * sizeof(struct epoll_event)))
		return -EFAULT;
	n = fd_get(epfd, &r);
	if (n)
		return n;
	ep = file_epoll(r.file);
	n = ep ? epoll_collect(ep, user, count, deadline) : -EINVAL;
	fd_put(&r);
	return n;
}

static uint64_t deadline_ms(int32_t timeout)
{
	if (timeout < 0)
		return TIME_NEVER;
	return timeout ? clock_monotonic() + (uint64_t)timeout * NSEC_PER_MSEC : 0;
}

static long wait_until(int epfd, uintptr_t events, int count, uint64_t deadline, uintptr_t mask, size_t size)
{
	const struct signal_mask_ops *ops = service(signal_mask);
	long n = 0;

	if (mask)
		n = ops ? ops->swap_user(mask, size) : -ENOSYS;
	if (n)
		return n;
	deadline = deadline_begin(deadline);
	n = wait_for_events(epfd, events, count, deadline);
	deadline_end(deadline, n);
	if (mask)
		ops->restore(n == -EINTR);
	return n;
}

long sys_epoll_wait(int32_t epfd, struct uout_epoll_event events, int32_t count, int32_t timeout)
{
	return wait_until(epfd, events.addr, count, deadline_ms(timeout), 0, 0);
}

long sys_epoll_pwait(int32_t epfd, struct uout_epoll_event events, int32_t count, int32_t timeout,
		     struct uin_sigset mask, size_t size)
{
	return wait_until(epfd, events.addr, count, deadline_ms(timeout), mask.addr, size);
}

long sys_epoll_pwait2(int32_t epfd, struct uout_epoll_event events, int32_t count,
		      struct uin_timespec timeout, struct uin_sigset mask, size_t size)
{
	struct __kernel_timespec ts;
	uint64_t deadline = TIME_NEVER, ns;

	if (timeout.addr) {
		if (copy_in_timespec(&ts, timeout))
			return -EFAULT;
		if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (long long)NSEC_PER_SEC)
			return -EINVAL;
		if ((uint64_t)ts.tv_sec < TIME_NEVER / NSEC_PER_SEC / 2) {
			ns = (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
			deadline = ns ? clock_monotonic() + ns : 0;
		}
	}
	return wait_until(epfd, events.addr, count, deadline, mask.addr, size);
}
