/*
 * mount, umount2, pivot_root: changes of the caller's tree of mounts, all under mount_mutex. Every mount is private: making one private is
 * what it is already, making it shared is refused.
 */
#include <gen/vfs.h>

#include <linux/capability.h>
#include <linux/mount.h>

#include "modules/vfs/mount.h"
#include "modules/vfs/super.h"
#include "modules/vfs/walk.h"

#define MNT_FORCE       1
#define MNT_DETACH      2
#define MNT_EXPIRE      4
#define UMOUNT_NOFOLLOW 8

/* MS_* to MOUNT_*. */
static unsigned int mount_flags(unsigned long ms)
{
	static const struct { unsigned long ms; unsigned int flag; } map[] = {
		{ MS_RDONLY, MOUNT_RDONLY }, { MS_NOSUID, MOUNT_NOSUID }, { MS_NODEV, MOUNT_NODEV },
		{ MS_NOEXEC, MOUNT_NOEXEC }, { MS_NOATIME, MOUNT_NOATIME },
		{ MS_NODIRATIME, MOUNT_NODIRATIME }, { MS_NOSYMFOLLOW, MOUNT_NOSYMFOLLOW },
	};
	unsigned int flags = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(map); i++) {
		if (ms & map[i].ms)
			flags |= map[i].flag;
	}
	if (!(ms & (MS_NOATIME | MS_STRICTATIME)))
		flags |= MOUNT_RELATIME;
	return flags;
}

/* Puts a new mount on `where`, if that still is a place to mount on. */
static int attach_new(struct mount *m, struct path *where)
{
	struct path at = *where;
	int error = 0;

	path_get(&at);
	mutex_lock(&mount_mutex);
	path_follow_mounts(&at);
	if (READ_ONCE(at.dentry->flags) & DENTRY_UNLINKED)
		error = -ENOENT;
	else if (!mount_is_ours(at.mount))
		error = -EINVAL;
	else if (inode_is_dir(m->root->inode) != dentry_is_dir(at.dentry))
		error = -ENOTDIR;
	else if (at.mount->super == m->super && at.dentry == at.mount->root && m->root == at.dentry)
		error = -EBUSY;
	if (!error) {
		mount_attach(m, &at);
		mount_changed();
	}
	mutex_unlock(&mount_mutex);
	path_put(&at);
	return error;
}

static int mount_new(const char *type, const char *source, struct path *where, unsigned long ms,
		     const char *options)
{
	struct super *s;
	struct mount *m;
	int error;

	if (!*type)
		return -EINVAL;
	error = super_mount(type, source, ms & MS_RDONLY ? SUPER_RDONLY : 0, options, &s);
	if (error)
		return error;
	m = mount_create(s, s->root, mount_flags(ms), source);
	super_put(s);
	if (!m)
		return -ENOMEM;
	error = attach_new(m, where);
	if (error)
		mount_put(m);
	return error;
}

static int mount_bind(const char *source, struct path *where, bool recursive)
{
	struct path from;
	struct mount *m;
	int error;

	if (!*source)
		return -EINVAL;
	error = path_lookup(AT_FDCWD, source, WALK_FOLLOW, &from);
	if (error)
		return error;
	m = mount_copy(from.mount, from.dentry);
	error = m ? 0 : -ENOMEM;
	mutex_lock(&mount_mutex);
	if (!error && !mount_is_ours(from.mount))
		error = -EINVAL;
	mutex_unlock(&mount_mutex);
	if (!error)
		error = attach_new(m, where);
	if (error) {
		if (m)
			mount_put(m);
	} else if (recursive) {
		mutex_lock(&mount_mutex);
		error = mount_copy_children(from.mount, from.dentry, m);
		if (error)
			mount_detach_tree(m);
		mutex_unlock(&mount_mutex);
	}
	path_put(&from);
	return error;
}

static int mount_move(const char *source, struct path *where)
{
	struct path from, at = *where;
	int error;

	if (!*source)
		return -EINVAL;
	error = path_lookup(AT_FDCWD, source, WALK_FOLLOW, &from);
	if (error)
		return error;
	path_get(&at);
	mutex_lock(&mount_mutex);
	path_follow_mounts(&at);
	if (from.dentry != from.mount->root || from.mount->parent == from.mount)
		error = -EINVAL;
	else if (dentry_is_dir(from.dentry) != dentry_is_dir(at.dentry))
		error = -EINVAL;
	else if (mount_is_below(at.mount, from.mount))
		error = -ELOOP;
	else if (!mount_is_ours(at.mount) || !mount_is_ours(from.mount))
		error = -EINVAL;
	if (!error) {
		mount_detach(from.mount);
		mount_attach(from.mount, &at);
		mount_changed();
	}
	mutex_unlock(&mount_mutex);
	path_put(&at);
	path_put(&from);
	return error;
}

static bool is_written(const struct super *s)
{
	struct mount *m;

	list_for_each(m, &all_mounts, all_link) {
		if (m->super == s && __atomic_load_n(&m->writers, __ATOMIC_SEQ_CST))
			return true;
	}
	return false;
}

/* Read-only first, then a look for writers: who opens meanwhile either is seen or sees the flag (mount_get_write). */
int mount_become_read_only(struct mount *m)
{
	if (m->flags & MOUNT_RDONLY)
		return 0;
	__atomic_or_fetch(&m->flags, MOUNT_RDONLY, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&m->writers, __ATOMIC_SEQ_CST))
		return 0;
	__atomic_and_fetch(&m->flags, ~MOUNT_RDONLY, __ATOMIC_SEQ_CST);
	return -EBUSY;
}

/* The same for the file system, and so for all mounts that show it. */
int super_reconfigure(struct super *s, unsigned int flags, const char *options)
{
	unsigned int was = s->flags & SUPER_RDONLY;
	int error = 0;

	if ((flags & SUPER_RDONLY) && !was) {
		__atomic_or_fetch(&s->flags, SUPER_RDONLY, __ATOMIC_SEQ_CST);
		if (is_written(s))
			error = -EBUSY;
	}
	if (!error && s->ops->remount)
		error = s->ops->remount(s, options);
	s->flags = (s->flags & ~SUPER_RDONLY) | (error ? was : flags & SUPER_RDONLY);
	return error;
}

static int remount(struct path *where, unsigned long ms, const char *options)
{
	struct mount *m = where->mount;
	struct super *s = m->super;
	int error = 0;

	if (where->dentry != m->root)
		return -EINVAL;
	mutex_lock(&mount_mutex);
	if (!mount_is_ours(m))
		error = -EINVAL;
	else if (!(ms & MS_BIND))
		error = super_reconfigure(s, ms & MS_RDONLY ? SUPER_RDONLY : 0, options);
	else if (ms & MS_RDONLY)
		error = mount_become_read_only(m);
	if (!error) {
		WRITE_ONCE(m->flags, (m->flags & ~MOUNT_FLAGS_USER) | mount_flags(ms));
		mount_changed();
	}
	mutex_unlock(&mount_mutex);
	return error;
}

static int do_mount(const char *source, struct path *where, const char *type, unsigned long ms,
		    const char *options)
{
	if ((ms & 0xffff0000ul) == 0xc0ed0000ul)
		ms &= 0xffff;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (ms & MS_REMOUNT)
		return remount(where, ms, options);
	if (ms & MS_BIND)
		return mount_bind(source, where, ms & MS_REC);
	if (ms & (MS_SHARED | MS_SLAVE | MS_UNBINDABLE))
		return -EINVAL;
	if (ms & MS_PRIVATE)
		return where->dentry == where->mount->root ? 0 : -EINVAL;
	if (ms & MS_MOVE)
		return mount_move(source, where);
	return mount_new(type, source, where, ms, options);
}

int mount_kernel(const char *type, const char *source, const char *where, unsigned int flags,
		 const char *options)
{
	struct path p;
	int error = path_lookup(AT_FDCWD, where, WALK_FOLLOW, &p);

	if (error)
		return error;
	error = mount_new(type, source, &p, flags, options ? options : "");
	path_put(&p);
	return error;
}
MODAPI(mount_kernel);

/* A string argument that may be null. *out is the caller's to kfree. */
static int get_text(uintptr_t user, size_t size, bool cut, char **out)
{
	char *buf = kzalloc(size, 0);
	long n = 0;

	if (!buf)
		return -ENOMEM;
	if (user)
		n = copy_string_from_user(buf, (struct ustr){ user }, size);
	if (n == -ENAMETOOLONG && cut) {
		buf[size - 1] = 0;
		n = 0;
	}
	if (n < 0) {
		kfree(buf);
		return n == -ENAMETOOLONG ? -EINVAL : (int)n;
	}
	*out = buf;
	return 0;
}

long sys_mount(uintptr_t source, struct ustr target, uintptr_t type, uintptr_t flags, uintptr_t data)
{
	char *from, *kind, *options;
	struct path where;
	long error = get_text(type, 64, false, &kind);

	if (error)
		return error;
	error = get_text(source, PATH_SIZE_MAX, false, &from);
	if (error)
		goto undo_kind;
	error = get_text(data, PAGE_SIZE, true, &options);
	if (error)
		goto undo_from;
	error = path_lookup_user(AT_FDCWD, target, WALK_FOLLOW, &where);
	if (!error) {
		error = do_mount(from, &where, kind, flags, options);
		path_put(&where);
	}
	kfree(options);
undo_from:
	kfree(from);
undo_kind:
	kfree(kind);
	return error;
}

/* The path's and the tree's references are expected; anything beyond is a user. */
static int unmount_locked(struct mount *m, int flags)
{
	if (flags & MNT_EXPIRE) {
		if (!list_empty(&m->children) || refcount_read(&m->refs) != 2)
			return -EBUSY;
		if (!(m->flags & MOUNT_EXPIRED)) {
			m->flags |= MOUNT_EXPIRED;
			return -EAGAIN;
		}
	}
	if (!(flags & MNT_DETACH) && (!list_empty(&m->children) || refcount_read(&m->refs) != 2))
		return -EBUSY;
	mount_detach_tree(m);
	mount_changed();
	return 0;
}

long sys_umount2(struct ustr target, int32_t flags)
{
	struct path p, root;
	long error;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if ((flags & MNT_EXPIRE) && (flags & (MNT_FORCE | MNT_DETACH)))
		return -EINVAL;
	error = path_lookup_user(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &p);
	if (error)
		return error;
	error = fs_get_root(&root);
	if (error)
		goto undo_path;
	mutex_lock(&mount_mutex);
	if (!capable(CAP_SYS_ADMIN))
		error = -EPERM;
	else if (p.dentry != p.mount->root || !mount_is_ours(p.mount) || p.mount->parent == p.mount)
		error = -EINVAL;
	else if (p.mount == root.mount && !(flags & MNT_DETACH))
		error = -EBUSY;
	else
		error = unmount_locked(p.mount, flags);
	mutex_unlock(&mount_mutex);
	path_put(&root);
undo_path:
	path_put(&p);
	return error;
}

static int check_pivot(const struct path *new, const struct path *old, const struct path *root)
{
	if (!mount_is_ours(new->mount) || !mount_is_ours(root->mount))
		return -EINVAL;
	if (new->mount == root->mount || old->mount == root->mount)
		return -EBUSY;
	if (new->dentry != new->mount->root || root->dentry != root->mount->root)
		return -EINVAL;
	if (root->mount->parent == root->mount || new->mount->parent == new->mount)
		return -EINVAL;
	if (!mount_is_below(old->mount, new->mount) || !dentry_is_below(old->dentry, old->mount == new->mount ? new->dentry : old->mount->root))
		return -EINVAL;
	return mount_is_below(new->mount, root->mount) ? 0 : -EINVAL;
}

long sys_pivot_root(struct ustr new_name, struct ustr old_name)
{
	struct path new, old, root, place;
	long error;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	error = path_lookup_user(AT_FDCWD, new_name, WALK_FOLLOW | WALK_DIRECTORY, &new);
	if (error)
		return error;
	error = path_lookup_user(AT_FDCWD, old_name, WALK_FOLLOW | WALK_DIRECTORY, &old);
	if (error)
		goto undo_new;
	error = fs_get_root(&root);
	if (error)
		goto undo_old;
	mutex_lock(&mount_mutex);
	error = check_pivot(&new, &old, &root);
	if (!error) {
		place.mount = root.mount->parent;
		place.dentry = root.mount->mountpoint;
		path_get(&place);
		mount_detach(new.mount);
		mount_detach(root.mount);
		mount_attach(root.mount, &old);
		mount_attach(new.mount, &place);
		path_put(&place);
		mount_changed();
	}
	mutex_unlock(&mount_mutex);
	if (!error)
		fs_replace_roots(&root, &new);
	path_put(&root);
undo_old:
	path_put(&old);
undo_new:
	path_put(&new);
	return error;
}
