/*
 * Extended attributes: a list for each inode, under inode->lock, which vfs holds around all of these.
 */
#include <linux/capability.h>
#include <linux/xattr.h>

#include "core/mem/vmap.h"
#include "core/module/services.h"
#include "modules/tmpfs/internal.h"

static struct tmpfs_xattr *find(struct tmpfs_inode *ti, const char *name)
{
	struct tmpfs_xattr *x;

	list_for_each(x, &ti->xattrs, link) {
		if (!strcmp(x->name, name))
			return x;
	}
	return NULL;
}

static uint64_t cost(const char *name, size_t size)
{
	return sizeof(struct tmpfs_xattr) + strlen(name) + 1 + size;
}

static void free_xattr(struct tmpfs_inode *ti, struct tmpfs_xattr *x)
{
	tmpfs_uncharge_bytes(ti->super, cost(x->name, x->size));
	kfree(x->name);
	kvfree(x);
}

void tmpfs_free_xattrs(struct tmpfs_inode *ti)
{
	struct tmpfs_xattr *x, *next;

	list_for_each_safe(x, next, &ti->xattrs, link)
		free_xattr(ti, x);
}

long tmpfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	struct tmpfs_xattr *x = find(tmpfs_inode_of(inode), name);

	if (!x)
		return -ENODATA;
	if (!size)
		return (long)x->size;
	if (x->size > size)
		return -ERANGE;
	memcpy(buf, x->value, x->size);
	return (long)x->size;
}

int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(inode);
	struct tmpfs_xattr *old = find(ti, name), *x = NULL;

	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	if (value) {
		if (!tmpfs_charge_bytes(ti->super, cost(name, size)))
			return -ENOSPC;
		x = kvmalloc(sizeof(*x) + size, 0);
		if (x)
			x->name = kstrdup(name, 0);
		if (!x || !x->name) {
			kvfree(x);
			tmpfs_uncharge_bytes(ti->super, cost(name, size));
			return -ENOMEM;
		}
		x->size = size;
		memcpy(x->value, value, size);
		list_add_tail(&ti->xattrs, &x->link);
	}
	if (old) {
		list_remove(&old->link);
		free_xattr(ti, old);
	}
	inode_touch(inode, TOUCH_CTIME);
	return 0;
}

long tmpfs_listxattr(struct inode *inode, char *buf, size_t size)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(inode);
	struct tmpfs_xattr *x;
	size_t used = 0;

	list_for_each(x, &ti->xattrs, link) {
		size_t n = strlen(x->name) + 1;

		if (!strncmp(x->name, XATTR_TRUSTED_PREFIX, XATTR_TRUSTED_PREFIX_LEN) && !service(authority)->capable(CAP_SYS_ADMIN))
			continue;
		if (size) {
			if (used + n > size)
				return -ERANGE;
			memcpy(buf + used, x->name, n);
		}
		used += n;
	}
	return (long)used;
}
