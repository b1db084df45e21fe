/*
 * Name spaces of mounts: each is a tree of its own that begins as a copy of another one.
 *
 * A context of directories (fs_context) has a reference to the name space in which they lie, so threads that share the one share the
 * other. The tree goes with the last reference: what is still in use of its mounts is then as after a lazy unmount. A file that stands
 * for a name space (nsfs) has a reference, too; it cannot be mounted, so no name space keeps itself.
 *
 * Locking: mount_mutex for the tree and mount.ns; contexts by their own lock.
 */
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

#include "modules/vfs/mount.h"

#define NS_FIRST_INO 4026531841ull	/* as Linux numbers its first name spaces */

static struct mount_ns first;
struct mount *ns_mount;
static uint64_t next_ino = NS_FIRST_INO;
static const struct fs_type ns_type = { .name = "nsfs", .nodev = true };

void mount_ns_get(struct mount_ns *ns)
{
	refcount_get(&ns->refs);
}
MODAPI(mount_ns_get);

void mount_ns_start(struct mount *root)
{
	refcount_init(&first.refs, 1);
	first.ino = NS_FIRST_INO;
	first.root = root;
	root->ns = &first;
}

struct mount_ns *mount_ns_first(void)
{
	mount_ns_get(&first);
	return &first;
}

bool mount_root_exists(void)
{
	return READ_ONCE(first.root) != NULL;
}

static void top_of(const struct mount_ns *ns, struct path *out)
{
	out->mount = ns->root;
	out->dentry = ns->root->root;
	path_get(out);
	path_follow_mounts(out);
}

void mount_get_root(struct path *out)
{
	top_of(&first, out);
}
MODAPI(mount_get_root);

/* Takes the tree apart. mount_mutex held. */
static void dissolve(struct mount_ns *ns)
{
	struct mount *root = ns->root;

	while (!list_empty(&root->children))
		mount_detach_tree(list_first(&root->children, struct mount, sibling));
	list_remove(&root->all_link);
	root->ns = NULL;
	root->flags |= MOUNT_DETACHED;
	mount_put(root);
}

void mount_ns_put(struct mount_ns *ns)
{
	if (!refcount_put(&ns->refs))
		return;
	mutex_lock(&mount_mutex);
	dissolve(ns);
	mutex_unlock(&mount_mutex);
	kfree(ns);
}
MODAPI(mount_ns_put);

/* A copy with a reference; each mount of the old tree knows its copy. Null when out. mount_mutex held. */
static struct mount_ns *copy_ns(struct mount_ns *old)
{
	struct mount_ns *ns = kzalloc(sizeof(*ns), 0);

	if (!ns)
		return NULL;
	refcount_init(&ns->refs, 1);
	ns->ino = ++next_ino;
	ns->root = mount_copy(old->root, old->root->root);
	if (!ns->root) {
		kfree(ns);
		return NULL;
	}
	ns->root->ns = ns;
	old->root->copy = ns->root;
	list_add_tail(&all_mounts, &ns->root->all_link);
	if (mount_copy_children(old->root, old->root->root, ns->root)) {
		dissolve(ns);
		kfree(ns);
		return NULL;
	}
	return ns;
}

/* Leads a path into the new name space. Returns the mount whose reference is to be put. */
static struct mount *redirect(struct path *p, const struct mount_ns *old)
{
	struct mount *was = p->mount;

	if (was->ns != old)
		return NULL;
	p->mount = was->copy;
	mount_get(p->mount);
	return was;
}

int fs_context_new_ns(struct fs_context *fs)
{
	struct mount *was_root, *was_cwd;
	struct mount_ns *old = fs->ns, *ns;

	mutex_lock(&mount_mutex);
	ns = copy_ns(old);
	if (!ns) {
		mutex_unlock(&mount_mutex);
		return -ENOMEM;
	}
	spin_lock(&fs->lock);
	was_root = redirect(&fs->root, old);
	was_cwd = redirect(&fs->cwd, old);
	fs->ns = ns;
	spin_unlock(&fs->lock);
	mount_changed();
	mutex_unlock(&mount_mutex);
	if (was_root)
		mount_put(was_root);
	if (was_cwd)
		mount_put(was_cwd);
	mount_ns_put(old);
	return 0;
}

int mount_ns_unshare(void)
{
	struct vfs_thread *vt;
	int error = fs_context_unshare();

	if (error)
		return error;
	vt = vfs_thread_self();
	return fs_context_new_ns(vt->fs);
}
MODAPI(mount_ns_unshare);

int mount_ns_enter(struct mount_ns *ns)
{
	struct vfs_thread *vt = vfs_thread_self();
	struct path top, was_root, was_cwd;
	struct mount_ns *old;
	struct fs_context *fs;

	if (!vt)
		return -ENOMEM;
	fs = vt->fs;
	if (refcount_read(&fs->refs) != 1)
		return -EINVAL;
	mount_ns_get(ns);
	top_of(ns, &top);
	path_get(&top);
	spin_lock(&fs->lock);
	was_root = fs->root;
	was_cwd = fs->cwd;
	old = fs->ns;
	fs->root = fs->cwd = top;
	fs->ns = ns;
	spin_unlock(&fs->lock);
	path_put(&was_root);
	path_put(&was_cwd);
	mount_ns_put(old);
	return 0;
}
MODAPI(mount_ns_enter);

/* ---- files that stand for name spaces ---- */

static long ns_ioctl(struct file *f, unsigned int cmd, uintptr_t arg)
{
	(void)f;
	(void)arg;
	switch (cmd) {
	case NS_GET_NSTYPE: return CLONE_NEWNS;
	case NS_GET_PARENT: return -EINVAL;	/* mounts have no hierarchy of name spaces */
	case NS_GET_OWNER_UID: return -EINVAL;
	}
	return -ENOTTY;
}

static const struct file_ops ns_file_ops = { .ioctl = ns_ioctl };

static void ns_evict(struct inode *inode)
{
	if (inode->private)
		mount_ns_put(inode->private);
}

static int ns_format(struct dentry *d, char *buf, size_t size)
{
	return snprintf(buf, size, "%s:[%llu]", d->name, (unsigned long long)d->inode->ino);
}

static const struct super_ops ns_super_ops = { .evict = ns_evict, .format = ns_format };

int mount_ns_path(struct mount_ns *ns, struct path *out)
{
	struct inode *inode = inode_create(ns_mount->super, S_IFREG | 0444);
	struct dentry *d;

	if (!inode)
		return -ENOMEM;
	inode->ino = ns->ino;
	inode->file_ops = &ns_file_ops;
	inode->flags |= INODE_NO_TIMES;
	d = dentry_create_anon(ns_mount->super, inode, "mnt");
	if (!d) {
		inode_put(inode);
		return -ENOMEM;
	}
	mount_ns_get(ns);
	inode->private = ns;
	mount_get(ns_mount);
	out->mount = ns_mount;
	out->dentry = d;
	return 0;
}
MODAPI(mount_ns_path);

struct mount_ns *mount_ns_of_file(const struct file *f)
{
	return f->ops == &ns_file_ops ? f->inode->private : NULL;
}
MODAPI(mount_ns_of_file);

int mount_ns_init(void)
{
	ns_mount = pseudo_mount_create(&ns_type, &ns_super_ops, NSFS_MAGIC);
	return ns_mount ? 0 : -ENOMEM;
}

void mount_ns_exit(void)
{
	if (ns_mount)
		mount_put(ns_mount);
}
