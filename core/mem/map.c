/*
 * Changing the regions of an address space: map, unmap, protection, flags.
 *
 * Locking: aspace.lock for writing. Every function checks all that can fail before it changes something, but for splits, which are
 * harmless when left.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/panic.h"
#include "core/mem/page_table.h"
#include "core/module/export.h"

#define BELOW_4G_TOP 0x80000000ul

uint64_t mmap_min_addr = 65536;
KAPI(mmap_min_addr);

static bool range_valid(uintptr_t start, size_t length)
{
	return IS_ALIGNED(start, PAGE_SIZE) && IS_ALIGNED(length, PAGE_SIZE) && length != 0 &&
	       length <= USER_END && start <= USER_END - length;
}

bool aspace_may_grow_locked(struct aspace *as, unsigned int flags, uint64_t pages, uint64_t limit)
{
	if (limit != UINT64_MAX && (as->mapped_pages + pages) << PAGE_SHIFT > limit)
		return false;
	if (as->data_limit == UINT64_MAX || !region_is_data(flags))
		return true;
	return (as->data_pages + pages) << PAGE_SHIFT <= as->data_limit;
}

/* Unmaps a region's lower or upper part, [from, to); the rest is [start, end). */
static void cut_off(struct aspace *as, struct region *r, uintptr_t from, uintptr_t to, uintptr_t start, uintptr_t end)
{
	zap_range(as, r, from, to, false);
	if (r->flags & REGION_ACCOUNTED)
		commit_release((to - from) >> PAGE_SHIFT);
	region_set_range(r, start, end);
}

int unmap_locked(struct aspace *as, uintptr_t start, uintptr_t end)
{
	struct region *r = region_find(as, start, true);

	if (!r || r->start >= end)
		return 0;
	if (r->start < start && r->end > end) {
		int error = region_isolate(as, start, end, true);

		if (error)
			return error;
		r = region_find(as, start, true);
	}
	while (r && r->start < end) {
		struct region *next = region_next(as, r);

		if (r->start < start) {
			cut_off(as, r, start, r->end, r->start, start);
		} else if (r->end > end) {
			cut_off(as, r, r->start, end, end, r->end);
		} else {
			zap_range(as, r, r->start, r->end, false);
			region_destroy(as, r);
		}
		r = next;
	}
	return 0;
}

/* No place is chosen below it. It changes at any time, and address 0 would mean that there is no room. */
static uintptr_t lowest_place(void)
{
	return MAX(ALIGN_UP(READ_ONCE(mmap_min_addr), PAGE_SIZE), (uintptr_t)PAGE_SIZE);
}

/* Where the mapping goes. 0 or negative errno. */
static int choose_place(struct aspace *as, const struct map_request *q, uintptr_t *out)
{
	uintptr_t top = q->below_4g ? BELOW_4G_TOP : as->mmap_base;
	struct region *r;
	uintptr_t gap;

	if (q->fixed || q->fixed_noreplace) {
		if (!range_valid(q->addr, q->length))
			return IS_ALIGNED(q->addr, PAGE_SIZE) ? -ENOMEM : -EINVAL;
		r = region_find(as, q->addr, true);
		if (q->fixed_noreplace && r && r->start < q->addr + q->length)
			return -EEXIST;
		*out = q->addr;
		return 0;
	}
	if (q->addr) {
		uintptr_t hint = ALIGN_UP(q->addr, PAGE_SIZE);

		if (hint >= lowest_place() && range_valid(hint, q->length)) {
			r = region_find(as, hint, true);
			if (!r || r->start >= hint + q->length) {
				*out = hint;
				return 0;
			}
		}
	}
	gap = region_find_gap(as, q->length, lowest_place(), top);
	if (!gap && !q->below_4g)
		gap = region_find_gap(as, q->length, lowest_place(), USER_END);
	if (!gap)
		return -ENOMEM;
	*out = gap;
	return 0;
}

static bool needs_account(const struct map_request *q)
{
	return !(q->flags & (REGION_SHARED | REGION_SPECIAL | REGION_NORESERVE)) && (q->flags & REGION_WRITE);
}

static int new_region(struct aspace *as, const struct map_request *q, uintptr_t at, unsigned int flags)
{
	unsigned int neighbours = region_extend(as, q, at, flags);
	struct region *r;

	if (neighbours == 1)
		return 0;
	r = region_create(at, at + q->length, flags);
	if (!r)
		return -ENOMEM;
	r->object = q->object;
	r->offset = q->object ? q->offset : 0;
	r->owner = q->owner;
	r->owner_ops = q->owner_ops;
	r->label = q->label;
	if (r->object)
		memobj_get(r->object);
	if (r->owner)
		r->owner_ops->get(r->owner);
	region_insert(as, r);
	if (neighbours)
		region_merge(as, at, at + q->length);
	return 0;
}

int map_locked(struct aspace *as, const struct map_request *q, uintptr_t *out)
{
	unsigned int flags = q->flags | as->default_flags;
	uint64_t pages = q->length >> PAGE_SHIFT;
	uintptr_t at;
	int error;

	if (as->region_count >= REGIONS_MAX)
		return -ENOMEM;
	error = choose_place(as, q, &at);
	if (error)
		return error;
	if (!aspace_may_grow_locked(as, flags, pages, q->limit))
		return -ENOMEM;
	if (!aspace_may_lock_locked(as, flags, pages))
		return -EAGAIN;
	if (q->fixed) {
		error = unmap_locked(as, at, at + q->length);
		if (error)
			return error;
	}
	if (needs_account(q)) {
		if (!commit_charge(pages))
			return -ENOMEM;
		flags |= REGION_ACCOUNTED;
	}
	error = new_region(as, q, at, flags);
	if (error) {
		if (flags & REGION_ACCOUNTED)
			commit_release(pages);
		return error;
	}
	*out = at;
	return 0;
}

int aspace_map(struct aspace *as, const struct map_request *q, uintptr_t *out)
{
	bool populate;
	int error;

	if (!q->length || !IS_ALIGNED(q->length, PAGE_SIZE) || q->length > USER_END)
		return q->length > USER_END ? -ENOMEM : -EINVAL;
	error = rwlock_write_lock_killable(&as->lock);
	if (error)
		return error;
	error = map_locked(as, q, out);
	populate = q->populate || ((q->flags | as->default_flags) & REGION_LOCKED);
	rwlock_write_unlock(&as->lock);
	if (!error && populate && !(q->flags & REGION_LOCK_ON_FAULT))
		aspace_populate(as, *out, q->length, POPULATE_AS_ALLOWED);
	return error;
}
KAPI(aspace_map);

uintptr_t aspace_find_room(struct aspace *as, size_t length, size_t below)
{
	uintptr_t at;

	rwlock_read_lock(&as->lock);
	at = region_find_gap(as, length, lowest_place(), as->mmap_base - MIN(below, as->mmap_base));
	rwlock_read_unlock(&as->lock);
	return at;
}
KAPI(aspace_find_room);

int aspace_unmap(struct aspace *as, uintptr_t start, size_t length)
{
	int error;

	if (!range_valid(start, length))
		return -EINVAL;
	error = rwlock_write_lock_killable(&as->lock);
	if (error)
		return error;
	error = unmap_locked(as, start, start + length);
	if (!error)
		page_table_free_empty(&as->mmu, start, start + length);
	rwlock_write_unlock(&as->lock);
	return error;
}
KAPI(aspace_unmap);

/* The first region at or above `at` that the owners with these operations mapped as part of a whole that begins at `base`. */
static struct region *find_part(struct aspace *as, uintptr_t base, uintptr_t at, const struct region_owner_ops *ops)
{
	struct region *r = region_find(as, at, true);

	while (r && (r->owner_ops != ops || r->start - base != r->offset))
		r = region_next(as, r);
	return r;
}

int aspace_unmap_owner(struct aspace *as, uintptr_t base, const struct region_owner_ops *ops)
{
	struct region *r;
	void *owner;
	int error;

	error = rwlock_write_lock_killable(&as->lock);
	if (error)
		return error;
	r = find_part(as, base, base, ops);
	error = r ? 0 : -EINVAL;
	owner = r ? r->owner : NULL;
	while (!error && r) {
		uintptr_t start = r->start, end = r->end;

		if (r->owner == owner) {
			error = unmap_locked(as, start, end);
			page_table_free_empty(&as->mmu, start, end);
		}
		r = find_part(as, base, end, ops);
	}
	rwlock_write_unlock(&as->lock);
	return error;
}
KAPI(aspace_unmap_owner);

/* Gives present entries of a region the protection that it has now. */
static void reprotect(struct aspace *as, struct region *r)
{
	unsigned int prot = region_mmu_prot(r);
	uintptr_t va = page_table_next(&as->mmu, r->start, r->end);
	struct gather g;

	gather_start(&g, as);
	while (va < r->end) {
		uintptr_t stop = MIN(r->end, ALIGN_DOWN(va, 512 * PAGE_SIZE) + 512 * PAGE_SIZE);
		uint64_t *e;

		spin_lock(&as->pt_lock);
		e = page_table_entry(&as->mmu, va, false);
		for (; e && va < stop; va += PAGE_SIZE, e++) {
			unsigned int p = prot;

			if (!*e)
				continue;
			/* Write access only where it is there already: the fault decides about the rest. */
			if (!arch_pte_writable(*e))
				p &= ~MMU_WRITE;
			WRITE_ONCE(*e, arch_pte_prot(*e, p));
			gather_add(&g, va, NULL);
		}
		spin_unlock(&as->pt_lock);
		va = page_table_next(&as->mmu, stop, r->end);
	}
	gather_flush(&g);
}

/* Are there regions without a hole over the range, each allowing the protection? If not, *range_end is where the first obstacle begins. */
static int check_range(struct aspace *as, uintptr_t start, uintptr_t *range_end, unsigned int prot)
{
	uintptr_t end = *range_end;
	struct region *r = region_find(as, start, false);

	for (uintptr_t at = start; at < end; at = r->end, r = region_next(as, r)) {
		*range_end = at;
		if (!r || r->start > at)
			return -ENOMEM;
		if ((prot & REGION_WRITE) && !(r->flags & REGION_MAY_WRITE))
			return -EACCES;
		if ((prot & REGION_EXEC) && (r->flags & REGION_NOEXEC))
			return -EACCES;
		if (r->end >= end)
			break;
	}
	*range_end = end;
	return 0;
}

/* As on Linux, what lies before the first obstacle gets the new protection all the same. */
static int protect_locked(struct aspace *as, uintptr_t start, uintptr_t end, unsigned int prot, bool grows)
{
	struct region *r;
	int error, obstacle;

	if (grows) {
		r = region_find(as, start, true);
		if (!r || r->start >= end)
			return -ENOMEM;
		if (!(r->flags & REGION_GROWSDOWN))
			return -EINVAL;
		start = r->start;
	}
	obstacle = check_range(as, start, &end, prot);
	if (start == end)
		return obstacle;
	error = region_isolate(as, start, end, false);
	if (error)
		return error;
	for (r = region_find(as, start, false); r && r->start < end; r = region_next(as, r)) {
		uint64_t pages = (r->end - r->start) >> PAGE_SHIFT;

		if (!region_is_data(r->flags) && !aspace_may_grow_locked(as, (r->flags & ~REGION_PROT) | prot, pages, UINT64_MAX))
			return -ENOMEM;
		if ((prot & REGION_WRITE) && !(r->flags & (REGION_SHARED | REGION_ACCOUNTED | REGION_NORESERVE))) {
			if (!commit_charge(pages))
				return -ENOMEM;
			r->flags |= REGION_ACCOUNTED;
			as->accounted_pages += pages;
		}
		if (region_is_data(r->flags))
			as->data_pages -= pages;
		r->flags = (r->flags & ~REGION_PROT) | prot;
		if (region_is_data(r->flags))
			as->data_pages += pages;
		reprotect(as, r);
	}
	region_merge(as, start, end);
	return obstacle;
}

int aspace_protect(struct aspace *as, uintptr_t start, size_t length, unsigned int prot, bool grows)
{
	int error;

	if (length == 0)
		return 0;
	if (!range_valid(start, length))
		return IS_ALIGNED(start, PAGE_SIZE) ? -ENOMEM : -EINVAL;
	error = rwlock_write_lock_killable(&as->lock);
	if (error)
		return error;
	error = protect_locked(as, start, start + length, prot, grows);
	rwlock_write_unlock(&as->lock);
	return error;
}
KAPI(aspace_protect);

static void change_flags(struct aspace *as, struct region *r, unsigned int set, unsigned int clear)
{
	uint64_t pages = (r->end - r->start) >> PAGE_SHIFT;
	unsigned int before = r->flags;

	r->flags = (r->flags & ~clear) | set;
	if ((r->flags & REGION_LOCKED) && !(before & REGION_LOCKED))
		as->locked_pages += pages;
	if (!(r->flags & REGION_LOCKED) && (before & REGION_LOCKED))
		as->locked_pages -= pages;
}

/* Bytes of [start, end) that are locked. The lock is held. */
static size_t locked_within(struct aspace *as, uintptr_t start, uintptr_t end)
{
	size_t locked = 0;

	for (struct region *r = region_find(as, start, true); r && r->start < end; r = region_next(as, r))
		if (r->flags & REGION_LOCKED)
			locked += MIN(r->end, end) - MAX(r->start, start);
	return locked;
}

int aspace_change_flags(struct aspace *as, uintptr_t start, size_t length, unsigned int set, unsigned int clear)
{
	uintptr_t end = start + length, at = start;
	struct region *r;
	int error;

	if (length == 0)
		return 0;
	if (!range_valid(start, length))
		return IS_ALIGNED(start, PAGE_SIZE) ? -ENOMEM : -EINVAL;
	error = rwlock_write_lock_killable(&as->lock);
	if (error)
		return error;
	if ((set & REGION_LOCKED) && (as->locked_pages << PAGE_SHIFT) + length > as->locked_limit &&
	    (as->locked_pages << PAGE_SHIFT) + length - locked_within(as, start, end) > as->locked_limit)
		error = -ENOMEM;
	if (!error)
		error = region_isolate(as, start, end, false);
	if (!error) {
		bool hole = false;

		for (r = region_find(as, start, true); r && r->start < end; r = region_next(as, r)) {
			hole |= r->start != at;
			at = r->end;
			if (!(r->flags & REGION_SPECIAL))
				change_flags(as, r, set, clear);
		}
		region_merge(as, start, end);
		if (hole || at < end)
			error = -ENOMEM;
	}
	rwlock_write_unlock(&as->lock);
	return error;
}
KAPI(aspace_change_flags);
