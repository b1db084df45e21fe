/*
 * Pipes: a ring of pieces of pages.
 *
 * Writes of up to PIPE_BUF bytes are atomic: they wait until the whole fits. Longer ones may be interleaved and cut. In packet
 * mode (O_DIRECT) each write makes packets of at most a page, and a read takes one of them whole. User memory is copied under
 * pipe->lock, which may fault; nothing that a fault takes leads back to a pipe.
 *
 * Wake-ups: a reader that frees a page of a full ring wakes writers, every write wakes readers. Exclusive sleepers who leave with more
 * to be had wake the next, which is no event for those who poll.
 */
#include <linux/capability.h>
#include <linux/limits.h>

#include "modules/vfs/pipe.h"

uint64_t pipe_max_size = 1048576, pipe_pages_soft = 16384, pipe_pages_hard;
MODAPI(pipe_max_size);
MODAPI(pipe_pages_soft);
MODAPI(pipe_pages_hard);

static bool beyond(uint64_t limit, uint64_t pages) { return limit && pages > limit; }

int pipe_charge(struct account *a, unsigned int slots, bool soft)
{
	uint64_t sum = account_add(a, ACCOUNT_PIPE_PAGES, slots);

	if ((!beyond(READ_ONCE(pipe_pages_hard), sum) && !(soft && beyond(READ_ONCE(pipe_pages_soft), sum))) ||
	    account_privileged())
		return 0;
	account_sub(a, ACCOUNT_PIPE_PAGES, slots);
	return -EPERM;
}

/* How many slots a new pipe gets, which are charged; 0: none. */
static unsigned int first_slots(struct account *a)
{
	unsigned int slots = PIPE_SLOTS_DEFAULT;

	if (slots * PAGE_SIZE > READ_ONCE(pipe_max_size) && !capable(CAP_SYS_RESOURCE))
		slots = (unsigned int)(READ_ONCE(pipe_max_size) / PAGE_SIZE);
	/* The soft limit makes a pipe small, the hard one forbids it. */
	if (pipe_charge(a, slots, false))
		return 0;
	if (beyond(READ_ONCE(pipe_pages_soft), READ_ONCE(a->used[ACCOUNT_PIPE_PAGES])) && !account_privileged()) {
		account_sub(a, ACCOUNT_PIPE_PAGES, slots);
		slots = PIPE_SLOTS_LEAST;
		account_add(a, ACCOUNT_PIPE_PAGES, slots);
	}
	return slots;
}

int pipe_create(struct pipe **out)
{
	struct pipe *p = kzalloc(sizeof(*p), 0);

	if (!p)
		return -ENOMEM;
	p->account = account_find();
	p->slots = p->account ? first_slots(p->account) : 0;
	if (p->account && !p->slots) {
		account_put(p->account);
		kfree(p);
		return -ENFILE;
	}
	p->ring = p->slots ? kzalloc(p->slots * sizeof(*p->ring), 0) : NULL;
	if (!p->ring) {
		pipe_free(p);
		return -ENOMEM;
	}
	mutex_init(&p->lock);
	wait_queue_init(&p->read_wait);
	wait_queue_init(&p->write_wait);
	file_async_init(&p->async);
	*out = p;
	return 0;
}

void pipe_free(struct pipe *p)
{
	while (p->tail != p->head)
		page_put(pipe_slot_at(p, p->tail++)->page);
	if (p->spare)
		page_put(p->spare);
	if (p->account)
		account_sub(p->account, ACCOUNT_PIPE_PAGES, p->slots);
	account_put(p->account);
	kfree(p->ring);
	kfree(p);
}

struct pipe *file_pipe(const struct file *f)
{
	return f->ops == &pipe_ops ? f->private : NULL;
}

void pipe_release_page(struct pipe *p, struct pipe_slot *s)
{
	if (s->mergeable && !p->spare && READ_ONCE(s->page->refs) == 1)
		p->spare = s->page;
	else
		page_put(s->page);
	s->page = NULL;
}

static void wake_sleeper(struct wait_queue *q)
{
	if (wait_queue_active(q))
		poll_wake(q, POLL_WAKE_SLEEPER);
}

void pipe_wake_readers(struct pipe *p)
{
	if (wait_queue_active(&p->read_wait))
		poll_wake(&p->read_wait, POLL_IN_SET);
}

void pipe_wake_writers(struct pipe *p)
{
	if (wait_queue_active(&p->write_wait))
		poll_wake(&p->write_wait, POLL_OUT_SET);
}

int pipe_wait_readable(struct pipe *p, bool nonblock)
{
	while (pipe_empty(p)) {
		int error;

		if (!p->writers)
			return 1;
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&p->lock);
		error = wait_event_exclusive(&p->read_wait, !pipe_empty(p) || !READ_ONCE(p->writers),
					     WAIT_INTERRUPTIBLE, TIME_NEVER);
		mutex_lock(&p->lock);
		if (error)
			return (int)wait_error(error);
	}
	return 0;
}

int pipe_wait_writable(struct pipe *p, bool nonblock)
{
	for (;;) {
		int error;

		if (!p->readers) {
			signal_broken_pipe();
			return -EPIPE;
		}
		if (!pipe_full(p))
			return 0;
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&p->lock);
		error = wait_event_exclusive(&p->write_wait, !pipe_full(p) || !READ_ONCE(p->readers),
					     WAIT_INTERRUPTIBLE, TIME_NEVER);
		mutex_lock(&p->lock);
		if (error)
			return (int)wait_error(error);
	}
}

/* Copies from the first slot; 0 at the end of a packet or of the buffer, -EFAULT. */
static long read_slot(struct pipe *p, struct io_iter *to, bool *packet_end)
{
	struct pipe_slot *s = pipe_slot_at(p, p->tail);
	size_t n = MIN((size_t)s->length, to->count);
	size_t copied = io_iter_write(to, (char *)page_address(s->page) + s->offset, n);

	s->offset += (uint32_t)copied;
	s->length -= (uint32_t)copied;
	*packet_end = s->packet;
	if (s->packet && copied == n)
		s->length = 0;
	if (!s->length) {
		pipe_release_page(p, s);
		WRITE_ONCE(p->tail, p->tail + 1);
	}
	return copied < n && !copied ? -EFAULT : (long)copied;
}

static long pipe_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct pipe *p = f->private;
	bool was_full, packet_end = false;
	long total = 0, n;

	(void)pos;
	if (!to->count)
		return 0;
	mutex_lock(&p->lock);
	n = pipe_wait_readable(p, io_flags & IO_NONBLOCK);
	was_full = pipe_full(p);
	while (!n && !pipe_empty(p) && to->count && !packet_end) {
		long got = read_slot(p, to, &packet_end);

		if (got < 0)
			n = got;
		else
			total += got;
	}
	mutex_unlock(&p->lock);
	if (was_full && !pipe_full(p)) {
		pipe_wake_writers(p);
		file_async_notify(&p->async, FILE_WRITE, POLL_OUT_SET);
	}
	if (!pipe_empty(p))
		wake_sleeper(&p->read_wait);
	if (total) {
		file_touch_atime(f);
		return total;
	}
	return n > 0 ? 0 : n;
}

/* Fills the rest of the last page, if all of a small write or the start of a large one fits. */
static long merge(struct pipe *p, struct io_iter *from)
{
	struct pipe_slot *s = pipe_slot_at(p, p->head - 1);
	size_t end = s->offset + s->length, n = from->count & PAGE_MASK;
	size_t copied;

	if (pipe_empty(p) || !s->mergeable || s->packet || !n || end + n > PAGE_SIZE)
		return 0;
	copied = io_iter_read(from, (char *)page_address(s->page) + end, n);
	s->length += (uint32_t)copied;
	return copied ? (long)copied : -EFAULT;
}

/* Adds a page of data; the ring has room. */
static long add_page(struct pipe *p, struct io_iter *from, bool packet)
{
	struct page *page = p->spare ? p->spare : page_alloc(0, ALLOC_USER);
	size_t n = MIN(from->count, PAGE_SIZE), copied;
	struct pipe_slot *s;

	p->spare = NULL;
	if (!page)
		return -ENOMEM;
	copied = io_iter_read(from, page_address(page), n);
	if (copied < n && !copied) {
		p->spare = page;
		return -EFAULT;
	}
	s = pipe_slot_at(p, p->head);
	s->page = page;
	s->offset = 0;
	s->length = (uint32_t)copied;
	s->mergeable = true;
	s->packet = packet;
	WRITE_ONCE(p->head, p->head + 1);
	return (long)copied;
}

static long pipe_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	struct pipe *p = f->private;
	bool packet = READ_ONCE(f->flags) & O_DIRECT;
	bool was_empty;
	long total = 0, n = 0;

	(void)pos;
	if (!from->count)
		return 0;
	mutex_lock(&p->lock);
	if (!p->readers) {
		signal_broken_pipe();
		n = -EPIPE;
		goto out;
	}
	was_empty = pipe_empty(p);
	if (!packet) {
		n = merge(p, from);
		if (n > 0) {
			total = n;
			n = 0;
		}
	}
	while (!n && from->count) {
		if (pipe_full(p)) {
			/* Who reads must know of what is there before this one sleeps. */
			if (was_empty && !(io_flags & IO_NONBLOCK)) {
				mutex_unlock(&p->lock);
				pipe_wake_readers(p);
				mutex_lock(&p->lock);
			}
			n = pipe_wait_writable(p, io_flags & IO_NONBLOCK);
			was_empty = pipe_empty(p);
		} else {
			n = add_page(p, from, packet);
		}
		if (n > 0) {
			total += n;
			n = 0;
		}
	}
out:
	mutex_unlock(&p->lock);
	if (total) {
		pipe_wake_readers(p);
		file_async_notify(&p->async, FILE_READ, POLL_IN_SET);
		inode_touch(f->inode, TOUCH_MTIME | TOUCH_CTIME);
	}
	if (!pipe_full(p))
		wake_sleeper(&p->write_wait);
	return total ? total : n;
}

static __always_inline unsigned int pipe_state(const struct file *f, const struct pipe *p)
{
	unsigned int mask = 0;

	if (f->mode & FILE_READ) {
		if (!pipe_empty(p))
			mask |= POLL_IN_SET;
		if (!READ_ONCE(p->writers) && f->dir_version != READ_ONCE(p->writer_opens))
			mask |= EPOLLHUP;
	}
	if (f->mode & FILE_WRITE) {
		if (!pipe_full(p))
			mask |= POLL_OUT_SET;
		if (!READ_ONCE(p->readers))
			mask |= EPOLLERR;
	}
	return mask;
}

static __noinline unsigned int pipe_poll_waiting(struct file *f, struct poll_table *table)
{
	struct pipe *p = f->private;

	if (f->mode & FILE_READ)
		poll_wait(table, f, &p->read_wait);
	if (f->mode & FILE_WRITE)
		poll_wait(table, f, &p->write_wait);
	return pipe_state(f, p);
}

/* Most looks wait for nothing: those need no frame. */
static unsigned int pipe_poll(struct file *f, struct poll_table *table)
{
	return table && table->queue ? pipe_poll_waiting(f, table) : pipe_state(f, f->private);
}

static long pipe_ioctl(struct file *f, unsigned int cmd, uintptr_t arg)
{
	struct pipe *p = f->private;
	uint32_t bytes = 0;

	if (cmd != 0x541b)	/* FIONREAD */
		return -ENOTTY;
	mutex_lock(&p->lock);
	for (unsigned int i = p->tail; i != p->head; i++)
		bytes += pipe_slot_at(p, i)->length;
	mutex_unlock(&p->lock);
	return user_store_u32(arg, bytes);
}

void pipe_release(struct file *f)
{
	struct pipe *p = f->private;
	struct inode *inode = f->inode;
	bool last;

	file_async_set(&p->async, f, 0);
	mutex_lock(&p->lock);
	if (f->mode & FILE_READ)
		p->readers--;
	if (f->mode & FILE_WRITE)
		p->writers--;
	if (!p->readers != !p->writers) {
		wait_queue_wake(&p->read_wait, ~0u, POLL_IN_SET | EPOLLERR | EPOLLHUP);
		wait_queue_wake(&p->write_wait, ~0u, POLL_OUT_SET | EPOLLERR | EPOLLHUP);
	}
	mutex_unlock(&p->lock);
	mutex_lock(&inode->lock);
	last = --p->files == 0;
	if (last)
		inode->pipe = NULL;
	mutex_unlock(&inode->lock);
	if (last)
		pipe_free(p);
}

static int pipe_set_flags(struct file *f, unsigned int flags)
{
	struct pipe *p = f->private;

	file_async_set(&p->async, f, flags);
	return 0;
}

static uint64_t pipe_memory(const struct file *f)
{
	const struct pipe *p = f->private;

	return pipe_used(p) * PAGE_SIZE + READ_ONCE(p->slots) * sizeof(struct pipe_slot);
}

const struct file_ops pipe_ops = {
	.memory = pipe_memory,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
	.set_flags = pipe_set_flags,
};
