/*
 * devpts: the directory of the slaves of pseudo terminals. There is one, which every mount shows; its names are pinned dentries, made and removed with
 * the masters. Mount options are those of the last mount that gave some.
 */
#include "internal.h"

#include <linux/magic.h>

static struct super *pts_super;
static struct {
	uint32_t uid, gid, mode, ptmx_mode;
	bool has_uid, has_gid;
} options = { .mode = 0600 };

static int no_lookup(struct inode *dir, struct dentry *d)
{
	(void)dir;
	(void)d;
	return 0;
}

static const struct inode_ops dir_ops = { .lookup = no_lookup, .no_negative = true };

static void name_of(unsigned int index, char *buf, size_t size)
{
	if (index == PTY_MAX)
		str_copy(buf, "ptmx", size);
	else
		snprintf(buf, size, "%u", index);
}

static int add(unsigned int index, uint64_t rdev, uint32_t mode, uint32_t uid, uint32_t gid)
{
	struct dentry *root = pts_super->root, *d;
	struct inode *inode;
	char name[16];
	int error;

	name_of(index, name, sizeof(name));
	inode = inode_create(pts_super, S_IFCHR | mode);
	if (!inode)
		return -ENOMEM;
	inode->uid = uid;
	inode->gid = gid;
	inode_init_special(inode, rdev);
	mutex_lock(&root->inode->lock);
	error = dentry_child(root, name, strlen(name), &d);
	if (!error) {
		if (d->inode) {
			error = -EEXIST;
		} else {
			dentry_pin(d);
			dentry_attach(d, inode);
			inode = NULL;
		}
		dentry_put(d);
	}
	mutex_unlock(&root->inode->lock);
	if (inode)
		inode_put(inode);
	return error;
}

int devpts_add(unsigned int index)
{
	return add(index, device_number(PTY_SLAVE_MAJOR, index), options.mode,
		   options.has_uid ? options.uid : service(authority)->fsuid(),
		   options.has_gid ? options.gid : service(authority)->fsgid());
}

void devpts_remove(unsigned int index)
{
	struct dentry *root = pts_super->root, *d;
	char name[16];

	name_of(index, name, sizeof(name));
	mutex_lock(&root->inode->lock);
	if (!dentry_child(root, name, strlen(name), &d)) {
		if (d->inode) {
			d->inode->nlink = 0;
			dentry_unpin(d);
			dentry_drop(d);
		}
		dentry_put(d);
	}
	mutex_unlock(&root->inode->lock);
}

static bool is_key(const char *at, size_t n, const char *key)
{
	return strlen(key) == n && !memcmp(at, key, n);
}

static int set_option(const char *key, size_t n, const char *value, const char *end)
{
	bool octal = is_key(key, n, "mode") || is_key(key, n, "ptmxmode");
	uint64_t number;

	if (!value)
		return is_key(key, n, "newinstance") ? 0 : -EINVAL;
	if (str_to_u64(value, end, octal ? 8 : 10, &number) || number > UINT32_MAX)
		return -EINVAL;
	if (is_key(key, n, "uid")) {
		options.uid = (uint32_t)number;
		options.has_uid = true;
	} else if (is_key(key, n, "gid")) {
		options.gid = (uint32_t)number;
		options.has_gid = true;
	} else if (is_key(key, n, "mode")) {
		options.mode = number & 07777;
	} else if (is_key(key, n, "ptmxmode")) {
		options.ptmx_mode = number & 07777;
	} else if (!is_key(key, n, "max")) {
		return -EINVAL;
	}
	return 0;
}

static int set_options(const char *text)
{
	while (text && *text) {
		const char *end = strchr(text, ','), *equals;
		int error = 0;

		if (!end)
			end = text + strlen(text);
		equals = memchr(text, '=', (size_t)(end - text));
		if (end != text)
			error = set_option(text, (size_t)((equals ? equals : end) - text), equals ? equals + 1 : NULL, end);
		if (error)
			return error;
		text = *end ? end + 1 : end;
	}
	return 0;
}

/* The node of the master in the directory follows ptmxmode=. */
static void apply_ptmx_mode(void)
{
	struct dentry *root = pts_super->root, *d;

	mutex_lock(&root->inode->lock);
	if (!dentry_child(root, "ptmx", 4, &d)) {
		if (d->inode)
			d->inode->mode = S_IFCHR | options.ptmx_mode;
		dentry_put(d);
	}
	mutex_unlock(&root->inode->lock);
}

static int devpts_mount(const struct fs_type *type, const char *source, unsigned int flags, const char *text,
			struct super **out)
{
	int error = set_options(text);

	(void)type;
	(void)source;
	(void)flags;
	if (error)
		return error;
	apply_ptmx_mode();
	super_get(pts_super);
	*out = pts_super;
	return 0;
}

static int devpts_remount(struct super *s, const char *text)
{
	int error = set_options(text);

	(void)s;
	if (!error)
		apply_ptmx_mode();
	return error;
}

static int devpts_show(struct super *s, char *buf, size_t size)
{
	int n = 0;

	(void)s;
	if (options.has_uid)
		n += snprintf(buf, size, ",uid=%u", options.uid);
	if (options.has_gid)
		n += snprintf(buf + MIN((size_t)n, size), size - MIN((size_t)n, size), ",gid=%u", options.gid);
	return n + snprintf(buf + MIN((size_t)n, size), size - MIN((size_t)n, size), ",mode=%03o,ptmxmode=%03o",
			    options.mode, options.ptmx_mode);
}

static const struct super_ops super_ops = { .show_options = devpts_show, .remount = devpts_remount };
static struct fs_type devpts_type = { .name = "devpts", .nodev = true, .mount = devpts_mount };

int devpts_start(void)
{
	struct inode *root;
	int error;

	pts_super = super_create(&devpts_type, &super_ops, DEVPTS_SUPER_MAGIC);
	if (!pts_super)
		return -ENOMEM;
	root = inode_create(pts_super, S_IFDIR | 0755);
	if (!root)
		return -ENOMEM;
	root->ops = &dir_ops;
	root->file_ops = &pinned_dir_ops;
	root->nlink = 2;
	pts_super->root = dentry_create_root(root);
	if (!pts_super->root)
		return -ENOMEM;
	error = add(PTY_MAX, PTMX_DEVICE, 0, 0, 0);
	return error ? error : fs_type_register(&devpts_type);
}
