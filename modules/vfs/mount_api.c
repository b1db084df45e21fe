/*
 * Mounts as descriptors: open_tree, move_mount, mount_setattr, and the mounts that stand nowhere yet.
 *
 * Such a mount has MOUNT_ANON beside MOUNT_DETACHED. Its descriptor's file has FILE_UNMOUNT and so what would be the tree's reference: attaching hands that
 * over, and the file's end drops the mount and all below if it was never attached. What is mounted below it is linked as everywhere, but belongs to no name space either.
 * MOUNT_ANON and all links change under mount_mutex.
 */
#include <gen/vfs.h>

#include <linux/capability.h>
#include <linux/mount.h>

#include "modules/vfs/mount.h"

#define OPEN_TREE_FLAGS (AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
#define SETATTR_FLAGS   (AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW)

static const struct { uint64_t attribute; unsigned int flag; } attributes[] = {
	{ MOUNT_ATTR_RDONLY, MOUNT_RDONLY }, { MOUNT_ATTR_NOSUID, MOUNT_NOSUID }, { MOUNT_ATTR_NODEV, MOUNT_NODEV },
	{ MOUNT_ATTR_NOEXEC, MOUNT_NOEXEC }, { MOUNT_ATTR_NODIRATIME, MOUNT_NODIRATIME },
	{ MOUNT_ATTR_NOSYMFOLLOW, MOUNT_NOSYMFOLLOW },
};

/* MOUNT_ATTR_* but the kind of access times to MOUNT_*. -EINVAL for bits that do not exist. */
static int simple_flags(uint64_t attr, unsigned int *out)
{
	attr &= ~(uint64_t)MOUNT_ATTR__ATIME;
	*out = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (attr & attributes[i].attribute)
			*out |= attributes[i].flag;
		attr &= ~attributes[i].attribute;
	}
	return attr ? -EINVAL : 0;
}

/* The kind of access times. */
static int atime_flags(uint64_t attr, unsigned int *out)
{
	switch (attr & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_RELATIME: *out |= MOUNT_RELATIME; return 0;
	case MOUNT_ATTR_NOATIME: *out |= MOUNT_NOATIME; return 0;
	case MOUNT_ATTR_STRICTATIME: return 0;
	default: return -EINVAL;
	}
}

int mount_attr_flags(uint64_t attr, unsigned int *out)
{
	int error = simple_flags(attr, out);

	return error ? error : atime_flags(attr, out);
}

void mount_drop_anon(struct mount *m)
{
	mutex_lock(&mount_mutex);
	if (!(m->flags & MOUNT_ANON)) {
		mutex_unlock(&mount_mutex);
		return;
	}
	m->flags &= ~MOUNT_ANON;
	while (!list_empty(&m->children))
		mount_detach_tree(list_first(&m->children, struct mount, sibling));
	mutex_unlock(&mount_mutex);
	mount_put(m);
}

long mount_install_anon(struct mount *m, unsigned int cloexec)
{
	struct path p = { m, m->root };
	struct file *f;
	long fd;
	int error;

	mutex_lock(&mount_mutex);
	m->flags |= MOUNT_ANON | MOUNT_DETACHED;
	mutex_unlock(&mount_mutex);
	error = file_open_path(&p, O_PATH, &f);
	if (error) {
		mount_drop_anon(m);
		return error;
	}
	f->mode |= FILE_UNMOUNT;
	fd = fd_install(f, cloexec);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* ---- open_tree ---- */

static int clone_tree(const struct path *from, bool recursive, struct mount **out)
{
	struct mount *m;
	int error = 0;

	mutex_lock(&mount_mutex);
	if (!mount_is_ours(from->mount)) {
		mutex_unlock(&mount_mutex);
		return -EINVAL;
	}
	m = mount_copy(from->mount, from->dentry);
	if (!m)
		error = -ENOMEM;
	else
		m->flags |= MOUNT_ANON | MOUNT_DETACHED;
	if (m && recursive)
		error = mount_copy_children(from->mount, from->dentry, m);
	mutex_unlock(&mount_mutex);
	if (error && m)
		mount_drop_anon(m);
	*out = m;
	return error;
}

static unsigned int walk_flags(uint32_t flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

long sys_open_tree(int32_t dirfd, struct ustr name, uint32_t flags)
{
	unsigned int cloexec = flags & OPEN_TREE_CLOEXEC;
	struct mount *m;
	struct path p;
	struct file *f;
	long result;

	if (flags & ~(uint32_t)OPEN_TREE_FLAGS)
		return -EINVAL;
	if ((flags & AT_RECURSIVE) && !(flags & OPEN_TREE_CLONE))
		return -EINVAL;
	if ((flags & OPEN_TREE_CLONE) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	result = path_lookup_user(dirfd, name, walk_flags(flags), &p);
	if (result)
		return result;
	if (flags & OPEN_TREE_CLONE) {
		result = clone_tree(&p, flags & AT_RECURSIVE, &m);
		if (!result)
			result = mount_install_anon(m, cloexec);
	} else {
		result = file_open_path(&p, O_PATH, &f);
		if (!result) {
			result = fd_install(f, cloexec);
			if (result < 0)
				file_put(f);
		}
	}
	path_put(&p);
	return result;
}

/* ---- move_mount ---- */

static int check_move(const struct path *from, const struct path *to)
{
	struct mount *m = from->mount;

	if (READ_ONCE(to->dentry->flags) & DENTRY_UNLINKED)
		return -ENOENT;
	if (!mount_is_ours(to->mount) || from->dentry != m->root)
		return -EINVAL;
	/* A mount of the tree that is not its top, or the top of one that stands nowhere. */
	if (m->parent == m ? !(m->flags & MOUNT_ANON) : !mount_is_ours(m))
		return -EINVAL;
	if (dentry_is_dir(from->dentry) != dentry_is_dir(to->dentry))
		return -EINVAL;
	return mount_is_below(to->mount, m) ? -ELOOP : 0;
}

static int move_locked(const struct path *from, const struct path *to)
{
	struct mount *m = from->mount;
	int error = check_move(from, to);

	if (error)
		return error;
	if (m->parent != m)
		mount_detach(m);
	m->flags &= ~(MOUNT_ANON | MOUNT_EXPIRED);
	mount_attach(m, to);
	mount_changed();
	return 0;
}

long sys_move_mount(int32_t from_fd, struct ustr from_name, int32_t to_fd, struct ustr to_name, uint32_t flags)
{
	unsigned int walk;
	struct path from, to;
	long error;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(uint32_t)MOVE_MOUNT__MASK)
		return -EINVAL;
	walk = (flags & MOVE_MOUNT_F_SYMLINKS ? WALK_FOLLOW : 0) | (flags & MOVE_MOUNT_F_EMPTY_PATH ? WALK_EMPTY : 0);
	error = path_lookup_user(from_fd, from_name, walk, &from);
	if (error)
		return error;
	walk = (flags & MOVE_MOUNT_T_SYMLINKS ? WALK_FOLLOW : 0) | (flags & MOVE_MOUNT_T_EMPTY_PATH ? WALK_EMPTY : 0);
	error = path_lookup_user(to_fd, to_name, walk, &to);
	if (!error) {
		mutex_lock(&mount_mutex);
		path_follow_mounts(&to);
		/* No mount is shared: there is no group to set. */
		error = flags & MOVE_MOUNT_SET_GROUP ? -EINVAL : move_locked(&from, &to);
		mutex_unlock(&mount_mutex);
		path_put(&to);
	}
	path_put(&from);
	return error;
}

/* ---- mount_setattr ---- */

struct flag_change {
	unsigned int set, clear;
};

static int check_change(const struct mount_attr *a, struct flag_change *c)
{
	int error;

	if (a->propagation & ~(uint64_t)(MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE))
		return -EINVAL;
	/* One at most; mounts are private and stay so. */
	if (a->propagation && a->propagation != MS_PRIVATE)
		return -EINVAL;
	error = simple_flags(a->attr_set, &c->set);
	if (!error)
		error = simple_flags(a->attr_clr, &c->clear);
	if (error)
		return error;
	if (!(a->attr_clr & MOUNT_ATTR__ATIME))
		return a->attr_set & MOUNT_ATTR__ATIME ? -EINVAL : 0;
	if ((a->attr_clr & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME)
		return -EINVAL;
	c->clear |= MOUNT_RELATIME | MOUNT_NOATIME;
	return atime_flags(a->attr_set, &c->set);
}

/* The mount, or the next of its tree. */
static struct mount *next_of(struct mount *m, struct mount *top, bool recursive)
{
	return recursive ? mount_next(m, top) : NULL;
}

/* All or none: writers are looked for first, with the flag set where it was not. mount_mutex is held. */
static int change_flags(struct mount *top, const struct flag_change *c, bool recursive)
{
	struct mount *m, *bad = NULL;
	int error = 0;

	for (m = c->set & MOUNT_RDONLY ? top : NULL; m; m = next_of(m, top, recursive)) {
		bool had = m->flags & MOUNT_RDONLY;

		error = mount_become_read_only(m);
		if (error) {
			bad = m;
			break;
		}
		if (!had)
			m->flags |= MOUNT_MARKED;
	}
	for (m = c->set & MOUNT_RDONLY ? top : NULL; m && m != bad; m = next_of(m, top, recursive)) {
		if (error && (m->flags & MOUNT_MARKED))
			__atomic_and_fetch(&m->flags, ~MOUNT_RDONLY, __ATOMIC_SEQ_CST);
		m->flags &= ~MOUNT_MARKED;
	}
	if (error)
		return error;
	for (m = top; m; m = next_of(m, top, recursive))
		WRITE_ONCE(m->flags, (m->flags & ~c->clear) | c->set);
	mount_changed();
	return 0;
}

long sys_mount_setattr(int32_t dirfd, struct ustr name, uint32_t flags, struct uext_mount_attr user, size_t size)
{
	struct flag_change change;
	struct mount_attr attr;
	struct path p;
	long error;

	if (flags & ~(uint32_t)SETATTR_FLAGS)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < MOUNT_ATTR_SIZE_VER0)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	error = copy_in_ext_mount_attr(&attr, user, size);
	if (error || (!attr.attr_set && !attr.attr_clr && !attr.propagation))
		return error;
	error = check_change(&attr, &change);
	if (!error)
		error = path_lookup_user(dirfd, name, walk_flags(flags), &p);
	if (error)
		return error;
	mutex_lock(&mount_mutex);
	if (p.dentry != p.mount->root || !(mount_is_ours(p.mount) || (p.mount->flags & MOUNT_ANON)))
		error = -EINVAL;
	else
		error = change_flags(p.mount, &change, flags & AT_RECURSIVE);
	mutex_unlock(&mount_mutex);
	path_put(&p);
	return error;
}
