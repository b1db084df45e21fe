/*
 * Clearing page-table entries, with the pages released only after every CPU has forgotten them.
 *
 * Locking: zap_range takes pt_lock; the caller keeps the region from going away (aspace.lock, or its object's regions_lock).
 */
#include "internal.h"

#include "core/debug/panic.h"
#include "core/mem/page_table.h"

void gather_start(struct gather *g, struct aspace *as)
{
	g->as = as;
	g->start = UINTPTR_MAX;
	g->end = 0;
	g->count = 0;
}

void gather_flush(struct gather *g)
{
	if (g->start < g->end)
		arch_tlb_flush_range(&g->as->mmu, &g->as->cpus, g->start, g->end);
	g->start = UINTPTR_MAX;
	g->end = 0;
	while (g->count)
		page_put(g->pages[--g->count]);
}

void gather_add(struct gather *g, uintptr_t va, struct page *p)
{
	if (va < g->start)
		g->start = va;
	if (va + PAGE_SIZE > g->end)
		g->end = va + PAGE_SIZE;
	if (p) {
		g->pages[g->count++] = p;
		if (g->count == GATHER_PAGES)
			gather_flush(g);
	}
}

unsigned int region_mmu_prot(const struct region *r)
{
	unsigned int prot = MMU_USER;

	if (!(r->flags & REGION_PROT))
		return MMU_NONE;
	if (r->flags & REGION_READ)
		prot |= MMU_READ;
	if (r->flags & REGION_WRITE)
		prot |= MMU_READ | MMU_WRITE;
	if (r->flags & REGION_EXEC)
		prot |= MMU_READ | MMU_EXEC;
	return prot;
}

/* Clears one present entry. pt_lock held. */
static void zap_entry(struct gather *g, uint64_t *e, uintptr_t va, bool keep_private)
{
	uint64_t old = *e;
	struct page *p = NULL;

	if (!arch_pte_special(old)) {
		p = phys_to_page(arch_pte_phys(old));
		if (p->kind == PAGE_ANON) {
			if (keep_private)
				return;
			g->as->resident_anon--;
		} else {
			g->as->resident_file--;
			if (arch_pte_dirty(old))
				p->flags |= PAGE_DIRTY;
		}
	}
	WRITE_ONCE(*e, 0);
	gather_add(g, va, p);
}

void zap_range(struct aspace *as, struct region *r, uintptr_t start, uintptr_t end, bool keep_private)
{
	struct gather g;
	uintptr_t va = page_table_next(&as->mmu, start, end);

	(void)r;
	gather_start(&g, as);
	while (va < end) {
		uintptr_t stop = MIN(end, ALIGN_DOWN(va, 512 * PAGE_SIZE) + 512 * PAGE_SIZE);
		uint64_t *e;

		spin_lock(&as->pt_lock);
		e = page_table_entry(&as->mmu, va, false);
		if (e)
			for (; va < stop; va += PAGE_SIZE, e++)
				if (*e)
					zap_entry(&g, e, va, keep_private);
		gather_flush(&g);
		spin_unlock(&as->pt_lock);
		va = page_table_next(&as->mmu, stop, end);
	}
}
