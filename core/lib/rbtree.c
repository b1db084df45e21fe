/*
 * Red-black trees.
 *
 * Invariants: a red node has no red child; every path from a node to a leaf has the same number of black nodes; the top
 * is black. Colour is bit 0 of parent_color (1 black). The caller locks; nothing allocates.
 *
 * A tree may keep in each node a figure about the nodes below it. Its owner's `update` calculates it from
 * the node and its two children; it is called from below upwards wherever children change. The functions
 * that take it as a parameter are inlined twice, so that trees without one pay nothing.
 */
#include "core/lib/rbtree.h"

#include "core/module/export.h"

#define RB_BLACK 1ul

static struct rb_node *parent_of(const struct rb_node *n) { return (struct rb_node *)(n->parent_color & ~RB_BLACK); }
static bool is_black(const struct rb_node *n) { return !n || (n->parent_color & RB_BLACK); }
static void set_parent(struct rb_node *n, struct rb_node *p)
{
	n->parent_color = (uintptr_t)p | (n->parent_color & RB_BLACK);
}
static void set_black(struct rb_node *n) { n->parent_color |= RB_BLACK; }
static void set_red(struct rb_node *n) { n->parent_color &= ~RB_BLACK; }

/* Puts `new` where `old` hangs below `parent`. */
static void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old, struct rb_node *new)
{
	if (!parent)
		root->top = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
}

static __always_inline void rotate_left(struct rb_root *root, struct rb_node *n, bool (*update)(struct rb_node *))
{
	struct rb_node *up = n->right, *p = parent_of(n);

	n->right = up->left;
	if (up->left)
		set_parent(up->left, n);
	up->left = n;
	replace_child(root, p, n, up);
	set_parent(up, p);
	set_parent(n, up);
	if (update) {
		update(n);
		update(up);
	}
}

static __always_inline void rotate_right(struct rb_root *root, struct rb_node *n, bool (*update)(struct rb_node *))
{
	struct rb_node *up = n->left, *p = parent_of(n);

	n->left = up->right;
	if (up->right)
		set_parent(up->right, n);
	up->right = n;
	replace_child(root, p, n, up);
	set_parent(up, p);
	set_parent(n, up);
	if (update) {
		update(n);
		update(up);
	}
}

void rb_update_above(struct rb_node *n, bool (*update)(struct rb_node *))
{
	while (n && update(n))
		n = parent_of(n);
}
KAPI(rb_update_above);

static __always_inline void link_node(struct rb_root *root, struct rb_node *n, struct rb_node *parent,
				      struct rb_node **link, bool (*update)(struct rb_node *))
{
	n->parent_color = (uintptr_t)parent;
	n->left = NULL;
	n->right = NULL;
	*link = n;
	if (update) {
		update(n);
		rb_update_above(parent, update);
	}
	while ((parent = parent_of(n)) && !is_black(parent)) {
		struct rb_node *grand = parent_of(parent);
		bool left = grand->left == parent;
		struct rb_node *uncle = left ? grand->right : grand->left;

		if (!is_black(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			n = grand;
			continue;
		}
		if (left) {
			if (parent->right == n) {
				rotate_left(root, parent, update);
				parent = n;
			}
			rotate_right(root, grand, update);
		} else {
			if (parent->left == n) {
				rotate_right(root, parent, update);
				parent = n;
			}
			rotate_left(root, grand, update);
		}
		set_black(parent);
		set_red(grand);
		break;
	}
	set_black(root->top);
}

void rb_link(struct rb_root *root, struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
	link_node(root, n, parent, link, NULL);
}
KAPI(rb_link);

void rb_link_updated(struct rb_root *root, struct rb_node *n, struct rb_node *parent, struct rb_node **link,
		     bool (*update)(struct rb_node *))
{
	link_node(root, n, parent, link, update);
}
KAPI(rb_link_updated);

bool rb_insert(struct rb_root *root, struct rb_node *n,
	       bool (*less)(const struct rb_node *a, const struct rb_node *b))
{
	struct rb_node **link = &root->top, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (less(n, parent)) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link(root, n, parent, link);
	return leftmost;
}
KAPI(rb_insert);

/* `n` (maybe null) below `parent` lacks one black: restores the balance. */
static __always_inline void remove_fixup(struct rb_root *root, struct rb_node *n, struct rb_node *parent,
					 bool (*update)(struct rb_node *))
{
	while (n != root->top && is_black(n)) {
		bool left = parent->left == n;
		struct rb_node *s = left ? parent->right : parent->left;

		if (!is_black(s)) {
			set_black(s);
			set_red(parent);
			if (left)
				rotate_left(root, parent, update);
			else
				rotate_right(root, parent, update);
			s = left ? parent->right : parent->left;
		}
		if (is_black(s->left) && is_black(s->right)) {
			set_red(s);
			n = parent;
			parent = parent_of(n);
			continue;
		}
		if (left && is_black(s->right)) {
			set_black(s->left);
			set_red(s);
			rotate_right(root, s, update);
			s = parent->right;
		} else if (!left && is_black(s->left)) {
			set_black(s->right);
			set_red(s);
			rotate_left(root, s, update);
			s = parent->left;
		}
		if (is_black(parent))
			set_black(s);
		else
			set_red(s);
		set_black(parent);
		if (left) {
			set_black(s->right);
			rotate_left(root, parent, update);
		} else {
			set_black(s->left);
			rotate_right(root, parent, update);
		}
		n = root->top;
		break;
	}
	if (n)
		set_black(n);
}

static __always_inline void remove_node(struct rb_root *root, struct rb_node *n, bool (*update)(struct rb_node *))
{
	struct rb_node *child, *parent, *place = NULL, *p;
	bool black;

	if (n->left && n->right) {
		struct rb_node *next = n->right;

		while (next->left)
			next = next->left;
		child = next->right;
		black = is_black(next);
		parent = parent_of(next);
		if (parent == n) {
			parent = next;
		} else {
			parent->left = child;
			if (child)
				set_parent(child, parent);
			next->right = n->right;
			set_parent(n->right, next);
		}
		next->left = n->left;
		set_parent(n->left, next);
		replace_child(root, parent_of(n), n, next);
		next->parent_color = n->parent_color;
		place = next;
	} else {
		child = n->left ? n->left : n->right;
		parent = parent_of(n);
		black = is_black(n);
		replace_child(root, parent, n, child);
		if (child)
			set_parent(child, parent);
	}
	/* The node that took n's place brought its own figure along: up to it, each one counts. */
	if (update) {
		for (p = parent; place && p != place; p = parent_of(p))
			update(p);
		if (place)
			update(place);
		rb_update_above(place ? parent_of(place) : parent, update);
	}
	if (black)
		remove_fixup(root, child, parent, update);
}

void rb_remove(struct rb_root *root, struct rb_node *n)
{
	remove_node(root, n, NULL);
}
KAPI(rb_remove);

void rb_remove_updated(struct rb_root *root, struct rb_node *n, bool (*update)(struct rb_node *))
{
	remove_node(root, n, update);
}
KAPI(rb_remove_updated);

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->top;

	while (n && n->left)
		n = n->left;
	return n;
}
KAPI(rb_first);

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->top;

	while (n && n->right)
		n = n->right;
	return n;
}
KAPI(rb_last);

struct rb_node *rb_parent(const struct rb_node *n)
{
	return parent_of(n);
}
KAPI(rb_parent);

struct rb_node *rb_next(const struct rb_node *n)
{
	struct rb_node *p;

	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct rb_node *)n;
	}
	while ((p = parent_of(n)) && p->right == n)
		n = p;
	return p;
}
KAPI(rb_next);

struct rb_node *rb_prev(const struct rb_node *n)
{
	struct rb_node *p;

	if (n->left) {
		n = n->left;
		while (n->right)
			n = n->right;
		return (struct rb_node *)n;
	}
	while ((p = parent_of(n)) && p->left == n)
		n = p;
	return p;
}
KAPI(rb_prev);
