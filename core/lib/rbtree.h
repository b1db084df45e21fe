/*
 * Red-black trees with the node inside the object. The caller compares, links and locks:
 * walk from root->top to the free place, then rb_link() there, or use rb_insert() with a comparison.
 */
#pragma once

#include "core/lib/types.h"

struct rb_node {
	uintptr_t parent_color;		/* parent pointer | 1 if black */
	struct rb_node *left;
	struct rb_node *right;
};

struct rb_root {
	struct rb_node *top;
};

#define rb_entry(node, type, member) container_of(node, type, member)

/* Links `n` at *link (a null child pointer of `parent`, or &root->top with parent null) and rebalances. */
void rb_link(struct rb_root *root, struct rb_node *n, struct rb_node *parent, struct rb_node **link);
/* Inserts by `less(a, b)`; equal keys go after those already there. Returns true if `n` is now the leftmost node. */
bool rb_insert(struct rb_root *root, struct rb_node *n,
	       bool (*less)(const struct rb_node *a, const struct rb_node *b));
/* Removes `n`, which must be in the tree. */
void rb_remove(struct rb_root *root, struct rb_node *n);

/*
 * For trees whose nodes keep a figure about what is below them (the greatest of something, a sum). `update`
 * calculates a node's figure from the node itself and its children and says whether it changed.
 */
void rb_link_updated(struct rb_root *root, struct rb_node *n, struct rb_node *parent, struct rb_node **link,
		     bool (*update)(struct rb_node *));
void rb_remove_updated(struct rb_root *root, struct rb_node *n, bool (*update)(struct rb_node *));
/* After what a node itself brings into the figure has changed: calculates it anew there and above. */
void rb_update_above(struct rb_node *n, bool (*update)(struct rb_node *));

/* Null: the top. */
struct rb_node *rb_parent(const struct rb_node *n);
/* In-order neighbours; null past the ends. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

static inline bool rb_empty(const struct rb_root *root) { return !root->top; }
