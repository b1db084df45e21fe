/*
 * The walk without locks and references: under RCU through cached dentries, to one reference at the end.
 *
 * Preemption is off, so what was reachable stays allocated. Whatever is not plain (a link whose text the file system makes, a name
 * not cached, a file system with its own permission or revalidation, ".." out of a mount, a refusal) is left to the walk with
 * references, which decides. Links with constant text are followed: the text lives as long as the inode's memory, and what follows
 * the link is kept on a small stack unless nothing does. Valid if no rename happened meanwhile: the sequence is compared at the end, and before a miss is believed. A miss proves
 * absence where the cache is the directory (inode_ops.no_negative) and for negative dentries.
 */
#include "modules/vfs/dentry.h"
#include "modules/vfs/walk.h"

#define FAST_LINKS 8

struct fast_walk {
	struct mount *mount;
	struct dentry *dentry;
	struct path root;		/* no references */
	unsigned int sequence;
	const char *name;		/* what is left of the text under way */
	unsigned int links, depth;
	const char *rest[FAST_LINKS];	/* texts around it, never empty */
	bool directory;			/* the result must be one */
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
		w->root = fs->root;
		if (r.counted || refcount_read(&fs->refs) != 1) {
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
	w->root = fs->root;
	if (shared)
		spin_unlock(&fs->lock);
	return true;
}

static inline bool may_search(struct inode *inode)
{
	if (unlikely(inode->ops->permission))
		return false;
	return ((READ_ONCE(inode->mode) & 0111) == 0111 && likely(!READ_ONCE(inode->access_acl))) ||
	       !inode_permission(inode, MAY_EXEC);
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

/* Goes on with the text of a link that was found below w->dentry. */
static int fast_link(struct fast_walk *w, struct mount *m, struct dentry *d, struct inode *inode)
{
	struct path link = { m, d };

	if (!inode->link_text || inode->ops->follow || (m->flags & MOUNT_NOSYMFOLLOW) || !inode->link_text[0])
		return FAST_SLOW;
	/* The last of a name in a directory that all may write to: whether it may be followed is a longer question. */
	if (!*w->name && !w->depth && unlikely(protected_is_shared(w->dentry->inode)))
		return FAST_SLOW;
	if (w->links++ == SYMLINKS_MAX || (*w->name && w->depth == FAST_LINKS))
		return FAST_SLOW;
	path_touch_atime(&link);
	if (*w->name)
		w->rest[w->depth++] = w->name;
	w->name = inode->link_text;
	if (*w->name == '/') {
		w->mount = w->root.mount;
		w->dentry = w->root.dentry;
	}
	return FAST_DONE;
}

/* One name below w->dentry: FAST_DONE and w moved, FAST_SLOW, or -ENOENT. `follow`: links, too. */
static int fast_child(struct fast_walk *w, const char *name, size_t n, uint32_t hash, bool follow)
{
	struct inode *dir = w->dentry->inode, *inode;
	struct dentry *d = dentry_find_rcu(w->dentry, name, n, hash);
	struct mount *mount = w->mount;

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
		struct mount *m = mount_lookup_rcu(mount, d);

		if (!m)
			break;
		mount = m;
		d = m->root;
		inode = d->inode;
	}
	if (!d->used)
		d->used = true;
	if (unlikely(inode_is_link(inode)) && follow)
		return fast_link(w, mount, d, inode);
	w->mount = mount;
	w->dentry = d;
	return FAST_DONE;
}

/* ".." inside a mount and below the root. */
static int fast_up(struct fast_walk *w)
{
	if (w->dentry == w->root.dentry || w->dentry == w->mount->root)
		return FAST_SLOW;
	w->dentry = rcu_dereference(w->dentry->parent);
	return READ_ONCE(w->dentry->flags) & DENTRY_MOUNTED ? FAST_SLOW : FAST_DONE;
}

/* The next component of w->name, which is not empty and does not begin with a slash. */
static int fast_component(struct fast_walk *w, unsigned int flags)
{
	const char *start = w->name, *p = start;
	uint32_t hash = DENTRY_HASH_SEED;
	bool slashes, last;
	size_t n;

	if (!inode_is_dir(w->dentry->inode) || !may_search(w->dentry->inode))
		return FAST_SLOW;
	for (; *p && *p != '/'; p++)
		hash = dentry_hash_step(hash, (unsigned char)*p);
	n = (size_t)(p - start);
	if (unlikely(n > NAME_LENGTH_MAX))
		return FAST_SLOW;
	slashes = *p == '/';
	while (*p == '/')
		p++;
	w->name = p;
	last = !*p && !w->depth;
	if (last && slashes)
		w->directory = true;
	if (unlikely(start[0] == '.')) {
		if (n == 1)
			return FAST_DONE;
		if (n == 2 && start[1] == '.')
			return fast_up(w);
	}
	return fast_child(w, start, n, hash, !last || slashes || (flags & WALK_FOLLOW));
}

static int fast_path(struct fast_walk *w, unsigned int flags, struct path *out)
{
	w->links = w->depth = 0;
	w->directory = flags & WALK_DIRECTORY;
	for (;;) {
		int result;

		while (*w->name == '/')
			w->name++;
		if (!*w->name) {
			if (!w->depth)
				break;
			w->name = w->rest[--w->depth];
			continue;
		}
		result = fast_component(w, flags);
		if (result != FAST_DONE)
			return result;
	}
	if (w->directory && !inode_is_dir(w->dentry->inode))
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
	w.name = name;
	if (likely(fast_begin(&w, dirfd, name)))
		result = fast_path(&w, flags, out);
	rcu_read_unlock();
	return result;
}
