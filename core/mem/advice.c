/*
 * Operations on the pages of a range: the break, discarding, making present, residency, mremap.
 *
 * Locking: as each function says; none returns with a lock.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/panic.h"
#include "core/mem/page_table.h"
#include "core/module/export.h"
#include "core/sync/wait.h"

uintptr_t aspace_brk(struct aspace *as, uintptr_t brk, uint64_t limit, uint64_t data_limit)
{
	uintptr_t old_end, new_end, out;
	struct region *r;

	if (rwlock_write_lock_killable(&as->lock))
		return as->brk_end;
	old_end = ALIGN_UP(as->brk_end, PAGE_SIZE);
	if (brk < as->brk_start || brk >= USER_END)
		goto out;
	if (data_limit != UINT64_MAX && brk - as->brk_start + (as->data_end - as->data_start) > data_limit)
		goto out;
	new_end = ALIGN_UP(brk, PAGE_SIZE);
	if (new_end < old_end) {
		if (unmap_locked(as, new_end, old_end))
			goto out;
	} else if (new_end > old_end) {
		struct map_request q = {
			.addr = old_end, .length = new_end - old_end, .fixed_noreplace = true,
			.flags = REGION_READ | REGION_WRITE | REGION_MAY_WRITE | REGION_HEAP, .limit = limit,
		};

		r = region_find(as, old_end, true);
		/* A page stays free between the heap and what follows. */
		if ((r && r->start < new_end + PAGE_SIZE) || map_locked(as, &q, &out))
			goto out;
	}
	as->brk_end = brk;
out:
	out = as->brk_end;
	rwlock_write_unlock(&as->lock);
	return out;
}
KAPI(aspace_brk);

int aspace_discard(struct aspace *as, uintptr_t start, size_t length)
{
	uintptr_t end = start + length, at = start;
	struct region *r;
	int error = 0;

	rwlock_read_lock(&as->lock);
	for (r = region_find(as, start, true); r && r->start < end; r = region_next(as, r)) {
		if (r->start > at)
			error = -ENOMEM;
		at = r->end;
		if (r->flags & (REGION_LOCKED | REGION_SPECIAL)) {
			error = -EINVAL;
			break;
		}
		zap_range(as, r, MAX(start, r->start), MIN(end, r->end), false);
	}
	if (!error && at < end)
		error = -ENOMEM;
	rwlock_read_unlock(&as->lock);
	return error;
}
KAPI(aspace_discard);

static bool may_populate(const struct region *r, enum populate_mode how)
{
	unsigned int needed = how == POPULATE_FOR_READ ? REGION_READ : REGION_WRITE;

	return (r->flags & (needed | REGION_SPECIAL)) == needed;
}

/* One page of a region; the lock of the address space is held. */
static int populate_page(struct aspace *as, struct region *r, uintptr_t at, enum populate_mode how)
{
	bool write = how == POPULATE_FOR_WRITE;

	if (!r)
		return -ENOMEM;
	if (how == POPULATE_AS_ALLOWED) {
		if (!(r->flags & REGION_PROT))
			return -EFAULT;
		write = (r->flags & (REGION_WRITE | REGION_SHARED)) == REGION_WRITE;
	} else if (!may_populate(r, how)) {
		return -EINVAL;
	}
	switch (fault_locked(as, r, at, write ? FAULT_WRITE : FAULT_READ)) {
	case FAULT_DONE:
		return 0;
	case FAULT_BAD_ADDRESS:
	case FAULT_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return -EFAULT;
	}
}

int aspace_populate(struct aspace *as, uintptr_t start, size_t length, enum populate_mode how)
{
	uintptr_t end = start + length;
	int error = 0;

	for (uintptr_t at = start; at < end && !error; at += PAGE_SIZE) {
		if (wait_interrupted(WAIT_KILLABLE))
			return -EINTR;
		rwlock_read_lock(&as->lock);
		error = populate_page(as, region_find(as, at, false), at, how);
		rwlock_read_unlock(&as->lock);
	}
	return error;
}
KAPI(aspace_populate);

int aspace_residency(struct aspace *as, uintptr_t start, size_t pages, unsigned char *vec)
{
	int error = 0;

	rwlock_read_lock(&as->lock);
	for (size_t i = 0; i < pages; i++) {
		uintptr_t va = start + i * PAGE_SIZE;
		struct region *r = region_find(as, va, false);
		uint64_t *e;

		if (!r) {
			error = -ENOMEM;
			break;
		}
		spin_lock(&as->pt_lock);
		e = page_table_entry(&as->mmu, va, false);
		vec[i] = e && *e;
		spin_unlock(&as->pt_lock);
		if (!vec[i] && r->object && !r->object->ops->device_page) {
			struct page *p = memobj_lookup(r->object, (r->offset + (va - r->start)) >> PAGE_SHIFT);

			vec[i] = p != NULL;
			if (p)
				page_put(p);
		}
	}
	rwlock_read_unlock(&as->lock);
	return error;
}
KAPI(aspace_residency);

int aspace_page_mapped(struct aspace *as, uintptr_t addr)
{
	int error = -EFAULT;

	rwlock_read_lock(&as->lock);
	if (region_find(as, addr, false)) {
		uint64_t *e;

		spin_lock(&as->pt_lock);
		e = page_table_entry(&as->mmu, ALIGN_DOWN(addr, PAGE_SIZE), false);
		if (!e || !*e)
			error = -ENOENT;
		else if (!arch_pte_special(*e))
			error = 0;
		spin_unlock(&as->pt_lock);
	}
	rwlock_read_unlock(&as->lock);
	return error;
}
KAPI(aspace_page_mapped);

/* Moves the entries of a region part to a new place. aspace.lock held for writing. */
static int move_entries(struct aspace *as, uintptr_t from, uintptr_t to, size_t length)
{
	struct gather g;
	int error = 0;

	gather_start(&g, as);
	for (size_t at = 0; at < length; at += PAGE_SIZE) {
		uint64_t *src, *dst;

		if (page_table_next(&as->mmu, from + at, from + at + PAGE_SIZE) != from + at) {
			at = ALIGN_DOWN(from + at, 512 * PAGE_SIZE) + 511 * PAGE_SIZE - from;
			continue;
		}
		spin_lock(&as->pt_lock);
		src = page_table_entry(&as->mmu, from + at, false);
		if (src && *src) {
			dst = page_table_entry(&as->mmu, to + at, true);
			if (dst) {
				*dst = *src;
				WRITE_ONCE(*src, 0);
				gather_add(&g, from + at, NULL);
			} else {
				error = -ENOMEM;
			}
		}
		spin_unlock(&as->pt_lock);
		if (error)
			break;
	}
	gather_flush(&g);
	return error;
}

/* Grows a region where it stands, if the addresses above are free. */
static bool grow_in_place(struct aspace *as, struct region *r, size_t add, uint64_t limit)
{
	struct region *next = region_next(as, r);
	uint64_t pages = add >> PAGE_SHIFT;

	if (r->end + add < r->end || r->end + add > USER_END || (next && next->start < r->end + add))
		return false;
	if (!aspace_may_grow_locked(as, r->flags, pages, limit))
		return false;
	if (!aspace_may_lock_locked(as, r->flags, pages))
		return false;
	if ((r->flags & REGION_ACCOUNTED) && !commit_charge(pages))
		return false;
	region_set_range(r, r->start, r->end + add);
	return true;
}

static long move_region(struct aspace *as, struct region *r, const struct remap_request *q)
{
	size_t length = MIN(q->old_size, q->new_size);
	uintptr_t old = q->old_addr, at;
	struct map_request m = {
		.addr = q->new_addr, .length = q->new_size, .fixed = q->fixed, .flags = r->flags & ~REGION_ACCOUNTED,
		.object = r->object, .offset = r->offset + (old - r->start), .owner = r->owner,
		.owner_ops = r->owner_ops, .label = r->label, .limit = q->limit,
	};
	struct region *new;
	int error = map_locked(as, &m, &at);

	if (error)
		return error;
	r = region_find(as, old, false);	/* map_locked may have split or joined */
	new = region_find(as, at, false);
	if (r->has_private)
		WRITE_ONCE(new->has_private, true);
	error = move_entries(as, old, at, length);
	if (error)
		return error;
	if (as->vdso == old)
		as->vdso = at;
	if (!q->keep_old)
		error = unmap_locked(as, old, old + q->old_size);
	return error ? error : (long)at;
}

static long remap_locked(struct aspace *as, struct remap_request *q)
{
	struct region *r = region_find(as, q->old_addr, false);
	int error;

	if (!r)
		return -EFAULT;
	if (q->old_size == 0 && !(r->flags & REGION_SHARED))
		return -EINVAL;
	/* Kernel-made mappings (vDSO) may move as a whole, but not grow or be cut. */
	if ((r->flags & REGION_SPECIAL) && (q->old_size != r->end - r->start || q->new_size != q->old_size || !r->object))
		return q->new_size > q->old_size ? -EFAULT : -EINVAL;
	if (q->fixed) {
		if (!IS_ALIGNED(q->new_addr, PAGE_SIZE) || q->new_size > USER_END ||
		    q->new_addr > USER_END - q->new_size)
			return -EINVAL;
		if (q->old_addr < q->new_addr + q->new_size && q->new_addr < q->old_addr + q->old_size)
			return -EINVAL;
	}
	/* What is cut off may be of several regions. */
	if (q->new_size < q->old_size) {
		if (q->old_size > USER_END - q->old_addr)
			return -EINVAL;
		error = unmap_locked(as, q->old_addr + q->new_size, q->old_addr + q->old_size);
		if (error)
			return error;
		q->old_size = q->new_size;
	}
	if (!q->fixed && !q->keep_old && q->new_size == q->old_size)
		return (long)q->old_addr;
	if (q->old_size > r->end - q->old_addr)
		return -EFAULT;
	if (q->new_size > q->old_size && !aspace_may_lock_locked(as, r->flags, (q->new_size - q->old_size) >> PAGE_SHIFT))
		return -EAGAIN;
	if (!q->fixed && !q->keep_old && q->old_size && q->old_addr + q->old_size == r->end &&
	    grow_in_place(as, r, q->new_size - q->old_size, q->limit))
		return (long)q->old_addr;
	if (!q->may_move)
		return -ENOMEM;
	return move_region(as, r, q);
}

long aspace_remap(struct aspace *as, const struct remap_request *q)
{
	struct remap_request left = *q;
	long result = rwlock_write_lock_killable(&as->lock);

	if (result)
		return result;
	result = remap_locked(as, &left);
	rwlock_write_unlock(&as->lock);
	return result;
}
KAPI(aspace_remap);
