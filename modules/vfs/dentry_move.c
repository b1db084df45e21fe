/*
 * Renames of dentries. Both directories' inode locks are held by the caller, and super.rename_mutex if they differ.
 *
 * rename_lock makes renames one after the other and carries the sequence that lockless look-ups check: it is odd
 * while names, parents and chains are inconsistent. Inside it bucket locks and dentry locks are taken one at a time.
 * Names that were replaced are freed after a grace period.
 *
 * A name keeps its place in the directory: what replaces it takes that over, exchanged names keep theirs, and an entry that gets another
 * name in the same directory stays where it was. So who reads a directory meets each name that is there all the time once.
 */
#include "modules/vfs/dentry.h"

static struct spinlock rename_lock = SPINLOCK_INIT(rename_lock);

struct name_buffer *name_buffer_alloc(size_t length)
{
	return kmalloc(sizeof(struct name_buffer) + length + 1, 0);
}

void name_buffer_free(struct name_buffer *n)
{
	kfree(n);
}

static void name_buffer_free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct name_buffer, rcu));
}

int dentry_move_prepare(struct dentry *target, struct name_buffer **out)
{
	struct name_buffer *b = name_buffer_alloc(target->name_length);

	if (!b)
		return -ENOMEM;
	memcpy(b->text, target->name, target->name_length + 1);
	*out = b;
	return 0;
}

static void rename_begin(void)
{
	spin_lock(&rename_lock);
	WRITE_ONCE(dentry_rename_sequence, dentry_rename_sequence + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void rename_end(void)
{
	store_release(&dentry_rename_sequence, dentry_rename_sequence + 1);
	spin_unlock(&rename_lock);
}

/* Gives an unhashed dentry a name and a parent; the reference to the parent is the caller's to hand over. */
static void set_place(struct dentry *d, struct name_buffer *name, uint32_t length, uint32_t hash,
		      struct dentry *parent)
{
	const char *old = d->name;

	spin_lock(&d->lock);
	rcu_assign(d->name, (const char *)name->text);
	d->name_length = length;
	d->hash = hash;
	rcu_assign(d->parent, parent);
	spin_unlock(&d->lock);
	if (old != d->inline_name)
		rcu_call(&container_of(old, struct name_buffer, text[0])->rcu, name_buffer_free_rcu);
}

void dentry_move(struct dentry *d, struct dentry *target, struct name_buffer *name)
{
	struct dentry *old_parent = d->parent, *new_parent = target->parent;
	uint32_t length = target->name_length, hash = target->hash;
	uint64_t cursor = target->inode ? target->cursor : new_parent == old_parent ? d->cursor : 0;

	dentry_get(new_parent);
	rename_begin();
	/* The name is never missing: readers that see neither wait for the directory's lock. */
	dentry_unlinked(target);
	dentry_hash_remove(d);
	dentry_children_remove(old_parent, d);
	set_place(d, name, length, hash, new_parent);
	dentry_children_add(new_parent, d, cursor);
	dentry_hash_insert(d);
	rename_end();
	dentry_put(old_parent);
}

void dentry_exchange(struct dentry *a, struct dentry *b, struct name_buffer *a_name,
		     struct name_buffer *b_name)
{
	struct dentry *a_parent = a->parent, *b_parent = b->parent;
	uint32_t a_length = a->name_length, a_hash = a->hash;
	uint32_t b_length = b->name_length, b_hash = b->hash;
	uint64_t a_cursor = a->cursor, b_cursor = b->cursor;

	rename_begin();
	dentry_hash_remove(a);
	dentry_hash_remove(b);
	dentry_children_remove(a_parent, a);
	dentry_children_remove(b_parent, b);
	/* Each takes over the other's reference to its parent. */
	set_place(a, a_name, b_length, b_hash, b_parent);
	set_place(b, b_name, a_length, a_hash, a_parent);
	dentry_children_add(b_parent, a, b_cursor);
	dentry_children_add(a_parent, b, a_cursor);
	dentry_hash_insert(a);
	dentry_hash_insert(b);
	rename_end();
}

bool dentry_is_below(struct dentry *d, struct dentry *top)
{
	bool below = false;

	rcu_read_lock();
	for (;;) {
		struct dentry *parent;

		if (d == top) {
			below = true;
			break;
		}
		parent = rcu_dereference(d->parent);
		if (parent == d)
			break;
		d = parent;
	}
	rcu_read_unlock();
	return below;
}
