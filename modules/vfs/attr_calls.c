/*
 * chmod, chown, utimes and their relatives.
 */
#include <gen/vfs.h>

#include <linux/stat.h>

#include "modules/vfs/walk.h"

#ifndef UTIME_NOW
#define UTIME_NOW  ((1l << 30) - 1l)
#define UTIME_OMIT ((1l << 30) - 2l)
#endif

static long change_path(const struct path *p, struct attr_change *c)
{
	int error = mount_check_write(p->mount);

	return error ? error : inode_change(p->dentry->inode, c);
}

static long change_name(int dirfd, struct ustr path, unsigned int walk, struct attr_change *c)
{
	struct path p;
	long error = path_lookup_user(dirfd, path, walk, &p);

	if (error)
		return error;
	error = change_path(&p, c);
	path_put(&p);
	return error;
}

static long change_fd(int fd, struct attr_change *c)
{
	struct fd_ref r;
	long error = fd_get(fd, &r);

	if (error)
		return error;
	error = change_path(&r.file->path, c);
	fd_put(&r);
	return error;
}

long sys_fchmodat(int32_t dirfd, struct ustr path, uint32_t mode)
{
	struct attr_change c = { .valid = ATTR_MODE, .mode = mode & 07777 };

	return change_name(dirfd, path, WALK_FOLLOW, &c);
}

long sys_chmod(struct ustr path, uint32_t mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

long sys_fchmod(int32_t fd, uint32_t mode)
{
	struct attr_change c = { .valid = ATTR_MODE, .mode = mode & 07777 };

	return change_fd(fd, &c);
}

/* -1 leaves an id as it is. */
static struct attr_change owner_change(uint32_t user, uint32_t group)
{
	struct attr_change c = { .valid = ATTR_OWNER, .uid = user, .gid = group };

	if (user != (uint32_t)-1)
		c.valid |= ATTR_UID;
	if (group != (uint32_t)-1)
		c.valid |= ATTR_GID;
	return c;
}

long sys_fchownat(int32_t dirfd, struct ustr path, uint32_t user, uint32_t group, int32_t flags)
{
	struct attr_change c = owner_change(user, group);
	unsigned int walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	return change_name(dirfd, path, walk, &c);
}

long sys_chown(struct ustr path, uint32_t user, uint32_t group)
{
	return sys_fchownat(AT_FDCWD, path, user, group, 0);
}

long sys_lchown(struct ustr path, uint32_t user, uint32_t group)
{
	return sys_fchownat(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(int32_t fd, uint32_t user, uint32_t group)
{
	struct attr_change c = owner_change(user, group);

	return change_fd(fd, &c);
}

/* Two times in nanoseconds with UTIME_NOW and UTIME_OMIT; null: both now. */
static int time_change(const struct file_time *times, struct attr_change *c, bool *only_now)
{
	struct file_time now = file_time_now();

	memset(c, 0, sizeof(*c));
	c->valid = ATTR_ATIME | ATTR_MTIME;
	c->atime = c->mtime = now;
	*only_now = true;
	if (!times)
		return 0;
	for (int i = 0; i < 2; i++) {
		struct file_time *to = i ? &c->mtime : &c->atime;

		if (times[i].nsec == UTIME_NOW)
			continue;
		*only_now = false;
		if (times[i].nsec == UTIME_OMIT)
			c->valid &= ~(i ? ATTR_MTIME : ATTR_ATIME);
		else if (times[i].nsec >= 1000000000u)
			return -EINVAL;
		else
			*to = times[i];
	}
	return 0;
}

static long set_times(const struct path *p, struct attr_change *c, bool only_now)
{
	struct inode *inode = p->dentry->inode;
	int error;

	if (!c->valid)
		return 0;
	error = mount_check_write(p->mount);
	if (error)
		return error;
	if (inode->flags & INODE_IMMUTABLE)
		return only_now ? -EACCES : -EPERM;
	if (!inode_owner_or_capable(inode)) {
		if (!only_now)
			return -EPERM;
		error = inode_permission(inode, MAY_WRITE);
		if (error)
			return error;
	}
	return inode_change(inode, c);
}

/* `path` 0: the descriptor itself. */
static long change_times(int dirfd, uintptr_t path, const struct file_time *times, int32_t flags)
{
	unsigned int walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct attr_change c;
	struct fd_ref r;
	struct path p;
	bool only_now;
	long error = time_change(times, &c, &only_now);

	if (error)
		return error;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!path && dirfd != AT_FDCWD) {
		if (flags)
			return -EINVAL;
		error = fd_get(dirfd, &r);
		if (error)
			return error;
		error = set_times(&r.file->path, &c, only_now);
		fd_put(&r);
		return error;
	}
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	error = path_lookup_user(dirfd, (struct ustr){ path }, walk, &p);
	if (error)
		return error;
	error = set_times(&p, &c, only_now);
	path_put(&p);
	return error;
}

long sys_utimensat(int32_t dirfd, uintptr_t path, struct uin_timespec times, int32_t flags)
{
	struct __kernel_timespec ts[2];
	struct file_time t[2];

	if (!times.addr)
		return change_times(dirfd, path, NULL, flags);
	if (copy_in_timespec_array(ts, times, 2))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (ts[i].tv_nsec < 0 || ts[i].tv_nsec > UTIME_NOW)
			return -EINVAL;
		t[i] = (struct file_time){ ts[i].tv_sec, (uint32_t)ts[i].tv_nsec };
	}
	/* Nothing to be done is not even looked up. */
	if (t[0].nsec == UTIME_OMIT && t[1].nsec == UTIME_OMIT)
		return 0;
	return change_times(dirfd, path, t, flags);
}

static long times_by_timeval(int dirfd, uintptr_t path, struct uin_timeval times)
{
	struct __kernel_old_timeval tv[2];
	struct file_time t[2];

	if (!times.addr)
		return change_times(dirfd, path, NULL, 0);
	if (copy_in_timeval_array(tv, times, 2))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
			return -EINVAL;
		t[i] = (struct file_time){ tv[i].tv_sec, (uint32_t)tv[i].tv_usec * 1000 };
	}
	return change_times(dirfd, path, t, 0);
}

long sys_futimesat(int32_t dirfd, uintptr_t path, struct uin_timeval times)
{
	return times_by_timeval(dirfd, path, times);
}

long sys_utimes(struct ustr path, struct uin_timeval times)
{
	return times_by_timeval(AT_FDCWD, path.addr, times);
}

long sys_utime(struct ustr path, struct uin_utimbuf times)
{
	struct utimbuf u;
	struct file_time t[2];

	if (!times.addr)
		return change_times(AT_FDCWD, path.addr, NULL, 0);
	if (copy_in_utimbuf(&u, times))
		return -EFAULT;
	t[0] = (struct file_time){ u.actime, 0 };
	t[1] = (struct file_time){ u.modtime, 0 };
	return change_times(AT_FDCWD, path.addr, t, 0);
}
