/*
 * The calls poll, ppoll, select and pselect6: user memory in, a round of waiting, user memory out. Timeouts are brought up
 * to date in user memory as on Linux, so a call that is executed again waits for the rest only.
 */
#include <gen/vfs.h>

#include <asm/poll.h>

#include "core/mem/vmap.h"
#include "core/time/clock.h"
#include "modules/vfs/internal.h"
#include "modules/vfs/poll_wait.h"

#define FAST_FDS 24

struct poll_scan {
	struct pollfd *fds;
	unsigned int count;
	unsigned int first, end;	/* answers that differ from what user memory has */
};

static bool table_is_shared(void)
{
	struct vfs_thread *vt = vfs_thread_self();

	return vt && refcount_read(&vt->files->refs) != 1;
}

/* The caller's descriptors, if the table is nobody else's: then they stay what they are for a scan. Else null. */
static const struct fd_array *own_array(void)
{
	struct vfs_thread *vt = vfs_thread_self();

	return vt && refcount_read(&vt->files->refs) == 1 ? vt->files->array : NULL;
}

/* fd_get() for a scan of many. */
static __always_inline int scan_get(const struct fd_array *own, int fd, struct fd_ref *ref)
{
	if (unlikely(!own))
		return fd_get(fd, ref);
	if (unlikely((unsigned int)fd >= own->size))
		return -EBADF;
	ref->file = own->files[arch_index_clamp((unsigned int)fd, own->size)];
	ref->counted = false;
	return likely(ref->file && !(ref->file->mode & FILE_PATH)) ? 0 : -EBADF;
}

static __always_inline unsigned int ask(struct file *f, struct poll_table *table)
{
	return likely(f->ops->poll) ? f->ops->poll(f, table) : POLL_IN_SET | POLL_OUT_SET;
}

/* The answer of one descriptor. */
static __always_inline unsigned int poll_one(const struct pollfd *p, struct poll_round *r, const struct fd_array *own)
{
	unsigned int mask;
	struct fd_ref ref;

	if (p->fd < 0)
		return 0;
	if (unlikely(scan_get(own, p->fd, &ref)))
		return EPOLLNVAL;
	r->table.events = (unsigned short)p->events;
	mask = ask(ref.file, &r->table) & ((unsigned short)p->events | EPOLLERR | EPOLLHUP);
	fd_put(&ref);
	return mask;
}

static long scan_pollfds(struct poll_round *r, void *arg)
{
	const struct fd_array *own = own_array();
	struct poll_scan *s = arg;
	long ready = 0;

	for (unsigned int i = 0; i < s->count; i++) {
		struct pollfd *p = &s->fds[i];
		unsigned int mask = poll_one(p, r, own);

		if (mask != (unsigned short)p->revents) {
			p->revents = (short)mask;
			s->first = MIN(s->first, i);
			s->end = MAX(s->end, i + 1);
		}
		if (mask) {
			ready++;
			r->table.queue = NULL;
		}
	}
	return ready;
}

/* Stores answers alone, and only those that are new: somebody else may be changing the questions. */
static int store_results(uintptr_t user, const struct poll_scan *s)
{
	for (unsigned int i = s->first; i < s->end; i++) {
		if (copy_to_user(user + i * sizeof(*s->fds) + offsetof(struct pollfd, revents), &s->fds[i].revents,
				 sizeof(s->fds[i].revents)))
			return -EFAULT;
	}
	return 0;
}

static long poll_user(struct uinout_pollfd fds, uint32_t count, uint64_t deadline)
{
	struct pollfd fast[FAST_FDS];
	struct poll_scan s = { fast, count, count, 0 };
	struct poll_round r;
	long n;

	if (count > fd_limit())
		return -EINVAL;
	if (count > FAST_FDS) {
		s.fds = kvmalloc(count * sizeof(*s.fds), 0);
		if (!s.fds)
			return -ENOMEM;
	}
	n = copy_in_pollfd_array(s.fds, as_in_pollfd(fds), count);
	if (!n) {
		poll_round_begin(&r, table_is_shared());
		n = poll_run(&r, scan_pollfds, &s, deadline);
		poll_round_end(&r);
		if (n >= 0 && store_results(fds.addr, &s))
			n = -EFAULT;
	}
	if (s.fds != fast)
		kvfree(s.fds);
	return n;
}

/* ns from now to a deadline; saturates. 0 stays 0: do not wait. */
static uint64_t deadline_after(uint64_t ns)
{
	uint64_t now;

	if (!ns)
		return 0;
	now = clock_monotonic();
	return ns > TIME_NEVER - now ? TIME_NEVER : now + ns;
}

/* An interrupted poll or select runs again if no handler was called. */
static long restart_unless_handled(long n)
{
	return n == -EINTR ? -ERESTARTNOHAND : n;
}

long sys_poll(struct uinout_pollfd fds, uint32_t count, int32_t timeout)
{
	uint64_t deadline = timeout < 0 ? TIME_NEVER : deadline_after((uint64_t)timeout * NSEC_PER_MSEC);
	long n;

	deadline = deadline_begin(deadline);
	n = poll_user(fds, count, deadline);
	deadline_end(deadline, n);
	/* The timeout is a value, so nothing but the thread can say how much of it is left when the call runs again. */
	if (n == -EINTR)
		current->restart_deadline = deadline;
	return restart_unless_handled(n);
}

/* A relative user timespec to a deadline; null: never. */
static int timespec_deadline(uintptr_t addr, uint64_t *deadline)
{
	struct __kernel_timespec ts;

	*deadline = TIME_NEVER;
	if (!addr)
		return 0;
	if (copy_from_user(&ts, addr, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (long long)NSEC_PER_SEC)
		return -EINVAL;
	if ((uint64_t)ts.tv_sec < TIME_NEVER / NSEC_PER_SEC)
		*deadline = deadline_after((uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec);
	return 0;
}

static uint64_t time_left(uint64_t deadline)
{
	uint64_t now = clock_monotonic();

	return deadline > now ? deadline - now : 0;
}

/* What is left of the timeout goes back to user memory. Failing to store it turns a restart into EINTR. */
static long store_timespec(uintptr_t addr, uint64_t deadline, long n)
{
	struct __kernel_timespec ts;
	uint64_t left;

	if (!addr || deadline == TIME_NEVER)
		return n;
	left = deadline ? time_left(deadline) : 0;
	ts.tv_sec = (long long)(left / NSEC_PER_SEC);
	ts.tv_nsec = (long long)(left % NSEC_PER_SEC);
	if (copy_to_user(addr, &ts, sizeof(ts)) && n == -ERESTARTNOHAND)
		return -EINTR;
	return n;
}

/* Exchanges the signal mask if there is one to exchange. */
static int mask_begin(uintptr_t mask, size_t size)
{
	const struct signal_mask_ops *ops = service(signal_mask);

	if (!mask)
		return 0;
	return ops ? ops->swap_user(mask, size) : -ENOSYS;
}

static void mask_end(uintptr_t mask, long n)
{
	if (mask)
		service(signal_mask)->restore(n == -ERESTARTNOHAND || n == -EINTR);
}

long sys_ppoll(struct uinout_pollfd fds, uint32_t count, struct uinout_timespec timeout,
	       struct uin_sigset mask, size_t size)
{
	uint64_t deadline;
	long n = timespec_deadline(timeout.addr, &deadline);

	if (!n)
		n = mask_begin(mask.addr, size);
	if (n)
		return n;
	n = restart_unless_handled(poll_user(fds, count, deadline));
	mask_end(mask.addr, n);
	return store_timespec(timeout.addr, deadline, n);
}

/* ---- select ---- */

#define SELECT_IN  (EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLNVAL)
#define SELECT_OUT (EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR | EPOLLNVAL)
#define SELECT_EX  (EPOLLPRI | EPOLLNVAL)
#define FAST_LONGS 4

struct select_scan {
	unsigned int count;
	unsigned long *want[3], *have[3];
	bool bad;
};

/* The sets (bits 0..2) that a descriptor is ready for, of those asked; -EBADF. */
static __always_inline int select_one(struct poll_round *r, int fd, unsigned int which, const struct fd_array *own)
{
	unsigned int events = 0, mask, found = 0;
	struct fd_ref ref;

	if (unlikely(scan_get(own, fd, &ref)))
		return -EBADF;
	if (which & 1)
		events |= SELECT_IN;
	if (which & 2)
		events |= SELECT_OUT;
	if (which & 4)
		events |= SELECT_EX;
	r->table.events = events;
	mask = ask(ref.file, &r->table);
	fd_put(&ref);
	if (mask & SELECT_IN)
		found |= 1;
	if (mask & SELECT_OUT)
		found |= 2;
	if (mask & SELECT_EX)
		found |= 4;
	return (int)(found & which);
}

static long scan_select(struct poll_round *r, void *arg)
{
	const struct fd_array *own = own_array();
	struct select_scan *s = arg;
	unsigned int longs = BITMAP_LONGS(s->count);
	long ready = 0;

	for (unsigned int l = 0; l < longs; l++) {
		unsigned long in = s->want[0][l], out = s->want[1][l], ex = s->want[2][l], have[3] = { 0, 0, 0 };

		for (unsigned long all = in | out | ex; all; all &= all - 1) {
			unsigned int bit = bit_lowest(all);
			unsigned int which = (unsigned int)((in >> bit & 1) | (out >> bit & 1) << 1 | (ex >> bit & 1) << 2);
			int found = select_one(r, (int)(l * BITS_PER_LONG + bit), which, own);

			if (!found)
				continue;
			if (found < 0) {
				s->bad = true;
				return 1;
			}
			for (unsigned int k = 0; k < 3; k++) {
				have[k] |= (unsigned long)(found >> k & 1) << bit;
				ready += found >> k & 1;
			}
			r->table.queue = NULL;
		}
		for (unsigned int k = 0; k < 3; k++)
			s->have[k][l] = have[k];
	}
	return ready;
}

static int load_sets(struct select_scan *s, const uintptr_t user[3])
{
	unsigned int longs = BITMAP_LONGS(s->count);

	for (unsigned int k = 0; k < 3; k++) {
		unsigned long tail = s->count % BITS_PER_LONG;

		if (!user[k])
			memset(s->want[k], 0, longs * sizeof(long));
		else if (copy_from_user(s->want[k], user[k], longs * sizeof(long)))
			return -EFAULT;
		if (tail)
			s->want[k][longs - 1] &= (1ul << tail) - 1;
	}
	return 0;
}

static int store_sets(const struct select_scan *s, const uintptr_t user[3])
{
	unsigned int longs = BITMAP_LONGS(s->count);

	for (unsigned int k = 0; k < 3; k++) {
		if (user[k] && copy_to_user(user[k], s->have[k], longs * sizeof(long)))
			return -EFAULT;
	}
	return 0;
}

static long select_user(int32_t count, const uintptr_t user[3], uint64_t deadline)
{
	unsigned long fast[6 * FAST_LONGS], *bits = fast;
	struct select_scan s = { 0 };
	struct poll_round r;
	unsigned int longs;
	long n;

	if (count < 0)
		return -EINVAL;
	s.count = MIN((unsigned int)count, MAX(thread_fd_size(current), 64u));
	longs = BITMAP_LONGS(s.count);
	if (longs > FAST_LONGS) {
		bits = kvmalloc(6 * longs * sizeof(long), 0);
		if (!bits)
			return -ENOMEM;
	}
	for (unsigned int k = 0; k < 3; k++) {
		s.want[k] = bits + k * longs;
		s.have[k] = bits + (3 + k) * longs;
	}
	n = load_sets(&s, user);
	if (!n) {
		poll_round_begin(&r, table_is_shared());
		n = poll_run(&r, scan_select, &s, deadline);
		poll_round_end(&r);
		if (s.bad)
			n = -EBADF;
		if (n >= 0 && store_sets(&s, user))
			n = -EFAULT;
	}
	if (bits != fast)
		kvfree(bits);
	return n;
}

long sys_select(int32_t count, struct uinout_u8 readable, struct uinout_u8 writable,
		struct uinout_u8 exceptional, struct uinout_timeval timeout)
{
	const uintptr_t user[3] = { readable.addr, writable.addr, exceptional.addr };
	struct __kernel_old_timeval tv;
	uint64_t deadline = TIME_NEVER;
	long n;

	if (timeout.addr) {
		if (copy_in_timeval(&tv, as_in_timeval(timeout)))
			return -EFAULT;
		if (tv.tv_sec < 0 || tv.tv_usec < 0)
			return -EINVAL;
		if ((uint64_t)tv.tv_sec < TIME_NEVER / NSEC_PER_SEC / 2 &&
		    (uint64_t)tv.tv_usec < TIME_NEVER / NSEC_PER_USEC / 2)
			deadline = deadline_after((uint64_t)tv.tv_sec * NSEC_PER_SEC +
						  (uint64_t)tv.tv_usec * NSEC_PER_USEC);
	}
	n = restart_unless_handled(select_user(count, user, deadline));
	if (timeout.addr && deadline != TIME_NEVER) {
		uint64_t left = deadline ? time_left(deadline) : 0;

		tv.tv_sec = (long)(left / NSEC_PER_SEC);
		tv.tv_usec = (long)(left % NSEC_PER_SEC / NSEC_PER_USEC);
		if (copy_out_timeval(as_out_timeval(timeout), &tv) && n == -ERESTARTNOHAND)
			n = -EINTR;
	}
	return n;
}

long sys_pselect6(int32_t count, struct uinout_u8 readable, struct uinout_u8 writable,
		  struct uinout_u8 exceptional, struct uinout_timespec timeout, uintptr_t mask)
{
	const uintptr_t user[3] = { readable.addr, writable.addr, exceptional.addr };
	uint64_t packed[2] = { 0, 0 };	/* address and size of the set */
	uint64_t deadline;
	long n;

	if (mask && copy_from_user(packed, mask, sizeof(packed)))
		return -EFAULT;
	n = timespec_deadline(timeout.addr, &deadline);
	if (!n)
		n = mask_begin(packed[0], packed[1]);
	if (n)
		return n;
	n = restart_unless_handled(select_user(count, user, deadline));
	mask_end(packed[0], n);
	return store_timespec(timeout.addr, deadline, n);
}
