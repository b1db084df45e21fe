/*
 * Page faults: bringing the page that an access wants into the page table.
 *
 * Pages are prepared without locks and put in under pt_lock, after another look at the entry: whoever comes second drops
 * his page. A private page with one reference is only mapped here and is written in place; otherwise it is copied, and the check
 * of the count and the change of the entry are one step under pt_lock.
 *
 * Locking: aspace.lock held for reading (writing is fine, too); pt_lock inside.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/module/export.h"
#include "core/sched/thread.h"

#define FAULT_AROUND 16u

/* Puts `p` (whose reference it takes over) at an empty or zero-page entry. False if somebody else filled it: p is released. */
static bool install_anonymous(struct aspace *as, uintptr_t va, struct page *p, unsigned int prot)
{
	uint64_t *e;
	bool done = false, was_zero_page = false;

	spin_lock(&as->pt_lock);
	e = page_table_entry(&as->mmu, va, true);
	if (e && (!*e || arch_pte_special(*e))) {
		was_zero_page = *e != 0;
		p->kind = PAGE_ANON;
		WRITE_ONCE(*e, arch_pte_make(page_to_phys(p), prot | MMU_DIRTY));
		as->resident_anon++;
		done = true;
	}
	if (was_zero_page)
		arch_tlb_flush_range(&as->mmu, &as->cpus, va, va + PAGE_SIZE);
	spin_unlock(&as->pt_lock);
	if (!done)
		page_put(p);
	return e != NULL;
}

static enum fault_result fault_anonymous(struct aspace *as, struct region *r, uintptr_t va, enum fault_kind kind)
{
	unsigned int prot = region_mmu_prot(r);
	struct page *p;

	if (kind != FAULT_WRITE) {
		uint64_t *e;

		spin_lock(&as->pt_lock);
		e = page_table_entry(&as->mmu, va, true);
		if (e && !*e)
			WRITE_ONCE(*e, arch_pte_make(page_to_phys(page_zero), (prot & ~MMU_WRITE) | MMU_SPECIAL));
		spin_unlock(&as->pt_lock);
		return e ? FAULT_DONE : FAULT_OUT_OF_MEMORY;
	}
	p = page_alloc(0, ALLOC_ZERO | ALLOC_USER);
	if (!p)
		return FAULT_OUT_OF_MEMORY;
	return install_anonymous(as, va, p, prot) ? FAULT_DONE : FAULT_OUT_OF_MEMORY;
}

/* Maps pages around `va` that the object has already, without write access for private mappings. pt_lock is taken here. */
static void map_around(struct aspace *as, struct region *r, uintptr_t va)
{
	uintptr_t first = MAX(r->start, ALIGN_DOWN(va, FAULT_AROUND * PAGE_SIZE));
	uintptr_t last = MIN(r->end, ALIGN_DOWN(va, FAULT_AROUND * PAGE_SIZE) + FAULT_AROUND * PAGE_SIZE);
	unsigned int prot = region_mmu_prot(r) & ~MMU_WRITE;
	uint64_t size_pages = DIV_UP(READ_ONCE(r->object->size), PAGE_SIZE);
	uint64_t index = (r->offset + (first - r->start)) >> PAGE_SHIFT;
	uint64_t *e;

	spin_lock(&as->pt_lock);
	e = page_table_entry(&as->mmu, first, true);
	spin_lock(&r->object->lock);
	for (; e && first < last && index < size_pages; first += PAGE_SIZE, e++, index++) {
		struct page *p;

		if (*e)
			continue;
		p = memobj_tree_get(r->object, index);
		if (!p || (p->flags & PAGE_AHEAD))
			continue;
		page_get(p);
		WRITE_ONCE(*e, arch_pte_make(page_to_phys(p), prot));
		as->resident_file++;
	}
	spin_unlock(&r->object->lock);
	spin_unlock(&as->pt_lock);
}

static enum fault_result object_error(int error)
{
	return error == -ENOMEM ? FAULT_OUT_OF_MEMORY : FAULT_BUS;
}

/* A private mapping writes: it gets a copy of the device's page, if that is memory. */
static enum fault_result copy_device(struct aspace *as, struct region *r, uintptr_t va, uint64_t phys)
{
	struct page *copy;

	if (!phys_has_page(phys))
		return FAULT_BUS;
	copy = page_alloc(0, ALLOC_USER);
	if (!copy)
		return FAULT_OUT_OF_MEMORY;
	memcpy(page_address(copy), phys_to_virt(phys), PAGE_SIZE);
	WRITE_ONCE(r->has_private, true);
	return install_anonymous(as, va, copy, region_mmu_prot(r)) ? FAULT_DONE : FAULT_OUT_OF_MEMORY;
}

/*
 * The device's own page: written in place by shared mappings only. A private one has it for reading
 * until a write asks for a copy.
 */
static enum fault_result fault_device(struct aspace *as, struct region *r, uintptr_t va, bool write)
{
	uint64_t index = (r->offset + (va - r->start)) >> PAGE_SHIFT;
	unsigned int extra = 0, prot = region_mmu_prot(r);
	bool shared = r->flags & REGION_SHARED;
	uint64_t phys;
	uint64_t *e;
	int error = r->object->ops->device_page(r->object, index, &phys, &extra);

	if (error)
		return object_error(error);
	if (write && !shared)
		return copy_device(as, r, va, phys);
	if (!shared)
		prot &= ~MMU_WRITE;
	spin_lock(&as->pt_lock);
	e = page_table_entry(&as->mmu, va, true);
	if (e && !*e)
		WRITE_ONCE(*e, arch_pte_make(phys, prot | extra | MMU_SPECIAL | MMU_DIRTY));
	spin_unlock(&as->pt_lock);
	return e ? FAULT_DONE : FAULT_OUT_OF_MEMORY;
}

/* A page of the object itself, shared or for reading only. */
static enum fault_result map_object_page(struct aspace *as, struct region *r, uintptr_t va, struct page *p, bool write)
{
	unsigned int prot = region_mmu_prot(r);
	uint64_t *e;
	bool used = false;

	if (!write)
		prot &= ~MMU_WRITE;
	spin_lock(&as->pt_lock);
	e = page_table_entry(&as->mmu, va, true);
	/* A page dropped from the object meanwhile must not come back: look again, under the lock that orders with zap. */
	if (e && !*e) {
		uint64_t index = (r->offset + (va - r->start)) >> PAGE_SHIFT;

		spin_lock(&r->object->lock);
		used = memobj_tree_get(r->object, index) == p;
		spin_unlock(&r->object->lock);
		if (used) {
			WRITE_ONCE(*e, arch_pte_make(page_to_phys(p), prot | (write ? MMU_DIRTY : 0)));
			as->resident_file++;
		}
	}
	spin_unlock(&as->pt_lock);
	if (!used)
		page_put(p);
	return e ? FAULT_DONE : FAULT_OUT_OF_MEMORY;
}

static enum fault_result fault_object(struct aspace *as, struct region *r, uintptr_t va, enum fault_kind kind)
{
	uint64_t index = (r->offset + (va - r->start)) >> PAGE_SHIFT;
	bool shared = r->flags & REGION_SHARED, write = kind == FAULT_WRITE;
	struct page *p, *copy;
	int error;

	if (r->object->ops->device_page)
		return fault_device(as, r, va, write);
	error = memobj_page(r->object, index, &p);
	if (error)
		return object_error(error);
	if (shared && write && r->object->ops->made_dirty)
		r->object->ops->made_dirty(r->object);
	if (shared || !write) {
		enum fault_result result = map_object_page(as, r, va, p, shared && (r->flags & REGION_WRITE) && write);

		if (result == FAULT_DONE && !write)
			map_around(as, r, va);
		return result;
	}
	copy = page_alloc(0, ALLOC_USER);
	if (!copy) {
		page_put(p);
		return FAULT_OUT_OF_MEMORY;
	}
	memcpy(page_address(copy), page_address(p), PAGE_SIZE);
	page_put(p);
	WRITE_ONCE(r->has_private, true);
	return install_anonymous(as, va, copy, region_mmu_prot(r)) ? FAULT_DONE : FAULT_OUT_OF_MEMORY;
}

/* A write to a page that is mapped without write access in a region that has it. */
static enum fault_result fault_write_protected(struct aspace *as, struct region *r, uintptr_t va, uint64_t seen)
{
	struct page *old = NULL, *copy;
	uint64_t *e;
	bool special;

	spin_lock(&as->pt_lock);
	e = page_table_entry(&as->mmu, va, false);
	if (!e || *e != seen || arch_pte_writable(seen)) {
		spin_unlock(&as->pt_lock);
		return FAULT_DONE;		/* changed meanwhile: the access is tried again */
	}
	special = arch_pte_special(seen);
	if (!special)
		old = phys_to_page(arch_pte_phys(seen));
	if ((r->flags & REGION_SHARED) ||
	    (!special && old->kind == PAGE_ANON && __atomic_load_n(&old->refs, __ATOMIC_ACQUIRE) == 1)) {
		WRITE_ONCE(*e, arch_pte_mkwrite(seen));
		arch_tlb_flush_local(va);	/* others fault once more and find it writable */
		spin_unlock(&as->pt_lock);
		if ((r->flags & REGION_SHARED) && r->object && r->object->ops->made_dirty)
			r->object->ops->made_dirty(r->object);
		return FAULT_DONE;
	}
	if (!special)
		page_get(old);
	spin_unlock(&as->pt_lock);
	if (special)
		return arch_pte_phys(seen) == page_to_phys(page_zero) ?
			fault_anonymous(as, r, va, FAULT_WRITE) : fault_device(as, r, va, true);
	copy = page_alloc(0, ALLOC_USER);
	if (!copy) {
		page_put(old);
		return FAULT_OUT_OF_MEMORY;
	}
	memcpy(page_address(copy), page_address(old), PAGE_SIZE);
	WRITE_ONCE(r->has_private, true);
	spin_lock(&as->pt_lock);
	e = page_table_entry(&as->mmu, va, false);
	if (e && *e && arch_pte_phys(*e) == page_to_phys(old) && !arch_pte_special(*e) && !arch_pte_writable(*e)) {
		if (old->kind == PAGE_ANON) {
			as->resident_anon--;
		} else {
			as->resident_file--;
		}
		copy->kind = PAGE_ANON;
		as->resident_anon++;
		WRITE_ONCE(*e, arch_pte_make(page_to_phys(copy), region_mmu_prot(r) | MMU_DIRTY));
		arch_tlb_flush_range(&as->mmu, &as->cpus, va, va + PAGE_SIZE);
		spin_unlock(&as->pt_lock);
		page_put(old);		/* the entry's */
	} else {
		spin_unlock(&as->pt_lock);
		page_put(copy);
	}
	page_put(old);
	return FAULT_DONE;
}

static bool access_allowed(const struct region *r, enum fault_kind kind)
{
	if (kind == FAULT_WRITE)
		return r->flags & REGION_WRITE;
	if (kind == FAULT_EXEC)
		return r->flags & REGION_EXEC;
	return r->flags & REGION_PROT;
}

enum fault_result fault_locked(struct aspace *as, struct region *r, uintptr_t addr, enum fault_kind kind)
{
	uintptr_t va = ALIGN_DOWN(addr, PAGE_SIZE);
	uint64_t *e, seen;

	if (!access_allowed(r, kind))
		return FAULT_BAD_ACCESS;
	spin_lock(&as->pt_lock);
	e = page_table_entry(&as->mmu, va, false);
	seen = e ? *e : 0;
	spin_unlock(&as->pt_lock);
	if (!seen)
		return r->object ? fault_object(as, r, va, kind) : fault_anonymous(as, r, va, kind);
	if (kind == FAULT_WRITE && !arch_pte_writable(seen))
		return fault_write_protected(as, r, va, seen);
	arch_tlb_flush_local(va);	/* an old translation of this CPU */
	return FAULT_DONE;
}

/* Grows a stack region down to the fault. True if the address is in a region afterwards. */
static bool grow_stack(struct aspace *as, uintptr_t addr)
{
	uintptr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	struct region *r, *below;
	struct rb_node *prev;
	bool grown = false;

	rwlock_write_lock(&as->lock);
	r = region_find(as, addr, true);
	if (r && addr >= r->start) {
		grown = true;
	} else if (r && (r->flags & REGION_GROWSDOWN) && r->end - start <= as->stack_limit &&
		   start >= READ_ONCE(mmap_min_addr)) {
		uint64_t pages = (r->start - start) >> PAGE_SHIFT;

		prev = rb_prev(&r->node);
		below = prev ? rb_entry(prev, struct region, node) : NULL;
		/* A gap is kept to what lies below, unless that is a stack, too. */
		if ((!below || (below->flags & REGION_GROWSDOWN) || start >= below->end + 256 * PAGE_SIZE ||
		     !(below->flags & REGION_PROT)) && (!below || start >= below->end) &&
		    aspace_may_grow_locked(as, r->flags, pages, READ_ONCE(as->size_limit)) &&
		    aspace_may_lock_locked(as, r->flags, pages) &&
		    commit_charge(pages)) {
			region_set_range(r, start, r->end);
			grown = true;
		}
	}
	rwlock_write_unlock(&as->lock);
	return grown;
}

enum fault_result aspace_fault(struct aspace *as, uintptr_t addr, enum fault_kind kind)
{
	enum fault_result result;
	struct region *r;

	if (addr >= USER_END)
		return FAULT_BAD_ADDRESS;
	rwlock_read_lock(&as->lock);
	r = region_find(as, addr, true);
	if (unlikely(r && addr < r->start && (r->flags & REGION_GROWSDOWN))) {
		rwlock_read_unlock(&as->lock);
		if (!grow_stack(as, addr))
			return FAULT_BAD_ADDRESS;
		rwlock_read_lock(&as->lock);
		r = region_find(as, addr, true);
	}
	if (unlikely(!r || addr < r->start))
		result = FAULT_BAD_ADDRESS;
	else
		result = fault_locked(as, r, addr, kind);
	rwlock_read_unlock(&as->lock);
	if (result == FAULT_DONE && current->aspace == as)
		current->faults_minor++;
	return result;
}
KAPI(aspace_fault);
