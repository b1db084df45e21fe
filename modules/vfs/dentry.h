/*
 * The inside of the dentry cache: the table and the steps of its changes, for dentry.c, dentry_move.c and walk_fast.c.
 */
#pragma once

#include "modules/vfs/internal.h"

#define DENTRY_WAS_HASHED  0x100u	/* readers under RCU may stand on it */
#define DENTRY_STATIC_NAME 0x200u	/* the name is not the dentry's to free */

/* A name of its own memory: those too long for the dentry, and those given by a rename. */
struct name_buffer {
	struct rcu_head rcu;
	char text[];
};
struct name_buffer *name_buffer_alloc(size_t length);

extern struct dentry **dentry_table;
extern unsigned int dentry_table_mask;

#define DENTRY_HASH_SEED 0x811c9dc5u
static inline uint32_t dentry_hash_step(uint32_t h, unsigned char c) { return (h ^ c) * 0x01000193u; }

static inline unsigned int dentry_bucket(const struct dentry *parent, uint32_t hash)
{
	uint64_t mixed = ((uintptr_t)parent >> 6) + hash;

	mixed *= 0x9e3779b97f4a7c15ull;
	return (unsigned int)(mixed >> 40) & dentry_table_mask;
}

/* Compares with a name that may be exchanged meanwhile: it is terminated, so the comparison cannot run past it. */
static inline bool dentry_matches(const struct dentry *d, const struct dentry *parent, const char *name,
				  size_t n, uint32_t hash)
{
	const char *have;

	if (READ_ONCE(d->hash) != hash || READ_ONCE(d->parent) != parent)
		return false;
	have = rcu_dereference(d->name);
	for (size_t i = 0; i < n; i++) {
		if (have[i] != name[i])
			return false;
	}
	return have[n] == 0;
}

void dentry_hash_insert(struct dentry *d);
void dentry_hash_remove(struct dentry *d);
/* At this place of the directory, which is free; 0: as its newest name. */
void dentry_children_add(struct dentry *parent, struct dentry *d, uint64_t cursor);
void dentry_children_remove(struct dentry *parent, struct dentry *d);

/* Sequence of renames: even between them. The loads of a look-up stand between the two calls. */
static inline unsigned int dentry_sequence_begin(void) { return load_acquire(&dentry_rename_sequence); }
static inline bool dentry_sequence_changed(unsigned int seen)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return (seen & 1) || READ_ONCE(dentry_rename_sequence) != seen;
}

/* The child by the table alone; no reference, valid under RCU if the sequence has not changed. */
static inline struct dentry *dentry_find_rcu(const struct dentry *parent, const char *name, size_t n,
					     uint32_t hash)
{
	struct dentry *d = rcu_dereference(dentry_table[dentry_bucket(parent, hash)]);

	while (d && !dentry_matches(d, parent, name, n, hash))
		d = rcu_dereference(d->hash_next);
	return d;
}
