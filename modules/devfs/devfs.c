/*
 * The tree behind "devtmpfs": one tmpfs that every mount of the type shows, with a node for each device that drivers
 * add. User space may make files and nodes of its own in it, within the limits of any tmpfs; a mount's options set them for all.
 *
 * Nodes are added and removed under the lock of their directory; `nodes` remembers what devfs_add registered, under
 * nodes_mutex.
 */
#include "modules/devfs/internal.h"
#include "modules/tmpfs/tmpfs.h"

struct node {
	struct list link;
	uint64_t rdev;
	char name[];
};

static struct super *dev_super;
static struct mutex nodes_mutex = MUTEX_INIT(nodes_mutex);
static struct list nodes = LIST_INIT(nodes);

/* The dentry of one component below `parent`, whose reference passes. */
static int enter(struct dentry *parent, const char *name, size_t n, bool make, struct dentry **out)
{
	struct inode *dir = parent->inode;
	struct dentry *d;
	int error;

	mutex_lock(&dir->lock);
	error = dentry_child(parent, name, n, &d);
	if (!error && !d->inode)
		error = make ? dir->ops->mkdir(dir, d, S_IFDIR | 0755) : -ENOENT;
	if (!error && !inode_is_dir(d->inode))
		error = -ENOTDIR;
	mutex_unlock(&dir->lock);
	if (error && d)
		dentry_put(d);
	dentry_put(parent);
	*out = d;
	return error;
}

/* The directory of a name, with a reference, and the last component. */
static int find_parent(const char *name, bool make, struct dentry **dir, const char **last)
{
	struct dentry *d = dev_super->root;

	dentry_get(d);
	for (;;) {
		const char *slash = strchr(name, '/');
		int error;

		if (!slash)
			break;
		error = enter(d, name, (size_t)(slash - name), make, &d);
		if (error)
			return error;
		name = slash + 1;
	}
	*dir = d;
	*last = name;
	return 0;
}

/* Makes a node, directory or link (target not null). */
static int add(const char *name, uint32_t mode, uint32_t uid, uint32_t gid, uint64_t rdev, const char *target)
{
	struct dentry *parent, *d = NULL;
	struct inode *dir;
	const char *last;
	int error = find_parent(name, true, &parent, &last);

	if (error)
		return error;
	dir = parent->inode;
	mutex_lock(&dir->lock);
	error = dentry_child(parent, last, strlen(last), &d);
	if (error)
		goto out;
	if (d->inode)
		error = -EEXIST;
	else if (target)
		error = dir->ops->symlink(dir, d, target);
	else if (S_ISDIR(mode))
		error = dir->ops->mkdir(dir, d, mode);
	else
		error = dir->ops->mknod(dir, d, mode, rdev);
	if (!error) {
		d->inode->uid = uid;
		d->inode->gid = gid;
	}
	dentry_put(d);
out:
	mutex_unlock(&dir->lock);
	dentry_put(parent);
	return error;
}

int devfs_add_node(const char *name, uint32_t mode, uint32_t uid, uint32_t gid, uint64_t rdev)
{
	return add(name, S_IFCHR | (mode ? mode & 07777 : 0600), uid, gid, rdev, NULL);
}
MODAPI(devfs_add_node);

int devfs_add_directory(const char *name, uint32_t mode)
{
	return add(name, S_IFDIR | (mode & 07777), 0, 0, 0, NULL);
}
MODAPI(devfs_add_directory);

int devfs_add_link(const char *name, const char *target)
{
	return add(name, S_IFLNK | 0777, 0, 0, 0, target);
}
MODAPI(devfs_add_link);

int devfs_add(const char *name, uint32_t mode, uint64_t rdev, const struct file_ops *ops, void *private)
{
	size_t n = strlen(name) + 1;
	struct node *node = kmalloc(sizeof(*node) + n, 0);
	int error = -ENOMEM;

	if (!node)
		return error;
	node->rdev = rdev;
	memcpy(node->name, name, n);
	error = device_register(device_major(rdev), device_minor(rdev), 1, node->name, ops, private);
	if (error)
		goto undo_node;
	error = devfs_add_node(name, mode, 0, 0, rdev);
	/* A node that is there already, for a fallback or made by hand, is as good. */
	if (error && error != -EEXIST)
		goto undo_register;
	mutex_lock(&nodes_mutex);
	list_add_tail(&nodes, &node->link);
	mutex_unlock(&nodes_mutex);
	return 0;
undo_register:
	device_unregister(device_major(rdev), device_minor(rdev), 1);
undo_node:
	kfree(node);
	return error;
}
MODAPI(devfs_add);

static void remove_registration(const char *name)
{
	struct node *node, *found = NULL;

	mutex_lock(&nodes_mutex);
	list_for_each(node, &nodes, link) {
		if (!strcmp(node->name, name)) {
			found = node;
			list_remove(&node->link);
			break;
		}
	}
	mutex_unlock(&nodes_mutex);
	if (!found)
		return;
	device_unregister(device_major(found->rdev), device_minor(found->rdev), 1);
	kfree(found);
}

void devfs_remove(const char *name)
{
	struct dentry *parent, *d = NULL;
	struct inode *dir;
	const char *last;

	remove_registration(name);
	if (find_parent(name, false, &parent, &last))
		return;
	dir = parent->inode;
	mutex_lock(&dir->lock);
	if (!dentry_child(parent, last, strlen(last), &d)) {
		if (d->inode && !inode_is_dir(d->inode) && !dir->ops->unlink(dir, d))
			dentry_drop(d);
		dentry_put(d);
	}
	mutex_unlock(&dir->lock);
	dentry_put(parent);
}
MODAPI(devfs_remove);

static int devfs_mount(const struct fs_type *type, const char *source, unsigned int flags, const char *options,
		       struct super **out)
{
	int error = *options ? dev_super->ops->remount(dev_super, options) : 0;

	if (error)
		return error;
	super_get(dev_super);
	*out = dev_super;
	return 0;
}

static struct fs_type devfs_type = { .name = "devtmpfs", .nodev = true, .mount = devfs_mount };

static int add_usual(void)
{
	static const struct { const char *name, *target; } links[] = {
		{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" },
		{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	};
	static const struct { const char *name; uint32_t mode; } directories[] = {
		{ "pts", 0755 }, { "shm", 01777 }, { "mqueue", 01777 },
	};
	int error = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(links) && !error; i++)
		error = devfs_add_link(links[i].name, links[i].target);
	for (unsigned int i = 0; i < ARRAY_SIZE(directories) && !error; i++)
		error = devfs_add_directory(directories[i].name, directories[i].mode);
	return error;
}

int devfs_init(void)
{
	int error = tmpfs_super_create(&devfs_type, "mode=755", &dev_super);

	if (error)
		return error;
	error = memory_devices_init();
	if (!error)
		error = add_usual();
	if (!error)
		error = fs_type_register(&devfs_type);
	return error;
}

void devfs_exit(void)
{
	fs_type_unregister(&devfs_type);
	memory_devices_exit();
	super_put(dev_super);
}
