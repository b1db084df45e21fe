/*
 * The fixed files of /proc: a tree of nodes apart from all super blocks. Each mount's super block makes dentries and inodes
 * of them when they are looked up, and the cache drops them again; nothing is pinned.
 *
 * nodes_lock guards names, lists and attributes; it is taken inside inode.lock. A node has one reference of the tree while it is in it,
 * and one of each inode that shows it. `dead` says that it was taken out: its names are not found any more (revalidate) and what is open of it already
 * goes on with its arg.
 */
#include "modules/procfs/internal.h"

#define ROOT_INO  1
#define FIRST_INO 0xf0000000ull		/* above all numbers that super blocks give out themselves */

struct proc_node {
	struct refcount refs;
	bool dead, always;
	uint32_t mode, uid, gid;
	uint32_t directories;		/* among the children */
	uint64_t ino;
	uint64_t cursor, next_cursor;	/* position in its directory; of the next child */
	const struct text_file_type *type;
	void *arg;			/* the type's; a link's text, null: self */
	struct list children, sibling;
	size_t length;
	char name[];
};

static struct mutex nodes_lock = MUTEX_INIT(nodes_lock);
static uint64_t next_ino = FIRST_INO;
static struct proc_node root_node = {
	.refs = { 1 },
	.mode = S_IFDIR | 0555,
	.ino = ROOT_INO,
	.children = LIST_INIT(root_node.children),
	.sibling = LIST_INIT(root_node.sibling),
};

static void node_put(struct proc_node *n)
{
	if (refcount_put(&n->refs))
		kfree(n);
}

static struct proc_node *find_child(struct proc_node *dir, const char *name, size_t length)
{
	struct proc_node *n;

	list_for_each(n, &dir->children, sibling) {
		if (n->length == length && !memcmp(n->name, name, length))
			return n;
	}
	return NULL;
}

static struct proc_node *add_child(struct proc_node *dir, const char *name, size_t length, uint32_t mode,
				   const struct text_file_type *type, void *arg)
{
	struct proc_node *n = kzalloc(sizeof(*n) + length + 1, 0);

	if (!n)
		return NULL;
	refcount_init(&n->refs, 1);
	n->mode = mode;
	n->type = type;
	n->arg = arg;
	n->ino = ++next_ino;
	n->cursor = dir->next_cursor++;
	list_init(&n->children);
	n->length = length;
	memcpy(n->name, name, length);
	list_add_tail(&dir->children, &n->sibling);
	if (S_ISDIR(mode))
		dir->directories++;
	return n;
}

/* The directory of a path's last component, made if `make`. nodes_lock is held. */
static int find_parent(const char *path, bool make, struct proc_node **out, const char **last)
{
	struct proc_node *dir = &root_node, *n;
	const char *slash;

	for (; (slash = strchr(path, '/')); path = slash + 1, dir = n) {
		size_t length = (size_t)(slash - path);

		n = find_child(dir, path, length);
		if (!n && !make)
			return -ENOENT;
		if (!n)
			n = add_child(dir, path, length, S_IFDIR | 0555, NULL, NULL);
		if (!n)
			return -ENOMEM;
		if (!S_ISDIR(n->mode))
			return -ENOTDIR;
	}
	*out = dir;
	*last = path;
	return 0;
}

static int add_node(const char *path, uint32_t mode, const struct text_file_type *type, void *arg, bool always)
{
	struct proc_node *dir, *n;
	const char *last;
	int error;

	mutex_lock(&nodes_lock);
	error = find_parent(path, true, &dir, &last);
	n = error ? NULL : find_child(dir, last, strlen(last));
	if (n && !(S_ISDIR(mode) && S_ISDIR(n->mode)))
		error = -EEXIST;
	if (!error && !n) {
		n = add_child(dir, last, strlen(last), mode, type, arg);
		if (n)
			n->always = always;
		else
			error = -ENOMEM;
	}
	mutex_unlock(&nodes_lock);
	return error;
}

int procfs_add(const char *path, uint32_t mode, const struct text_file_type *type, void *arg)
{
	return add_node(path, mode, type, arg, false);
}
MODAPI(procfs_add);

int proc_node_add_self(const char *name)
{
	return add_node(name, S_IFLNK | 0777, NULL, NULL, true);
}

/* Takes a node and all below out of the tree, the lowest first. nodes_lock is held. */
static void remove_tree(struct proc_node *dir, struct proc_node *n)
{
	struct proc_node *child;

	while (!list_empty(&n->children)) {
		child = list_first(&n->children, struct proc_node, sibling);
		remove_tree(n, child);
	}
	if (S_ISDIR(n->mode))
		dir->directories--;
	list_remove(&n->sibling);
	WRITE_ONCE(n->dead, true);
	node_put(n);
}

void procfs_remove(const char *path)
{
	struct proc_node *dir, *n;
	const char *last;

	mutex_lock(&nodes_lock);
	if (!find_parent(path, false, &dir, &last)) {
		n = find_child(dir, last, strlen(last));
		if (n)
			remove_tree(dir, n);
	}
	mutex_unlock(&nodes_lock);
}
MODAPI(procfs_remove);

void proc_nodes_free(void)
{
	mutex_lock(&nodes_lock);
	while (!list_empty(&root_node.children))
		remove_tree(&root_node, list_first(&root_node.children, struct proc_node, sibling));
	mutex_unlock(&nodes_lock);
}

/* ---- in a super block ---- */

static int node_open(struct inode *inode, struct file *f)
{
	struct proc_node *n = inode->private;

	return READ_ONCE(n->dead) ? -ENOENT : text_file_open(f, n->type, n->arg, true);
}

static const struct file_ops node_file_ops = { .open = node_open };

int proc_node_getattr(struct inode *inode, struct kstat *out)
{
	struct proc_node *n = inode->private;

	inode_fill_stat(inode, out);
	if (inode_is_dir(inode))
		out->nlink = 2 + READ_ONCE(n->directories);
	return 0;
}

/* Modes and owners are the node's, so that they outlast the inode. O_TRUNC by shells that write a setting is nothing to be done. */
static int node_setattr(struct inode *inode, const struct attr_change *c)
{
	struct proc_node *n = inode->private;

	mutex_lock(&nodes_lock);
	inode_apply_attr(inode, c);
	n->mode = inode->mode;
	n->uid = inode->uid;
	n->gid = inode->gid;
	mutex_unlock(&nodes_lock);
	return 0;
}

static int node_lookup(struct inode *dir, struct dentry *d)
{
	return proc_node_lookup(dir, d, false);
}

static bool node_revalidate(struct inode *dir, struct dentry *d)
{
	return !d->inode || proc_node_is_valid(d->inode, false);
}

static int node_readdir(struct file *f, struct dir_context *c)
{
	proc_node_readdir(f, c, false);
	return 0;
}

static const struct inode_ops dir_ops = {
	.lookup = node_lookup, .revalidate = node_revalidate, .getattr = proc_node_getattr, .setattr = node_setattr,
	.no_negative = true,
};
static const struct inode_ops file_inode_ops = { .getattr = proc_node_getattr, .setattr = node_setattr };
static const struct inode_ops link_ops = { .getattr = proc_node_getattr };
static const struct file_ops dir_file_ops = { .readdir = node_readdir };

bool proc_node_is(const struct inode *inode)
{
	return inode->ops == &dir_ops || inode->ops == &file_inode_ops || inode->ops == &link_ops ||
	       inode->ops == &proc_self_ops || inode->ops == &proc_root_ops;
}

void proc_node_evict(struct inode *inode)
{
	node_put(inode->private);
}

static struct inode *make_inode(struct super *s, struct proc_node *n)
{
	struct inode *inode = inode_create(s, n->mode);

	if (!inode)
		return NULL;
	refcount_get(&n->refs);
	inode->private = n;
	inode->ino = n->ino;
	inode->uid = n->uid;
	inode->gid = n->gid;
	if (S_ISDIR(n->mode)) {
		inode->ops = &dir_ops;
		inode->file_ops = &dir_file_ops;
	} else if (!S_ISLNK(n->mode)) {
		inode->ops = &file_inode_ops;
		inode->file_ops = &node_file_ops;
	} else if (n->arg) {
		inode->ops = &link_ops;
		inode->link_text = n->arg;
		inode->size = strlen(n->arg);
	} else {
		inode->ops = &proc_self_ops;
	}
	return inode;
}

struct inode *proc_node_root(struct super *s)
{
	struct inode *root;

	mutex_lock(&nodes_lock);
	root = make_inode(s, &root_node);
	mutex_unlock(&nodes_lock);
	if (root) {
		root->ops = &proc_root_ops;
		root->file_ops = &proc_root_file_ops;
	}
	return root;
}

int proc_node_lookup(struct inode *dir, struct dentry *d, bool only_always)
{
	struct inode *inode = NULL;
	struct proc_node *n;

	mutex_lock(&nodes_lock);
	n = find_child(dir->private, d->name, d->name_length);
	if (n && only_always && !n->always)
		n = NULL;
	if (n)
		inode = make_inode(dir->super, n);
	mutex_unlock(&nodes_lock);
	if (inode)
		dentry_attach(d, inode);
	return n && !inode ? -ENOMEM : 0;
}

bool proc_node_is_valid(struct inode *inode, bool only_always)
{
	struct proc_node *n = inode->private;

	if (READ_ONCE(n->dead) || (only_always && !n->always))
		return false;
	/* Another mount's user may have changed them. */
	WRITE_ONCE(inode->mode, READ_ONCE(n->mode));
	inode->uid = READ_ONCE(n->uid);
	inode->gid = READ_ONCE(n->gid);
	return true;
}

bool proc_node_readdir(struct file *f, struct dir_context *c, bool only_always)
{
	struct proc_node *dir = f->inode->private, *n;
	bool room = dir_emit_dots(f, c);

	mutex_lock(&nodes_lock);
	list_for_each(n, &dir->children, sibling) {
		if (!room)
			break;
		if (n->cursor + 2 < (uint64_t)c->pos || (only_always && !n->always))
			continue;
		c->pos = (int64_t)n->cursor + 2;
		room = c->emit(c, n->name, n->length, n->ino, dirent_type(n->mode));
		if (room)
			c->pos++;
	}
	mutex_unlock(&nodes_lock);
	return room;
}
