/*
 * Transfers between files inside the kernel: sendfile, copy_file_range, splice, tee, vmsplice.
 *
 * Between two pipes pages change hands; everything else is copied through a buffer or a pipe's pages. A pipe stays locked
 * while its pages are written to a file, as its readers' order demands; two pipes are locked by address.
 */
#include <gen/vfs.h>

#include "core/mem/vmap.h"
#include "modules/vfs/pipe.h"
#include "modules/vfs/rw.h"

#define SPLICE_F_MOVE     1u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE     4u
#define SPLICE_F_GIFT     8u
#define SPLICE_F_ALL      (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

#define COPY_CHUNK 65536u

/* Writes a kernel buffer at *pos (null: where the file stands); short only on an error or a full file. */
static long write_all(struct file *f, const char *buf, size_t n, int64_t *pos, unsigned int io)
{
	size_t done = 0;
	long w = 0;

	while (done < n) {
		struct io_iter it;

		io_iter_init_kernel(&it, buf + done, n - done);
		w = pos ? file_write_iter(f, &it, pos, io) : file_write_here(f, &it, io);
		if (w <= 0)
			break;
		done += (size_t)w;
	}
	return done ? (long)done : w;
}

/* Copies up to `count` bytes; positions advance by what was written. */
static long copy_between(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t count)
{
	size_t chunk = MIN(count, (size_t)COPY_CHUNK);
	char *buf = kvmalloc(MAX(chunk, (size_t)1), 0);
	long total = 0, n = 0;

	if (!buf)
		return -ENOMEM;
	while (count) {
		struct io_iter it;
		int64_t at = *in_pos;
		long w;

		io_iter_init_kernel(&it, buf, MIN(count, chunk));
		n = file_read_iter(in, &it, &at, file_io_flags(in));
		if (n <= 0)
			break;
		w = write_all(out, buf, (size_t)n, out_pos, file_io_flags(out));
		if (w <= 0) {
			n = w;
			break;
		}
		*in_pos += w;
		total += w;
		count -= (size_t)w;
		if (w < n)
			break;
		n = wait_interrupted(WAIT_KILLABLE);
		if (n)
			break;
	}
	kvfree(buf);
	return total ? total : wait_error(n);
}

static int load_offset(uintptr_t user, int64_t *offset)
{
	return copy_from_user(offset, user, sizeof(*offset)) ? -EFAULT : 0;
}

/* May so many bytes be transferred at this offset? 0 or -EINVAL. */
static int check_area(int64_t offset, size_t count)
{
	return offset < 0 || count > INT64_MAX || (uint64_t)offset + count > INT64_MAX ? -EINVAL : 0;
}

/* Stores an advanced offset, or sets the file's position when there is no user offset. */
static long store_offset(struct file *f, uintptr_t user, int64_t offset, long n)
{
	if (!user)
		f->pos = offset;
	else if (copy_to_user(user, &offset, sizeof(offset)))
		return -EFAULT;
	return n;
}

static long send_file(struct file *in, struct file *out, uintptr_t user_offset, size_t count)
{
	int64_t offset = in->pos;
	long n;

	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE))
		return -EBADF;
	if (user_offset) {
		if (!(in->mode & FILE_PREAD))
			return -ESPIPE;
		n = load_offset(user_offset, &offset);
		if (n)
			return n;
	}
	if (!(in->mode & FILE_PREAD) || !in->ops->read || (out->flags & O_APPEND))
		return -EINVAL;
	n = check_area(offset, count);
	if (n)
		return n;
	n = copy_between(in, &offset, out, NULL, MIN(count, IO_COUNT_MAX));
	return n >= 0 ? store_offset(in, user_offset, offset, n) : n;
}

long sys_sendfile(int32_t out, int32_t in, struct uinout_off offset, size_t count)
{
	struct fd_ref from, to;
	long n = fd_get(in, &from);

	if (n)
		return n;
	n = fd_get(out, &to);
	if (!n) {
		n = send_file(from.file, to.file, offset.addr, count);
		fd_put(&to);
	}
	fd_put(&from);
	return n;
}

static long copy_range(struct file *in, uintptr_t in_user, struct file *out, uintptr_t out_user, size_t count,
		       uint32_t flags)
{
	int64_t in_pos = in->pos, out_pos = out->pos;
	uint64_t size;
	long n = 0;

	if (in_user)
		n = load_offset(in_user, &in_pos);
	if (!n && out_user)
		n = load_offset(out_user, &out_pos);
	if (n)
		return n;
	if (flags)
		return -EINVAL;
	if (inode_is_dir(in->inode) || inode_is_dir(out->inode))
		return -EISDIR;
	if (!inode_is_regular(in->inode) || !inode_is_regular(out->inode))
		return -EINVAL;
	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE) || (out->flags & O_APPEND))
		return -EBADF;
	/* Only within one file system: the sizes of files that make their text when it is read say nothing. */
	if (in->inode->super != out->inode->super)
		return -EXDEV;
	if (out->inode->flags & INODE_IMMUTABLE)
		return -EPERM;
	if ((uint64_t)in_pos + count < (uint64_t)in_pos || (uint64_t)out_pos + count < (uint64_t)out_pos)
		return -EOVERFLOW;
	size = inode_size(in->inode);
	count = in_pos >= (int64_t)size ? 0 : MIN(count, size - (uint64_t)in_pos);
	if (count && out_pos >= 0) {
		n = file_check_limit(out, (uint64_t)out_pos, &count);
		if (n)
			return n;
	}
	if (in->inode == out->inode && (uint64_t)out_pos + count > (uint64_t)in_pos &&
	    (uint64_t)out_pos < (uint64_t)in_pos + count)
		return -EINVAL;
	if (check_area(in_pos, count) || check_area(out_pos, count))
		return -EINVAL;
	count = MIN(count, IO_COUNT_MAX);
	n = copy_between(in, &in_pos, out, &out_pos, count);
	if (n > 0) {
		n = store_offset(in, in_user, in_pos, n);
		if (n > 0)
			n = store_offset(out, out_user, out_pos, n);
	}
	return n;
}

long sys_copy_file_range(int32_t in, struct uinout_off in_offset, int32_t out, struct uinout_off out_offset,
			 size_t count, uint32_t flags)
{
	struct fd_ref from, to;
	long n;

	n = fd_get(in, &from);
	if (n)
		return n;
	n = fd_get(out, &to);
	if (!n) {
		n = copy_range(from.file, in_offset.addr, to.file, out_offset.addr, count, flags);
		fd_put(&to);
	}
	fd_put(&from);
	return n;
}

static void lock_two(struct pipe *a, struct pipe *b)
{
	mutex_lock(a < b ? &a->lock : &b->lock);
	mutex_lock(a < b ? &b->lock : &a->lock);
}

/* Moves or duplicates the `index`th slot of `in`, at most n bytes; both locked, data and room are there. Bytes. */
static size_t pass_slot(struct pipe *in, unsigned int index, struct pipe *out, size_t n, bool keep)
{
	struct pipe_slot *from = pipe_slot_at(in, in->tail + index), *to = pipe_slot_at(out, out->head);

	n = MIN(n, (size_t)from->length);
	*to = *from;
	to->length = (uint32_t)n;
	to->mergeable = false;
	if (keep) {
		page_get(to->page);
		from->mergeable = false;
	} else if (n == from->length) {
		from->page = NULL;
		WRITE_ONCE(in->tail, in->tail + 1);
	} else {
		page_get(to->page);
		from->mergeable = false;
		from->offset += (uint32_t)n;
		from->length -= (uint32_t)n;
	}
	WRITE_ONCE(out->head, out->head + 1);
	return n;
}

/* splice and tee between two pipes. */
static long pipe_to_pipe(struct pipe *in, struct pipe *out, size_t count, bool nonblock, bool keep)
{
	long total = 0;
	int error;

	if (in == out)
		return -EINVAL;
	for (;;) {
		mutex_lock(&in->lock);
		error = pipe_wait_readable(in, nonblock);
		mutex_unlock(&in->lock);
		if (error)
			return error > 0 ? 0 : error;
		mutex_lock(&out->lock);
		error = pipe_wait_writable(out, nonblock);
		mutex_unlock(&out->lock);
		if (error)
			return error;
		lock_two(in, out);
		for (unsigned int i = 0; count && i < pipe_used(in) && !pipe_full(out) && out->readers;
		     i += keep) {
			size_t n = pass_slot(in, i, out, count, keep);

			total += (long)n;
			count -= n;
		}
		mutex_unlock(&in->lock);
		mutex_unlock(&out->lock);
		if (total)
			break;
	}
	pipe_wake_readers(out);
	pipe_wake_writers(in);
	return total;
}

static long pipe_to_file(struct pipe *p, struct file *out, int64_t *pos, size_t count, bool nonblock)
{
	long total = 0, n;

	mutex_lock(&p->lock);
	n = pipe_wait_readable(p, nonblock);
	while (!n && count && !pipe_empty(p)) {
		struct pipe_slot *s = pipe_slot_at(p, p->tail);
		size_t piece = MIN(count, (size_t)s->length);

		n = write_all(out, (char *)page_address(s->page) + s->offset, piece, pos, file_io_flags(out));
		if (n <= 0)
			break;
		s->offset += (uint32_t)n;
		s->length -= (uint32_t)n;
		total += n;
		count -= (size_t)n;
		n = n < (long)piece;
		if (!s->length) {
			pipe_release_page(p, s);
			WRITE_ONCE(p->tail, p->tail + 1);
		}
	}
	mutex_unlock(&p->lock);
	if (total)
		pipe_wake_writers(p);
	return total ? total : n > 0 ? 0 : n;
}

static long file_to_pipe(struct file *in, int64_t *pos, struct pipe *p, size_t count, bool nonblock)
{
	long total = 0, n = 0;

	while (count) {
		struct page *page = page_alloc(0, ALLOC_USER);
		struct io_iter it;
		struct pipe_slot *s;

		if (!page) {
			n = -ENOMEM;
			break;
		}
		/* Room first: what is read from a stream cannot be given back. */
		mutex_lock(&p->lock);
		n = pipe_wait_writable(p, nonblock || total);
		mutex_unlock(&p->lock);
		if (!n) {
			unsigned int io = file_io_flags(in) | (nonblock || total ? IO_NONBLOCK : 0);

			io_iter_init_kernel(&it, page_address(page), MIN(count, PAGE_SIZE));
			n = pos ? file_read_iter(in, &it, pos, io) : file_read_here(in, &it, io);
		}
		if (n <= 0) {
			page_put(page);
			break;
		}
		mutex_lock(&p->lock);
		while (pipe_full(p) && p->readers) {
			int error = pipe_wait_writable(p, false);

			if (error)
				break;
		}
		if (pipe_full(p) || !p->readers) {
			mutex_unlock(&p->lock);
			page_put(page);
			n = -EPIPE;
			break;
		}
		s = pipe_slot_at(p, p->head);
		*s = (struct pipe_slot){ .page = page, .length = (uint32_t)n };
		WRITE_ONCE(p->head, p->head + 1);
		mutex_unlock(&p->lock);
		pipe_wake_readers(p);
		total += n;
		count -= (size_t)n;
	}
	return total ? total : n;
}

static long splice_files(struct file *in, uintptr_t in_user, struct file *out, uintptr_t out_user,
			 size_t count, unsigned int flags)
{
	struct pipe *from = file_pipe(in), *to = file_pipe(out);
	bool nonblock = (flags & SPLICE_F_NONBLOCK) ||
			((from ? in : out)->flags & O_NONBLOCK) || (from && to && (out->flags & O_NONBLOCK));
	int64_t in_pos = 0, out_pos = 0;
	long n = 0;

	if ((from && in_user) || (to && out_user))
		return -ESPIPE;
	if (out_user)
		n = load_offset(out_user, &out_pos);
	if (!n && in_user)
		n = load_offset(in_user, &in_pos);
	if (n)
		return n;
	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE))
		return -EBADF;
	if (from && to)
		return pipe_to_pipe(from, to, count, nonblock, false);
	if (!from && !to)
		return -EINVAL;
	if ((in_user && !(in->mode & FILE_PREAD)) || (out_user && !(out->mode & FILE_PREAD)))
		return -EINVAL;
	if (from) {
		if ((out->flags & O_APPEND) || ((out->mode & FILE_POS) && check_area(out_user ? out_pos : out->pos, count)))
			return -EINVAL;
		n = pipe_to_file(from, out, out_user ? &out_pos : NULL, count, nonblock);
		return n > 0 && out_user ? store_offset(out, out_user, out_pos, n) : n;
	}
	if (!in->ops->read || ((in->mode & FILE_POS) && check_area(in_user ? in_pos : in->pos, count)))
		return -EINVAL;
	n = file_to_pipe(in, in_user ? &in_pos : NULL, to, count, nonblock);
	return n > 0 && in_user ? store_offset(in, in_user, in_pos, n) : n;
}

long sys_splice(int32_t in, struct uinout_off in_offset, int32_t out, struct uinout_off out_offset,
		size_t count, uint32_t flags)
{
	struct fd_ref from, to;
	long n;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (!count)
		return 0;
	n = fd_get(in, &from);
	if (n)
		return n;
	n = fd_get(out, &to);
	if (!n) {
		n = splice_files(from.file, in_offset.addr, to.file, out_offset.addr,
				 MIN(count, IO_COUNT_MAX), flags);
		fd_put(&to);
	}
	fd_put(&from);
	return n;
}

long sys_tee(int32_t in, int32_t out, size_t count, uint32_t flags)
{
	struct fd_ref from, to;
	long n;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (!count)
		return 0;
	n = fd_get(in, &from);
	if (n)
		return n;
	n = fd_get(out, &to);
	if (!n) {
		if (!(from.file->mode & FILE_READ) || !(to.file->mode & FILE_WRITE))
			n = -EBADF;
		else if (!file_pipe(from.file) || !file_pipe(to.file))
			n = -EINVAL;
		else
			n = pipe_to_pipe(file_pipe(from.file), file_pipe(to.file), count,
					 (flags & SPLICE_F_NONBLOCK) ||
						 ((from.file->flags | to.file->flags) & O_NONBLOCK),
					 true);
		fd_put(&to);
	}
	fd_put(&from);
	return n;
}

/* Waits until there is room, and puts in what fits then: the caller may be the one who reads the rest. */
static long vmsplice_in(struct file *f, struct io_iter *it, bool nonblock)
{
	struct pipe *p = file_pipe(f);
	long n;

	do {
		mutex_lock(&p->lock);
		n = pipe_wait_writable(p, nonblock);
		mutex_unlock(&p->lock);
		if (!n)
			n = file_write_iter(f, it, NULL, IO_NONBLOCK);
		else
			nonblock = true;
	} while (n == -EAGAIN && !nonblock);
	return n;
}

/* Pages of the caller are copied, not lent: what it does to them later does not show in the pipe. O_NONBLOCK of the file does not count. */
long sys_vmsplice(int32_t fd, struct uin_iovec iov, size_t count, uint32_t flags)
{
	struct io_segment fast[IO_SEGMENTS_FAST], *heap;
	struct io_iter it;
	struct fd_ref r;
	long n;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	n = fd_get(fd, &r);
	if (n)
		return n;
	n = io_iter_init_vector(&it, iov.addr, count, fast, &heap);
	if (!n) {
		if (!file_pipe(r.file))
			n = -EBADF;
		else if (it.count && (r.file->mode & FILE_WRITE))
			n = vmsplice_in(r.file, &it, flags & SPLICE_F_NONBLOCK);
		else if (it.count)
			n = file_read_iter(r.file, &it, NULL, flags & SPLICE_F_NONBLOCK ? IO_NONBLOCK : 0);
		kfree(heap);
	}
	fd_put(&r);
	return n;
}
