/*
 * Root, working directory, umask and the name space of mounts in which they lie. A context shared by CLONE_FS threads is read and changed under its lock; the
 * paths in it are never null once a root file system is mounted.
 */
#include "modules/vfs/mount.h"

struct fs_context *fs_context_create(void)
{
	struct fs_context *fs = mount_root_exists() ? kmalloc(sizeof(*fs), 0) : NULL;

	if (!fs)
		return NULL;
	refcount_init(&fs->refs, 1);
	spin_init(&fs->lock);
	fs->umask = 022;
	fs->ns = mount_ns_first();
	mount_get_root(&fs->root);
	fs->cwd = fs->root;
	path_get(&fs->cwd);
	return fs;
}

struct fs_context *fs_context_copy(struct fs_context *old)
{
	struct fs_context *fs = kmalloc(sizeof(*fs), 0);

	if (!fs)
		return NULL;
	refcount_init(&fs->refs, 1);
	spin_init(&fs->lock);
	spin_lock(&old->lock);
	fs->root = old->root;
	fs->cwd = old->cwd;
	fs->umask = old->umask;
	fs->ns = old->ns;
	mount_ns_get(fs->ns);
	path_get(&fs->root);
	path_get(&fs->cwd);
	spin_unlock(&old->lock);
	return fs;
}

void fs_context_put(struct fs_context *fs)
{
	if (!refcount_put(&fs->refs))
		return;
	path_put(&fs->root);
	path_put(&fs->cwd);
	mount_ns_put(fs->ns);
	kfree(fs);
}

static struct fs_context *fs_self(void)
{
	struct vfs_thread *vt = vfs_thread_self();

	return vt ? vt->fs : NULL;
}

int fs_get_root(struct path *out)
{
	struct fs_context *fs = fs_self();

	if (unlikely(!fs))
		return -ENOMEM;
	spin_lock(&fs->lock);
	*out = fs->root;
	path_get(out);
	spin_unlock(&fs->lock);
	return 0;
}

int fs_get_cwd(struct path *out)
{
	struct fs_context *fs = fs_self();

	if (unlikely(!fs))
		return -ENOMEM;
	spin_lock(&fs->lock);
	*out = fs->cwd;
	path_get(out);
	spin_unlock(&fs->lock);
	return 0;
}

static int fs_set(const struct path *p, bool root)
{
	struct fs_context *fs = fs_self();
	struct path old;

	if (!fs)
		return -ENOMEM;
	path_get(p);
	spin_lock(&fs->lock);
	if (root) {
		old = fs->root;
		fs->root = *p;
	} else {
		old = fs->cwd;
		fs->cwd = *p;
	}
	spin_unlock(&fs->lock);
	path_put(&old);
	return 0;
}

int fs_set_root(const struct path *p)
{
	return fs_set(p, true);
}

int fs_set_cwd(const struct path *p)
{
	return fs_set(p, false);
}

uint32_t fs_umask(void)
{
	struct fs_context *fs = fs_self();

	return fs ? READ_ONCE(fs->umask) : 022;
}

struct mount_ns *fs_mount_ns(void)
{
	struct fs_context *fs = fs_self();

	return fs ? READ_ONCE(fs->ns) : NULL;
}

struct replace_roots {
	const struct path *from, *to;
	unsigned int drops;		/* references to `from` that went */
};

/* Runs under the lock of the thread list: paths are only exchanged here, and put by the caller. */
static bool replace_root_of(struct thread *t, void *arg)
{
	struct replace_roots *r = arg;
	struct vfs_thread *vt = thread_data(t, vfs_slot);
	struct fs_context *fs;

	if (!vt)
		return false;
	spin_lock(&vt->lock);
	fs = vt->fs;
	if (fs) {
		spin_lock(&fs->lock);
		if (path_equal(&fs->root, r->from)) {
			fs->root = *r->to;
			path_get(r->to);
			r->drops++;
		}
		if (path_equal(&fs->cwd, r->from)) {
			fs->cwd = *r->to;
			path_get(r->to);
			r->drops++;
		}
		spin_unlock(&fs->lock);
	}
	spin_unlock(&vt->lock);
	return false;
}

void fs_replace_roots(const struct path *from, const struct path *to)
{
	struct replace_roots r = { from, to, 0 };

	thread_for_each(replace_root_of, &r);
	while (r.drops--)
		path_put(from);
}
