/*
 * The sparse array of pages in a memory object: a radix tree of 64 ways, as high as its largest index needs.
 *
 * A tree of height 0 holds only index 0, directly in o->tree. Empty nodes are freed when the object is, or when the
 * last page below them goes. The object's lock is held by the caller; nodes come from an atomic allocation.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/panic.h"

#define WAYS_SHIFT 6
#define WAYS (1u << WAYS_SHIFT)

struct tree_node {
	unsigned int used;
	void *slot[WAYS];
};

static struct kmem_cache *node_cache;

void memobj_tree_start(void)
{
	node_cache = kmem_cache_create("memobj-node", sizeof(struct tree_node), 0);
	kassert(node_cache);
}

static bool fits(unsigned int height, uint64_t index)
{
	return height * WAYS_SHIFT >= 64 || (index >> (height * WAYS_SHIFT)) == 0;
}

static unsigned int way(uint64_t index, unsigned int level)
{
	return (unsigned int)(index >> ((level - 1) * WAYS_SHIFT)) & (WAYS - 1);
}

struct page *memobj_tree_get(const struct memobj *o, uint64_t index)
{
	void *p = o->tree;

	if (!fits(o->tree_height, index))
		return NULL;
	for (unsigned int level = o->tree_height; level && p; level--)
		p = ((struct tree_node *)p)->slot[way(index, level)];
	return p;
}

static int grow(struct memobj *o, uint64_t index)
{
	while (!fits(o->tree_height, index)) {
		if (o->tree) {
			struct tree_node *n = kmem_cache_alloc(node_cache, ALLOC_ZERO | ALLOC_ATOMIC);

			if (!n)
				return -ENOMEM;
			n->slot[0] = o->tree;
			n->used = 1;
			o->tree = n;
		}
		o->tree_height++;
	}
	return 0;
}

int memobj_tree_put(struct memobj *o, uint64_t index, struct page *p)
{
	struct tree_node *parent = NULL;
	void **slot;

	if (grow(o, index))
		return -ENOMEM;
	slot = &o->tree;
	for (unsigned int level = o->tree_height; level; level--) {
		struct tree_node *n = *slot;

		if (!n) {
			n = kmem_cache_alloc(node_cache, ALLOC_ZERO | ALLOC_ATOMIC);
			if (!n)
				return -ENOMEM;
			*slot = n;
			if (parent)
				parent->used++;
		}
		parent = n;
		slot = &n->slot[way(index, level)];
	}
	*slot = p;
	if (parent)
		parent->used++;
	o->pages++;
	return 0;
}

struct page *memobj_tree_remove(struct memobj *o, uint64_t index)
{
	struct tree_node *path[12];
	unsigned int depth = 0, level;
	void **slot = &o->tree;
	struct page *p;

	if (!fits(o->tree_height, index))
		return NULL;
	for (level = o->tree_height; level; level--) {
		struct tree_node *n = *slot;

		if (!n)
			return NULL;
		path[depth++] = n;
		slot = &n->slot[way(index, level)];
	}
	p = *slot;
	if (!p)
		return NULL;
	*slot = NULL;
	o->pages--;
	for (level = 1; depth-- > 0; level++) {
		struct tree_node *n = path[depth];

		if (--n->used)
			break;
		if (depth)
			path[depth - 1]->slot[way(index, level + 1)] = NULL;
		else
			o->tree = NULL;
		kmem_cache_free(node_cache, n);
	}
	return p;
}

/* First index >= from below a node of `level`, relative to `base`; UINT64_MAX if none. */
static uint64_t next_below(const void *p, unsigned int level, uint64_t base, uint64_t from)
{
	const struct tree_node *n = p;

	if (!p)
		return UINT64_MAX;
	if (level == 0)
		return base >= from ? base : UINT64_MAX;
	for (unsigned int i = from > base ? way(from - base, level) : 0; i < WAYS; i++) {
		uint64_t found;

		if (!n->slot[i])
			continue;
		found = next_below(n->slot[i], level - 1, base + ((uint64_t)i << ((level - 1) * WAYS_SHIFT)), from);
		if (found != UINT64_MAX)
			return found;
	}
	return UINT64_MAX;
}

uint64_t memobj_tree_next(const struct memobj *o, uint64_t from)
{
	if (!fits(o->tree_height, from))
		return UINT64_MAX;
	return next_below(o->tree, o->tree_height, 0, from);
}

void memobj_tree_free(struct memobj *o)
{
	kassert(o->pages == 0);
	/* Chains of nodes without pages remain only after a failed insertion. */
	while (o->tree && o->tree_height) {
		struct tree_node *n = o->tree, *parent = NULL;
		unsigned int i = 0, at = 0;

		for (;;) {
			for (i = 0; i < WAYS && !n->slot[i]; i++)
				;
			if (i == WAYS)
				break;
			parent = n;
			at = i;
			n = n->slot[i];
		}
		if (parent)
			parent->slot[at] = NULL;
		else
			o->tree = NULL;
		kmem_cache_free(node_cache, n);
	}
}
