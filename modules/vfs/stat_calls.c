/*
 * stat in all its forms, statfs, readlink, access.
 */
#include <gen/vfs.h>

#include <linux/capability.h>

#include "modules/vfs/walk.h"

int path_stat(const struct path *p, struct kstat *out)
{
	int error = inode_getattr(p->dentry->inode, out);

	if (error)
		return error;
	out->mount_id = (uint64_t)p->mount->id;
	if (p->dentry == p->mount->root)
		out->attributes |= STATX_ATTR_MOUNT_ROOT;
	out->attributes_mask |= STATX_ATTR_MOUNT_ROOT;
	out->result_mask |= STATX_MNT_ID;
	return 0;
}
MODAPI(path_stat);

static long put_stat(struct uout_stat buf, const struct kstat *k)
{
	struct stat st;

	memset(&st, 0, sizeof(st));
	st.st_dev = device_encode(k->dev);
	st.st_ino = k->ino;
	st.st_mode = k->mode;
	st.st_nlink = k->nlink;
	st.st_uid = k->uid;
	st.st_gid = k->gid;
	st.st_rdev = device_encode(k->rdev);
	st.st_size = (long)k->size;
	st.st_blksize = (__typeof__(st.st_blksize))k->block_size;
	st.st_blocks = (__typeof__(st.st_blocks))k->blocks;
	st.st_atime = (__typeof__(st.st_atime))k->atime.sec;
	st.st_atime_nsec = k->atime.nsec;
	st.st_mtime = (__typeof__(st.st_mtime))k->mtime.sec;
	st.st_mtime_nsec = k->mtime.nsec;
	st.st_ctime = (__typeof__(st.st_ctime))k->ctime.sec;
	st.st_ctime_nsec = k->ctime.nsec;
	return copy_out_stat(buf, &st);
}

static long stat_name(int dirfd, struct ustr path, unsigned int walk, struct kstat *k)
{
	struct path p;
	long error = path_lookup_user(dirfd, path, walk, &p);

	if (error)
		return error;
	error = path_stat(&p, k);
	path_put(&p);
	return error;
}

static long stat_fd(int fd, struct kstat *k)
{
	struct fd_ref r;
	long error = fd_get_raw(fd, &r);

	if (error)
		return error;
	error = path_stat(&r.file->path, k);
	fd_put(&r);
	return error;
}

/* AT_EMPTY_PATH with an empty name or, for statx, a null one: the descriptor itself. */
static bool names_nothing(struct ustr path)
{
	uint8_t first;

	return !user_load_u8(path.addr, &first) && !first;
}

long sys_stat(struct ustr path, struct uout_stat buf)
{
	struct kstat k;
	long error = stat_name(AT_FDCWD, path, WALK_FOLLOW, &k);

	return error ? error : put_stat(buf, &k);
}

long sys_lstat(struct ustr path, struct uout_stat buf)
{
	struct kstat k;
	long error = stat_name(AT_FDCWD, path, 0, &k);

	return error ? error : put_stat(buf, &k);
}

long sys_fstat(int32_t fd, struct uout_stat buf)
{
	struct kstat k;
	long error = stat_fd(fd, &k);

	return error ? error : put_stat(buf, &k);
}

static unsigned int walk_of(int32_t flags)
{
	unsigned int walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;

	return flags & AT_EMPTY_PATH ? walk | WALK_EMPTY : walk;
}

static long stat_at(int32_t dirfd, struct ustr path, int32_t flags, struct kstat *k)
{
	if ((flags & AT_EMPTY_PATH) && dirfd >= 0 && names_nothing(path))
		return stat_fd(dirfd, k);
	return stat_name(dirfd, path, walk_of(flags), k);
}

long sys_newfstatat(int32_t dirfd, struct ustr path, struct uout_stat buf, int32_t flags)
{
	struct kstat k;
	long error;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	error = stat_at(dirfd, path, flags, &k);
	return error ? error : put_stat(buf, &k);
}

static void put_time(struct statx_timestamp *t, const struct file_time *from)
{
	t->tv_sec = from->sec;
	t->tv_nsec = from->nsec;
}

long sys_statx(int32_t dirfd, struct ustr path, int32_t flags, uint32_t mask, struct uout_statx buf)
{
	struct statx sx;
	struct kstat k;
	long error;

	if ((mask & STATX__RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	error = stat_at(dirfd, path, flags, &k);
	if (error)
		return error;
	memset(&sx, 0, sizeof(sx));
	sx.stx_mask = k.result_mask;
	sx.stx_blksize = k.block_size;
	sx.stx_attributes = k.attributes;
	sx.stx_attributes_mask = k.attributes_mask;
	sx.stx_nlink = k.nlink;
	sx.stx_uid = k.uid;
	sx.stx_gid = k.gid;
	sx.stx_mode = (__u16)k.mode;
	sx.stx_ino = k.ino;
	sx.stx_size = k.size;
	sx.stx_blocks = k.blocks;
	put_time(&sx.stx_atime, &k.atime);
	put_time(&sx.stx_mtime, &k.mtime);
	put_time(&sx.stx_ctime, &k.ctime);
	put_time(&sx.stx_btime, &k.btime);
	sx.stx_rdev_major = device_major(k.rdev);
	sx.stx_rdev_minor = device_minor(k.rdev);
	sx.stx_dev_major = device_major(k.dev);
	sx.stx_dev_minor = device_minor(k.dev);
	sx.stx_mnt_id = k.mount_id;
	return copy_out_statx(buf, &sx);
}

static long put_statfs(const struct path *p, struct uout_statfs buf)
{
	struct super *s = p->mount->super;
	struct kstatfs k = { .type = s->magic, .block_size = PAGE_SIZE, .name_max = NAME_LENGTH_MAX };
	unsigned int flags = p->mount->flags;
	struct statfs st;
	int error = s->ops->statfs ? s->ops->statfs(s, &k) : 0;

	if (error)
		return error;
	memset(&st, 0, sizeof(st));
	st.f_type = (__typeof__(st.f_type))k.type;
	st.f_bsize = (__typeof__(st.f_bsize))k.block_size;
	st.f_frsize = st.f_bsize;
	st.f_blocks = k.blocks;
	st.f_bfree = k.blocks_free;
	st.f_bavail = k.blocks_available;
	st.f_files = k.files;
	st.f_ffree = k.files_free;
	st.f_fsid.val[0] = (int)device_encode(s->dev);
	st.f_namelen = (__typeof__(st.f_namelen))k.name_max;
	st.f_flags = 0x20;	/* ST_VALID */
	st.f_flags |= (flags & MOUNT_RDONLY) || (s->flags & SUPER_RDONLY) ? 1 : 0;
	st.f_flags |= flags & MOUNT_NOSUID ? 2 : 0;
	st.f_flags |= flags & MOUNT_NODEV ? 4 : 0;
	st.f_flags |= flags & MOUNT_NOEXEC ? 8 : 0;
	st.f_flags |= flags & MOUNT_NOATIME ? 0x400 : 0;
	st.f_flags |= flags & MOUNT_NODIRATIME ? 0x800 : 0;
	st.f_flags |= flags & MOUNT_RELATIME ? 0x1000 : 0;
	st.f_flags |= flags & MOUNT_NOSYMFOLLOW ? 0x2000 : 0;
	return copy_out_statfs(buf, &st);
}

long sys_statfs(struct ustr path, struct uout_statfs buf)
{
	struct path p;
	long error = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW, &p);

	if (error)
		return error;
	error = put_statfs(&p, buf);
	path_put(&p);
	return error;
}

long sys_fstatfs(int32_t fd, struct uout_statfs buf)
{
	struct fd_ref r;
	long error = fd_get_raw(fd, &r);

	if (error)
		return error;
	error = put_statfs(&r.file->path, buf);
	fd_put(&r);
	return error;
}

/* Text of the link at p in kernel memory, at most size bytes. */
static long read_link_text(const struct path *p, char *buf, size_t size)
{
	struct inode *inode = p->dentry->inode;

	if (inode->link_text) {
		size_t n = strnlen(inode->link_text, size);

		memcpy(buf, inode->link_text, n);
		return (long)n;
	}
	return inode->ops->readlink ? inode->ops->readlink(p->dentry, buf, size) : -EINVAL;
}

long sys_readlinkat(int32_t dirfd, struct ustr path, struct uout_u8 buf, int32_t size)
{
	struct path p;
	bool empty = names_nothing(path);
	char *text;
	long n;

	if (size <= 0)
		return -EINVAL;
	n = path_lookup_user(dirfd, path, WALK_EMPTY, &p);
	if (n)
		return n;
	if (!inode_is_link(p.dentry->inode)) {
		path_put(&p);
		return empty ? -ENOENT : -EINVAL;
	}
	text = kmalloc(PATH_SIZE_MAX, 0);
	n = text ? read_link_text(&p, text, MIN((size_t)size, (size_t)PATH_SIZE_MAX)) : -ENOMEM;
	if (n >= 0) {
		path_touch_atime(&p);
		if (copy_out_u8_array(buf, (uint8_t *)text, (size_t)n))
			n = -EFAULT;
	}
	kfree(text);
	path_put(&p);
	return n;
}

long sys_readlink(struct ustr path, struct uout_u8 buf, int32_t size)
{
	return sys_readlinkat(AT_FDCWD, path, buf, size);
}

static int check_access(const struct path *p, int mode)
{
	struct inode *inode = p->dentry->inode;
	int error;

	if ((mode & MAY_EXEC) && inode_is_regular(inode) && (p->mount->flags & MOUNT_NOEXEC))
		return -EACCES;
	error = inode_permission(inode, mode);
	if (error || !(mode & MAY_WRITE) || S_ISCHR(inode->mode) || S_ISBLK(inode->mode) ||
	    S_ISFIFO(inode->mode) || S_ISSOCK(inode->mode))
		return error;
	return mount_check_write(p->mount);
}

static long access_at(int dirfd, struct ustr path, int mode, int flags)
{
	struct path p;
	bool real = !(flags & AT_EACCESS);
	long error;

	if (mode & ~7)
		return -EINVAL;
	if (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (real)
		service(authority)->use_real_ids(true);
	error = path_lookup_user(dirfd, path, walk_of(flags), &p);
	if (!error) {
		if (mode)
			error = check_access(&p, mode);
		path_put(&p);
	}
	if (real)
		service(authority)->use_real_ids(false);
	return error;
}

long sys_access(struct ustr path, int32_t mode)
{
	return access_at(AT_FDCWD, path, mode, 0);
}

long sys_faccessat(int32_t dirfd, struct ustr path, int32_t mode)
{
	return access_at(dirfd, path, mode, 0);
}

long sys_faccessat2(int32_t dirfd, struct ustr path, int32_t mode, int32_t flags)
{
	return access_at(dirfd, path, mode, flags);
}
