/*
 * The pseudo file system of files that stand for something else: timers, events, processes. All share one inode, as on
 * Linux; the dentry carries the name that /proc shows.
 */
#include <linux/magic.h>

#include "modules/vfs/internal.h"

struct mount *anon_mount;
static struct inode *anon_inode;
static const struct fs_type anon_type = { .name = "anon_inodefs", .nodev = true };

static int anon_format(struct dentry *d, char *buf, size_t size)
{
	return snprintf(buf, size, "anon_inode:%s", d->name);
}

static int anon_statfs(struct super *s, struct kstatfs *out)
{
	out->type = s->magic;
	out->block_size = PAGE_SIZE;
	out->name_max = NAME_LENGTH_MAX;
	return 0;
}

static const struct super_ops anon_super_ops = {
	.format = anon_format,
	.statfs = anon_statfs,
};

/* An attempt to open it by /proc/<pid>/fd fails as on Linux. */
static int anon_open(struct inode *inode, struct file *f)
{
	(void)inode;
	(void)f;
	return -ENXIO;
}

static const struct file_ops anon_open_ops = { .open = anon_open };

int anon_file_create(const char *name, const struct file_ops *ops, void *private, unsigned int flags,
		     struct file **out)
{
	inode_get(anon_inode);
	return file_create_pseudo(anon_mount, anon_inode, name, ops, private, flags, out);
}
MODAPI(anon_file_create);

/* A mount of a pseudo file system with an empty root directory. Null when out. */
struct mount *pseudo_mount_create(const struct fs_type *type, const struct super_ops *ops, uint64_t magic)
{
	struct super *s = super_create(type, ops, magic);
	struct inode *root = s ? inode_create(s, S_IFDIR | 0700) : NULL;
	struct mount *m;

	if (!root) {
		if (s)
			super_put(s);
		return NULL;
	}
	s->flags |= SUPER_INTERNAL;
	s->root = dentry_create_root(root);
	if (!s->root) {
		super_put(s);
		return NULL;
	}
	m = mount_create_internal(s);
	return m;
}
MODAPI(pseudo_mount_create);

int anon_init(void)
{
	anon_mount = pseudo_mount_create(&anon_type, &anon_super_ops, ANON_INODE_FS_MAGIC);
	if (!anon_mount)
		return -ENOMEM;
	anon_inode = inode_create(anon_mount->super, 0600);
	if (!anon_inode)
		return -ENOMEM;
	anon_inode->file_ops = &anon_open_ops;
	anon_inode->flags |= INODE_NO_TIMES;
	return 0;
}

void anon_exit(void)
{
	if (anon_inode)
		inode_put(anon_inode);
	if (anon_mount)
		mount_put(anon_mount);
}
