/*
 * Making pipes: pipe2, opening FIFOs (and pipes again through /proc), and the size of the ring.
 *
 * A FIFO's pipe hangs on its inode while files have it open: inode->lock guards the pointer and pipe->files. Opening one end waits
 * for the other by watching its counter of opens, so that a peer who came and went was seen all the same.
 */
#include <gen/vfs.h>

#include <linux/capability.h>
#include <linux/magic.h>

#include "modules/vfs/pipe.h"

struct mount *pipe_mount;
static const struct fs_type pipe_type = { .name = "pipefs", .nodev = true };

static int pipe_format(struct dentry *d, char *buf, size_t size)
{
	return snprintf(buf, size, "pipe:[%llu]", (unsigned long long)d->inode->ino);
}

static int pipe_statfs(struct super *s, struct kstatfs *out)
{
	out->type = s->magic;
	return 0;
}

static const struct super_ops pipe_super_ops = { .format = pipe_format, .statfs = pipe_statfs };

/* The inode's pipe, made if there is none, with this file counted. */
static struct pipe *pipe_of_inode(struct inode *inode)
{
	struct pipe *p;

	mutex_lock(&inode->lock);
	if (!inode->pipe && pipe_create(&p))
		p = NULL;
	else if (!inode->pipe)
		inode->pipe = p;
	p = inode->pipe;
	if (p)
		p->files++;
	mutex_unlock(&inode->lock);
	return p;
}

/* Counts the file's ends; the lock is held. Wakes those who wait for them. */
static void join(struct pipe *p, struct file *f)
{
	if (f->mode & FILE_READ) {
		p->readers++;
		WRITE_ONCE(p->reader_opens, p->reader_opens + 1);
	}
	if (f->mode & FILE_WRITE) {
		p->writers++;
		WRITE_ONCE(p->writer_opens, p->writer_opens + 1);
	}
	wait_queue_wake(&p->read_wait, ~0u, 0);
	wait_queue_wake(&p->write_wait, ~0u, 0);
}

/* Waits for the other end of a FIFO; the lock is held, and dropped meanwhile. */
static int meet(struct pipe *p, struct file *f)
{
	bool reader = f->mode & FILE_READ;
	unsigned int *opens = reader ? &p->writer_opens : &p->reader_opens;
	unsigned int seen = *opens;
	int error;

	mutex_unlock(&p->lock);
	error = wait_event(reader ? &p->read_wait : &p->write_wait, READ_ONCE(*opens) != seen,
			   WAIT_INTERRUPTIBLE, TIME_NEVER);
	mutex_lock(&p->lock);
	return (int)wait_error(error);
}

static int fifo_open(struct inode *inode, struct file *f)
{
	bool real_fifo = !(inode->super->flags & SUPER_INTERNAL), nonblock = f->flags & O_NONBLOCK;
	struct pipe *p = pipe_of_inode(inode);
	unsigned int ends = f->mode & (FILE_READ | FILE_WRITE);
	int error = 0;

	if (!p)
		return -ENOMEM;
	f->ops = &pipe_ops;
	f->private = p;
	f->dir_version = ~0ull;
	mutex_lock(&p->lock);
	if (ends == FILE_WRITE && real_fifo && nonblock && !p->readers) {
		f->mode &= ~(FILE_READ | FILE_WRITE);
		error = -ENXIO;
	} else {
		join(p, f);
		if (real_fifo && ends == FILE_READ && !p->writers) {
			if (nonblock)
				f->dir_version = p->writer_opens;
			else
				error = meet(p, f);
		} else if (real_fifo && ends == FILE_WRITE && !p->readers) {
			error = meet(p, f);
		}
	}
	mutex_unlock(&p->lock);
	if (error)
		pipe_release(f);
	return error;
}

const struct file_ops fifo_ops = { .open = fifo_open };

static int pipe_file(struct inode *inode, struct pipe *p, unsigned int flags, struct file **out)
{
	int error;

	inode_get(inode);
	error = file_create_pseudo(pipe_mount, inode, "", &pipe_ops, p, flags, out);
	if (!error)
		(*out)->dir_version = ~0ull;
	return error;
}

/* Both ends, not installed. */
static int pipe_pair(unsigned int flags, struct file *ends[2])
{
	struct inode *inode = inode_create(pipe_mount->super, S_IFIFO | 0600);
	struct pipe *p = NULL;
	int error = inode ? pipe_create(&p) : -ENOMEM;

	if (inode) {
		inode->uid = service(authority)->fsuid();
		inode->gid = service(authority)->fsgid();
		inode->file_ops = &fifo_ops;
	}
	if (error)
		goto undo_inode;
	p->readers = p->writers = p->reader_opens = p->writer_opens = 1;
	p->files = 2;
	inode->pipe = p;
	error = pipe_file(inode, p, O_RDONLY | flags, &ends[0]);
	if (error)
		goto undo_pipe;
	error = pipe_file(inode, p, O_WRONLY | flags, &ends[1]);
	if (error) {
		/* The first end's release gives back one file; the other was never made. */
		p->files = 1;
		file_put(ends[0]);
		goto undo_inode;
	}
	inode_put(inode);
	return 0;
undo_pipe:
	inode->pipe = NULL;
	pipe_free(p);
undo_inode:
	if (inode)
		inode_put(inode);
	return error;
}

long sys_pipe2(struct uout_i32 fds, int32_t flags)
{
	struct file *ends[2];
	int32_t numbers[2];
	int error;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	error = pipe_pair((unsigned int)flags & (O_NONBLOCK | O_DIRECT), ends);
	if (error)
		return error;
	numbers[0] = error = fd_reserve((unsigned int)flags & O_CLOEXEC);
	if (error < 0)
		goto undo_files;
	numbers[1] = error = fd_reserve((unsigned int)flags & O_CLOEXEC);
	if (error < 0)
		goto undo_first;
	error = copy_out_i32_array(fds, numbers, 2);
	if (error)
		goto undo_second;
	fd_publish(numbers[0], ends[0]);
	fd_publish(numbers[1], ends[1]);
	return 0;
undo_second:
	fd_cancel(numbers[1]);
undo_first:
	fd_cancel(numbers[0]);
undo_files:
	file_put(ends[0]);
	file_put(ends[1]);
	return error;
}

long sys_pipe(struct uout_i32 fds)
{
	return sys_pipe2(fds, 0);
}

long pipe_resize(struct pipe *p, size_t bytes)
{
	struct pipe_slot *ring;
	unsigned int slots = 1, used, old;
	int error = 0;

	if (bytes > (1u << 31))
		return -EINVAL;
	while (slots < DIV_UP(bytes, PAGE_SIZE))
		slots *= 2;
	old = READ_ONCE(p->slots);
	if (slots > old && slots * PAGE_SIZE > READ_ONCE(pipe_max_size) && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	/* The limits ask for what is in place of the old ring; that stays charged until it goes. */
	account_sub(p->account, ACCOUNT_PIPE_PAGES, old);
	if (slots > old)
		error = pipe_charge(p->account, slots, true);
	else
		account_add(p->account, ACCOUNT_PIPE_PAGES, slots);
	account_add(p->account, ACCOUNT_PIPE_PAGES, old);
	if (error)
		return error;
	ring = kzalloc(slots * sizeof(*ring), 0);
	if (!ring) {
		account_sub(p->account, ACCOUNT_PIPE_PAGES, slots);
		return -ENOMEM;
	}
	mutex_lock(&p->lock);
	used = pipe_used(p);
	if (used > slots) {
		mutex_unlock(&p->lock);
		account_sub(p->account, ACCOUNT_PIPE_PAGES, slots);
		kfree(ring);
		return -EBUSY;
	}
	for (unsigned int i = 0; i < used; i++)
		ring[i] = *pipe_slot_at(p, p->tail + i);
	kfree(p->ring);
	account_sub(p->account, ACCOUNT_PIPE_PAGES, p->slots);
	p->ring = ring;
	p->slots = slots;
	p->tail = 0;
	p->head = used;
	mutex_unlock(&p->lock);
	pipe_wake_writers(p);
	return (long)slots * (long)PAGE_SIZE;
}

int pipe_init(void)
{
	pipe_mount = pseudo_mount_create(&pipe_type, &pipe_super_ops, PIPEFS_MAGIC);
	return pipe_mount ? 0 : -ENOMEM;
}

void pipe_exit(void)
{
	if (pipe_mount)
		mount_put(pipe_mount);
}
