/*
 * Page tables of the kernel.
 *
 * Entries are set without a lock: table pages are put in by compare-and-swap, and every area belongs to its allocator. At boot, on one
 * CPU, the port maps memory and the image; until the page allocator works, tables come from boot memory.
 */
#include <asm/errno.h>

#include "core/boot/boot.h"
#include "core/mem/page.h"
#include "core/mem/page_table.h"
#include "core/module/export.h"

static uint64_t root;
static bool allocator_works;

uint64_t kernel_map_root(void)
{
	return root;
}

void kernel_map_boot(void)
{
	root = ALIGN_UP(boot_alloc(2 * PAGE_SIZE, BOOT_TABLE_LIMIT), 2 * PAGE_SIZE);
}

void kernel_map_allocator_ready(void)
{
	allocator_works = true;
}

/* A zeroed table page; 0 if memory is out. */
static uint64_t table_alloc(void)
{
	struct page *p;

	if (!allocator_works)
		return boot_alloc(PAGE_SIZE, BOOT_TABLE_LIMIT);
	p = page_alloc(0, ALLOC_ZERO | ALLOC_ATOMIC);
	if (!p)
		return 0;
	p->kind = PAGE_TABLE;
	return page_to_phys(p);
}

/* Races are settled by the swap. */
uint64_t *table_below(uint64_t *e, bool user)
{
	uint64_t old = READ_ONCE(*e), phys;

	if (likely(arch_table_present(old)))
		return table_of(old);
	phys = table_alloc();
	if (!phys)
		return NULL;
	arch_table_publish();		/* the zeros are there before a walk can find the table */
	if (!__atomic_compare_exchange_n(e, &old, arch_table_make(phys, user), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		page_free(phys_to_page(phys), 0);
		return table_of(old);
	}
	return phys_to_virt(phys);
}

uint64_t *kernel_map_entry(uintptr_t va, unsigned int level, bool create)
{
	uint64_t *table = phys_to_virt(root);

	for (unsigned int l = 4; l > level; l--) {
		uint64_t *e = &table[table_index(va, l)];

		if (!create && !arch_table_present(READ_ONCE(*e)))
			return NULL;
		table = table_below(e, false);
		if (!table)
			return NULL;
	}
	return &table[table_index(va, level)];
}

void kernel_map_range(uintptr_t va, uint64_t phys, uint64_t size, unsigned int prot)
{
	uint64_t flags = arch_pte_kernel(prot | MMU_GLOBAL | MMU_DIRTY);

	while (size) {
		unsigned int level = 1;
		uint64_t step = PAGE_SIZE;

		if (arch_table_has_1g() && !((va | phys) & (SIZE_1G - 1)) && size >= SIZE_1G) {
			level = 3;
			step = SIZE_1G;
		} else if (!((va | phys) & (SIZE_2M - 1)) && size >= SIZE_2M) {
			level = 2;
			step = SIZE_2M;
		}
		*kernel_map_entry(va, level, true) = phys | (level > 1 ? arch_pte_block(flags) : flags);
		va += step;
		phys += step;
		size -= step;
	}
}

static void map_direct(uint64_t start, uint64_t end, uint64_t ro_start, uint64_t ro_end)
{
	uint64_t split[3] = { MIN(MAX(start, ro_start), end), MIN(MAX(start, ro_end), end), end };

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t from = i ? split[i - 1] : start;

		if (split[i] > from)
			kernel_map_range(KERNEL_DIRECT_BASE + from, from, split[i] - from,
					 i == 1 ? MMU_READ : MMU_READ | MMU_WRITE);
	}
}

void kernel_map_loaded(uint64_t phys, uint64_t size)
{
	uint64_t start = ALIGN_DOWN(phys, PAGE_SIZE), end = ALIGN_UP(phys + size, PAGE_SIZE), stop;
	bool mapped;

	for (; start < end; start = stop) {
		kernel_phys(KERNEL_DIRECT_BASE + start, &mapped);
		stop = start + PAGE_SIZE;
		if (mapped)
			continue;
		for (; stop < end && !mapped; stop += mapped ? 0 : PAGE_SIZE)
			kernel_phys(KERNEL_DIRECT_BASE + stop, &mapped);
		kernel_map_range(KERNEL_DIRECT_BASE + start, start, stop - start, MMU_READ);
	}
}

/* Ranges that touch are mapped as one, so that large pages fit; pages that are RAM in part only are left out. */
static void map_ram(uint64_t ro_start, uint64_t ro_end)
{
	const struct boot_info *b = &boot_info;
	uint64_t start = 0, end = 0;

	for (unsigned int i = 0; i <= b->range_count; i++) {
		const struct boot_range *r = &b->ranges[i];
		uint64_t s, e;

		if (i < b->range_count && r->kind != BOOT_RAM && r->kind != BOOT_ACPI_RECLAIM)
			continue;
		s = i < b->range_count ? ALIGN_UP(r->start, PAGE_SIZE) : UINT64_MAX;
		e = i < b->range_count ? ALIGN_DOWN(r->end, PAGE_SIZE) : UINT64_MAX;
		if (i < b->range_count && s >= e)
			continue;
		if (end && s == end) {
			end = e;
			continue;
		}
		if (end > start)
			map_direct(start, MIN(end, KERNEL_DIRECT_SIZE), ro_start, ro_end);
		start = s;
		end = e;
	}
}

void kernel_map_memory(uint64_t ro_start, uint64_t ro_end)
{
	const struct boot_info *b = &boot_info;

	map_ram(ro_start, ro_end);
	for (unsigned int i = 0; i < b->archive_count; i++)
		kernel_map_loaded(b->archives[i].phys, b->archives[i].size);
}

int kernel_map(uintptr_t va, uint64_t phys, size_t size, unsigned int prot)
{
	uint64_t flags = arch_pte_kernel(prot | MMU_DIRTY);
	size_t done;

	for (done = 0; done < size; done += PAGE_SIZE) {
		uint64_t *e = kernel_map_entry(va + done, 1, true);

		if (!e)
			goto undo_entries;
		WRITE_ONCE(*e, (phys + done) | flags);
	}
	arch_table_publish();
	return 0;
undo_entries:
	/* Nobody has used them: there is nothing to flush. */
	while (done) {
		done -= PAGE_SIZE;
		WRITE_ONCE(*kernel_map_entry(va + done, 1, false), 0);
	}
	return -ENOMEM;
}

void kernel_unmap(uintptr_t va, size_t size)
{
	for (size_t done = 0; done < size; done += PAGE_SIZE) {
		uint64_t *e = kernel_map_entry(va + done, 1, false);

		if (e)
			WRITE_ONCE(*e, 0);
	}
	arch_tlb_flush_kernel(va, size);
}

void kernel_protect(uintptr_t va, size_t size, unsigned int prot)
{
	for (size_t done = 0; done < size; done += PAGE_SIZE) {
		uint64_t *e = kernel_map_entry(va + done, 1, false);

		if (e && arch_pte_present(*e))
			WRITE_ONCE(*e, arch_pte_phys(*e) | arch_pte_kernel(prot | MMU_DIRTY));
	}
	arch_tlb_flush_kernel(va, size);
}

/* The entry that maps a kernel address, and its level; null if there is none. */
static uint64_t *find_leaf(uintptr_t va, unsigned int *level)
{
	uint64_t *table = phys_to_virt(root);

	if (va < KERNEL_HALF_BASE || !root)
		return NULL;
	for (*level = 4;; --*level) {
		uint64_t *e = &table[table_index(va, *level)], value = READ_ONCE(*e);

		if (!arch_table_present(value))
			return NULL;
		if (*level == 1 || arch_table_block(value))
			return e;
		table = table_of(value);
	}
}

uint64_t kernel_phys(uintptr_t va, bool *ok)
{
	unsigned int level;
	uint64_t *e = find_leaf(va, &level), size;

	*ok = e != NULL;
	if (!e)
		return 0;
	size = 1ul << (12 + 9 * (level - 1));
	return (arch_pte_phys(READ_ONCE(*e)) & ~(size - 1)) | (va & (size - 1));
}
KAPI(kernel_phys);

uint64_t kernel_leaf(uintptr_t va, unsigned int *level)
{
	uint64_t *e = find_leaf(va, level);

	return e ? READ_ONCE(*e) : 0;
}

bool kernel_may_write(uintptr_t va)
{
	unsigned int level;
	uint64_t *e = find_leaf(va, &level);

	return e && arch_pte_writable(READ_ONCE(*e));
}

/* Puts a table of 512 entries that map the same in the place of a large page. */
static int split(uint64_t *e, unsigned int level)
{
	uint64_t old = READ_ONCE(*e), phys = table_alloc(), *table;
	uint64_t step = 1ul << (12 + 9 * (level - 2)), from = arch_pte_phys(old) & ~(step * TABLE_ENTRIES - 1);
	uint64_t flags = arch_pte_kernel((arch_pte_writable(old) ? MMU_READ | MMU_WRITE : MMU_READ) |
					 MMU_GLOBAL | MMU_DIRTY);

	if (!phys)
		return -ENOMEM;
	table = phys_to_virt(phys);
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		table[i] = (from + i * step) | (level > 2 ? arch_pte_block(flags) : flags);
	arch_table_publish();
	WRITE_ONCE(*e, arch_table_make(phys, false));
	return 0;
}

int kernel_direct_protect(uint64_t phys, unsigned int prot)
{
	uintptr_t va = KERNEL_DIRECT_BASE + phys;
	unsigned int level;
	uint64_t *e;

	if (!arch_table_may_split())
		return 0;
	while ((e = find_leaf(va, &level)) && level > 1) {
		int error = split(e, level);

		if (error)
			return error;
	}
	if (e)
		WRITE_ONCE(*e, ALIGN_DOWN(phys, PAGE_SIZE) | arch_pte_kernel(prot | MMU_GLOBAL | MMU_DIRTY));
	return 0;
}
