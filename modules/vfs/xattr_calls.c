/*
 * Extended attributes: names and sizes checked, permission by name space, then the file system's functions.
 */
#include <gen/vfs.h>

#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/xattr.h>

#include "core/mem/vmap.h"
#include "modules/vfs/acl.h"
#include "modules/vfs/walk.h"

static bool starts_with(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

/* The rules of the name spaces. */
static int check_name(struct inode *inode, const char *name, int mask)
{
	enum acl_type type;

	/* A name space alone is no name. */
	if (!strcmp(name, XATTR_SECURITY_PREFIX) || !strcmp(name, XATTR_TRUSTED_PREFIX) || !strcmp(name, XATTR_USER_PREFIX))
		return -EINVAL;
	if (mask == MAY_WRITE && (inode->flags & (INODE_IMMUTABLE | INODE_APPEND)))
		return -EPERM;
	if (starts_with(name, XATTR_SECURITY_PREFIX)) {
		if (mask == MAY_WRITE && !strcmp(name, XATTR_NAME_CAPS))
			return capable(CAP_SETFCAP) ? 0 : -EPERM;
		return mask == MAY_WRITE && !capable(CAP_SYS_ADMIN) ? -EPERM : 0;
	}
	if (starts_with(name, XATTR_TRUSTED_PREFIX)) {
		if (capable(CAP_SYS_ADMIN))
			return 0;
		return mask == MAY_WRITE ? -EPERM : -ENODATA;
	}
	if (acl_attribute(name, &type))
		return 0;
	if (!starts_with(name, XATTR_USER_PREFIX))
		return -EOPNOTSUPP;
	if (!inode_is_regular(inode) && !inode_is_dir(inode))
		return mask == MAY_WRITE ? -EPERM : -ENODATA;
	if (inode_is_dir(inode) && (inode->mode & S_ISVTX) && mask == MAY_WRITE && !inode_owner_or_capable(inode))
		return -EPERM;
	return inode_permission(inode, mask);
}

static int get_name(char *buf, struct ustr name)
{
	long n = copy_string_from_user(buf, name, XATTR_NAME_MAX + 1);

	if (n == -ENAMETOOLONG || !n)
		return -ERANGE;
	return n < 0 ? (int)n : 0;
}

/* Capabilities of a file must be a whole structure of a revision that exists; revision 1 is only read. */
static int check_file_caps(const void *value, size_t size)
{
	const struct vfs_ns_cap_data *d = value;

	if (!size)
		return 0;
	if (size == XATTR_CAPS_SZ_2 && (d->magic_etc & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_2)
		return 0;
	if (size == XATTR_CAPS_SZ_3 && (d->magic_etc & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3)
		return d->rootid == UINT32_MAX ? -EINVAL : 0;
	return -EINVAL;
}

/* Both under the inode's lock: keeps the mark that there are file capabilities. */
static int set_locked(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	enum acl_type type;
	int error;

	if (acl_attribute(name, &type))
		return acl_set(inode, type, value, size);
	error = inode->ops->setxattr ? inode->ops->setxattr(inode, name, value, size, flags) : -EOPNOTSUPP;
	if (!error && !strcmp(name, XATTR_NAME_CAPS))
		inode->flags = value ? inode->flags | INODE_FILE_CAPS : inode->flags & ~INODE_FILE_CAPS;
	return error;
}

long file_exec_attributes(struct file *f, struct kstat *st, void *caps, size_t size)
{
	struct inode *inode = f->inode;
	long n = inode_getattr(inode, st);

	if (n)
		return n;
	mutex_lock(&inode->lock);
	st->mode = inode->mode;
	st->uid = inode->uid;
	st->gid = inode->gid;
	n = inode->flags & INODE_FILE_CAPS ? inode->ops->getxattr(inode, XATTR_NAME_CAPS, caps, size) : -ENODATA;
	mutex_unlock(&inode->lock);
	return n;
}
MODAPI(file_exec_attributes);

static long set_value(const struct path *p, struct ustr name, uintptr_t value, size_t size, int flags)
{
	struct inode *inode = p->dentry->inode;
	char text[XATTR_NAME_MAX + 1];
	void *buf;
	long error;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	error = get_name(text, name);
	if (error)
		return error;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	buf = kvmalloc(MAX(size, (size_t)1), 0);
	if (!buf)
		return -ENOMEM;
	error = size ? copy_from_user(buf, value, size) : 0;
	if (!error && !strcmp(text, XATTR_NAME_CAPS))
		error = check_file_caps(buf, size);
	if (!error)
		error = mount_check_write(p->mount);
	if (!error)
		error = check_name(inode, text, MAY_WRITE);
	if (!error) {
		mutex_lock(&inode->lock);
		error = set_locked(inode, text, buf, size, flags);
		mutex_unlock(&inode->lock);
	}
	kvfree(buf);
	return error;
}

static long get_value(const struct path *p, struct ustr name, uintptr_t value, size_t size)
{
	struct inode *inode = p->dentry->inode;
	char text[XATTR_NAME_MAX + 1];
	enum acl_type type;
	void *buf = NULL;
	long n = get_name(text, name);
	bool listed;

	if (n)
		return n;
	n = check_name(inode, text, MAY_READ);
	if (n)
		return n;
	listed = acl_attribute(text, &type);
	if (!listed && !inode->ops->getxattr)
		return -EOPNOTSUPP;
	size = MIN(size, (size_t)XATTR_SIZE_MAX);
	if (size) {
		buf = kvmalloc(size, 0);
		if (!buf)
			return -ENOMEM;
	}
	mutex_lock(&inode->lock);
	n = listed ? acl_get(inode, type, buf, size) : inode->ops->getxattr(inode, text, buf, size);
	mutex_unlock(&inode->lock);
	if (n > 0 && size && copy_to_user(value, buf, (size_t)n))
		n = -EFAULT;
	kvfree(buf);
	return n;
}

static long list_names(const struct path *p, uintptr_t list, size_t size)
{
	struct inode *inode = p->dentry->inode;
	char *buf = NULL;
	long n = 0;

	size = MIN(size, (size_t)XATTR_LIST_MAX);
	if (size) {
		buf = kvmalloc(size, 0);
		if (!buf)
			return -ENOMEM;
	}
	if (inode->ops->listxattr) {
		long more;

		mutex_lock(&inode->lock);
		n = acl_list(inode, buf, size);
		more = n < 0 ? n : size && (size_t)n == size ? inode->ops->listxattr(inode, NULL, 0)
							      : inode->ops->listxattr(inode, buf + n, size ? size - (size_t)n : 0);
		mutex_unlock(&inode->lock);
		n = more < 0 ? more : size && (size_t)(n + more) > size ? -ERANGE : n + more;
	}
	if (n > 0 && size && copy_to_user(list, buf, (size_t)n))
		n = -EFAULT;
	kvfree(buf);
	return n;
}

static long remove_name(const struct path *p, struct ustr name)
{
	struct inode *inode = p->dentry->inode;
	char text[XATTR_NAME_MAX + 1];
	long error = get_name(text, name);

	if (!error)
		error = mount_check_write(p->mount);
	if (!error)
		error = check_name(inode, text, MAY_WRITE);
	if (error)
		return error;
	mutex_lock(&inode->lock);
	error = set_locked(inode, text, NULL, 0, XATTR_REPLACE);
	mutex_unlock(&inode->lock);
	return error;
}

/* Each call by name following links, by name not following, and by descriptor. */
#define BY_NAME(path, walk, action)                                                                \
	do {                                                                                       \
		struct path p;                                                                     \
		long result = path_lookup_user(AT_FDCWD, path, walk, &p);                          \
		if (!result) {                                                                     \
			result = action;                                                           \
			path_put(&p);                                                              \
		}                                                                                  \
		return result;                                                                     \
	} while (0)

#define BY_FD(fd, action)                                                                          \
	do {                                                                                       \
		struct fd_ref ref;                                                                 \
		struct path p;                                                                     \
		long result = fd_get(fd, &ref);                                                    \
		if (!result) {                                                                     \
			p = ref.file->path;                                                        \
			result = action;                                                           \
			fd_put(&ref);                                                              \
		}                                                                                  \
		return result;                                                                     \
	} while (0)

long sys_setxattr(struct ustr path, struct ustr name, struct uin_u8 value, size_t size, int32_t flags)
{
	BY_NAME(path, WALK_FOLLOW, set_value(&p, name, value.addr, size, flags));
}

long sys_lsetxattr(struct ustr path, struct ustr name, struct uin_u8 value, size_t size, int32_t flags)
{
	BY_NAME(path, 0, set_value(&p, name, value.addr, size, flags));
}

long sys_fsetxattr(int32_t fd, struct ustr name, struct uin_u8 value, size_t size, int32_t flags)
{
	BY_FD(fd, set_value(&p, name, value.addr, size, flags));
}

long sys_getxattr(struct ustr path, struct ustr name, struct uout_u8 value, size_t size)
{
	BY_NAME(path, WALK_FOLLOW, get_value(&p, name, value.addr, size));
}

long sys_lgetxattr(struct ustr path, struct ustr name, struct uout_u8 value, size_t size)
{
	BY_NAME(path, 0, get_value(&p, name, value.addr, size));
}

long sys_fgetxattr(int32_t fd, struct ustr name, struct uout_u8 value, size_t size)
{
	BY_FD(fd, get_value(&p, name, value.addr, size));
}

long sys_listxattr(struct ustr path, struct uout_u8 list, size_t size)
{
	BY_NAME(path, WALK_FOLLOW, list_names(&p, list.addr, size));
}

long sys_llistxattr(struct ustr path, struct uout_u8 list, size_t size)
{
	BY_NAME(path, 0, list_names(&p, list.addr, size));
}

long sys_flistxattr(int32_t fd, struct uout_u8 list, size_t size)
{
	BY_FD(fd, list_names(&p, list.addr, size));
}

long sys_removexattr(struct ustr path, struct ustr name)
{
	BY_NAME(path, WALK_FOLLOW, remove_name(&p, name));
}

long sys_lremovexattr(struct ustr path, struct ustr name)
{
	BY_NAME(path, 0, remove_name(&p, name));
}

long sys_fremovexattr(int32_t fd, struct ustr name)
{
	BY_FD(fd, remove_name(&p, name));
}
