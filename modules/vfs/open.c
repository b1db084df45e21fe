/*
 * Opening by name: flags, creation, permission, truncation, in Linux's order of errors.
 */
#include <linux/capability.h>
#include <linux/openat2.h>

#include "modules/vfs/walk.h"

#define OPEN_FLAGS (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | \
		    O_SYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |   \
		    O_CLOEXEC | O_PATH | O_TMPFILE)
#define RESOLVE_ALL (RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | \
		     RESOLVE_IN_ROOT | RESOLVE_CACHED)
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

static int check_strict(uint64_t flags, uint64_t mode, uint64_t resolve)
{
	if (flags & ~(uint64_t)OPEN_FLAGS)
		return -EINVAL;
	if (resolve & ~(uint64_t)RESOLVE_ALL)
		return -EINVAL;
	if ((resolve & RESOLVE_BENEATH) && (resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (mode & ~07777ull)
		return -EINVAL;
	if (mode && !(flags & (O_CREAT | TMPFILE_BIT)))
		return -EINVAL;
	if ((flags & O_PATH) && (flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)))
		return -EINVAL;
	if ((resolve & RESOLVE_CACHED) && (flags & (O_TRUNC | O_CREAT | TMPFILE_BIT)))
		return -EAGAIN;
	return 0;
}

int open_check_flags(uint64_t flags, uint64_t mode, uint64_t resolve, bool strict,
		     struct open_how_kernel *out)
{
	int error = strict ? check_strict(flags, mode, resolve) : 0;

	if (error)
		return error;
	flags &= OPEN_FLAGS;
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if (flags & TMPFILE_BIT) {
		if ((flags & O_TMPFILE) != O_TMPFILE)
			return -EINVAL;
		if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_ACCMODE) == 3)
			return -EINVAL;
		if (flags & O_CREAT)
			return -EINVAL;
	} else if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
		return -EINVAL;
	}
	out->flags = (unsigned int)flags;
	out->mode = (uint32_t)mode & 07777;
	out->walk = WALK_RESOLVE(resolve);
	if (!(flags & O_NOFOLLOW))
		out->walk |= WALK_FOLLOW;
	if (flags & O_DIRECTORY)
		out->walk |= WALK_DIRECTORY;
	return 0;
}

static int access_mask(unsigned int flags)
{
	static const int masks[4] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
	int mask = masks[flags & O_ACCMODE];

	return flags & O_TRUNC ? mask | MAY_WRITE : mask;
}

/* May this inode be opened so? `created`: the caller just made it, whatever its mode. */
static int may_open(const struct path *p, unsigned int flags, bool created)
{
	struct inode *inode = p->dentry->inode;
	int mask = access_mask(flags), error;

	switch (inode->mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (mask & MAY_WRITE)
			return -EISDIR;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if ((p->mount->flags & MOUNT_NODEV) || (inode->super->flags & SUPER_NODEV))
			return -EACCES;
		break;
	default:
		break;
	}
	if (!created) {
		if ((mask & MAY_WRITE) && (inode_is_regular(inode) || inode_is_dir(inode)) &&
		    mount_check_write(p->mount))
			return -EROFS;
		error = inode_permission(inode, mask);
		if (error)
			return error;
	}
	if ((inode->flags & INODE_APPEND) &&
	    (((flags & O_ACCMODE) != O_RDONLY && !(flags & O_APPEND)) || (flags & O_TRUNC)))
		return -EPERM;
	if ((flags & O_NOATIME) && !inode_owner_or_capable(inode))
		return -EPERM;
	return 0;
}

/*
 * Opens what the path names; `created`: without checks of the mode and without truncation. `f`: allocated before something was
 * created, passes; null: it is done here.
 */
static int open_with(struct file *f, const struct path *p, unsigned int flags, bool created, struct file **out)
{
	struct inode *inode = p->dentry->inode;
	int error = flags & O_PATH ? 0 : may_open(p, flags, created);

	if (!error && !f) {
		f = file_alloc(inode->file_ops, flags);
		if (!f)
			return file_alloc_error();
	}
	if (!error)
		error = file_setup(f, p, inode, flags & ~(unsigned int)O_CLOEXEC);
	if (error) {
		if (f)
			file_free(f);
		return error;
	}
	if ((flags & O_DIRECT) && inode_is_dir(inode))
		error = -EINVAL;
	if (unlikely(READ_ONCE(inode->locks)) && !(flags & O_PATH))
		error = lease_break(inode, (flags & O_ACCMODE) != O_RDONLY, flags & O_NONBLOCK);
	if (error) {
		file_put(f);
		return error;
	}
	if ((flags & O_TRUNC) && !created && !(flags & O_PATH) && inode_is_regular(inode)) {
		error = inode_get_write(inode);
		if (!error) {
			error = inode_truncate(inode, 0);
			inode_put_write(inode);
		}
		if (error) {
			file_put(f);
			return error;
		}
	}
	*out = f;
	return 0;
}

static int open_found(const struct path *p, unsigned int flags, bool created, struct file **out)
{
	return open_with(NULL, p, flags, created, out);
}

/* Makes the file in the locked directory. The dentry is negative. */
static int create_locked(struct walk *w, struct dentry *d, const struct open_how_kernel *how)
{
	struct inode *dir = w->at.dentry->inode;
	int error = mount_check_write(w->at.mount);

	if (error)
		return error;
	error = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (error)
		return error;
	if (!dir->ops->create)
		return -EACCES;
	return dir->ops->create(dir, d, S_IFREG | create_mode(dir, how->mode));
}

/*
 * The last component of an open with O_CREAT: *found is what it names (references), *created whether it is new.
 * A link to be followed is handed back as *found too.
 */
static int find_or_create(struct walk *w, const struct open_how_kernel *how, struct path *found,
			  bool *created)
{
	struct dentry *parent = w->at.dentry, *d;
	struct inode *dir = parent->inode;
	int error;

	*created = false;
	error = dentry_lookup(parent, w->last, w->length, w->hash, &d);
	if (error == -ENOENT) {
		mutex_lock(&dir->lock);
		error = dentry_lookup_locked(parent, w->last, w->length, &d);
		if (!error && !d->inode) {
			error = create_locked(w, d, how);
			if (error)
				dentry_put(d);
			else
				*created = true;
		}
		mutex_unlock(&dir->lock);
	}
	if (error)
		return error;
	if (!*created && (how->flags & O_EXCL)) {
		dentry_put(d);
		return -EEXIST;
	}
	found->mount = w->at.mount;
	found->dentry = d;
	mount_get(found->mount);
	if (path_follow_mounts(found) && (w->flags & WALK_RESOLVE(RESOLVE_NO_XDEV))) {
		path_put(found);
		found->mount = NULL;
		return -EXDEV;
	}
	return 0;
}

/* What the names lead to, made if it was not there: references to *found. */
static int find_created(struct walk *w, const struct open_how_kernel *how, struct path *found, bool *created)
{
	int error = walk_parent(w);

	for (;;) {
		if (error)
			return error;
		if (w->type != LAST_NAME) {
			/* ".", "..", "/" or a magic link's target. */
			error = walk_last(w);
			if (error)
				return error;
			*created = false;
			*found = w->at;
			path_get(found);
			return how->flags & O_EXCL ? -EEXIST : inode_is_dir(found->dentry->inode) ? -EISDIR : 0;
		}
		if (w->slashes)
			return -EISDIR;
		error = find_or_create(w, how, found, created);
		if (error)
			return error;
		if (!inode_is_link(found->dentry->inode) || !(w->flags & WALK_FOLLOW))
			break;
		error = walk_link(w, found);
		found->mount = NULL;
	}
	if (inode_is_dir(found->dentry->inode))
		return -EISDIR;
	return *created ? 0 : protected_may_reuse(w->at.dentry->inode, found->dentry->inode);
}

static int open_create(struct walk *w, const struct open_how_kernel *how, struct file **out)
{
	/* First of all, so that a lack of them does not leave a new file behind. */
	struct file *f = file_alloc(NULL, how->flags);
	struct path found = { 0 };
	bool created = false;
	int error = f ? find_created(w, how, &found, &created) : file_alloc_error();

	if (!error)
		error = open_with(f, &found, how->flags, created, out);
	else if (f)
		file_free(f);
	if (found.mount)
		path_put(&found);
	return error;
}

/* O_TMPFILE: a nameless file in the directory. */
static int open_tmpfile(const struct path *dir_path, const struct open_how_kernel *how, struct file **out)
{
	struct inode *dir = dir_path->dentry->inode, *inode;
	struct path p = { dir_path->mount, NULL };
	int error = mount_check_write(dir_path->mount);

	if (error)
		return error;
	error = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (error)
		return error;
	if (!dir->ops->tmpfile)
		return -EOPNOTSUPP;
	mutex_lock(&dir->lock);
	error = dir->ops->tmpfile(dir, S_IFREG | create_mode(dir, how->mode), &inode);
	mutex_unlock(&dir->lock);
	if (error)
		return error;
	p.dentry = dentry_create_nameless(dir_path->dentry, inode);
	if (!p.dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	error = open_found(&p, how->flags & ~(unsigned int)O_TMPFILE, true, out);
	dentry_put(p.dentry);
	if (error)
		return error;
	(*out)->flags |= O_TMPFILE;		/* F_GETFL shows it */
	if (!(how->flags & O_EXCL))
		inode->flags |= INODE_LINKABLE;
	return 0;
}

int open_path_at(int dirfd, const char *name, const struct open_how_kernel *how, struct file **out)
{
	struct walk w;
	struct path p;
	int error;

	if (how->flags & O_CREAT) {
		error = walk_begin(&w, dirfd, name, how->walk);
		if (error)
			return error;
		error = open_create(&w, how, out);
		walk_end(&w, false);
		return error;
	}
	error = path_lookup(dirfd, name, how->walk, &p);
	if (error)
		return error;
	if (how->flags & TMPFILE_BIT)
		error = open_tmpfile(&p, how, out);
	else
		error = open_found(&p, how->flags, false, out);
	path_put(&p);
	return error;
}

int file_open_at(int dirfd, const char *name, unsigned int flags, uint32_t mode, struct file **out)
{
	struct open_how_kernel how;
	int error = open_check_flags(flags, mode, 0, false, &how);

	return error ? error : open_path_at(dirfd, name, &how, out);
}
MODAPI(file_open_at);

int file_open(const char *name, unsigned int flags, uint32_t mode, struct file **out)
{
	return file_open_at(AT_FDCWD, name, flags, mode, out);
}
MODAPI(file_open);

int file_open_at_user(int dirfd, struct ustr name, unsigned int flags, uint32_t mode, struct file **out)
{
	struct user_name n;
	int error = user_name_get(&n, name);

	if (error)
		return error;
	error = file_open_at(dirfd, n.text, flags, mode, out);
	user_name_put(&n);
	return error;
}
MODAPI(file_open_at_user);

int file_open_path(const struct path *p, unsigned int flags, struct file **out)
{
	return open_found(p, flags, false, out);
}
MODAPI(file_open_path);

int file_open_made(const struct path *p, unsigned int flags, struct file **out)
{
	return open_found(p, flags & OPEN_FLAGS, true, out);
}
MODAPI(file_open_made);

int file_open_device(uint32_t mode, uint64_t rdev, unsigned int flags, struct file **out)
{
	struct inode *inode = inode_create(anon_mount->super, mode | 0600);
	struct path p = { anon_mount, NULL };
	struct file *f;
	int error;

	if (!inode)
		return -ENOMEM;
	inode_init_special(inode, rdev);
	p.dentry = dentry_create_anon(anon_mount->super, inode, "[device]");
	f = p.dentry ? file_alloc(inode->file_ops, flags) : NULL;
	if (!f) {
		if (p.dentry)
			dentry_put(p.dentry);
		else
			inode_put(inode);
		return -ENOMEM;
	}
	error = file_setup(f, &p, inode, flags);
	dentry_put(p.dentry);
	if (error)
		file_free(f);
	else
		*out = f;
	return error;
}
MODAPI(file_open_device);

int file_for_exec(int dirfd, const char *name, int at_flags, struct file **out)
{
	unsigned int walk = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path p;
	struct inode *inode;
	int error;

	if (at_flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	if (at_flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	error = path_lookup(dirfd, name, walk, &p);
	if (error)
		return error;
	inode = p.dentry->inode;
	if (inode_is_link(inode))
		error = -ELOOP;
	else if (!inode_is_regular(inode) || (p.mount->flags & MOUNT_NOEXEC))
		error = -EACCES;
	else
		error = inode_permission(inode, MAY_EXEC);
	if (!error && unlikely(READ_ONCE(inode->locks)))
		error = lease_break(inode, false, false);
	if (!error)
		error = inode_deny_write(inode);
	if (!error) {
		struct file *f = file_alloc(inode->file_ops, O_RDONLY);

		error = f ? file_setup(f, &p, inode, O_RDONLY | O_LARGEFILE) : file_alloc_error();
		if (error) {
			inode_allow_write(inode);
			if (f)
				file_free(f);
		} else {
			f->mode |= FILE_EXEC;
			*out = f;
		}
	}
	path_put(&p);
	return error;
}
MODAPI(file_for_exec);

void file_exec_put(struct file *f)
{
	inode_allow_write(f->inode);
	file_put(f);
}
MODAPI(file_exec_put);

void file_exec_get(struct file *f)
{
	file_get(f);
	__atomic_sub_fetch(&f->inode->write_count, 1, __ATOMIC_RELAXED);
}
MODAPI(file_exec_get);
