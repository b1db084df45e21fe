/*
 * Attributes of inodes: what stat reports, and the changes of chmod, chown, utimes and truncate with their permission rules.
 * Changes run with inode->lock; readers of several fields at once take state_lock.
 */
#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/xattr.h>
#include <asm/signal.h>

#include "modules/vfs/acl.h"
#include "modules/vfs/internal.h"

void inode_fill_stat(struct inode *inode, struct kstat *out)
{
	memset(out, 0, sizeof(*out));
	spin_lock(&inode->state_lock);
	out->mode = inode->mode;
	out->nlink = inode->nlink;
	out->uid = inode->uid;
	out->gid = inode->gid;
	out->atime = inode->atime;
	out->mtime = inode->mtime;
	out->ctime = inode->ctime;
	out->btime = inode->btime;
	spin_unlock(&inode->state_lock);
	out->ino = inode->ino;
	out->dev = inode->super->dev;
	out->rdev = inode->rdev;
	out->size = inode_size(inode);
	out->block_size = inode->super->block_size;
	if (inode->object)
		out->blocks = READ_ONCE(inode->object->pages) * (PAGE_SIZE / 512);
	out->result_mask = STATX_BASIC_STATS | STATX_BTIME;
	if (inode->flags & INODE_IMMUTABLE)
		out->attributes |= STATX_ATTR_IMMUTABLE;
	if (inode->flags & INODE_APPEND)
		out->attributes |= STATX_ATTR_APPEND;
	if (inode->flags & INODE_NODUMP)
		out->attributes |= STATX_ATTR_NODUMP;
	out->attributes_mask = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
}
MODAPI(inode_fill_stat);

int inode_getattr(struct inode *inode, struct kstat *out)
{
	if (inode->ops->getattr)
		return inode->ops->getattr(inode, out);
	inode_fill_stat(inode, out);
	return 0;
}
MODAPI(inode_getattr);

void inode_apply_attr(struct inode *inode, const struct attr_change *c)
{
	spin_lock(&inode->state_lock);
	if (c->valid & ATTR_MODE)
		WRITE_ONCE(inode->mode, (inode->mode & S_IFMT) | (c->mode & 07777));
	if (c->valid & ATTR_UID)
		inode->uid = c->uid;
	if (c->valid & ATTR_GID)
		inode->gid = c->gid;
	if (c->valid & ATTR_ATIME)
		inode->atime = c->atime;
	if (c->valid & ATTR_MTIME)
		inode->mtime = c->mtime;
	if (c->valid & ATTR_CTIME)
		inode->ctime = c->ctime;
	spin_unlock(&inode->state_lock);
}
MODAPI(inode_apply_attr);

/* chown's rule. */
static int may_chown(const struct inode *inode, const struct attr_change *c)
{
	bool owner = service(authority)->fsuid() == inode->uid;

	if (capable(CAP_CHOWN))
		return 0;
	if ((c->valid & ATTR_UID) && (!owner || c->uid != inode->uid))
		return -EPERM;
	if ((c->valid & ATTR_GID) &&
	    (!owner || (c->gid != inode->gid && !service(authority)->in_group(c->gid))))
		return -EPERM;
	return 0;
}

/*
 * What a change of owner, or of the contents, leaves of the mode of a file that is no directory. Set-group-id without execution for
 * the group once meant mandatory locks: those who could set it keep it.
 */
static uint32_t mode_without_set_ids(const struct inode *inode)
{
	uint32_t mode = inode->mode & ~(uint32_t)S_ISUID;

	if ((mode & S_ISGID) &&
	    ((mode & S_IXGRP) || (!service(authority)->in_group(inode->gid) && !capable(CAP_FSETID))))
		mode &= ~(uint32_t)S_ISGID;
	return mode;
}

static void drop_file_caps(struct inode *inode)
{
	if (likely(!(inode->flags & INODE_FILE_CAPS)))
		return;
	inode->flags &= ~INODE_FILE_CAPS;
	inode->ops->setxattr(inode, XATTR_NAME_CAPS, NULL, 0, XATTR_REPLACE);
}

static int setattr(struct inode *inode, const struct attr_change *c)
{
	if (inode->ops->setattr)
		return inode->ops->setattr(inode, c);
	if (c->valid & ATTR_SIZE)
		return -EINVAL;
	inode_apply_attr(inode, c);
	return 0;
}

static int change_locked(struct inode *inode, struct attr_change *c)
{
	int error;

	if (inode->super->flags & SUPER_RDONLY)
		return -EROFS;
	if (inode->flags & (INODE_IMMUTABLE | INODE_APPEND))
		return -EPERM;
	if (c->valid & (ATTR_UID | ATTR_GID | ATTR_OWNER)) {
		error = may_chown(inode, c);
		if (error)
			return error;
		if (!inode_is_dir(inode) && !(c->valid & ATTR_MODE)) {
			c->mode = mode_without_set_ids(inode);
			if (c->mode != inode->mode)
				c->valid |= ATTR_MODE;
		}
		if ((c->valid & ATTR_MODE) && !inode_owner_or_capable(inode))
			return -EPERM;
		drop_file_caps(inode);
	} else if (c->valid & ATTR_MODE) {
		if (inode_is_link(inode))
			return -EOPNOTSUPP;
		if (!inode_owner_or_capable(inode))
			return -EPERM;
		if (!service(authority)->in_group(inode->gid) && !capable(CAP_FSETID))
			c->mode &= ~(uint32_t)S_ISGID;
	}
	c->valid |= ATTR_CTIME;
	c->ctime = file_time_now();
	error = setattr(inode, c);
	if (!error && (c->valid & ATTR_MODE))
		acl_follow_mode(inode);
	return error;
}

int inode_change(struct inode *inode, struct attr_change *c)
{
	int error;

	mutex_lock(&inode->lock);
	error = change_locked(inode, c);
	mutex_unlock(&inode->lock);
	return error;
}
MODAPI(inode_change);

void inode_drop_privileges(struct inode *inode)
{
	uint32_t mode = READ_ONCE(inode->mode);

	drop_file_caps(inode);
	if (likely(!(mode & (S_ISUID | S_ISGID))))
		return;
	if (!inode_is_regular(inode) || capable(CAP_FSETID))
		return;
	spin_lock(&inode->state_lock);
	WRITE_ONCE(inode->mode, mode_without_set_ids(inode));
	spin_unlock(&inode->state_lock);
}
MODAPI(inode_drop_privileges);

int inode_truncate(struct inode *inode, uint64_t size)
{
	struct attr_change c = { .valid = ATTR_SIZE | ATTR_MTIME | ATTR_CTIME, .size = size };
	int error;

	if (inode_is_dir(inode))
		return -EISDIR;
	if (!inode_is_regular(inode))
		return -EINVAL;
	if (size > inode->super->max_file_size)
		return -EFBIG;
	if (size > inode_size(inode) && size > service(process)->rlimit(RLIMIT_FSIZE)) {
		service(process)->signal_current(SIGXFSZ);
		return -EFBIG;
	}
	mutex_lock(&inode->lock);
	error = inode->flags & (INODE_IMMUTABLE | INODE_APPEND) ? -EPERM : 0;
	if (!error) {
		inode_drop_privileges(inode);
		c.mtime = c.ctime = file_time_now();
		error = setattr(inode, &c);
	}
	mutex_unlock(&inode->lock);
	return error;
}
MODAPI(inode_truncate);
