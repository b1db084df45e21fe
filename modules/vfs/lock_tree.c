/*
 * The trees of an inode's locks: by owner, for what an owner does to his own, and by range with the greatest end below each node, for
 * what is in somebody's way. The ranges are four trees: records and flocks, which do not conflict with each other, and of each
 * those for reading and for writing. All under the list's mutex.
 */
#include <linux/fcntl.h>

#include "modules/vfs/lock_list.h"

#define OWNED(n)  rb_entry(n, struct held_lock, owned)
#define RANGED(n) rb_entry(n, struct held_lock, ranged)

static int compare_owner(const struct file_lock *a, const void *owner, enum file_lock_kind kind)
{
	if (a->owner != owner)
		return a->owner < owner ? -1 : 1;
	return a->kind < kind ? -1 : a->kind > kind;
}

static struct rb_root *ranges_of(struct file_lock_list *list, const struct file_lock *l)
{
	return &list->ranges[l->kind == LOCK_FLOCK][l->type == F_WRLCK];
}

/* A node's greatest end from its own and its children's; did it change? */
static bool update(struct rb_node *n)
{
	struct held_lock *l = RANGED(n);
	int64_t greatest = l->lock.end;

	if (n->left)
		greatest = MAX(greatest, RANGED(n->left)->greatest);
	if (n->right)
		greatest = MAX(greatest, RANGED(n->right)->greatest);
	if (l->greatest == greatest)
		return false;
	l->greatest = greatest;
	return true;
}

void lock_tree_add(struct file_lock_list *list, struct held_lock *l)
{
	struct rb_root *ranges = ranges_of(list, &l->lock);
	struct rb_node **link = &list->owned.top, *above = NULL;

	while (*link) {
		int c;

		above = *link;
		c = compare_owner(&OWNED(above)->lock, l->lock.owner, l->lock.kind);
		link = c > 0 || (!c && OWNED(above)->lock.start > l->lock.start) ? &above->left : &above->right;
	}
	rb_link(&list->owned, &l->owned, above, link);
	link = &ranges->top;
	above = NULL;
	while (*link) {
		above = *link;
		link = RANGED(above)->lock.start > l->lock.start ? &above->left : &above->right;
	}
	l->greatest = l->lock.end;
	rb_link_updated(ranges, &l->ranged, above, link, update);
}

void lock_tree_remove(struct file_lock_list *list, struct held_lock *l)
{
	rb_remove(&list->owned, &l->owned);
	rb_remove_updated(ranges_of(list, &l->lock), &l->ranged, update);
}

struct held_lock *lock_tree_own(const struct file_lock_list *list, const void *owner, enum file_lock_kind kind, int64_t start)
{
	struct rb_node *n = list->owned.top;
	struct held_lock *found = NULL;

	/* An owner's locks do not overlap, so their ends are in the order of their starts. */
	while (n) {
		struct held_lock *l = OWNED(n);
		int c = compare_owner(&l->lock, owner, kind);

		if (c < 0 || (!c && l->lock.end < start)) {
			n = n->right;
			continue;
		}
		if (!c)
			found = l;
		n = n->left;
	}
	return found;
}

struct held_lock *lock_tree_own_next(const struct held_lock *l)
{
	struct rb_node *n = rb_next(&l->owned);

	return n && !compare_owner(&OWNED(n)->lock, l->lock.owner, l->lock.kind) ? OWNED(n) : NULL;
}

/* The leftmost node at or below `n` that meets the range. */
static struct rb_node *first_meeting(struct rb_node *n, const struct file_lock *l)
{
	while (n && RANGED(n)->greatest >= l->start) {
		if (n->left && RANGED(n->left)->greatest >= l->start) {
			n = n->left;
			continue;
		}
		if (RANGED(n)->lock.start > l->end)
			return NULL;
		if (RANGED(n)->lock.end >= l->start)
			return n;
		n = n->right;
	}
	return NULL;
}

/* The next one behind `n` that meets the range. */
static struct rb_node *next_meeting(struct rb_node *n, const struct file_lock *l)
{
	struct rb_node *right = first_meeting(n->right, l), *from;

	if (right)
		return right;
	for (from = n, n = rb_parent(n); n; from = n, n = rb_parent(n)) {
		if (from == n->right)
			continue;
		if (RANGED(n)->lock.start > l->end)
			return NULL;
		if (RANGED(n)->lock.end >= l->start)
			return n;
		right = first_meeting(n->right, l);
		if (right)
			return right;
	}
	return NULL;
}

struct held_lock *lock_tree_conflict(const struct file_lock_list *list, const struct file_lock *l)
{
	const struct rb_root *group = list->ranges[l->kind == LOCK_FLOCK];

	for (int writing = 1; writing >= (l->type != F_WRLCK); writing--) {
		struct rb_node *n = first_meeting(group[writing].top, l);

		while (n && !compare_owner(&RANGED(n)->lock, l->owner, l->kind))
			n = next_meeting(n, l);
		if (n)
			return RANGED(n);
	}
	return NULL;
}
