/*
 * rename and renameat2.
 *
 * Locks: if the directories differ, super.rename_mutex first, then both directories with the upper one first if one is
 * below the other, else by address; then a directory that is replaced, so that nothing is created in it meanwhile.
 */
#include <gen/vfs.h>

#include <linux/fs.h>

#include "modules/vfs/names.h"

static void lock_directories(struct dentry *a, struct dentry *b)
{
	struct inode *first = a->inode, *second = b->inode;

	if (a == b) {
		mutex_lock(&first->lock);
		return;
	}
	mutex_lock(&a->super->rename_mutex);
	if (dentry_is_below(a, b) || (!dentry_is_below(b, a) && b->inode < a->inode)) {
		first = b->inode;
		second = a->inode;
	}
	mutex_lock(&first->lock);
	mutex_lock(&second->lock);
}

static void unlock_directories(struct dentry *a, struct dentry *b)
{
	mutex_unlock(&a->inode->lock);
	if (a == b)
		return;
	mutex_unlock(&b->inode->lock);
	mutex_unlock(&a->super->rename_mutex);
}

struct rename_names {
	struct walk from, to;
	struct dentry *old, *new;
	unsigned int flags;
};

static int check_kinds(const struct rename_names *r)
{
	bool old_dir = dentry_is_dir(r->old), exchange = r->flags & RENAME_EXCHANGE;

	if (r->new->inode && (r->flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (exchange && r->to.slashes && !dentry_is_dir(r->new))
		return -ENOTDIR;
	if (!old_dir && (r->from.slashes || (r->to.slashes && !exchange)))
		return -ENOTDIR;
	if (!r->new->inode || exchange)
		return 0;
	if (old_dir && !dentry_is_dir(r->new))
		return -ENOTDIR;
	return !old_dir && dentry_is_dir(r->new) ? -EISDIR : 0;
}

static int check_permission(const struct rename_names *r)
{
	struct inode *old_dir = r->from.at.dentry->inode, *new_dir = r->to.at.dentry->inode;
	int error = may_change_directory(&r->from.at);

	if (!error)
		error = may_remove(old_dir, r->old);
	if (!error)
		error = may_change_directory(&r->to.at);
	if (!error && r->new->inode)
		error = may_remove(new_dir, r->new);
	/* A directory that moves gets a new "..". */
	if (!error && old_dir != new_dir && dentry_is_dir(r->old))
		error = inode_permission(r->old->inode, MAY_WRITE);
	if (!error && old_dir != new_dir && (r->flags & RENAME_EXCHANGE) && dentry_is_dir(r->new))
		error = inode_permission(r->new->inode, MAY_WRITE);
	return error;
}

#define WHITEOUT_TRIES 16

/* A whiteout (a device 0:0) under a name of no meaning, which nobody sees before the locks are dropped; it is to get the old name. */
static int make_whiteout(struct rename_names *r, struct dentry **out)
{
	struct dentry *parent = r->from.at.dentry, *d = NULL;
	struct inode *dir = parent->inode;
	char name[40];
	int error = 0;

	if (!dir->ops->mknod)
		return -EINVAL;
	for (unsigned int i = 0; !error && (!d || d->inode); i++) {
		int n = snprintf(name, sizeof(name), "#whiteout %llu", (unsigned long long)super_new_ino(dir->super));

		if (d)
			dentry_put(d);
		error = i < WHITEOUT_TRIES ? dentry_lookup_locked(parent, name, (size_t)n, &d) : -EEXIST;
	}
	if (!error)
		error = dir->ops->mknod(dir, d, S_IFCHR, 0);
	if (error) {
		if (d)
			dentry_put(d);
		return error;
	}
	*out = d;
	return 0;
}

/* Gives the whiteout the old name, or takes it away if that was not left. */
static int place_whiteout(struct rename_names *r, struct dentry *whiteout, struct name_buffer *name, bool moved)
{
	struct inode *dir = r->from.at.dentry->inode;
	struct dentry *place;
	int error = -EIO;

	if (moved)
		error = dentry_lookup_locked(r->from.at.dentry, r->from.last, r->from.length, &place);
	if (!error) {
		dentry_move(whiteout, place, name);
		dentry_put(place);
	} else {
		name_buffer_free(name);
		dir->ops->unlink(dir, whiteout);
		dentry_unlinked(whiteout);
	}
	dentry_put(whiteout);
	return error;
}

static int move(struct rename_names *r);

static int move_leaving_whiteout(struct rename_names *r)
{
	struct name_buffer *name = NULL;
	struct dentry *whiteout;
	int error = dentry_move_prepare(r->old, &name), left;

	if (!error)
		error = make_whiteout(r, &whiteout);
	if (error) {
		name_buffer_free(name);
		return error;
	}
	r->flags &= ~(unsigned int)RENAME_WHITEOUT;
	error = move(r);
	left = place_whiteout(r, whiteout, name, !error);
	return error ? error : left;
}

/* The file system's part, and the dentries'. Everything is checked. */
static int move(struct rename_names *r)
{
	struct inode *old_dir = r->from.at.dentry->inode, *new_dir = r->to.at.dentry->inode;
	struct name_buffer *new_name = NULL, *old_name = NULL;
	bool replaced = dentry_is_dir(r->new) && !(r->flags & RENAME_EXCHANGE);
	int error = dentry_move_prepare(r->new, &new_name);

	if (!error && (r->flags & RENAME_EXCHANGE))
		error = dentry_move_prepare(r->old, &old_name);
	if (replaced)
		mutex_lock(&r->new->inode->lock);
	if (!error)
		error = old_dir->ops->rename ? old_dir->ops->rename(old_dir, r->old, new_dir, r->new, r->flags)
					     : -EPERM;
	if (replaced) {
		if (!error)
			r->new->inode->flags |= INODE_DEAD;
		mutex_unlock(&r->new->inode->lock);
	}
	if (error) {
		name_buffer_free(new_name);
		name_buffer_free(old_name);
		return error;
	}
	if (r->flags & RENAME_EXCHANGE) {
		dentry_exchange(r->old, r->new, new_name, old_name);
		return 0;
	}
	dentry_move(r->old, r->new, new_name);
	return 0;
}

/* Both directories are locked. */
static int rename_locked(struct rename_names *r)
{
	struct dentry *old_parent = r->from.at.dentry, *new_parent = r->to.at.dentry;
	int error = dentry_lookup_locked(old_parent, r->from.last, r->from.length, &r->old);

	if (error)
		return error;
	if (!r->old->inode)
		return -ENOENT;
	error = dentry_lookup_locked(new_parent, r->to.last, r->to.length, &r->new);
	if (error)
		return error;
	if (!r->new->inode && (r->flags & RENAME_EXCHANGE))
		return -ENOENT;
	error = check_kinds(r);
	if (error)
		return error;
	if (dentry_is_below(new_parent, r->old))
		return -EINVAL;
	if (dentry_is_below(old_parent, r->new) && r->new->inode)
		return r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (r->old->inode == r->new->inode)
		return 0;
	error = check_permission(r);
	if (error)
		return error;
	if ((READ_ONCE(r->old->flags) | READ_ONCE(r->new->flags)) & DENTRY_MOUNTED)
		return -EBUSY;
	if (new_parent->inode->flags & INODE_DEAD)
		return -ENOENT;
	return r->flags & RENAME_WHITEOUT ? move_leaving_whiteout(r) : move(r);
}

static int rename_names(int olddir, const char *old, int newdir, const char *new, unsigned int flags)
{
	struct rename_names r = { .flags = flags };
	int error = walk_begin(&r.from, olddir, old, 0);

	if (error)
		return error;
	error = walk_parent(&r.from);
	if (error)
		goto undo_from;
	error = walk_begin(&r.to, newdir, new, 0);
	if (error)
		goto undo_from;
	error = walk_parent(&r.to);
	if (error)
		goto undo_to;
	if (r.from.at.mount != r.to.at.mount)
		error = -EXDEV;
	else if (r.from.type != LAST_NAME)
		error = -EBUSY;
	else if (r.to.type != LAST_NAME)
		error = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (error)
		goto undo_to;
	lock_directories(r.from.at.dentry, r.to.at.dentry);
	error = rename_locked(&r);
	unlock_directories(r.from.at.dentry, r.to.at.dentry);
	if (r.old)
		dentry_put(r.old);
	if (r.new)
		dentry_put(r.new);
undo_to:
	walk_end(&r.to, false);
undo_from:
	walk_end(&r.from, false);
	return error;
}

long sys_renameat2(int32_t olddir, struct ustr old, int32_t newdir, struct ustr new, uint32_t flags)
{
	struct user_name from, to;
	long error;

	if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) && (flags & RENAME_EXCHANGE))
		return -EINVAL;
	error = user_name_get(&from, old);
	if (error)
		return error;
	error = user_name_get(&to, new);
	if (!error) {
		error = rename_names(olddir, from.text, newdir, to.text, flags);
		user_name_put(&to);
	}
	user_name_put(&from);
	return error;
}

long sys_renameat(int32_t olddir, struct ustr old, int32_t newdir, struct ustr new)
{
	return sys_renameat2(olddir, old, newdir, new, 0);
}

long sys_rename(struct ustr old, struct ustr new)
{
	return sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}
