/*
 * Calls that make and remove names: mkdir, mknod, symlink, link, unlink, rmdir. Each goes to the parent directory, locks
 * it, looks the name up again, checks, and asks the file system.
 */
#include <gen/vfs.h>

#include <linux/capability.h>

#include "modules/vfs/names.h"

int may_change_directory(const struct path *dir)
{
	int error = mount_check_write(dir->mount);

	return error ? error : inode_permission(dir->dentry->inode, MAY_WRITE | MAY_EXEC);
}

int may_remove(struct inode *dir, struct dentry *d)
{
	struct inode *inode = d->inode;
	uint32_t me = service(authority)->fsuid();

	if ((dir->mode & S_ISVTX) && inode->uid != me && dir->uid != me && !capable(CAP_FOWNER))
		return -EPERM;
	if (dir->flags & INODE_APPEND)
		return -EPERM;
	if (inode->flags & (INODE_APPEND | INODE_IMMUTABLE))
		return -EPERM;
	return 0;
}

int create_begin(struct walk *w, int dirfd, const char *name, unsigned int flags, bool directory,
		 struct dentry **out)
{
	int error = walk_begin(w, dirfd, name, flags);

	if (error)
		return error;
	error = walk_parent(w);
	if (!error && w->type != LAST_NAME)
		error = -EEXIST;
	if (error)
		goto undo_walk;
	mutex_lock(&w->at.dentry->inode->lock);
	error = dentry_lookup_locked(w->at.dentry, w->last, w->length, out);
	if (error)
		goto undo_lock;
	if ((*out)->inode)
		error = -EEXIST;
	else if (w->slashes && !directory)
		error = -ENOENT;
	else
		error = may_change_directory(&w->at);
	if (!error)
		return 0;
	dentry_put(*out);
undo_lock:
	mutex_unlock(&w->at.dentry->inode->lock);
undo_walk:
	walk_end(w, false);
	return error;
}

void create_end(struct walk *w, struct dentry *d)
{
	mutex_unlock(&w->at.dentry->inode->lock);
	dentry_put(d);
	walk_end(w, false);
}

static int make_directory(int dirfd, const char *name, uint32_t mode)
{
	struct walk w;
	struct dentry *d;
	struct inode *dir;
	int error = create_begin(&w, dirfd, name, 0, true, &d);

	if (error)
		return error;
	dir = w.at.dentry->inode;
	error = dir->ops->mkdir ? dir->ops->mkdir(dir, d, S_IFDIR | create_mode(dir, mode & 01777)) : -EPERM;
	create_end(&w, d);
	return error;
}

/* `made`: gets the new node's path, references taken; null: not wanted. */
static int make_node(int dirfd, const char *name, uint32_t mode, uint64_t rdev, struct path *made)
{
	struct walk w;
	struct dentry *d;
	struct inode *dir;
	int error;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	if (S_ISDIR(mode))
		return -EPERM;
	if (!S_ISREG(mode) && !S_ISCHR(mode) && !S_ISBLK(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
		return -EINVAL;
	error = create_begin(&w, dirfd, name, 0, false, &d);
	if (error)
		return error;
	dir = w.at.dentry->inode;
	mode = create_mode(dir, mode);
	/* The device 0:0 is no device, but what overlays put in the place of a name. */
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !(S_ISCHR(mode) && !rdev) && !capable(CAP_MKNOD))
		error = -EPERM;
	else if (S_ISREG(mode))
		error = dir->ops->create ? dir->ops->create(dir, d, mode) : -EPERM;
	else
		error = dir->ops->mknod ? dir->ops->mknod(dir, d, mode, rdev) : -EPERM;
	if (!error && made) {
		made->mount = w.at.mount;
		made->dentry = d;
		path_get(made);
	}
	create_end(&w, d);
	return error;
}

int path_mkdir(const char *name, uint32_t mode)
{
	return make_directory(AT_FDCWD, name, mode);
}
MODAPI(path_mkdir);

int path_mknod(const char *name, uint32_t mode, uint64_t rdev)
{
	return make_node(AT_FDCWD, name, mode, rdev, NULL);
}
MODAPI(path_mknod);

int path_mknod_path(const char *name, uint32_t mode, struct path *out)
{
	return make_node(AT_FDCWD, name, mode, 0, out);
}
MODAPI(path_mknod_path);

long sys_mkdirat(int32_t dirfd, struct ustr path, uint32_t mode)
{
	struct user_name n;
	long error = user_name_get(&n, path);

	if (error)
		return error;
	error = make_directory(dirfd, n.text, mode);
	user_name_put(&n);
	return error;
}

long sys_mkdir(struct ustr path, uint32_t mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_mknodat(int32_t dirfd, struct ustr path, uint32_t mode, uint32_t device)
{
	struct user_name n;
	long error = user_name_get(&n, path);

	if (error)
		return error;
	error = make_node(dirfd, n.text, mode & (S_IFMT | 07777), device_decode(device), NULL);
	user_name_put(&n);
	return error;
}

long sys_mknod(struct ustr path, uint32_t mode, uint32_t device)
{
	return sys_mknodat(AT_FDCWD, path, mode, device);
}

long sys_symlinkat(struct ustr target, int32_t dirfd, struct ustr path)
{
	struct user_name text, n;
	struct walk w;
	struct dentry *d;
	long error = user_name_get(&text, target);

	if (error)
		return error;
	error = *text.text ? user_name_get(&n, path) : -ENOENT;
	if (error)
		goto undo_text;
	error = create_begin(&w, dirfd, n.text, 0, false, &d);
	if (!error) {
		struct inode *dir = w.at.dentry->inode;

		error = dir->ops->symlink ? dir->ops->symlink(dir, d, text.text) : -EPERM;
		create_end(&w, d);
	}
	user_name_put(&n);
undo_text:
	user_name_put(&text);
	return error;
}

long sys_symlink(struct ustr target, struct ustr path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

static int make_link(const struct path *old, int dirfd, const char *name)
{
	struct inode *inode = old->dentry->inode, *dir;
	struct walk w;
	struct dentry *d;
	int error = create_begin(&w, dirfd, name, 0, false, &d);

	if (error)
		return error;
	dir = w.at.dentry->inode;
	if (old->mount != w.at.mount)
		error = -EXDEV;
	else if (protected_may_link(inode))
		error = -EPERM;
	else if (inode->flags & (INODE_APPEND | INODE_IMMUTABLE))
		error = -EPERM;
	else if (inode_is_dir(inode) || !dir->ops->link)
		error = -EPERM;
	else if (!inode->nlink && !(inode->flags & INODE_LINKABLE))
		error = -ENOENT;
	else
		error = dir->ops->link(inode, dir, d);
	if (!error)
		inode->flags &= ~INODE_LINKABLE;
	create_end(&w, d);
	return error;
}

long sys_linkat(int32_t olddir, struct ustr old, int32_t newdir, struct ustr new, int32_t flags)
{
	unsigned int walk = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
	struct user_name from, to;
	struct path source;
	long error;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		if (!capable(CAP_DAC_READ_SEARCH))
			return -ENOENT;
		walk |= WALK_EMPTY;
	}
	error = user_name_get(&from, old);
	if (error)
		return error;
	error = user_name_get(&to, new);
	if (error)
		goto undo_from;
	error = path_lookup(olddir, from.text, walk, &source);
	if (!error) {
		error = make_link(&source, newdir, to.text);
		path_put(&source);
	}
	user_name_put(&to);
undo_from:
	user_name_put(&from);
	return error;
}

long sys_link(struct ustr old, struct ustr new)
{
	return sys_linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

/* With the directory locked. */
static int remove_locked(struct walk *w, struct dentry *d, bool directory)
{
	struct inode *dir = w->at.dentry->inode;
	int error = may_change_directory(&w->at);

	if (error)
		return error;
	error = may_remove(dir, d);
	if (error)
		return error;
	if (directory && !dentry_is_dir(d))
		return -ENOTDIR;
	if (!directory && dentry_is_dir(d))
		return -EISDIR;
	if (READ_ONCE(d->flags) & DENTRY_MOUNTED)
		return -EBUSY;
	if (directory) {
		mutex_lock(&d->inode->lock);
		error = dir->ops->rmdir ? dir->ops->rmdir(dir, d) : -EPERM;
		if (!error)
			d->inode->flags |= INODE_DEAD;
		mutex_unlock(&d->inode->lock);
	} else {
		error = dir->ops->unlink ? dir->ops->unlink(dir, d) : -EPERM;
	}
	if (!error)
		dentry_unlinked(d);
	return error;
}

/* From where the walk begins; it is ended. */
static int remove_walked(struct walk *w, bool directory)
{
	static const int dir_errors[] = { [LAST_DOT] = -EINVAL, [LAST_DOTDOT] = -ENOTEMPTY, [LAST_ROOT] = -EBUSY };
	struct dentry *d = NULL;
	struct inode *dir;
	int error = walk_parent(w);

	if (!error && w->type != LAST_NAME)
		error = directory ? dir_errors[w->type] : -EISDIR;
	if (error)
		goto out;
	dir = w->at.dentry->inode;
	mutex_lock(&dir->lock);
	error = dentry_lookup_locked(w->at.dentry, w->last, w->length, &d);
	if (!error) {
		if (!d->inode)
			error = -ENOENT;
		else if (w->slashes && !directory)
			error = dentry_is_dir(d) ? -EISDIR : -ENOTDIR;
		else
			error = remove_locked(w, d, directory);
	}
	mutex_unlock(&dir->lock);
	if (d)
		dentry_put(d);
out:
	walk_end(w, false);
	return error;
}

static int remove_name(int dirfd, const char *name, bool directory)
{
	struct walk w;
	int error = walk_begin(&w, dirfd, name, 0);

	return error ? error : remove_walked(&w, directory);
}

int path_unlink_from(const struct path *start, const char *name)
{
	struct walk w;
	int error = walk_begin_at(&w, start, name, 0);

	return error ? error : remove_walked(&w, false);
}
MODAPI(path_unlink_from);

long sys_unlinkat(int32_t dirfd, struct ustr path, int32_t flags)
{
	struct user_name n;
	long error;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	error = user_name_get(&n, path);
	if (error)
		return error;
	error = remove_name(dirfd, n.text, flags & AT_REMOVEDIR);
	user_name_put(&n);
	return error;
}

long sys_unlink(struct ustr path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

long sys_rmdir(struct ustr path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}
