/*
 * read, write and their relatives; lseek; truncation; what syncs and advises.
 */
#include <gen/vfs.h>

#include <linux/falloc.h>

#include "modules/vfs/rw.h"
#include "modules/vfs/super.h"

static __always_inline long transfer(int32_t fd, uintptr_t addr, size_t count, bool write)
{
	struct io_iter it;
	struct fd_ref r;
	long n = fd_get(fd, &r);

	if (unlikely(n))
		return n;
	if (unlikely((int64_t)count < 0))
		n = -EINVAL;
	else if (unlikely(!user_range_ok(addr, count)))
		n = r.file->mode & (write ? FILE_WRITE : FILE_READ) ? -EFAULT : -EBADF;
	if (likely(!n)) {
		io_iter_init_user(&it, addr, count);
		n = write ? file_write_here(r.file, &it, file_io_flags(r.file)) : file_read_here(r.file, &it, file_io_flags(r.file));
	}
	fd_put(&r);
	return n;
}

long sys_read(int32_t fd, struct uout_u8 buf, size_t count)
{
	return transfer(fd, buf.addr, count, false);
}

long sys_write(int32_t fd, struct uin_u8 buf, size_t count)
{
	return transfer(fd, buf.addr, count, true);
}

static __always_inline long transfer_at(int32_t fd, uintptr_t addr, size_t count, int64_t offset, bool write)
{
	struct io_iter it;
	struct fd_ref r;
	long n;

	if (offset < 0)
		return -EINVAL;
	n = fd_get(fd, &r);
	if (n)
		return n;
	if (!(r.file->mode & FILE_PREAD))
		n = -ESPIPE;
	else if ((int64_t)count < 0)
		n = -EINVAL;
	else if (!user_range_ok(addr, count))
		n = -EFAULT;
	if (!n) {
		io_iter_init_user(&it, addr, count);
		n = write ? file_write_iter(r.file, &it, &offset, file_io_flags(r.file))
			  : file_read_iter(r.file, &it, &offset, file_io_flags(r.file));
	}
	fd_put(&r);
	return n;
}

long sys_pread64(int32_t fd, struct uout_u8 buf, size_t count, int64_t offset)
{
	return transfer_at(fd, buf.addr, count, offset, false);
}

long sys_pwrite64(int32_t fd, struct uin_u8 buf, size_t count, int64_t offset)
{
	return transfer_at(fd, buf.addr, count, offset, true);
}

/* RWF_* to IO_*. */
static int vector_flags(struct file *f, int32_t flags, unsigned int *io)
{
	*io = file_io_flags(f);
	if (flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND))
		return -EOPNOTSUPP;
	if (flags & RWF_NOWAIT) {
		if (!(f->mode & FILE_NOWAIT))
			return -EOPNOTSUPP;
		*io |= IO_NONBLOCK | IO_NOWAIT;
	}
	if (flags & (RWF_DSYNC | RWF_SYNC))
		*io |= IO_DSYNC;
	if (flags & RWF_APPEND)
		*io |= IO_APPEND;
	return 0;
}

/* All vector calls. `offset` null: at the file's position. */
static long transfer_vector(int32_t fd, struct uin_iovec iov, size_t count, int64_t *offset, int32_t flags,
			    bool write)
{
	struct io_segment fast[IO_SEGMENTS_FAST], *heap = NULL;
	struct io_iter it;
	struct fd_ref r;
	unsigned int io;
	long n;

	if (offset && *offset < 0)
		return -EINVAL;
	n = fd_get(fd, &r);
	if (n)
		return n;
	if (offset && !(r.file->mode & FILE_PREAD))
		n = -ESPIPE;
	else if (!(r.file->mode & (write ? FILE_WRITE : FILE_READ)))
		n = -EBADF;
	else
		n = vector_flags(r.file, flags, &io);
	if (!n)
		n = io_iter_init_vector(&it, iov.addr, count, fast, &heap);
	if (!n) {
		if (write)
			n = offset ? file_write_iter(r.file, &it, offset, io) : file_write_here(r.file, &it, io);
		else
			n = offset ? file_read_iter(r.file, &it, offset, io) : file_read_here(r.file, &it, io);
		kfree(heap);
	}
	fd_put(&r);
	return n;
}

long sys_readv(int32_t fd, struct uin_iovec iov, size_t count)
{
	return transfer_vector(fd, iov, count, NULL, 0, false);
}

long sys_writev(int32_t fd, struct uin_iovec iov, size_t count)
{
	return transfer_vector(fd, iov, count, NULL, 0, true);
}

/* Both ports pass the whole offset in the low word. */
long sys_preadv(int32_t fd, struct uin_iovec iov, size_t count, uintptr_t low, uintptr_t high)
{
	int64_t offset = (int64_t)low;

	(void)high;
	return transfer_vector(fd, iov, count, &offset, 0, false);
}

long sys_pwritev(int32_t fd, struct uin_iovec iov, size_t count, uintptr_t low, uintptr_t high)
{
	int64_t offset = (int64_t)low;

	(void)high;
	return transfer_vector(fd, iov, count, &offset, 0, true);
}

long sys_preadv2(int32_t fd, struct uin_iovec iov, size_t count, uintptr_t low, uintptr_t high, int32_t flags)
{
	int64_t offset = (int64_t)low;

	(void)high;
	return transfer_vector(fd, iov, count, offset == -1 ? NULL : &offset, flags, false);
}

long sys_pwritev2(int32_t fd, struct uin_iovec iov, size_t count, uintptr_t low, uintptr_t high, int32_t flags)
{
	int64_t offset = (int64_t)low;

	(void)high;
	return transfer_vector(fd, iov, count, offset == -1 ? NULL : &offset, flags, true);
}

long sys_lseek(int32_t fd, int64_t offset, uint32_t whence)
{
	struct fd_ref r;
	long n = fd_get(fd, &r);

	if (n)
		return n;
	n = file_seek(r.file, offset, (int)whence);
	fd_put(&r);
	return n;
}

long sys_truncate(struct ustr path, int64_t length)
{
	struct path p;
	struct inode *inode;
	int error;

	if (length < 0)
		return -EINVAL;
	error = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW, &p);
	if (error)
		return error;
	inode = p.dentry->inode;
	if (inode_is_dir(inode))
		error = -EISDIR;
	else if (!inode_is_regular(inode))
		error = -EINVAL;
	else
		error = mount_check_write(p.mount);
	if (!error)
		error = inode_permission(inode, MAY_WRITE);
	if (!error)
		error = inode_get_write(inode);
	if (!error && unlikely(READ_ONCE(inode->locks))) {
		error = lease_break(inode, true, false);
		if (error)
			inode_put_write(inode);
	}
	if (!error) {
		error = inode_truncate(inode, (uint64_t)length);
		inode_put_write(inode);
	}
	path_put(&p);
	return error;
}

long sys_ftruncate(int32_t fd, int64_t length)
{
	struct fd_ref r;
	int error;

	if (length < 0)
		return -EINVAL;
	error = fd_get(fd, &r);
	if (error)
		return error;
	if (!inode_is_regular(r.file->inode) || !(r.file->mode & FILE_WRITE))
		error = -EINVAL;
	else
		error = inode_truncate(r.file->inode, (uint64_t)length);
	fd_put(&r);
	return error;
}

#define FALLOC_ALL (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE | \
		    FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)

long sys_fallocate(int32_t fd, int32_t mode, int64_t offset, int64_t length)
{
	struct fd_ref r;
	struct file *f;
	int error;

	if (offset < 0 || length <= 0)
		return -EINVAL;
	error = fd_get(fd, &r);
	if (error)
		return error;
	f = r.file;
	if (mode & ~FALLOC_ALL)
		error = -EOPNOTSUPP;
	else if ((mode & FALLOC_FL_PUNCH_HOLE) && ((mode & FALLOC_FL_ZERO_RANGE) || !(mode & FALLOC_FL_KEEP_SIZE)))
		error = -EOPNOTSUPP;
	else if ((mode & FALLOC_FL_COLLAPSE_RANGE && mode != FALLOC_FL_COLLAPSE_RANGE) ||
		 (mode & FALLOC_FL_INSERT_RANGE && mode != FALLOC_FL_INSERT_RANGE) ||
		 (mode & FALLOC_FL_UNSHARE_RANGE && mode & ~(FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE)))
		error = -EINVAL;
	else if (!(f->mode & FILE_WRITE))
		error = -EBADF;
	else if (f->inode->flags & INODE_IMMUTABLE || ((mode & ~FALLOC_FL_KEEP_SIZE) && f->inode->flags & INODE_APPEND))
		error = -EPERM;
	else if (S_ISFIFO(f->inode->mode))
		error = -ESPIPE;
	else if (inode_is_dir(f->inode))
		error = -EISDIR;
	else if (!inode_is_regular(f->inode))
		error = -ENODEV;
	else if ((uint64_t)offset + (uint64_t)length > f->inode->super->max_file_size)
		error = -EFBIG;
	else if (!f->ops->fallocate)
		error = -EOPNOTSUPP;
	else
		error = f->ops->fallocate(f, mode, (uint64_t)offset, (uint64_t)length);
	fd_put(&r);
	return error;
}

static long sync_file(int32_t fd, uint64_t start, uint64_t end, bool data_only)
{
	struct fd_ref r;
	int error = fd_get(fd, &r);

	if (error)
		return error;
	error = r.file->ops->fsync ? r.file->ops->fsync(r.file, start, end, data_only) : -EINVAL;
	fd_put(&r);
	return error;
}

long sys_fsync(int32_t fd)
{
	return sync_file(fd, 0, INT64_MAX, false);
}

long sys_fdatasync(int32_t fd)
{
	return sync_file(fd, 0, INT64_MAX, true);
}

long sys_sync(void)
{
	super_sync_all();
	return 0;
}

long sys_syncfs(int32_t fd)
{
	struct fd_ref r;
	struct super *s;
	int error = fd_get(fd, &r);

	if (error)
		return error;
	s = r.file->path.mount->super;
	error = s->ops->sync ? s->ops->sync(s) : 0;
	fd_put(&r);
	return error;
}

long sys_sync_file_range(int32_t fd, int64_t offset, int64_t length, uint32_t flags)
{
	struct fd_ref r;
	uint32_t mode;
	int error;

	if (flags & ~(uint32_t)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
		return -EINVAL;
	if (offset < 0 || length < 0 || offset + length < offset)
		return -EINVAL;
	error = fd_get(fd, &r);
	if (error)
		return error;
	mode = r.file->inode->mode;
	if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
		error = -ESPIPE;
	else if (r.file->ops->fsync)
		error = r.file->ops->fsync(r.file, (uint64_t)offset, (uint64_t)(offset + length), true);
	fd_put(&r);
	return error;
}

/* Pages are memory here: advice about reading ahead has nothing to bring in. */
long sys_fadvise64(int32_t fd, int64_t offset, int64_t length, int32_t advice)
{
	struct fd_ref r;
	int error = fd_get(fd, &r);

	(void)offset;
	if (error)
		return error;
	if (S_ISFIFO(r.file->inode->mode))
		error = -ESPIPE;
	else if (length < 0 || advice < 0 || advice > 5)
		error = -EINVAL;
	fd_put(&r);
	return error;
}

long sys_readahead(int32_t fd, int64_t offset, size_t count)
{
	struct fd_ref r;
	int error = fd_get(fd, &r);

	(void)offset;
	(void)count;
	if (error)
		return error;
	if (!(r.file->mode & FILE_READ))
		error = -EBADF;
	else if (!inode_is_regular(r.file->inode) && !S_ISBLK(r.file->inode->mode))
		error = -EINVAL;
	fd_put(&r);
	return error;
}
