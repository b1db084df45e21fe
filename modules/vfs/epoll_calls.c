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
	ep->account = account_find();
	if (!ep->account) {
		kfree(ep);
		return -ENOMEM;
	}
	mutex_init(&ep->mutex);
	spin_init(&ep->lock);
	list_init(&ep->ready);
	wait_queue_init(&ep->wait);
	wait_queue_init(&ep->poll_wait);
	fd = anon_file_create("[eventpoll]", &epoll_ops, ep, O_RDWR, &f);
	if (fd) {
		account_put(ep->account);
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

/* Adds to `ep`, whose mutex is held and let go. */
static int add_unlock(struct epoll *ep, struct file *target, int fd, const struct epoll_event *event)
{
	struct epoll *inner = file_epoll(target);
	int error = 0;

	if (likely(!inner && !epoll_graph_concerns(ep))) {
		error = epoll_add(ep, target, fd, event, false);
		mutex_unlock(&ep->mutex);
		return error;
	}
	mutex_unlock(&ep->mutex);
	epoll_graph_lock();
	if (inner && !epoll_graph_may_nest(ep, inner))
		error = -ELOOP;
	if (!error) {
		mutex_lock(&ep->mutex);
		error = epoll_add(ep, target, fd, event, true);
		mutex_unlock(&ep->mutex);
	}
	epoll_graph_unlock();
	return error;
}

static int delete(struct epoll *ep, struct file *target, int fd)
{
	bool nested = file_epoll(target);
	int error;

	if (nested)
		mutex_lock(&epoll_graph_mutex);
	mutex_lock(&ep->mutex);
	error = epoll_delete(ep, target, fd);
	mutex_unlock(&ep->mutex);
	if (nested)
		mutex_unlock(&epoll_graph_mutex);
	return error;
}

static int control(struct file *f, struct file *target, int operation, int fd, struct epoll_event *event)
{
	struct epoll *ep = file_epoll(f);
	int error;

	if (!target->ops->poll)
		return -EPERM;
	if (!ep || f == target)
		return -EINVAL;
	if (operation == EPOLL_CTL_DEL)
		return delete(ep, target, fd);
	if (operation != EPOLL_CTL_ADD && operation != EPOLL_CTL_MOD)
		return -EINVAL;
	error = check_event(target, operation, event);
	if (error)
		return error;
	event->events |= EPOLLERR | EPOLLHUP;
	mutex_lock(&ep->mutex);
	if (operation == EPOLL_CTL_ADD)
		return add_unlock(ep, target, fd, event);
	error = epoll_modify(ep, target, fd, event);
	mutex_unlock(&ep->mutex);
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
