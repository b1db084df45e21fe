/*
 * Page tables of user space.
 *
 * Leaf entries are under the address space's pt_lock, or its maker has it alone; so is mmu->tables. A table page is freed only
 * after every CPU that has the tables loaded has dropped what it remembers of it; nobody makes one meanwhile.
 */
#include "core/mem/page_table.h"

#include <asm/errno.h>

#include "core/lib/list.h"
#include "core/mem/page.h"

int page_table_create(struct arch_mmu *mmu)
{
	struct page *p = page_alloc(arch_mmu_root_order(), ALLOC_ZERO);

	if (!p)
		return -ENOMEM;
	arch_mmu_prepare(page_address(p));
	p->kind = PAGE_TABLE;
	mmu->root = page_to_phys(p);
	mmu->tables = 0;
	return 0;
}

static void free_table(uint64_t e, unsigned int level)
{
	uint64_t *table = table_of(e);

	if (level > 1)
		for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
			if (arch_table_present(table[i]))
				free_table(table[i], level - 1);
	page_free(phys_to_page(arch_pte_phys(e)), 0);
}

void page_table_destroy(struct arch_mmu *mmu)
{
	uint64_t *root = phys_to_virt(mmu->root);

	for (unsigned int i = 0; i <= table_index(USER_END - 1, 4); i++)
		if (arch_table_present(root[i]))
			free_table(root[i], 3);
	page_free(phys_to_page(mmu->root), arch_mmu_root_order());
	mmu->root = 0;
}

uint64_t *page_table_entry(struct arch_mmu *mmu, uintptr_t va, bool create)
{
	uint64_t *table = phys_to_virt(mmu->root);

	for (unsigned int level = 4; level > 1; level--) {
		uint64_t *e = &table[table_index(va, level)];

		if (likely(arch_table_present(*e))) {
			table = table_of(*e);
			continue;
		}
		if (!create)
			return NULL;
		table = table_below(e, true);
		if (!table)
			return NULL;
		if (level == 4)
			arch_mmu_root_changed(e);
		mmu->tables++;
	}
	return &table[table_index(va, 1)];
}

uintptr_t page_table_next(struct arch_mmu *mmu, uintptr_t va, uintptr_t end)
{
	while (va < end) {
		uint64_t *table = phys_to_virt(mmu->root);
		unsigned int level;

		for (level = 4; level > 1; level--) {
			uint64_t e = READ_ONCE(table[table_index(va, level)]);

			if (!arch_table_present(e))
				break;
			table = table_of(e);
		}
		if (level == 1)
			return va;
		va = ALIGN_UP(va + 1, 1ul << (12 + 9 * (level - 1)));
		if (!va)
			break;
	}
	return end;
}

static bool table_empty(const uint64_t *table)
{
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

void page_table_free_empty(struct arch_mmu *mmu, uintptr_t start, uintptr_t end)
{
	struct list freed = LIST_INIT(freed);
	struct page *p, *tmp;

	start = ALIGN_UP(start, SIZE_2M);
	for (uintptr_t va = page_table_next(mmu, start, end); va < end && end - va >= SIZE_2M;
	     va = page_table_next(mmu, va + SIZE_2M, end)) {
		uint64_t *table = phys_to_virt(mmu->root);
		uint64_t *e = NULL;

		va = ALIGN_DOWN(va, SIZE_2M);
		for (unsigned int level = 4; level > 1; level--) {
			e = &table[table_index(va, level)];
			table = table_of(*e);
		}
		if (!table_empty(table))
			continue;
		p = phys_to_page(arch_pte_phys(*e));
		WRITE_ONCE(*e, 0);
		mmu->tables--;
		list_add_tail(&freed, &p->link);
	}
	if (list_empty(&freed))
		return;
	arch_tlb_flush_tables(mmu);
	list_for_each_safe(p, tmp, &freed, link) {
		list_remove(&p->link);
		page_free(p, 0);
	}
}
