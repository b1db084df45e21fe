/*
 * Transfers: the path that all reads and writes take, positions, seeking, limits.
 *
 * The position of a file that somebody else holds too is used under pos_lock, so that two reads do not get the same bytes. Streams
 * have no position and take no lock: a sleeping reader keeps nobody out.
 */
#include <linux/resource.h>
#include <asm/signal.h>

#include "core/debug/panic.h"
#include "modules/vfs/rw.h"

unsigned int file_io_flags(const struct file *f)
{
	unsigned int flags = READ_ONCE(f->flags), io = 0;

	if (flags & O_NONBLOCK)
		io |= IO_NONBLOCK;
	if (flags & O_APPEND)
		io |= IO_APPEND;
	if (flags & O_DSYNC)
		io |= IO_DSYNC;
	return io;
}

/* Positions must not pass the largest signed offset. */
static inline int check_range(const int64_t *pos, size_t n)
{
	if (!pos)
		return 0;
	if (*pos < 0)
		return -EINVAL;
	return (uint64_t)*pos + n > INT64_MAX ? -EINVAL : 0;
}

long file_read_iter(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	long n;

	if (unlikely(!(f->mode & FILE_READ)))
		return -EBADF;
	if (unlikely(!f->ops->read))
		return f->inode && inode_is_dir(f->inode) ? -EISDIR : -EINVAL;
	if (unlikely(check_range(pos, to->count)))
		return -EINVAL;
	n = f->ops->read(f, to, pos, io_flags);
	current->read_calls++;
	if (n > 0)
		current->read_bytes += (uint64_t)n;
	return n;
}
MODAPI(file_read_iter);

long file_write_iter(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	long n;

	if (unlikely(!(f->mode & FILE_WRITE)))
		return -EBADF;
	if (unlikely(!f->ops->write))
		return -EINVAL;
	if (unlikely(check_range(pos, from->count)))
		return -EINVAL;
	n = f->ops->write(f, from, pos, io_flags);
	current->write_calls++;
	if (n > 0)
		current->write_bytes += (uint64_t)n;
	return n;
}
MODAPI(file_write_iter);

/* A transfer at the file's own position, or of a stream. */
static long transfer_here(struct file *f, struct io_iter *it, unsigned int io_flags,
			  long (*transfer)(struct file *, struct io_iter *, int64_t *, unsigned int))
{
	bool shared;
	int64_t pos;
	long n;

	if (!(f->mode & FILE_POS))
		return transfer(f, it, NULL, io_flags);
	shared = refcount_read(&f->refs) > 1;
	if (shared)
		mutex_lock(&f->pos_lock);
	pos = f->pos;
	n = transfer(f, it, &pos, io_flags);
	if (n >= 0)
		f->pos = pos;
	if (shared)
		mutex_unlock(&f->pos_lock);
	return n;
}

long file_read_here(struct file *f, struct io_iter *to, unsigned int io_flags)
{
	return transfer_here(f, to, io_flags, file_read_iter);
}

long file_write_here(struct file *f, struct io_iter *from, unsigned int io_flags)
{
	return transfer_here(f, from, io_flags, file_write_iter);
}

long file_read_kernel(struct file *f, void *buf, size_t n, int64_t *pos)
{
	struct io_iter it;

	io_iter_init_kernel(&it, buf, n);
	return pos ? file_read_iter(f, &it, pos, file_io_flags(f)) : file_read_here(f, &it, file_io_flags(f));
}
MODAPI(file_read_kernel);

long file_write_kernel(struct file *f, const void *buf, size_t n, int64_t *pos)
{
	struct io_iter it;

	io_iter_init_kernel(&it, buf, n);
	return pos ? file_write_iter(f, &it, pos, file_io_flags(f)) : file_write_here(f, &it, file_io_flags(f));
}
MODAPI(file_write_kernel);

int file_check_limit(struct file *f, uint64_t pos, size_t *n)
{
	uint64_t limit = service(process)->rlimit(RLIMIT_FSIZE);
	uint64_t max = f->inode->super->max_file_size;

	if (!*n)
		return 0;
	if (unlikely(pos >= limit)) {
		service(process)->signal_current(SIGXFSZ);
		return -EFBIG;
	}
	if (unlikely(pos >= max))
		return -EFBIG;
	*n = MIN(*n, MIN(limit, max) - pos);
	return 0;
}
MODAPI(file_check_limit);

void signal_broken_pipe(void)
{
	service(process)->signal_current(SIGPIPE);
}

static int64_t seek_generic(struct file *f, int64_t offset, int whence)
{
	int64_t size = (int64_t)inode_size(f->inode), target;

	switch (whence) {
	case SEEK_SET:
		target = offset;
		break;
	case SEEK_CUR:
		if (__builtin_add_overflow(f->pos, offset, &target))
			return -EINVAL;
		break;
	case SEEK_END:
		if (__builtin_add_overflow(size, offset, &target))
			return -EINVAL;
		break;
	case SEEK_DATA:
		if (offset < 0 || offset >= size)
			return -ENXIO;
		target = offset;
		break;
	case SEEK_HOLE:
		if (offset < 0 || offset >= size)
			return -ENXIO;
		target = size;
		break;
	default:
		return -EINVAL;
	}
	if (target < 0 || (uint64_t)target > f->inode->super->max_file_size)
		return -EINVAL;
	f->pos = target;
	return target;
}

int64_t file_seek(struct file *f, int64_t offset, int whence)
{
	bool shared = refcount_read(&f->refs) > 1;
	int64_t result;

	if (whence < SEEK_SET || whence > SEEK_MAX)
		return -EINVAL;
	if (!(f->mode & FILE_SEEK))
		return -ESPIPE;
	if (shared)
		mutex_lock(&f->pos_lock);
	result = f->ops->seek ? f->ops->seek(f, offset, whence) : seek_generic(f, offset, whence);
	if (shared)
		mutex_unlock(&f->pos_lock);
	return result;
}
MODAPI(file_seek);
