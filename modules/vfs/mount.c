/*
 * The trees of mounts: their table, and the ways down and up that the path walk takes.
 *
 * mount_mutex makes changes one after the other and guards all_mounts and the lists of children. mount_lock (spin)
 * guards the hash chains, parent and mountpoint for writers and for those who step up; stepping down reads chains
 * under RCU. An attached mount has one reference for the tree; it holds references to its parent, mountpoint, root and
 * super block.
 */
#include "core/sync/wait.h"
#include "modules/vfs/mount.h"

#define MOUNT_BUCKETS 1024u

struct mutex mount_mutex = MUTEX_INIT(mount_mutex);
struct list all_mounts = LIST_INIT(all_mounts);
struct wait_queue mount_wait = WAIT_QUEUE_INIT(mount_wait);
MODAPI(mount_wait);
static struct spinlock mount_lock = SPINLOCK_INIT(mount_lock);
static unsigned int place_changes;	/* by mount_lock */
static struct mount *mount_table[MOUNT_BUCKETS];
static uint64_t generation;
static int next_id = 1;		/* which is the root's */

uint64_t mount_generation(void)
{
	return READ_ONCE(generation);
}
MODAPI(mount_generation);

void mount_changed(void)
{
	WRITE_ONCE(generation, generation + 1);
	poll_wake(&mount_wait, EPOLLERR | EPOLLPRI);
}

static unsigned int mount_bucket(const struct mount *m, const struct dentry *d)
{
	uint64_t mixed = ((uintptr_t)m >> 5) ^ ((uintptr_t)d >> 6);

	return (unsigned int)((mixed * 0x9e3779b97f4a7c15ull) >> 40) % MOUNT_BUCKETS;
}

struct mount *mount_create(struct super *s, struct dentry *root, unsigned int flags, const char *source)
{
	struct mount *m = kzalloc(sizeof(*m), 0);

	if (!m)
		return NULL;
	m->source = kstrdup(source && *source ? source : "none", 0);
	if (!m->source) {
		kfree(m);
		return NULL;
	}
	refcount_init(&m->refs, 1);
	m->flags = flags;
	m->super = s;
	m->root = root;
	m->parent = m;
	m->id = __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
	list_init(&m->children);
	list_init(&m->sibling);
	list_init(&m->all_link);
	super_get(s);
	dentry_get(root);
	return m;
}

struct mount *mount_create_internal(struct super *s)
{
	struct mount *m = mount_create(s, s->root, MOUNT_INTERNAL | MOUNT_NOSUID | MOUNT_NODEV, NULL);

	super_put(s);
	return m;
}
MODAPI(mount_create_internal);

static void mount_free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct mount, rcu));
}

void mount_put(struct mount *m)
{
	if (!refcount_put(&m->refs))
		return;
	dentry_put(m->root);
	super_put(m->super);
	kfree(m->source);
	rcu_call(&m->rcu, mount_free_rcu);
}
MODAPI(mount_put);

void path_put(const struct path *p)
{
	dentry_put(p->dentry);
	mount_put(p->mount);
}
MODAPI(path_put);

struct mount *mount_lookup_rcu(struct mount *m, struct dentry *d)
{
	struct mount *at = rcu_dereference(mount_table[mount_bucket(m, d)]);

	while (at && !(READ_ONCE(at->parent) == m && READ_ONCE(at->mountpoint) == d))
		at = rcu_dereference(at->hash_next);
	return at;
}

bool path_follow_mounts(struct path *p)
{
	bool moved = false;

	while (READ_ONCE(p->dentry->flags) & DENTRY_MOUNTED) {
		struct mount *m;

		rcu_read_lock();
		m = mount_lookup_rcu(p->mount, p->dentry);
		if (m && !refcount_get_unless_zero(&m->refs))
			m = NULL;
		rcu_read_unlock();
		if (!m)
			break;
		path_put(p);
		p->mount = m;
		p->dentry = m->root;
		dentry_get(m->root);
		moved = true;
	}
	return moved;
}

unsigned int mount_sequence(void)
{
	return load_acquire(&place_changes);
}

bool path_leave_mount(struct path *p)
{
	struct path up;

	spin_lock(&mount_lock);
	up.mount = p->mount->parent;
	up.dentry = p->mount->mountpoint;
	if (up.mount == p->mount) {
		spin_unlock(&mount_lock);
		return false;
	}
	path_get(&up);
	spin_unlock(&mount_lock);
	path_put(p);
	*p = up;
	return true;
}

int mount_check_write(const struct mount *m)
{
	return (READ_ONCE(m->flags) & MOUNT_RDONLY) || (m->super->flags & SUPER_RDONLY) ? -EROFS : 0;
}

int mount_get_write(struct mount *m)
{
	int error;

	/* Pairs with remount's store of the flags before it looks for writers. */
	__atomic_add_fetch(&m->writers, 1, __ATOMIC_SEQ_CST);
	error = mount_check_write(m);
	if (error)
		mount_put_write(m);
	return error;
}

void mount_put_write(struct mount *m)
{
	__atomic_sub_fetch(&m->writers, 1, __ATOMIC_RELEASE);
}

void mount_attach(struct mount *m, const struct path *where)
{
	unsigned int bucket = mount_bucket(where->mount, where->dentry);

	path_get(where);
	dentry_count_mount(where->dentry, 1);
	spin_lock(&mount_lock);
	store_release(&place_changes, place_changes + 1);
	m->parent = where->mount;
	m->mountpoint = where->dentry;
	m->flags &= ~MOUNT_DETACHED;
	for (struct mount *each = m; each; each = mount_next(each, m))
		each->ns = where->mount->ns;
	m->hash_next = mount_table[bucket];
	rcu_assign(mount_table[bucket], m);
	spin_unlock(&mount_lock);
	list_add_tail(&where->mount->children, &m->sibling);
	list_add_tail(&all_mounts, &m->all_link);
}

void mount_detach(struct mount *m)
{
	struct path where = { m->parent, m->mountpoint };
	struct mount **link;

	spin_lock(&mount_lock);
	store_release(&place_changes, place_changes + 1);
	for (link = &mount_table[mount_bucket(where.mount, where.dentry)]; *link; link = &(*link)->hash_next) {
		if (*link == m) {
			rcu_assign(*link, m->hash_next);
			break;
		}
	}
	m->parent = m;
	m->mountpoint = NULL;
	m->flags |= MOUNT_DETACHED;
	m->ns = NULL;
	spin_unlock(&mount_lock);
	list_remove(&m->sibling);
	list_remove(&m->all_link);
	dentry_count_mount(where.dentry, -1);
	path_put(&where);
}

void mount_detach_tree(struct mount *top)
{
	for (;;) {
		struct mount *m = top;

		while (!list_empty(&m->children))
			m = list_first(&m->children, struct mount, sibling);
		mount_detach(m);
		mount_put(m);
		if (m == top)
			return;
	}
}

struct mount *mount_copy(struct mount *old, struct dentry *root)
{
	return mount_create(old->super, root, old->flags & MOUNT_FLAGS_USER, old->source);
}

int mount_copy_children(struct mount *old, struct dentry *dentry, struct mount *new)
{
	struct mount *child;

	list_for_each(child, &old->children, sibling) {
		struct path where = { new, child->mountpoint };
		struct mount *copy;
		int error;

		if (child == new || !dentry_is_below(child->mountpoint, dentry))
			continue;
		copy = mount_copy(child, child->root);
		if (!copy)
			return -ENOMEM;
		child->copy = copy;
		mount_attach(copy, &where);
		error = mount_copy_children(child, child->root, copy);
		if (error)
			return error;
	}
	return 0;
}

bool mount_is_below(struct mount *m, struct mount *top)
{
	for (;;) {
		if (m == top)
			return true;
		if (m->parent == m)
			return false;
		m = m->parent;
	}
}

struct mount *mount_next(struct mount *m, struct mount *top)
{
	if (!list_empty(&m->children))
		return list_first(&m->children, struct mount, sibling);
	while (m != top) {
		if (m->sibling.next != &m->parent->children)
			return list_next(m, sibling);
		m = m->parent;
	}
	return NULL;
}

int mount_root(struct super *s)
{
	struct mount *m = mount_create(s, s->root, MOUNT_RELATIME, "rootfs");

	if (!m)
		return -ENOMEM;
	m->id = 1;
	mutex_lock(&mount_mutex);
	list_add_head(&all_mounts, &m->all_link);
	mount_ns_start(m);
	mount_changed();
	mutex_unlock(&mount_mutex);
	return 0;
}
MODAPI(mount_root);

/* Relative atime: at most once a day, unless the file changed since. */
static bool atime_is_due(struct inode *inode, unsigned int flags)
{
	struct file_time now;
	bool due;

	if (!(flags & MOUNT_RELATIME))
		return true;
	now = file_time_now();
	spin_lock(&inode->state_lock);
	due = inode->mtime.sec > inode->atime.sec ||
	      (inode->mtime.sec == inode->atime.sec && inode->mtime.nsec >= inode->atime.nsec) ||
	      inode->ctime.sec > inode->atime.sec ||
	      (inode->ctime.sec == inode->atime.sec && inode->ctime.nsec >= inode->atime.nsec) ||
	      now.sec - inode->atime.sec >= 24 * 60 * 60;
	spin_unlock(&inode->state_lock);
	return due;
}

void path_touch_atime(const struct path *p)
{
	struct inode *inode = p->dentry->inode;
	unsigned int flags = READ_ONCE(p->mount->flags);

	if ((flags & (MOUNT_NOATIME | MOUNT_RDONLY | MOUNT_INTERNAL)) || (inode->flags & (INODE_NO_TIMES | INODE_NOATIME)) ||
	    ((flags & MOUNT_NODIRATIME) && inode_is_dir(inode)))
		return;
	if (atime_is_due(inode, flags))
		inode_touch(inode, TOUCH_ATIME);
}
MODAPI(path_touch_atime);
