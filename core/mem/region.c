/*
 * Regions of an address space: the ordered set, splitting, joining, finding room.
 *
 * Regions never overlap; the tree and the list have the same order. Each region knows the gap below it,
 * and in the tree the longest gap under it, so that room is found in O(log n). A region with an object is
 * on the object's list, and its range and offset change only under the object's regions_lock, because the
 * object's owner walks them to unmap pages.
 *
 * Locking: aspace.lock for writing, or for reading where only looked at.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/panic.h"
#include "core/module/export.h"

/*
 * Longer gaps are not told apart by the tree: most mappings are put at an end of a very long one, and
 * nothing above changes by it. There are at most 2,048 such gaps for a longer mapping to look at.
 */
#define GAP_ENOUGH (1ul << 36)

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

/* The region below; null for the lowest. */
static struct region *region_prev(const struct region *r)
{
	return r->link.prev == &r->aspace->region_list ? NULL : list_entry(r->link.prev, struct region, link);
}

static uintptr_t gap_max_of(const struct rb_node *n)
{
	return n ? rb_entry(n, struct region, node)->gap_max : 0;
}

static bool update_gap(struct rb_node *n)
{
	struct region *r = rb_entry(n, struct region, node);
	uintptr_t max = MAX(r->gap, MAX(gap_max_of(n->left), gap_max_of(n->right)));
	bool changed;

	max = MIN(max, GAP_ENOUGH);
	changed = r->gap_max != max;
	r->gap_max = max;
	return changed;
}

/* Brings the gap below a region of the tree up to date; null: nothing. */
static void measure_gap(struct region *r)
{
	const struct region *prev;
	uintptr_t gap;

	if (!r)
		return;
	prev = region_prev(r);
	gap = r->start - (prev ? prev->end : 0);
	if (gap == r->gap)
		return;
	r->gap = gap;
	rb_update_above(&r->node, update_gap);
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

/* So many more pages of a region; of what is below 0, modulo 2^64. */
static void count_pages(struct aspace *as, const struct region *r, uint64_t pages)
{
	as->mapped_pages += pages;
	if (r->flags & REGION_LOCKED)
		as->locked_pages += pages;
	if (r->flags & REGION_ACCOUNTED)
		as->accounted_pages += pages;
	if (region_is_data(r->flags))
		as->data_pages += pages;
}

void region_insert(struct aspace *as, struct region *r)
{
	struct rb_node **link = &as->regions.top, *parent = NULL;
	struct list *prev = &as->region_list;

	while (*link) {
		struct region *at = rb_entry(*link, struct region, node);

		parent = *link;
		if (r->start < at->start) {
			link = &parent->left;
		} else {
			link = &parent->right;
			prev = &at->link;
		}
	}
	r->aspace = as;
	list_add_head(prev, &r->link);
	r->gap = r->start - (prev == &as->region_list ? 0 : list_entry(prev, struct region, link)->end);
	rb_link_updated(&as->regions, &r->node, parent, link, update_gap);
	measure_gap(region_next(as, r));
	as->region_count++;
	count_pages(as, r, (r->end - r->start) >> PAGE_SHIFT);
	join_object(r);
}

static void region_remove(struct aspace *as, struct region *r)
{
	struct region *next = region_next(as, r);

	leave_object(r);
	list_remove(&r->link);
	measure_gap(next);		/* first: then mostly nothing changes by the removal */
	rb_remove_updated(&as->regions, &r->node, update_gap);
	if (as->last_hit == r)
		WRITE_ONCE(as->last_hit, NULL);
	as->region_count--;
	count_pages(as, r, -((r->end - r->start) >> PAGE_SHIFT));
}

/* Frees a region that is in no list and tree, with its references. */
static void release(struct region *r)
{
	if (r->flags & REGION_ACCOUNTED)
		commit_release((r->end - r->start) >> PAGE_SHIFT);
	if (r->object)
		memobj_put(r->object);
	if (r->owner)
		r->owner_ops->put(r->owner);
	kmem_cache_free(region_cache, r);
}

void region_destroy(struct aspace *as, struct region *r)
{
	region_remove(as, r);
	release(r);
}

void region_destroy_all(struct aspace *as, void (*unmap)(struct aspace *as, struct region *r))
{
	while (!list_empty(&as->region_list)) {
		struct region *r = list_first(&as->region_list, struct region, link);

		unmap(as, r);
		leave_object(r);
		list_remove(&r->link);
		release(r);
	}
	as->regions.top = NULL;
	WRITE_ONCE(as->last_hit, NULL);
	as->region_count = 0;
	as->mapped_pages = as->locked_pages = as->accounted_pages = as->data_pages = 0;
}

void region_set_range(struct region *r, uintptr_t start, uintptr_t end)
{
	struct aspace *as = r->aspace;
	uintptr_t old_start = r->start, old_end = r->end;
	int64_t pages = (int64_t)((end - start) >> PAGE_SHIFT) - (int64_t)((old_end - old_start) >> PAGE_SHIFT);

	if (r->object)
		mutex_lock(&r->object->regions_lock);
	if (r->object)
		r->offset += start - r->start;
	WRITE_ONCE(r->start, start);
	WRITE_ONCE(r->end, end);
	if (r->object)
		mutex_unlock(&r->object->regions_lock);
	if (start != old_start)
		measure_gap(r);
	if (end != old_end)
		measure_gap(region_next(as, r));
	count_pages(as, r, (uint64_t)pages);
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

unsigned int region_extend(struct aspace *as, const struct map_request *q, uintptr_t at, unsigned int flags)
{
	const struct region new = {
		.start = at, .end = at + q->length, .flags = flags, .object = q->object,
		.offset = q->object ? q->offset : 0, .owner = q->owner, .label = q->label,
	};
	struct region *above = region_find(as, at, true), *below;

	/* What ends here is the region before the one above. */
	if (above)
		below = region_prev(above);
	else
		below = list_empty(&as->region_list) ? NULL : list_last(&as->region_list, struct region, link);
	if (below && !alike(below, &new))
		below = NULL;
	if (above && !alike(&new, above))
		above = NULL;
	if (below && above)
		return 2;
	if (below)
		region_set_range(below, below->start, new.end);
	else if (above)
		region_set_range(above, at, above->end);
	return below || above;
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

/* The highest region in a subtree with at least `length` <= GAP_ENOUGH free below it. There is one. */
static struct region *highest_with_gap(struct rb_node *n, size_t length)
{
	for (;;) {
		if (gap_max_of(n->right) >= length)
			n = n->right;
		else if (rb_entry(n, struct region, node)->gap >= length)
			return rb_entry(n, struct region, node);
		else
			n = n->left;
	}
}

/* The highest region below `r` with at least `length` <= GAP_ENOUGH free below it; null if there is none. */
static struct region *next_with_gap(struct region *r, size_t length)
{
	struct rb_node *n = &r->node, *parent;

	if (gap_max_of(n->left) >= length)
		return highest_with_gap(n->left, length);
	while ((parent = rb_parent(n))) {
		bool from_above = parent->right == n;

		n = parent;
		if (!from_above)
			continue;
		if (rb_entry(n, struct region, node)->gap >= length)
			return rb_entry(n, struct region, node);
		if (gap_max_of(n->left) >= length)
			return highest_with_gap(n->left, length);
	}
	return NULL;
}

uintptr_t region_find_gap(struct aspace *as, size_t length, uintptr_t bottom, uintptr_t top)
{
	struct region *above = region_find(as, top - 1, true), *r;
	struct rb_node *last = above ? NULL : rb_last(&as->regions);
	uintptr_t ceiling = above ? MIN(above->start, top) : top, floor;

	/* What lies right below the top is cut off by it; all further gaps are whole. */
	r = above ? region_prev(above) : last ? rb_entry(last, struct region, node) : NULL;
	floor = MAX(r ? r->end : 0, bottom);
	if (ceiling >= floor && ceiling - floor >= length)
		return ceiling - length;
	if (!r)
		return 0;
	while (r && r->gap < length)
		r = next_with_gap(r, MIN(length, GAP_ENOUGH));
	return r && r->start >= bottom && r->start - bottom >= length ? r->start - length : 0;
}
