/*
 * Reaching into an address space from the kernel, whatever is loaded on this CPU: through the pages, by the direct map.
 *
 * A page is referenced under pt_lock after the fault code has made it present, so it stays while it is copied.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/module/export.h"

/* The page that an access of this kind finds, referenced. Null with a fault result otherwise. aspace.lock held for reading. */
static struct page *get_page(struct aspace *as, struct region *r, uintptr_t va, bool write)
{
	for (unsigned int tries = 0; tries < 8; tries++) {
		struct page *p = NULL;
		uint64_t *e, seen;

		spin_lock(&as->pt_lock);
		e = page_table_entry(&as->mmu, va, false);
		seen = e ? *e : 0;
		if (seen && (!write || arch_pte_writable(seen)) &&
		    (!arch_pte_special(seen) || arch_pte_phys(seen) == page_to_phys(page_zero))) {
			p = phys_to_page(arch_pte_phys(seen));
			page_get(p);
		}
		spin_unlock(&as->pt_lock);
		if (p)
			return p;
		if (fault_locked(as, r, va, write ? FAULT_WRITE : FAULT_READ) != FAULT_DONE)
			return NULL;
	}
	return NULL;
}

/* May an access go to the region at all? As Linux's check for get_user_pages has it. */
static bool access_allowed(const struct region *r, bool write, bool force)
{
	unsigned int flags = r->flags;

	if (r->object && r->object->ops->device_page)
		return false;
	if (flags & (write ? REGION_WRITE : REGION_READ))
		return true;
	if (!write)
		return force;
	return force && (flags & (REGION_SHARED | REGION_MAY_WRITE)) == REGION_MAY_WRITE;
}

/*
 * Gives the entry at `va` the region's protection; a page that is not written in place stays so.
 * aspace.lock held for writing.
 */
static void restore_entry(struct aspace *as, struct region *r, uintptr_t va)
{
	unsigned int prot = region_mmu_prot(r);
	uint64_t *e;

	spin_lock(&as->pt_lock);
	e = page_table_entry(&as->mmu, va, false);
	if (e && !arch_pte_writable(*e))
		prot &= ~MMU_WRITE;
	if (e && *e)
		WRITE_ONCE(*e, arch_pte_prot(*e, prot));
	spin_unlock(&as->pt_lock);
	arch_tlb_flush_range(&as->mmu, &as->cpus, va, va + PAGE_SIZE);
}

/*
 * get_page() as if the protection allowed it. aspace.lock held for writing, which keeps faults out.
 */
static struct page *get_page_forced(struct aspace *as, struct region *r, uintptr_t va, bool write)
{
	unsigned int flags = r->flags;
	struct page *p;

	r->flags |= REGION_READ | (write ? REGION_WRITE : 0);
	p = get_page(as, r, va, write);
	r->flags = flags;
	if (p)
		restore_entry(as, r, va);
	return p;
}

/* One page's part. Bytes copied; 0 if it cannot be had. */
static size_t access_page(struct aspace *as, uintptr_t addr, void *buf, size_t n, bool write, bool force)
{
	size_t in_page = addr & PAGE_MASK, part = MIN(n, PAGE_SIZE - in_page);
	uintptr_t va = ALIGN_DOWN(addr, PAGE_SIZE);
	struct page *p = NULL;
	struct region *r;

	if (write || force)
		rwlock_write_lock(&as->lock);
	else
		rwlock_read_lock(&as->lock);
	r = region_find(as, addr, false);
	if (r && access_allowed(r, write, force)) {
		if (r->flags & (write ? REGION_WRITE : REGION_READ))
			p = get_page(as, r, va, write);
		else
			p = get_page_forced(as, r, va, write);
	}
	if (write || force)
		rwlock_write_unlock(&as->lock);
	else
		rwlock_read_unlock(&as->lock);
	if (!p)
		return 0;
	if (write)
		memcpy((char *)page_address(p) + in_page, buf, part);
	else
		memcpy(buf, (char *)page_address(p) + in_page, part);
	page_put(p);
	return part;
}

static long access_range(struct aspace *as, uintptr_t addr, void *buf, size_t n, bool write, bool force)
{
	size_t done = 0;

	if (addr >= USER_END)
		return -EFAULT;
	n = MIN(n, (size_t)(USER_END - addr));
	while (done < n) {
		size_t part = access_page(as, addr + done, (char *)buf + done, n - done, write, force);

		if (!part)
			break;
		done += part;
	}
	return done || !n ? (long)done : -EFAULT;
}

long aspace_read(struct aspace *as, uintptr_t addr, void *dst, size_t n, bool force)
{
	return access_range(as, addr, dst, n, false, force);
}
KAPI(aspace_read);

long aspace_write(struct aspace *as, uintptr_t addr, const void *src, size_t n, bool force)
{
	return access_range(as, addr, (void *)src, n, true, force);
}
KAPI(aspace_write);

/* No page can be there: an access would get SIGBUS. The address space's lock is held. */
static bool beyond_object(const struct region *r, uintptr_t addr)
{
	const struct memobj *o = r->object;

	return o && !o->ops->device_page && r->offset + (addr - r->start) >= ALIGN_UP(READ_ONCE(o->size), PAGE_SIZE);
}

int aspace_futex_key(struct aspace *as, uintptr_t addr, bool write, struct aspace_key *out)
{
	struct region *r;
	int error = 0;

	(void)write;
	rwlock_read_lock(&as->lock);
	r = region_find(as, addr, false);
	if (!r || !(r->flags & REGION_PROT) || beyond_object(r, addr)) {
		error = -EFAULT;
	} else if ((r->flags & REGION_SHARED) && r->object) {
		out->id = r->object->id;
		out->offset = r->offset + (addr - r->start);
		out->shared = true;
	} else {
		out->id = as->id;
		out->offset = addr;
		out->shared = false;
	}
	rwlock_read_unlock(&as->lock);
	return error;
}
KAPI(aspace_futex_key);
