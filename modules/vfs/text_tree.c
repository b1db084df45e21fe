/*
 * Trees of text files: pinned dentries over inodes that carry a type and its argument.
 */
#include "modules/vfs/internal.h"
#include "modules/vfs/text_file.h"

struct text_node {
	const struct text_file_type *type;
	void *arg;
};

static int node_open(struct inode *inode, struct file *f)
{
	struct text_node *n = inode->private;

	return text_file_open(f, n->type, n->arg, true);
}

static const struct file_ops node_ops = { .open = node_open };

static int no_lookup(struct inode *dir, struct dentry *d)
{
	return 0;
}

/* O_TRUNC by shells that write a setting is nothing to be done. */
static int node_setattr(struct inode *inode, const struct attr_change *c)
{
	inode_apply_attr(inode, c);
	return 0;
}

static const struct inode_ops dir_ops = { .lookup = no_lookup, .no_negative = true };
static const struct inode_ops file_inode_ops = { .setattr = node_setattr };

bool text_tree_is_node(const struct inode *inode)
{
	return inode->ops == &dir_ops || inode->file_ops == &node_ops || (inode_is_link(inode) && inode->link_text);
}
MODAPI(text_tree_is_node);

struct inode *text_tree_root(struct super *s)
{
	struct inode *root = inode_create(s, S_IFDIR | 0555);

	if (root) {
		root->ops = &dir_ops;
		root->file_ops = &pinned_dir_ops;
		root->nlink = 2;
	}
	return root;
}
MODAPI(text_tree_root);

void text_tree_evict(struct inode *inode)
{
	if (inode->file_ops == &node_ops)
		kfree(inode->private);
}
MODAPI(text_tree_evict);

static struct inode *make_inode(struct super *s, uint32_t mode, const struct text_file_type *type, void *arg)
{
	struct text_node *n = NULL;
	struct inode *inode;

	if (S_ISDIR(mode)) {
		inode = text_tree_root(s);
		if (inode)
			inode->mode = mode;
		return inode;
	}
	if (S_ISREG(mode)) {
		n = kmalloc(sizeof(*n), 0);
		if (!n)
			return NULL;
		n->type = type;
		n->arg = arg;
	}
	inode = inode_create(s, mode);
	if (!inode) {
		kfree(n);
		return NULL;
	}
	if (n) {
		inode->ops = &file_inode_ops;
		inode->file_ops = &node_ops;
		inode->private = n;
	} else {
		inode->link_text = arg;
		inode->size = strlen(arg);
	}
	return inode;
}

/* The child of that name, made if `mode` is not 0. The reference to `parent` passes. */
static int child(struct dentry *parent, const char *name, size_t n, uint32_t mode,
		 const struct text_file_type *type, void *arg, bool exclusive, struct dentry **out)
{
	struct inode *dir = parent->inode, *inode;
	struct dentry *d = NULL;
	int error;

	mutex_lock(&dir->lock);
	error = dentry_lookup_locked(parent, name, n, &d);
	if (!error && d->inode && exclusive)
		error = -EEXIST;
	if (!error && !d->inode) {
		inode = mode ? make_inode(parent->super, mode, type, arg) : NULL;
		if (inode) {
			dentry_pin(d);
			dentry_attach(d, inode);
			if (S_ISDIR(mode))
				dir->nlink++;
		} else {
			error = mode ? -ENOMEM : -ENOENT;
		}
	}
	mutex_unlock(&dir->lock);
	dentry_put(parent);
	if (error && d)
		dentry_put(d);
	*out = d;
	return error;
}

/* Goes to the directory of a path's last component. */
static int find_parent(struct super *s, const char *path, uint32_t mode, struct dentry **out, const char **last)
{
	struct dentry *d = s->root;
	const char *slash;
	int error = 0;

	dentry_get(d);
	while (!error && (slash = strchr(path, '/'))) {
		error = child(d, path, (size_t)(slash - path), mode, NULL, NULL, false, &d);
		path = slash + 1;
	}
	*out = d;
	*last = path;
	return error;
}

int text_tree_add(struct super *s, const char *path, uint32_t mode, const struct text_file_type *type, void *arg)
{
	struct dentry *d;
	const char *last;
	int error = find_parent(s, path, S_IFDIR | 0555, &d, &last);

	if (error)
		return error;
	error = child(d, last, strlen(last), mode, type, arg, !S_ISDIR(mode), &d);
	if (!error)
		dentry_put(d);
	return error;
}
MODAPI(text_tree_add);

void text_tree_remove(struct super *s, const char *path)
{
	struct dentry *parent, *d;
	const char *last;

	if (find_parent(s, path, 0, &parent, &last))
		return;
	dentry_get(parent);
	if (!child(parent, last, strlen(last), 0, NULL, NULL, false, &d)) {
		struct inode *dir = parent->inode;

		dentry_unpin_tree(d);
		mutex_lock(&dir->lock);
		if (dentry_is_dir(d)) {
			d->inode->flags |= INODE_DEAD;
			dir->nlink--;
		}
		dentry_unpin(d);
		dentry_unlinked(d);
		mutex_unlock(&dir->lock);
		dentry_put(d);
	}
	dentry_put(parent);
}
MODAPI(text_tree_remove);
