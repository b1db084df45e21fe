/*
 * Looking at the pages that an address space has mapped, for reports.
 *
 * Locking: takes aspace.lock for reading, and pt_lock table by table.
 */
#include "internal.h"

#include "core/mem/page_table.h"
#include "core/module/export.h"

static void view_entry(uint64_t e, struct page_view *v)
{
	struct page *p = arch_pte_special(e) ? NULL : phys_to_page(arch_pte_phys(e));

	v->phys = arch_pte_phys(e);
	v->young = arch_pte_young(e);
	v->dirty = arch_pte_dirty(e);
	v->special = !p;
	v->anonymous = p && p->kind == PAGE_ANON;
	v->mappings = 1;
	if (p) {
		unsigned int users = READ_ONCE(p->refs);

		/* The object's own reference maps nothing. */
		if (p->kind == PAGE_OBJECT && users)
			users--;
		v->mappings = MAX(users, 1u);
		v->dirty |= (p->flags & PAGE_DIRTY) != 0;
	}
}

void aspace_each_page(struct aspace *as, uintptr_t start, uintptr_t end, void (*fn)(const struct page_view *v, void *arg), void *arg)
{
	struct page_view v;

	end = MIN(end, (uintptr_t)USER_END);
	rwlock_read_lock(&as->lock);
	for (uintptr_t va = page_table_next(&as->mmu, start, end); va < end; va = page_table_next(&as->mmu, va, end)) {
		uintptr_t stop = MIN(ALIGN_DOWN(va, SIZE_2M) + SIZE_2M, end);
		uint64_t *e;

		spin_lock(&as->pt_lock);
		e = page_table_entry(&as->mmu, va, false);
		for (; va < stop; va += PAGE_SIZE, e++) {
			if (!arch_pte_present(*e))
				continue;
			v.va = va;
			view_entry(*e, &v);
			fn(&v, arg);
		}
		spin_unlock(&as->pt_lock);
	}
	rwlock_read_unlock(&as->lock);
}
KAPI(aspace_each_page);
