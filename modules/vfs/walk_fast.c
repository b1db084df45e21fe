/*
 * The walk without locks and references: under RCU through cached dentries, to one reference at the end.
 *
 * Preemption is off, so what was reachable stays allocated. Whatever is not plain (a link to be followed, a name not cached,
 * a file system with its own permission or revalidation, "..", a refusal) is left to the walk with references, which
 * decides. Valid if no rename happened meanwhile: the sequence is compared at the end, and before a miss is believed. A miss proves
 * absence where the cache is the directory (inode_ops.no_negative) and for negative dentries.
 */
#include "modules/vfs/dentry.h"
#include "modules/vfs/walk.h"

struct fast_walk {
	struct mount *mount;
	struct dentry *dentry;
	struct dentry *root;
	unsigned int sequence;
};

#define FAST_SLOW 0
#define FAST_DONE 1

/* Sets start and root. False: the slow way. */
static bool fast_begin(struct fast_walk *w, int dirfd, const char *name)
{
	struct vfs_thread *vt = thread_data(current, vfs_slot);
	struct fs_context *fs;
	struct path *start;
	bool shared;

	if (unlikely(!vt || !vt->fs))
		return false;
	fs = vt->fs;
	if (*name != '/' && dirfd != AT_FDCWD) {
		struct fd_ref r;

		/* A counted file could be put last here, which may sleep. */
		if (fd_get_raw(dirfd, &r))
			return false;
		w->mount = r.file->path.mount;
		w->dentry = r.file->path.dentry;
		w->root = READ_ONCE(fs->root.dentry);
		if (r.counted) {
			rcu_read_unlock();
			fd_put(&r);
			rcu_read_lock();
			return false;
		}
		return true;
	}
	shared = refcount_read(&fs->refs) != 1;
	start = *name == '/' ? &fs->root : &fs->cwd;
	if (shared)
		spin_lock(&fs->lock);
	w->mount = start->mount;
	w->dentry = start->dentry;
	w->root = fs->root.dentry;
	if (shared)
		spin_unlock(&fs->lock);
	return true;
}

static inline bool may_search(struct inode *inode)
{
	if (unlikely(inode->ops->permission))
		return false;
	return (READ_ONCE(inode->mode) & 0111) == 0111 || !inode_permission(inode, MAY_EXEC);
}

/* Takes the references. */
static int fast_finish(struct fast_walk *w, struct path *out)
{
	if (!refcount_get_unless_zero(&w->mount->refs))
		return FAST_SLOW;
	if (!refcount_get_unless_zero(&w->dentry->refs)) {
		rcu_read_unlock();
		mount_put(w->mount);
		rcu_read_lock();
		return FAST_SLOW;
	}
	out->mount = w->mount;
	out->dentry = w->dentry;
	if (dentry_sequence_changed(w->sequence)) {
		rcu_read_unlock();
		path_put(out);
		rcu_read_lock();
		return FAST_SLOW;
	}
	return FAST_DONE;
}

/* One name below w->dentry: FAST_DONE and w moved, FAST_SLOW, or -ENOENT. */
static int fast_child(struct fast_walk *w, const char *name, size_t n, uint32_t hash, bool last,
		      unsigned int flags)
{
	struct inode *dir = w->dentry->inode, *inode;
	struct dentry *d = dentry_find_rcu(w->dentry, name, n, hash);

	if (unlikely(!d)) {
		if (dir->ops->no_negative && !dir->ops->revalidate && !dentry_sequence_changed(w->sequence))
			return -ENOENT;
		return FAST_SLOW;
	}
	if (unlikely(dir->ops->revalidate))
		return FAST_SLOW;
	inode = load_acquire(&d->inode);
	if (unlikely(!inode))
		return dentry_sequence_changed(w->sequence) ? FAST_SLOW : -ENOENT;
	while (unlikely(READ_ONCE(d->flags) & DENTRY_MOUNTED)) {
		struct mount *m = mount_lookup_rcu(w->mount, d);

		if (!m)
			break;
		w->mount = m;
		d = m->root;
		inode = d->inode;
	}
	if (unlikely(inode_is_link(inode)) && (!last || (flags & WALK_FOLLOW)))
		return FAST_SLOW;
	if (!d->used)
		d->used = true;
	w->dentry = d;
	return FAST_DONE;
}

static int fast_path(struct fast_walk *w, const char *p, unsigned int flags, struct path *out)
{
	bool slashes = false;

	for (;;) {
		const char *start;
		uint32_t hash = DENTRY_HASH_SEED;
		size_t n;
		int result;

		while (*p == '/')
			p++;
		if (!*p)
			break;
		if (!inode_is_dir(w->dentry->inode) || !may_search(w->dentry->inode))
			return FAST_SLOW;
		for (start = p; *p && *p != '/'; p++)
			hash = dentry_hash_step(hash, (unsigned char)*p);
		n = (size_t)(p - start);
		slashes = *p == '/';
		if (unlikely(n > NAME_LENGTH_MAX))
			return FAST_SLOW;
		if (unlikely(start[0] == '.')) {
			if (n == 1)
				continue;
			if (n == 2 && start[1] == '.') {
				if (w->dentry == w->root || w->dentry == w->mount->root)
					return FAST_SLOW;
				w->dentry = rcu_dereference(w->dentry->parent);
				if (READ_ONCE(w->dentry->flags) & DENTRY_MOUNTED)
					return FAST_SLOW;
				continue;
			}
		}
		result = fast_child(w, start, n, hash, !slashes, flags);
		if (result != FAST_DONE)
			return result;
	}
	if ((slashes || (flags & WALK_DIRECTORY)) && !inode_is_dir(w->dentry->inode))
		return FAST_SLOW;
	return fast_finish(w, out);
}

int walk_fast(int dirfd, const char *name, unsigned int flags, struct path *out)
{
	struct fast_walk w;
	int result = FAST_SLOW;

	if (unlikely(!*name || (flags >> WALK_RESOLVE_SHIFT)))
		return FAST_SLOW;
	rcu_read_lock();
	w.sequence = dentry_sequence_begin();
	if (likely(fast_begin(&w, dirfd, name)))
		result = fast_path(&w, name, flags, out);
	rcu_read_unlock();
	return result;
}
