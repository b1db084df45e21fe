/*
 * The root tree from the initrds: names and inodes are made at boot. Contents of plain archives stay in them until somebody touches
 * them; those of compressed archives come in pages, which become the files' own.
 *
 * The kernel's modules come last, whichever archive brings them: by then it is known whether /lib is a directory or, as in all newer
 * userlands, a link to usr/lib. A directory does not take the place of a link for the same reason.
 *
 * Archives are laid over one another: a later file replaces an earlier name, a later directory changes the attributes of the
 * one that is there. Hard links are found by inode number, device and the rest of the header, since archives that follow one another
 * may use the same numbers; the data come with any one of the links.
 */
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/module/module.h"
#include "modules/tmpfs/internal.h"

#define LINK_BUCKETS 64u
#define LINKS_MOST 8u			/* that lead to one another */
#define MODULES "lib/modules/" MODULE_RELEASE "/"

struct link_entry {
	struct link_entry *next;
	struct initrd_entry head;
	struct inode *inode;
};

struct populate {
	struct super *super;
	struct link_entry *links[LINK_BUCKETS];
	unsigned int files;
	bool modules;			/* it is the turn of what is below MODULES */
};

static bool same_file(const struct initrd_entry *a, const struct initrd_entry *b)
{
	return a->ino == b->ino && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       a->mode == b->mode && a->mtime == b->mtime && a->nlink == b->nlink && a->uid == b->uid;
}

static struct inode *find_link(struct populate *p, const struct initrd_entry *e)
{
	for (struct link_entry *l = p->links[e->ino % LINK_BUCKETS]; l; l = l->next) {
		if (same_file(&l->head, e))
			return l->inode;
	}
	return NULL;
}

static void remember_link(struct populate *p, const struct initrd_entry *e, struct inode *inode)
{
	struct link_entry *l = kmalloc(sizeof(*l), 0);

	if (!l)
		return;
	l->head = *e;
	l->inode = inode;
	inode_get(inode);
	l->next = p->links[e->ino % LINK_BUCKETS];
	p->links[e->ino % LINK_BUCKETS] = l;
}

static void forget_links(struct populate *p)
{
	for (unsigned int i = 0; i < LINK_BUCKETS; i++) {
		while (p->links[i]) {
			struct link_entry *l = p->links[i];

			p->links[i] = l->next;
			inode_put(l->inode);
			kfree(l);
		}
	}
}

static void set_attributes(struct inode *inode, const struct initrd_entry *e)
{
	inode->mode = (inode->mode & S_IFMT) | (e->mode & 07777);
	inode->uid = e->uid;
	inode->gid = e->gid;
	inode->mtime = inode->atime = inode->ctime = (struct file_time){ e->mtime, 0 };
}

static int set_contents(struct inode *inode, const struct initrd_entry *e)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(inode);
	int error = 0;

	memobj_resize(&ti->object, 0);
	ti->source = e->data;
	ti->source_size = e->data ? e->size : 0;
	ti->object.size = e->size;
	for (uint64_t i = 0; e->pages && i < DIV_UP((uint64_t)e->size, PAGE_SIZE) && !error; i++) {
		struct page *page = e->pages[i];

		e->pages[i] = NULL;
		if (page)
			error = memobj_give(&ti->object, i, page);
	}
	tmpfs_account(ti);
	return error;
}

/* What is below `parent`, a directory made if it is missing. The reference to parent passes. */
static int enter(struct dentry *parent, const char *name, size_t n, struct dentry **out)
{
	struct inode *dir = parent->inode;
	struct dentry *d;
	int error;

	mutex_lock(&dir->lock);
	error = dentry_child(parent, name, n, &d);
	if (!error && !d->inode)
		error = dir->ops->mkdir(dir, d, S_IFDIR | 0755);
	if (!error && !inode_is_dir(d->inode) && !S_ISLNK(d->inode->mode)) {
		dentry_put(d);
		error = -ENOTDIR;
	}
	mutex_unlock(&dir->lock);
	dentry_put(parent);
	if (!error)
		*out = d;
	return error;
}

static int walk(struct populate *p, struct dentry **d, const char *path, const char *end, unsigned int depth);

/* From the link *d, which is in `from`, to the directory that it names. References as walk has them; that of `from` passes. */
static int follow(struct populate *p, struct dentry **d, struct dentry *from, unsigned int depth)
{
	struct dentry *link = *d;
	const char *text = link->inode->link_text;
	int error = -ELOOP;

	if (text[0] == '/') {
		dentry_put(from);
		from = p->super->root;
		dentry_get(from);
	}
	*d = from;
	if (depth < LINKS_MOST)
		error = walk(p, d, text, text + strlen(text), depth + 1);
	else
		dentry_put(from);
	dentry_put(link);
	return error;
}

/*
 * Goes on from *d, a directory with a reference, along [path, end) to another, through links as a name of Linux's archives does.
 * After an error there is no reference any more.
 */
static int walk(struct populate *p, struct dentry **d, const char *path, const char *end, unsigned int depth)
{
	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t n = (size_t)((slash ? slash : end) - path);
		struct dentry *from = *d, *root = p->super->root;
		int error = 0;

		if (n > NAME_LENGTH_MAX) {
			dentry_put(from);
			return -EINVAL;
		}
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			*d = from == root ? root : from->parent;
			dentry_get(*d);
			dentry_put(from);
		} else if (n && !(n == 1 && path[0] == '.')) {
			dentry_get(from);
			error = enter(from, path, n, d);
			if (!error && S_ISLNK((*d)->inode->mode))
				error = follow(p, d, from, depth);
			else
				dentry_put(from);
		}
		if (error)
			return error;
		path = slash ? slash + 1 : end;
	}
	return 0;
}

/* The directory of a name: *dir with a reference, *last the rest. -EINVAL for names with "..". */
static int find_parent(struct populate *p, const struct initrd_entry *e, struct dentry **dir,
		       const char **last, size_t *last_n)
{
	const char *end = e->name + e->name_len, *at = end;

	while (at > e->name && at[-1] != '/')
		at--;
	*last = at;
	*last_n = (size_t)(end - at);
	for (const char *c = e->name; c < end; c++)
		if (c[0] == '.' && c[1] == '.' && (c == e->name || c[-1] == '/') && (c[2] == '/' || !c[2]))
			return -EINVAL;
	if (*last_n > NAME_LENGTH_MAX)
		return -EINVAL;
	*dir = p->super->root;
	dentry_get(*dir);
	return walk(p, dir, e->name, at, 0);
}

/* Takes away what has the name already; a directory stays if it is to be a directory or has entries. */
static int clear_name(struct inode *dir, struct dentry *d, uint32_t mode)
{
	int error;

	if (inode_is_dir(d->inode)) {
		if (S_ISDIR(mode))
			return 0;
		error = dir->ops->rmdir(dir, d);
	} else {
		error = dir->ops->unlink(dir, d);
	}
	if (!error)
		dentry_drop(d);
	return error;
}

static int make_inode(struct populate *p, struct inode *dir, struct dentry *d, const struct initrd_entry *e)
{
	struct inode *inode;
	char *text;
	int error;

	if (S_ISLNK(e->mode)) {
		text = kmalloc(e->size + 1, 0);
		if (!text)
			return -ENOMEM;
		memcpy(text, e->data, e->size);
		text[e->size] = 0;
		error = dir->ops->symlink(dir, d, text);
		kfree(text);
		return error;
	}
	if (S_ISDIR(e->mode))
		return dir->ops->mkdir(dir, d, e->mode);
	if (S_ISREG(e->mode) && e->nlink > 1) {
		inode = find_link(p, e);
		if (inode) {
			error = e->size ? set_contents(inode, e) : 0;
			return error ? error : dir->ops->link(inode, dir, d);
		}
	}
	error = dir->ops->mknod(dir, d, e->mode, device_number(e->rdev_major, e->rdev_minor));
	if (error || !S_ISREG(e->mode))
		return error;
	if (e->nlink > 1)
		remember_link(p, e, d->inode);
	return set_contents(d->inode, e);
}

static bool known_type(uint32_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
	       S_ISFIFO(mode) || S_ISSOCK(mode);
}

static int add_locked(struct populate *p, struct dentry *parent, const char *name, size_t n,
		      const struct initrd_entry *e)
{
	struct inode *dir = parent->inode;
	struct dentry *d;
	int error = dentry_child(parent, name, n, &d);

	if (!error && d->inode) {
		bool stays = inode_is_dir(d->inode) && S_ISDIR(e->mode);

		if (S_ISLNK(d->inode->mode) && S_ISDIR(e->mode)) {
			dentry_put(d);
			return 0;		/* /lib -> usr/lib and its like stay */
		}
		error = clear_name(dir, d, e->mode);
		if (!error && !stays) {
			dentry_put(d);
			error = dentry_child(parent, name, n, &d);
			if (error)
				return error;
		}
	}
	if (!error && !d->inode)
		error = make_inode(p, dir, d, e);
	if (!error)
		set_attributes(d->inode, e);
	dentry_put(d);
	return error;
}

/* A module, or a directory on the way to them. */
static bool of_modules(const struct initrd_entry *e)
{
	const size_t n = strlen(MODULES);

	if (e->name_len >= n)
		return !memcmp(e->name, MODULES, n);
	return S_ISDIR(e->mode) && e->name_len >= 3 && !memcmp(e->name, MODULES, e->name_len) && MODULES[e->name_len] == '/';
}

static int add_entry(const struct initrd_entry *e, void *arg)
{
	struct populate *p = arg;
	struct dentry *parent;
	const char *name;
	size_t n;
	int error;

	if (!known_type(e->mode) || (S_ISLNK(e->mode) && e->size >= PATH_SIZE_MAX))
		return 0;
	if (p->modules != of_modules(e))
		return 0;
	error = find_parent(p, e, &parent, &name, &n);
	if (!error) {
		if (!n || (n == 1 && name[0] == '.')) {
			if (S_ISDIR(e->mode))
				set_attributes(parent->inode, e);
		} else {
			mutex_lock(&parent->inode->lock);
			error = add_locked(p, parent, name, n, e);
			mutex_unlock(&parent->inode->lock);
		}
		dentry_put(parent);
	}
	if (error == -ENOMEM)
		return error;
	if (error)
		log_warn("tmpfs: initrd entry '%.*s' left out (%d)", (int)MIN(e->name_len, (size_t)200), e->name, -error);
	p->files++;
	return 0;
}

/* What user space may count on even if no archive brings it. */
static int add_defaults(struct populate *p)
{
	static const struct initrd_entry defaults[] = {
		{ .name = "dev", .name_len = 3, .mode = S_IFDIR | 0755 },
		{ .name = "dev/console", .name_len = 11, .mode = S_IFCHR | 0600, .rdev_major = 5, .rdev_minor = 1 },
		{ .name = "root", .name_len = 4, .mode = S_IFDIR | 0700 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(defaults); i++) {
		int error = add_entry(&defaults[i], p);

		if (error)
			return error;
	}
	return 0;
}

int tmpfs_populate(struct super *s)
{
	struct populate p = { .super = s };
	int error = add_defaults(&p);

	if (!error)
		error = initrd_for_each(add_entry, &p);
	p.modules = true;
	if (!error)
		error = initrd_for_each(add_entry, &p);
	forget_links(&p);
	initrd_release_unpacked();
	log_info("tmpfs: root has %u files of the initrds", p.files);
	return error;
}
