/*
 * timerfd: timers that are read from a descriptor.
 *
 * `ticks` counts expiries since the last read. An expiry only wakes; the periods that are over are counted, and the timer armed for the next,
 * when somebody looks. So a timer of a nanosecond that nobody reads costs one interrupt.
 * A change of the real-time clock cancels the reads of those that asked for it.
 *
 * Locking: t->lock with interrupts off; all_lock (both lists) outside of it.
 */
#include "internal.h"

#include <gen/posix_timers.h>
#include <linux/eventpoll.h>
#include <linux/timerfd.h>

#include "modules/vfs/fd.h"
#include "modules/vfs/poll.h"

struct timerfd {
	struct spinlock lock;
	struct timer timer;
	struct wait_queue wait;
	int clock;
	int64_t expires, interval;	/* ns of the clock; expires 0: disarmed */
	uint64_t ticks;
	int settime_flags;
	bool absolute;
	uint32_t jumps;			/* of the real-time clock when it was set; for cancellation */
	struct list link;		/* on `watching` */
	struct list all_link;		/* on `all` */
	struct file *file;
};

static struct spinlock all_lock = SPINLOCK_INIT(all_lock);
static struct list watching = LIST_INIT(watching);	/* those that a setting of the clock cancels */
static struct list all = LIST_INIT(all);

/* As in posix.c. */
static int running_clock(const struct timerfd *t)
{
	return t->clock == CLOCK_REALTIME && !t->absolute ? CLOCK_MONOTONIC : t->clock;
}

static int64_t now_of(const struct timerfd *t)
{
	int64_t ns = 0;

	clock_now(running_clock(t), &ns);
	return ns;
}

/* Counts the periods that are over and moves on. lock held. */
static void count_locked(struct timerfd *t)
{
	int64_t now = now_of(t);

	if (!t->expires || now < t->expires)
		return;
	if (t->interval) {
		int64_t periods = (now - t->expires) / t->interval + 1;

		t->ticks += (uint64_t)periods;
		t->expires += periods * t->interval;
		clock_arm(&t->timer, running_clock(t), t->expires);
	} else {
		t->ticks++;
		t->expires = 0;
	}
}

static void expired(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	unsigned long flags = spin_lock_irqsave(&t->lock);

	if (t->expires && now_of(t) < t->expires)
		clock_arm(timer, running_clock(t), t->expires);	/* the clock was set back */
	spin_unlock_irqrestore(&t->lock, flags);
	poll_wake(&t->wait, EPOLLIN | EPOLLRDNORM);
}

/* Does a setting of the clock cancel it? */
static bool cancels(const struct timerfd *t)
{
	return (t->settime_flags & TFD_TIMER_CANCEL_ON_SET) && t->absolute && clock_is_realtime(t->clock);
}

static bool cancelled(const struct timerfd *t)
{
	return cancels(t) && READ_ONCE(t->jumps) != clock_jumps();
}

static bool readable(const struct timerfd *t)
{
	int64_t expires = READ_ONCE(t->expires);

	return READ_ONCE(t->ticks) != 0 || (expires && now_of(t) >= expires) || cancelled(t);
}

static long timerfd_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct timerfd *t = f->private;
	unsigned long flags;
	uint64_t ticks;
	int error;

	(void)pos;
	if (to->count < sizeof(ticks))
		return -EINVAL;
	for (;;) {
		flags = spin_lock_irqsave(&t->lock);
		if (cancelled(t)) {
			t->ticks = 0;
			t->jumps = clock_jumps();
			spin_unlock_irqrestore(&t->lock, flags);
			return -ECANCELED;
		}
		count_locked(t);
		ticks = t->ticks;
		t->ticks = 0;
		spin_unlock_irqrestore(&t->lock, flags);
		if (ticks)
			return io_iter_write(to, &ticks, sizeof(ticks)) == sizeof(ticks) ? (long)sizeof(ticks) : -EFAULT;
		if (io_flags & IO_NONBLOCK)
			return -EAGAIN;
		error = wait_event(&t->wait, readable(t), WAIT_INTERRUPTIBLE, TIME_NEVER);
		if (error)
			return error == -EINTR ? -ERESTARTSYS : error;
	}
}

static unsigned int timerfd_poll(struct file *f, struct poll_table *table)
{
	struct timerfd *t = f->private;

	poll_wait(table, f, &t->wait);
	return readable(t) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->private;
	unsigned long flags = spin_lock_irqsave(&all_lock);

	if (!list_empty(&t->link))
		list_remove(&t->link);
	list_remove(&t->all_link);
	spin_unlock_irqrestore(&all_lock, flags);
	flags = spin_lock_irqsave(&t->lock);
	t->expires = 0;
	spin_unlock_irqrestore(&t->lock, flags);
	timer_cancel_sync(&t->timer);
	kfree(t);
}

static void left_locked(struct timerfd *t, struct __kernel_itimerspec *out)
{
	int64_t left = 0;

	count_locked(t);
	if (t->expires)
		left = MAX(t->expires - now_of(t), (int64_t)1);
	out->it_value = ns_timespec(left);
	out->it_interval = ns_timespec(t->interval);
}

static int timerfd_describe(struct file *f, char *buf, size_t size)
{
	struct timerfd *t = f->private;
	struct __kernel_itimerspec v;
	unsigned long flags = spin_lock_irqsave(&t->lock);

	left_locked(t, &v);
	spin_unlock_irqrestore(&t->lock, flags);
	return snprintf(buf, size, "clockid: %d\nticks: %llu\nsettime flags: 0%o\nit_value: (%lld, %lld)\nit_interval: (%lld, %lld)\n",
			t->clock, (unsigned long long)t->ticks, (unsigned int)t->settime_flags, (long long)v.it_value.tv_sec,
			(long long)v.it_value.tv_nsec, (long long)v.it_interval.tv_sec, (long long)v.it_interval.tv_nsec);
}

/* Sets the count of expiries that the next read gives (for programs that bring another's timers back). */
static long set_ticks(struct timerfd *t, uintptr_t from)
{
	unsigned long flags;
	uint64_t ticks;
	bool gone;

	if (copy_from_user(&ticks, from, sizeof(ticks)))
		return -EFAULT;
	if (!ticks)
		return -EINVAL;
	flags = spin_lock_irqsave(&t->lock);
	gone = cancelled(t);
	if (!gone)
		t->ticks = ticks;
	else
		t->jumps = clock_jumps();
	spin_unlock_irqrestore(&t->lock, flags);
	if (gone)
		return -ECANCELED;
	poll_wake(&t->wait, EPOLLIN | EPOLLRDNORM);
	return 0;
}

static long timerfd_ioctl(struct file *f, unsigned int cmd, uintptr_t arg)
{
	return cmd == TFD_IOC_SET_TICKS ? set_ticks(f->private, arg) : -ENOTTY;
}

static const struct file_ops timerfd_ops = {
	.read = timerfd_read, .poll = timerfd_poll, .release = timerfd_release, .describe = timerfd_describe,
	.ioctl = timerfd_ioctl,
};

struct list *timerfd_all(void)
{
	return &all;
}

struct list *timerfd_watching(void)
{
	return &watching;
}

void timerfd_adopt(void)
{
	struct timerfd *t;

	list_for_each(t, &all, all_link) {
		t->timer.fn = expired;
		t->file->ops = &timerfd_ops;
	}
}

long sys_timerfd_create(int32_t clock, int32_t flags)
{
	struct timerfd *t;
	unsigned long irq;
	struct file *f;
	int fd, error;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK) || clock == CLOCK_TAI)
		return -EINVAL;
	error = clock_check_timer(clock, true);
	if (error)
		return error == -EOPNOTSUPP ? -EINVAL : error;
	t = kzalloc(sizeof(*t), 0);
	if (!t)
		return -ENOMEM;
	spin_init(&t->lock);
	wait_queue_init(&t->wait);
	timer_init(&t->timer, expired);
	list_init(&t->link);
	t->clock = clock;
	error = anon_file_create("[timerfd]", &timerfd_ops, t, O_RDWR | (unsigned int)(flags & TFD_NONBLOCK), &f);
	if (error) {
		kfree(t);
		return error;
	}
	t->file = f;
	irq = spin_lock_irqsave(&all_lock);
	list_add_tail(&all, &t->all_link);
	spin_unlock_irqrestore(&all_lock, irq);
	fd = fd_install(f, flags & TFD_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

static int get(int fd, struct fd_ref *ref, struct timerfd **out)
{
	int error = fd_get(fd, ref);

	if (error)
		return error;
	if (ref->file->ops != &timerfd_ops) {
		fd_put(ref);
		return -EINVAL;
	}
	*out = ref->file->private;
	return 0;
}

/* all_lock and t->lock held. Before `jumps` is read: whoever sets the clock from then on finds it. */
static void track_locked(struct timerfd *t)
{
	bool wanted = cancels(t);

	if (wanted && list_empty(&t->link))
		list_add_tail(&watching, &t->link);
	else if (!wanted && !list_empty(&t->link))
		list_remove(&t->link);
}

static void set(struct timerfd *t, int how, const struct __kernel_itimerspec *new, struct __kernel_itimerspec *old)
{
	int64_t value = timespec_ns(&new->it_value), now;
	unsigned long flags = spin_lock_irqsave(&t->lock);

	left_locked(t, old);
	t->expires = 0;
	spin_unlock_irqrestore(&t->lock, flags);
	timer_cancel_sync(&t->timer);
	flags = spin_lock_irqsave(&all_lock);
	spin_lock_raw(&t->lock);
	t->ticks = 0;
	t->settime_flags = how;
	t->absolute = how & TFD_TIMER_ABSTIME;
	t->interval = timespec_ns(&new->it_interval);
	now = t->absolute ? 0 : now_of(t);
	t->expires = !value ? 0 : value >= TIME_MAX - now ? TIME_MAX : now + value;
	track_locked(t);
	t->jumps = clock_jumps();
	if (value)
		clock_arm(&t->timer, running_clock(t), t->expires);
	else
		timer_cancel(&t->timer);	/* another thread may have set it just now */
	spin_unlock_raw(&t->lock);
	spin_unlock_irqrestore(&all_lock, flags);
}

long sys_timerfd_settime(int32_t fd, int32_t how, struct uin_itimerspec in, struct uout_itimerspec out)
{
	struct __kernel_itimerspec new, old;
	struct timerfd *t;
	struct fd_ref ref;
	int error;

	if (copy_in_itimerspec(&new, in))
		return -EFAULT;
	if (how & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !timespec_valid(&new.it_value) ||
	    !timespec_valid(&new.it_interval))
		return -EINVAL;
	error = get(fd, &ref, &t);
	if (error)
		return error;
	set(t, how, &new, &old);
	fd_put(&ref);
	return out.addr ? copy_out_itimerspec(out, &old) : 0;
}

long sys_timerfd_gettime(int32_t fd, struct uout_itimerspec out)
{
	struct __kernel_itimerspec v;
	struct timerfd *t;
	struct fd_ref ref;
	unsigned long flags;
	int error = get(fd, &ref, &t);

	if (error)
		return error;
	flags = spin_lock_irqsave(&t->lock);
	left_locked(t, &v);
	spin_unlock_irqrestore(&t->lock, flags);
	fd_put(&ref);
	return copy_out_itimerspec(out, &v);
}

void timerfd_clock_set(void)
{
	unsigned long flags = spin_lock_irqsave(&all_lock);
	struct timerfd *t;

	list_for_each(t, &watching, link)
		poll_wake(&t->wait, EPOLLIN | EPOLLRDNORM);
	spin_unlock_irqrestore(&all_lock, flags);
}
