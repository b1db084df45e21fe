/*
 * The cache of directory entries: a hash table of (parent, name).
 *
 * Look-ups run under RCU without writing anything, and are valid if dentry_rename_sequence is even and the same before and after:
 * renames alone can send a reader into a wrong chain. The table's reference goes when a dentry is dropped, and only then can
 * its count reach zero; the memory is freed after a grace period. A dentry is on its parent's list of children exactly
 * while it is in the table. Dentries that nobody pinned are on one LRU list, bounded by `unused_limit`; the sweep gives those that were looked up
 * a second round.
 *
 * Locks: bucket locks, dentry.lock (children, flags) and lru_lock are leaves; none is held while another is taken, but
 * in dentry_move.c's order.
 */
#include "core/mem/vmap.h"
#include "modules/vfs/dentry.h"

#define LOCKS 128u
#define SWEEP 8

struct dentry **dentry_table;
unsigned int dentry_table_mask;
static struct spinlock bucket_locks[LOCKS];
static struct kmem_cache *dentry_cache;
static struct spinlock lru_lock = SPINLOCK_INIT(lru_lock);
static struct list lru_list = LIST_INIT(lru_list);
static unsigned int lru_count, unused_limit;
unsigned int dentry_rename_sequence;

uint32_t dentry_hash_name(const char *name, size_t n)
{
	uint32_t h = DENTRY_HASH_SEED;

	for (size_t i = 0; i < n; i++)
		h = dentry_hash_step(h, (unsigned char)name[i]);
	return h;
}

static inline struct spinlock *bucket_lock(unsigned int bucket)
{
	return &bucket_locks[bucket % LOCKS];
}

static struct dentry *dentry_alloc(struct dentry *parent, const char *name, size_t n, uint32_t hash)
{
	struct dentry *d = kmem_cache_alloc(dentry_cache, 0);
	char *text;

	if (!d)
		return NULL;
	memset(d, 0, offsetof(struct dentry, inline_name));
	text = d->inline_name;
	if (n >= DENTRY_INLINE_NAME) {
		struct name_buffer *b = name_buffer_alloc(n);

		if (!b) {
			kmem_cache_free(dentry_cache, d);
			return NULL;
		}
		text = b->text;
	}
	memcpy(text, name, n);
	text[n] = 0;
	refcount_init(&d->refs, 1);
	d->name = text;
	d->name_length = (uint32_t)n;
	d->hash = hash;
	spin_init(&d->lock);
	dentry_child_init(d);
	list_init(&d->lru);
	if (parent) {
		d->parent = parent;
		d->super = parent->super;
		dentry_get(parent);
	} else {
		d->parent = d;
	}
	return d;
}

static void dentry_free_rcu(struct rcu_head *head)
{
	struct dentry *d = container_of(head, struct dentry, rcu);

	if (d->name != d->inline_name && !(d->flags & DENTRY_STATIC_NAME))
		kfree(container_of(d->name, struct name_buffer, text[0]));
	kmem_cache_free(dentry_cache, d);
}

void dentry_put(struct dentry *d)
{
	while (refcount_put(&d->refs)) {
		struct dentry *parent = d->parent;
		bool root = parent == d;
		bool seen = d->flags & DENTRY_WAS_HASHED;

		if (d->inode)
			inode_put(d->inode);
		if (seen)
			rcu_call(&d->rcu, dentry_free_rcu);
		else
			dentry_free_rcu(&d->rcu);
		if (root)
			break;
		d = parent;
	}
}
MODAPI(dentry_put);

void dentry_hash_insert(struct dentry *d)
{
	unsigned int bucket = dentry_bucket(d->parent, d->hash);

	spin_lock(bucket_lock(bucket));
	d->hash_next = dentry_table[bucket];
	rcu_assign(dentry_table[bucket], d);
	spin_unlock(bucket_lock(bucket));
}

void dentry_hash_remove(struct dentry *d)
{
	unsigned int bucket = dentry_bucket(d->parent, d->hash);
	struct dentry **link;

	spin_lock(bucket_lock(bucket));
	for (link = &dentry_table[bucket]; *link; link = &(*link)->hash_next) {
		if (*link == d) {
			/* d->hash_next stays for readers that stand on it. */
			rcu_assign(*link, d->hash_next);
			break;
		}
	}
	spin_unlock(bucket_lock(bucket));
}

void dentry_children_add(struct dentry *parent, struct dentry *d, uint64_t cursor)
{
	struct rb_node **link, *above = NULL;

	spin_lock(&parent->lock);
	d->cursor = cursor ? cursor : ++parent->last_cursor;
	for (link = &parent->children.top; *link;) {
		above = *link;
		link = d->cursor < rb_entry(above, struct dentry, sibling)->cursor ? &above->left : &above->right;
	}
	rb_link(&parent->children, &d->sibling, above, link);
	spin_unlock(&parent->lock);
}

void dentry_children_remove(struct dentry *parent, struct dentry *d)
{
	spin_lock(&parent->lock);
	rb_remove(&parent->children, &d->sibling);
	dentry_child_init(d);
	spin_unlock(&parent->lock);
}

/* Makes a dentry findable: the table's reference. */
static void dentry_cache_insert(struct dentry *d)
{
	dentry_get(d);
	spin_lock(&d->lock);
	d->flags |= DENTRY_HASHED | DENTRY_WAS_HASHED;
	spin_unlock(&d->lock);
	dentry_children_add(d->parent, d, 0);
	dentry_hash_insert(d);
}

static void lru_remove(struct dentry *d)
{
	spin_lock(&lru_lock);
	if (!list_empty(&d->lru)) {
		list_remove(&d->lru);
		lru_count--;
	}
	spin_unlock(&lru_lock);
}

/* Takes it out of the table; true if this call did it and so owns the table's reference now. */
static bool dentry_cache_remove(struct dentry *d)
{
	bool was;

	spin_lock(&d->lock);
	was = d->flags & DENTRY_HASHED;
	d->flags &= ~DENTRY_HASHED;
	spin_unlock(&d->lock);
	if (!was)
		return false;
	dentry_hash_remove(d);
	dentry_children_remove(d->parent, d);
	lru_remove(d);
	return true;
}

void dentry_drop(struct dentry *d)
{
	if (dentry_cache_remove(d))
		dentry_put(d);
}
MODAPI(dentry_drop);

/*
 * Frees a few unused dentries from the cold end of the list. Their super blocks are held meanwhile: what is on the list under lru_lock keeps the
 * memory of its super block, and one that is going away drops its dentries itself.
 */
static void lru_sweep(void)
{
	struct dentry *victims[SWEEP];
	unsigned int n = 0;

	spin_lock(&lru_lock);
	for (unsigned int i = 0; i < 4 * SWEEP && n < SWEEP && lru_count > unused_limit - SWEEP; i++) {
		struct dentry *d = list_last(&lru_list, struct dentry, lru);

		list_remove(&d->lru);
		if (READ_ONCE(d->used) || refcount_read(&d->refs) != 1) {
			d->used = false;
			list_add_head(&lru_list, &d->lru);
			continue;
		}
		lru_count--;
		if (!refcount_get_unless_zero(&d->super->refs))
			continue;
		dentry_get(d);
		victims[n++] = d;
	}
	spin_unlock(&lru_lock);
	while (n--) {
		struct super *s = victims[n]->super;

		dentry_drop(victims[n]);
		dentry_put(victims[n]);
		super_put(s);
	}
}

/* Puts a dentry under the control of the LRU list. */
static void lru_add(struct dentry *d)
{
	bool full;

	spin_lock(&lru_lock);
	if (list_empty(&d->lru) && (READ_ONCE(d->flags) & (DENTRY_HASHED | DENTRY_PINNED)) == DENTRY_HASHED) {
		list_add_head(&lru_list, &d->lru);
		lru_count++;
	}
	full = lru_count > unused_limit;
	spin_unlock(&lru_lock);
	if (full)
		lru_sweep();
}

struct dentry *dentry_lookup_cached(struct dentry *parent, const char *name, size_t n, uint32_t hash)
{
	unsigned int bucket = dentry_bucket(parent, hash);
	struct dentry *d;

	/* Under the bucket's lock: no rename can lead astray, and what is found has the table's reference. */
	spin_lock(bucket_lock(bucket));
	for (d = dentry_table[bucket]; d; d = d->hash_next) {
		if (dentry_matches(d, parent, name, n, hash)) {
			dentry_get(d);
			break;
		}
	}
	spin_unlock(bucket_lock(bucket));
	return d;
}

/* A fresh dentry for a name that is not in the cache, asked from the file system. The directory is locked. */
static int dentry_lookup_new(struct dentry *parent, const char *name, size_t n, uint32_t hash,
			     struct dentry **out)
{
	struct inode *dir = parent->inode;
	struct dentry *d;
	int error = 0;

	if (dir->flags & INODE_DEAD)
		return -ENOENT;
	d = dentry_alloc(parent, name, n, hash);
	if (!d)
		return -ENOMEM;
	if (dir->ops->lookup)
		error = dir->ops->lookup(dir, d);
	if (error) {
		dentry_put(d);
		return error;
	}
	if (dentry_unhashed(d) && (d->inode || !dir->ops->no_negative))
		dentry_cache_insert(d);
	if (!dentry_unhashed(d))
		lru_add(d);
	*out = d;
	return 0;
}

int dentry_lookup_locked(struct dentry *parent, const char *name, size_t n, struct dentry **out)
{
	struct inode *dir = parent->inode;
	uint32_t hash = dentry_hash_name(name, n);
	struct dentry *d;

	if (n > NAME_LENGTH_MAX)
		return -ENAMETOOLONG;
	d = dentry_lookup_cached(parent, name, n, hash);
	if (d && dir->ops->revalidate && !dir->ops->revalidate(dir, d)) {
		dentry_drop(d);
		dentry_put(d);
		d = NULL;
	}
	if (d) {
		*out = d;
		return 0;
	}
	return dentry_lookup_new(parent, name, n, hash, out);
}

int dentry_lookup(struct dentry *parent, const char *name, size_t n, uint32_t hash, struct dentry **out)
{
	struct inode *dir = parent->inode;
	struct dentry *d = dentry_lookup_cached(parent, name, n, hash);
	int error = 0;

	if (d && dir->ops->revalidate && !dir->ops->revalidate(dir, d)) {
		dentry_drop(d);
		dentry_put(d);
		d = NULL;
	}
	if (!d) {
		if (n > NAME_LENGTH_MAX)
			return -ENAMETOOLONG;
		if (!dir->ops->lookup)
			return -ENOENT;
		mutex_lock(&dir->lock);
		error = dentry_lookup_locked(parent, name, n, &d);
		mutex_unlock(&dir->lock);
		if (error)
			return error;
	}
	if (!load_acquire(&d->inode)) {
		dentry_put(d);
		return -ENOENT;
	}
	d->used = true;
	*out = d;
	return 0;
}

void dentry_attach(struct dentry *d, struct inode *inode)
{
	store_release(&d->inode, inode);
	if (dentry_unhashed(d))
		dentry_cache_insert(d);
}
MODAPI(dentry_attach);

void dentry_pin(struct dentry *d)
{
	spin_lock(&d->lock);
	d->flags |= DENTRY_PINNED;
	spin_unlock(&d->lock);
	dentry_get(d);
	lru_remove(d);
}
MODAPI(dentry_pin);

void dentry_unpin(struct dentry *d)
{
	bool was;

	spin_lock(&d->lock);
	was = d->flags & DENTRY_PINNED;
	d->flags &= ~DENTRY_PINNED;
	spin_unlock(&d->lock);
	if (was)
		dentry_put(d);
}
MODAPI(dentry_unpin);

int dentry_child(struct dentry *parent, const char *name, size_t length, struct dentry **out)
{
	return dentry_lookup_locked(parent, name, length, out);
}
MODAPI(dentry_child);

struct dentry *dentry_create_root(struct inode *inode)
{
	struct dentry *d = dentry_alloc(NULL, "/", 1, 0);

	if (!d) {
		inode_put(inode);
		return NULL;
	}
	d->super = inode->super;
	d->flags |= DENTRY_WAS_HASHED;
	store_release(&d->inode, inode);
	return d;
}
MODAPI(dentry_create_root);

struct dentry *dentry_create_anon(struct super *s, struct inode *inode, const char *name)
{
	struct dentry *d = dentry_alloc(NULL, "", 0, 0);

	if (!d)
		return NULL;
	d->super = s;
	d->flags |= DENTRY_UNLINKED | DENTRY_STATIC_NAME;
	d->name = name;
	d->name_length = (uint32_t)strlen(name);
	d->inode = inode;
	return d;
}

struct dentry *dentry_create_nameless(struct dentry *parent, struct inode *inode)
{
	char name[24];
	int n = snprintf(name, sizeof(name), "#%llu", (unsigned long long)inode->ino);
	struct dentry *d = dentry_alloc(parent, name, (size_t)n, 0);

	if (!d)
		return NULL;
	d->flags |= DENTRY_UNLINKED;
	d->inode = inode;
	return d;
}

void dentry_unlinked(struct dentry *d)
{
	spin_lock(&d->lock);
	d->flags |= DENTRY_UNLINKED;
	spin_unlock(&d->lock);
	dentry_drop(d);
}

/* The first cached child with a reference; null if there is none. */
static struct dentry *first_child(struct dentry *d)
{
	struct dentry *child = NULL;

	spin_lock(&d->lock);
	if (!rb_empty(&d->children)) {
		child = rb_entry(rb_first(&d->children), struct dentry, sibling);
		if (!refcount_get_unless_zero(&child->refs))
			child = NULL;
	}
	spin_unlock(&d->lock);
	return child;
}

/* Drops every dentry below `d`, depth first without recursion; pins go with them if `unpin`. */
static void drop_below(struct dentry *d, bool unpin)
{
	struct dentry *at = d, *child;

	dentry_get(at);
	for (;;) {
		child = first_child(at);
		if (child) {
			dentry_put(at);
			at = child;
			continue;
		}
		if (at == d)
			break;
		child = at;
		at = child->parent;
		dentry_get(at);
		if (unpin)
			dentry_unpin(child);
		dentry_drop(child);
		dentry_put(child);
	}
	dentry_put(at);
}

void dentry_drop_tree(struct dentry *d)
{
	drop_below(d, false);
	dentry_drop(d);
}
MODAPI(dentry_drop_tree);

void dentry_forget_child(struct dentry *parent, const char *name, size_t length)
{
	uint32_t hash = DENTRY_HASH_SEED;
	struct dentry *d;

	for (size_t i = 0; i < length; i++)
		hash = dentry_hash_step(hash, (unsigned char)name[i]);
	d = dentry_lookup_cached(parent, name, length, hash);
	if (!d)
		return;
	dentry_drop_tree(d);
	dentry_put(d);
}
MODAPI(dentry_forget_child);

void dentry_unpin_tree(struct dentry *root)
{
	drop_below(root, true);
}
MODAPI(dentry_unpin_tree);

bool dentry_is_empty(struct dentry *d)
{
	bool empty = true;

	spin_lock(&d->lock);
	for (struct rb_node *n = rb_first(&d->children); n && empty; n = rb_next(n))
		empty = !rb_entry(n, struct dentry, sibling)->inode;
	spin_unlock(&d->lock);
	return empty;
}
MODAPI(dentry_is_empty);

void dentry_count_mount(struct dentry *d, int by)
{
	spin_lock(&d->lock);
	d->mounts += (unsigned int)by;
	if (d->mounts)
		d->flags |= DENTRY_MOUNTED;
	else
		d->flags &= ~DENTRY_MOUNTED;
	spin_unlock(&d->lock);
}

struct dentry *dentry_get_parent(struct dentry *d)
{
	struct dentry *parent;

	spin_lock(&d->lock);
	parent = d->parent;
	dentry_get(parent);
	spin_unlock(&d->lock);
	return parent;
}

int dentry_cache_init(void)
{
	uint64_t pages = page_total();
	unsigned int buckets = 1024;

	while (buckets < 65536 && buckets < pages / 8)
		buckets *= 2;
	for (unsigned int i = 0; i < LOCKS; i++)
		spin_init(&bucket_locks[i]);
	unused_limit = (unsigned int)MIN(MAX(pages / 16, 1024ul), 65536ul);
	dentry_table_mask = buckets - 1;
	dentry_table = vmalloc(buckets * sizeof(*dentry_table), ALLOC_ZERO);
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), 64);
	return dentry_table && dentry_cache ? 0 : -ENOMEM;
}

void dentry_cache_exit(void)
{
	rcu_barrier();
	if (dentry_cache)
		kmem_cache_destroy(dentry_cache);
	vfree(dentry_table);
}
