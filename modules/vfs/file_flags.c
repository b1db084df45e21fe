/*
 * Flags and hints of inodes for ioctl and fcntl: FS_IOC_GETFLAGS and FS_IOC_FSGETXATTR with their setters, write hints, and what is
 * asked about extents, of which no file system here has any. Changes are made under inode->lock.
 */
#include <linux/capability.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#include "modules/vfs/file_flags.h"

#define SETTABLE (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL)

static const struct {
	unsigned int inode, flag, xflag;
} bits[] = {
	{ INODE_IMMUTABLE, FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE },
	{ INODE_APPEND, FS_APPEND_FL, FS_XFLAG_APPEND },
	{ INODE_NODUMP, FS_NODUMP_FL, FS_XFLAG_NODUMP },
	{ INODE_NOATIME, FS_NOATIME_FL, FS_XFLAG_NOATIME },
};

static uint32_t flags_of(const struct inode *inode, bool extended)
{
	uint32_t flags = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		if (READ_ONCE(inode->flags) & bits[i].inode)
			flags |= extended ? bits[i].xflag : bits[i].flag;
	}
	return flags;
}

static int set_locked(struct inode *inode, uint32_t flags)
{
	unsigned int on = 0, all = 0;

	if ((flags ^ flags_of(inode, false)) & (FS_IMMUTABLE_FL | FS_APPEND_FL) && !capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	if (flags & ~(uint32_t)SETTABLE)
		return -EOPNOTSUPP;
	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		all |= bits[i].inode;
		on |= flags & bits[i].flag ? bits[i].inode : 0;
	}
	WRITE_ONCE(inode->flags, (inode->flags & ~all) | on);
	inode_touch(inode, TOUCH_CTIME);
	return 0;
}

static long set_flags(struct file *f, uint32_t flags)
{
	struct inode *inode = f->inode;
	int error = mount_check_write(f->path.mount);

	if (error)
		return error;
	if (!inode_owner_or_capable(inode))
		return -EPERM;
	mutex_lock(&inode->lock);
	error = set_locked(inode, flags);
	mutex_unlock(&inode->lock);
	return error;
}

static long set_extended(struct file *f, const struct fsxattr *x)
{
	uint32_t flags = 0, known = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		known |= bits[i].xflag;
		flags |= x->fsx_xflags & bits[i].xflag ? bits[i].flag : 0;
	}
	if ((x->fsx_xflags & ~known) || x->fsx_extsize || x->fsx_projid || x->fsx_cowextsize)
		return inode_owner_or_capable(f->inode) ? -EOPNOTSUPP : -EPERM;
	return set_flags(f, flags);
}

/* A file system with such flags is one that keeps attributes at all. */
static bool has_flags(const struct file *f)
{
	return f->inode->ops->setxattr && !inode_is_link(f->inode);
}

static long clone_from(struct file *to, int fd)
{
	struct fd_ref r;
	long error = fd_get(fd, &r);
	struct inode *from;

	if (error)
		return error;
	from = r.file->inode;
	if (from->super != to->inode->super)
		error = -EXDEV;
	else if (inode_is_dir(from) || inode_is_dir(to->inode))
		error = -EISDIR;
	else if (!inode_is_regular(from) || !inode_is_regular(to->inode))
		error = -EINVAL;
	else if (!(r.file->mode & FILE_READ) || !(to->mode & FILE_WRITE) || (to->flags & O_APPEND))
		error = -EBADF;
	else
		error = -EOPNOTSUPP;
	fd_put(&r);
	return error;
}

bool file_flags_ioctl(struct file *f, uint32_t request, uintptr_t argument, long *result)
{
	struct file_clone_range range;
	struct fsxattr x = { 0 };
	uint32_t flags;

	switch (request) {
	case FS_IOC_GETFLAGS:
		if (!has_flags(f))
			return false;
		*result = user_store_u32(argument, flags_of(f->inode, false));
		return true;
	case FS_IOC_SETFLAGS:
		if (!has_flags(f))
			return false;
		*result = user_load_u32(argument, &flags) ? -EFAULT : set_flags(f, flags);
		return true;
	case FS_IOC_FSGETXATTR:
		if (!has_flags(f))
			return false;
		x.fsx_xflags = flags_of(f->inode, true);
		*result = copy_to_user(argument, &x, sizeof(x));
		return true;
	case FS_IOC_FSSETXATTR:
		if (!has_flags(f))
			return false;
		*result = copy_from_user(&x, argument, sizeof(x)) ? -EFAULT : set_extended(f, &x);
		return true;
	case FS_IOC_FIEMAP:
		*result = -EOPNOTSUPP;
		return true;
	case FICLONE:
		*result = clone_from(f, (int)argument);
		return true;
	case FICLONERANGE:
		*result = copy_from_user(&range, argument, sizeof(range)) ? -EFAULT : clone_from(f, (int)range.src_fd);
		return true;
	default:
		return false;
	}
}

long file_hint_command(struct file *f, bool set, uintptr_t argument)
{
	uint64_t hint = READ_ONCE(f->inode->write_hint);

	if (!set)
		return copy_to_user(argument, &hint, sizeof(hint));
	if (copy_from_user(&hint, argument, sizeof(hint)))
		return -EFAULT;
	if (hint > RWH_WRITE_LIFE_EXTREME)
		return -EINVAL;
	WRITE_ONCE(f->inode->write_hint, (uint8_t)hint);
	return 0;
}
