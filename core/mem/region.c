/*
 * Regions of an address space: the ordered set, splitting, joining, finding room.
 *
 * Regions never overlap; the tree and the list have the same order. A region with an object is on the object's list, and its range
 * and offset change only under the object's regions_lock, because the object's owner walks them to unmap pages.
 *
 * Locking: aspace.lock for writing, or for reading where only looked at.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/panic.h"
#include "core/module/export.h"

static struct kmem_cache *region_cache;

void region_start(void)
{
	region_cache = kmem_cache_create("region", sizeof(struct region), 0);
	kassert(region_cache);
}

struct region *region_create(uintptr_t start, uintptr_t end, unsigned int flags)
{
	struct region *r = kmem_cache_alloc(region_cache, ALLOC_ZERO);

	if (!r)
		return NULL;
	r->start = start;
	r->end = end;
	r->flags = flags;
	list_init(&r->link);
	list_init(&r->object_link);
	return r;
}

struct region *region_find(struct aspace *as, uintptr_t addr, bool or_next)
{
	struct region *hit = READ_ONCE(as->last_hit), *above = NULL;
	struct rb_node *n = as->regions.top;

	if (hit && addr >= hit->start && addr < hit->end)
		return hit;
	while (n) {
		struct region *r = rb_entry(n, struct region, node);

		if (addr < r->start) {
			above = r;
			n = n->left;
		} else if (addr >= r->end) {
			n = n->right;
		} else {
			WRITE_ONCE(as->last_hit, r);
			return r;
		}
	}
	return or_next ? above : NULL;
}
KAPI(region_find);

struct region *region_next(struct aspace *as, struct region *r)
{
	return r->link.next == &as->region_list ? NULL : list_next(r, link);
}
KAPI(region_next);

static bool region_below(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct region, node)->start < rb_entry(b, struct region, node)->start;
}

static void join_object(struct region *r)
{
	if (!r->object)
		return;
	mutex_lock(&r->object->regions_lock);
	list_add_tail(&r->object->regions, &r->object_link);
	if ((r->flags & REGION_SHARED) && (r->flags & REGION_MAY_WRITE))
		r->object->shared_writers++;
	mutex_unlock(&r->object->regions_lock);
}

static void leave_object(struct region *r)
{
	if (!r->object)
		return;
	mutex_lock(&r->object->regions_lock);
	list_remove(&r->object_link);
	if ((r->flags & REGION_SHARED) && (r->flags & REGION_MAY_WRITE))
		r->object->shared_writers--;
	mutex_unlock(&r->object->regions_lock);
}

void region_insert(struct aspace *as, struct region *r)
{
	struct rb_node *prev;

	r->aspace = as;
	rb_insert(&as->regions, &r->node, region_below);
	prev = rb_prev(&r->node);
	list_add_head(prev ? &rb_entry(prev, struct region, node)->link : &as->region_list, &r->link);
	as->region_count++;
	as->mapped_pages += (r->end - r->start) >> PAGE_SHIFT;
	if (r->flags & REGION_LOCKED)
		as->locked_pages += (r->end - r->start) >> PAGE_SHIFT;
	if (r->flags & REGION_ACCOUNTED)
		as->accounted_pages += (r->end - r->start) >> PAGE_SHIFT;
	join_object(r);
}

static void region_remove(struct aspace *as, struct region *r)
{
	leave_object(r);
	rb_remove(&as->regions, &r->node);
	list_remove(&r->link);
	if (as->last_hit == r)
		WRITE_ONCE(as->last_hit, NULL);
	as->region_count--;
	as->mapped_pages -= (r->end - r->start) >> PAGE_SHIFT;
	if (r->flags & REGION_LOCKED)
		as->locked_pages -= (r->end - r->start) >> PAGE_SHIFT;
	if (r->flags & REGION_ACCOUNTED)
		as->accounted_pages -= (r->end - r->start) >> PAGE_SHIFT;
}

void region_destroy(struct aspace *as, struct region *r)
{
	region_remove(as, r);
	if (r->flags & REGION_ACCOUNTED)
		commit_release((r->end - r->start) >> PAGE_SHIFT);
	if (r->object)
		memobj_put(r->object);
	if (r->owner)
		r->owner_ops->put(r->owner);
	kmem_cache_free(region_cache, r);
}

void region_set_range(struct region *r, uintptr_t start, uintptr_t end)
{
	struct aspace *as = r->aspace;
	int64_t pages = (int64_t)((end - start) >> PAGE_SHIFT) - (int64_t)((r->end - r->start) >> PAGE_SHIFT);

	if (r->object)
		mutex_lock(&r->object->regions_lock);
	if (r->object)
		r->offset += start - r->start;
	WRITE_ONCE(r->start, start);
	WRITE_ONCE(r->end, end);
	if (r->object)
		mutex_unlock(&r->object->regions_lock);
	as->mapped_pages += (uint64_t)pages;
	if (r->flags & REGION_LOCKED)
		as->locked_pages += (uint64_t)pages;
	if (r->flags & REGION_ACCOUNTED)
		as->accounted_pages += (uint64_t)pages;
}

int region_split(struct aspace *as, struct region *r, uintptr_t at, struct region **upper)
{
	struct region *u = region_create(at, r->end, r->flags);

	if (!u)
		return -ENOMEM;
	u->object = r->object;
	u->offset = r->offset + (at - r->start);
	u->owner = r->owner;
	u->owner_ops = r->owner_ops;
	u->label = r->label;
	u->has_private = r->has_private;
	if (u->object)
		memobj_get(u->object);
	if (u->owner)
		u->owner_ops->get(u->owner);
	region_set_range(r, r->start, at);
	region_insert(as, u);
	if (upper)
		*upper = u;
	return 0;
}

int region_isolate(struct aspace *as, uintptr_t start, uintptr_t end, bool unmapping)
{
	struct region *r = region_find(as, start, false);
	bool full = as->region_count >= REGIONS_MAX;
	int error;

	/* Cutting off an end does not leave more regions than there were. */
	if (full && unmapping && r && r->start < start && r->end > end)
		return -ENOMEM;
	full &= !unmapping;
	if (r && r->start < start) {
		if (full)
			return -ENOMEM;
		error = region_split(as, r, start, NULL);
		if (error)
			return error;
	}
	r = region_find(as, end - 1, false);
	if (!r || r->end <= end)
		return 0;
	if (!unmapping && as->region_count >= REGIONS_MAX)
		return -ENOMEM;
	return region_split(as, r, end, NULL);
}

static bool alike(const struct region *a, const struct region *b)
{
	return a->end == b->start && a->flags == b->flags && a->object == b->object && a->owner == b->owner &&
	       a->label == b->label && !(a->flags & (REGION_SPECIAL | REGION_GROWSDOWN)) &&
	       (!a->object || a->offset + (a->end - a->start) == b->offset);
}

void region_merge(struct aspace *as, uintptr_t start, uintptr_t end)
{
	struct region *r = region_find(as, start ? start - 1 : 0, true);

	while (r && r->start <= end) {
		struct region *next = region_next(as, r);
		uintptr_t upper;

		if (!next || next->start > end)
			return;
		if (!alike(r, next)) {
			r = next;
			continue;
		}
		upper = next->end;
		r->has_private |= next->has_private;
		/* The charge moves with the pages: take it off before the upper part is destroyed. */
		next->flags &= ~REGION_ACCOUNTED;
		if (r->flags & REGION_ACCOUNTED)
			as->accounted_pages -= (next->end - next->start) >> PAGE_SHIFT;
		region_destroy(as, next);
		region_set_range(r, r->start, upper);
	}
}

uintptr_t region_find_gap(struct aspace *as, size_t length, uintptr_t bottom, uintptr_t top)
{
	struct region *above = region_find(as, top - 1, true);
	struct rb_node *n = above ? &above->node : NULL;
	uintptr_t ceiling = top;

	/* `n` is the lowest region known to end above the ceiling, null if there is none; the gap lies below it. */
	if (above && above->start < top)
		ceiling = above->start;
	for (;;) {
		struct rb_node *below = n ? rb_prev(n) : rb_last(&as->regions);
		struct region *r = below ? rb_entry(below, struct region, node) : NULL;
		uintptr_t floor = r ? MAX(r->end, bottom) : bottom;

		if (ceiling >= floor && ceiling - floor >= length)
			return ceiling - length;
		if (!r || r->start <= bottom)
			return 0;
		ceiling = r->start;
		n = below;
	}
}
