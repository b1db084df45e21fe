/*
 * Inodes and names. Every name is a pinned dentry; a file's link count is the number of its names, a directory's 2 and
 * one for each directory in it. All functions run with the locks that vfs documents.
 */
#include <linux/fs.h>
#include <linux/fcntl.h>

#include "modules/tmpfs/internal.h"

#define ENTRY_SIZE 20		/* what a name adds to a directory's size, as on Linux */
#define INODE_BYTES 1024u	/* what an inode counts for, as on Linux */

/* Room for so many inodes and bytes more; either may be 0. */
static bool take_room(struct super *s, uint64_t inodes, uint64_t bytes)
{
	struct tmpfs_super *ts = tmpfs_super_of(s);
	bool room;

	spin_lock(&ts->lock);
	room = !ts->max_inodes || (ts->used_inodes + inodes + DIV_UP(ts->side_bytes + bytes, INODE_BYTES) <=
				   ts->max_inodes);
	if (room) {
		ts->used_inodes += inodes;
		ts->side_bytes += bytes;
	}
	spin_unlock(&ts->lock);
	return room;
}

bool tmpfs_charge_bytes(struct super *s, uint64_t bytes)
{
	return take_room(s, 0, bytes);
}

void tmpfs_uncharge_bytes(struct super *s, uint64_t bytes)
{
	struct tmpfs_super *ts = tmpfs_super_of(s);

	spin_lock(&ts->lock);
	ts->side_bytes -= bytes;
	spin_unlock(&ts->lock);
}

static bool count_inode(struct super *s)
{
	return take_room(s, 1, 0);
}

static void uncount_inode(struct super *s)
{
	struct tmpfs_super *ts = tmpfs_super_of(s);

	spin_lock(&ts->lock);
	ts->used_inodes--;
	spin_unlock(&ts->lock);
}

static void set_operations(struct inode *inode, struct tmpfs_inode *ti, uint64_t rdev)
{
	inode->ops = &tmpfs_file_inode_ops;
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		inode->file_ops = &tmpfs_file_ops;
		inode->object = &ti->object;
		ti->seals = F_SEAL_SEAL;
		break;
	case S_IFDIR:
		inode->ops = &tmpfs_dir_inode_ops;
		inode->file_ops = &pinned_dir_ops;
		inode->nlink = 2;
		inode->size = 2 * ENTRY_SIZE;
		break;
	case S_IFLNK:
		inode->ops = &tmpfs_link_inode_ops;
		break;
	default:
		inode_init_special(inode, rdev);
		break;
	}
}

struct inode *tmpfs_inode_create(struct super *s, const struct inode *dir, uint32_t mode, uint64_t rdev,
				 int *error)
{
	struct tmpfs_inode *ti;
	struct inode *inode;

	*error = -ENOSPC;
	if (!count_inode(s))
		return NULL;
	*error = -ENOMEM;
	ti = kzalloc(sizeof(*ti), 0);
	inode = ti ? inode_create(s, mode) : NULL;
	if (!inode) {
		kfree(ti);
		uncount_inode(s);
		return NULL;
	}
	memobj_init(&ti->object, &tmpfs_object_ops, 0);
	list_init(&ti->xattrs);
	ti->super = s;
	ti->inode = inode;
	inode->private = ti;
	if (dir) {
		inode_init_owner(inode, dir);
		inode->flags |= dir->flags & (INODE_NODUMP | INODE_NOATIME);
	}
	set_operations(inode, ti, rdev);
	*error = dir ? acl_inherit(dir, inode) : 0;
	if (*error) {
		inode->nlink = 0;
		inode_put(inode);
		return NULL;
	}
	return inode;
}

void tmpfs_evict(struct inode *inode)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(inode);

	if (!ti)
		return;
	tmpfs_free_xattrs(ti);
	if (inode->flags & INODE_OWN_TEXT)
		tmpfs_uncharge_bytes(inode->super, inode->size);
	if (ti->link_page) {
		struct tmpfs_super *ts = tmpfs_super_of(ti->super);

		spin_lock(&ts->lock);
		ts->used_pages--;
		spin_unlock(&ts->lock);
	}
	uncount_inode(inode->super);
	ti->inode = NULL;
	inode->object = NULL;
	memobj_put(&ti->object);
}

/* A directory changed: its times and size. */
static void touch_dir(struct inode *dir, int64_t size)
{
	dir->size = (uint64_t)((int64_t)dir->size + size);
	inode_touch(dir, TOUCH_MTIME | TOUCH_CTIME);
}

static void change_links(struct inode *inode, int by)
{
	spin_lock(&inode->state_lock);
	inode->nlink = (uint32_t)((int)inode->nlink + by);
	spin_unlock(&inode->state_lock);
}

void tmpfs_link_dentry(struct inode *dir, struct dentry *d, struct inode *inode)
{
	dentry_pin(d);
	dentry_attach(d, inode);
	touch_dir(dir, ENTRY_SIZE);
}

static int tmpfs_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev)
{
	int error;
	struct inode *inode = tmpfs_inode_create(dir->super, dir, mode, rdev, &error);

	if (!inode)
		return error;
	tmpfs_link_dentry(dir, d, inode);
	return 0;
}

static int tmpfs_create(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return tmpfs_mknod(dir, d, mode, 0);
}

static int tmpfs_mkdir(struct inode *dir, struct dentry *d, uint32_t mode)
{
	int error = tmpfs_mknod(dir, d, mode, 0);

	if (!error)
		change_links(dir, 1);
	return error;
}

#define LONG_LINK 128		/* texts from this length on are a page of the file system's size, as on Linux */

static bool take_link_page(struct tmpfs_inode *ti)
{
	struct tmpfs_super *ts = tmpfs_super_of(ti->super);

	spin_lock(&ts->lock);
	ti->link_page = !ts->max_pages || ts->used_pages < ts->max_pages;
	ts->used_pages += ti->link_page;
	spin_unlock(&ts->lock);
	return ti->link_page;
}

static int tmpfs_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	char *text = kstrdup(target, 0);
	struct inode *inode;
	int error = -ENOMEM;

	inode = text ? tmpfs_inode_create(dir->super, dir, S_IFLNK | 0777, 0, &error) : NULL;
	if (inode && strlen(text) >= LONG_LINK && !take_link_page(tmpfs_inode_of(inode))) {
		inode->nlink = 0;
		inode_put(inode);
		inode = NULL;
		error = -ENOSPC;
	}
	if (inode && !tmpfs_charge_bytes(dir->super, strlen(text))) {
		inode->nlink = 0;
		inode_put(inode);
		inode = NULL;
		error = -ENOSPC;
	}
	if (!inode) {
		kfree(text);
		return error;
	}
	inode->link_text = text;
	inode->flags |= INODE_OWN_TEXT;
	inode->size = strlen(text);
	inode->object = NULL;
	tmpfs_link_dentry(dir, d, inode);
	return 0;
}

static int tmpfs_link(struct inode *inode, struct inode *dir, struct dentry *d)
{
	if (inode->nlink >= INT32_MAX)
		return -EMLINK;
	/* A name is as much memory as an inode; a nameless file has paid for its first. */
	if (inode->nlink && !count_inode(dir->super))
		return -ENOSPC;
	change_links(inode, 1);
	inode_touch(inode, TOUCH_CTIME);
	inode_get(inode);
	tmpfs_link_dentry(dir, d, inode);
	return 0;
}

static int tmpfs_tmpfile(struct inode *dir, uint32_t mode, struct inode **out)
{
	int error;
	struct inode *inode = tmpfs_inode_create(dir->super, dir, mode, 0, &error);

	if (!inode)
		return error;
	inode->nlink = 0;
	*out = inode;
	return 0;
}

/* The name goes; vfs drops the dentry. */
static int tmpfs_unlink(struct inode *dir, struct dentry *d)
{
	if (d->inode->nlink > 1 && !inode_is_dir(d->inode))
		uncount_inode(dir->super);
	change_links(d->inode, -1);
	inode_touch(d->inode, TOUCH_CTIME);
	touch_dir(dir, -ENTRY_SIZE);
	dentry_unpin(d);
	return 0;
}

static int tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
	if (!dentry_is_empty(d))
		return -ENOTEMPTY;
	change_links(d->inode, -1);
	change_links(dir, -1);
	return tmpfs_unlink(dir, d);
}

static int tmpfs_exchange(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			  struct dentry *target)
{
	bool a = inode_is_dir(old->inode), b = inode_is_dir(target->inode);

	if (old_dir != new_dir && a != b) {
		change_links(a ? old_dir : new_dir, -1);
		change_links(a ? new_dir : old_dir, 1);
	}
	touch_dir(old_dir, 0);
	touch_dir(new_dir, 0);
	inode_touch(old->inode, TOUCH_CTIME);
	inode_touch(target->inode, TOUCH_CTIME);
	return 0;
}

static int tmpfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			struct dentry *target, unsigned int flags)
{
	bool directory = inode_is_dir(old->inode);

	if (flags & RENAME_EXCHANGE)
		return tmpfs_exchange(old_dir, old, new_dir, target);
	if (directory && target->inode && !dentry_is_empty(target))
		return -ENOTEMPTY;
	if (target->inode) {
		if (directory)
			tmpfs_rmdir(new_dir, target);
		else
			tmpfs_unlink(new_dir, target);
	}
	if (directory && old_dir != new_dir) {
		change_links(old_dir, -1);
		change_links(new_dir, 1);
	}
	touch_dir(old_dir, -ENTRY_SIZE);
	touch_dir(new_dir, ENTRY_SIZE);
	inode_touch(old->inode, TOUCH_CTIME);
	return 0;
}

/* Nothing to look up: what is not in the cache does not exist. */
static int tmpfs_lookup(struct inode *dir, struct dentry *d)
{
	return 0;
}

static int set_size(struct inode *inode, uint64_t size)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(inode);

	if (size < ti->object.size && (ti->seals & F_SEAL_SHRINK))
		return -EPERM;
	if (size > ti->object.size && (ti->seals & F_SEAL_GROW))
		return -EPERM;
	if (size < ti->source_size)
		WRITE_ONCE(ti->source_size, size);
	/* What fallocate keeps beyond the end goes, too, even if the size stays. */
	if (size == ti->object.size && memobj_next_page(&ti->object, DIV_UP(size, PAGE_SIZE)) != UINT64_MAX)
		memobj_drop(&ti->object, DIV_UP(size, PAGE_SIZE), UINT64_MAX, false);
	memobj_resize(&ti->object, size);
	tmpfs_account(ti);
	return 0;
}

int tmpfs_setattr(struct inode *inode, const struct attr_change *c)
{
	int error = c->valid & ATTR_SIZE ? set_size(inode, c->size) : 0;

	if (!error)
		inode_apply_attr(inode, c);
	return error;
}

/* A file of the archive takes no pages until it is touched; it has its blocks all the same. */
static int tmpfs_getattr(struct inode *inode, struct kstat *out)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(inode);

	inode_fill_stat(inode, out);
	if (ti->source_size)
		out->blocks = MAX(out->blocks, DIV_UP(ti->source_size, PAGE_SIZE) * (PAGE_SIZE / 512));
	if (ti->link_page)
		out->blocks = PAGE_SIZE / 512;
	return 0;
}

const struct inode_ops tmpfs_dir_inode_ops = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create,
	.mknod = tmpfs_mknod,
	.mkdir = tmpfs_mkdir,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.setattr = tmpfs_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.no_negative = true,
};

const struct inode_ops tmpfs_file_inode_ops = {
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
};

const struct inode_ops tmpfs_link_inode_ops = {
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
};
