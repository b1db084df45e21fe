/*
 * aarch64: page tables and the TLB.
 *
 * mmu_boot() makes the kernel's tables from boot memory: RAM in the direct map, never executable and read-only where the kernel's own
 * text and constants lie, and the image section by section. They are TTBR1's for good; TTBR0 has the tables of the address space that is
 * loaded, or an empty one.
 *
 * Entries of kernel tables are set without a lock: table pages are put in by compare-and-swap, and every area belongs to its allocator.
 * User entries are under the address space's pt_lock. All address spaces have ASID 0, so loading one drops this CPU's
 * translations of the former. Invalidations are broadcast by the hardware: no CPU is interrupted for them. An entry that appears where there
 * was none needs no invalidation; a walk that missed it faults, and the fault finds it.
 */
#include "core/arch/mmu.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/sysreg.h>

#include "arch/aarch64/platform/platform.h"
#include "core/arch/cpu.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page.h"
#include "core/module/export.h"

#define ENTRIES 512u
#define SIZE_2M (1ul << 21)
#define SIZE_1G (1ul << 30)
#define FLUSH_LIMIT 64ul		/* pages; beyond it everything is flushed */
#define KERNEL_HALF_BASE 0xffff000000000000ul

uint64_t kernel_image_phys;
static uint64_t kernel_root;
static uint64_t empty_root;	/* physical address of a table without entries */
static bool allocator_works;

extern char kernel_image_start[], kernel_text_start[], kernel_text_end[], kernel_rodata_start[], ro_after_init_start[], kernel_end[],
	boot_stack_guard[];
extern uint64_t early_direct[];

/* The image may be anywhere in memory, but its addresses are those that it is linked to. */
uintptr_t arch_kernel_slide(void)
{
	return 0;
}

static inline unsigned int index_at(uintptr_t va, unsigned int level)
{
	return va >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

static inline uint64_t *table_of(uint64_t e)
{
	return phys_to_virt(e & PTE_PHYS);
}

uint64_t mmu_kernel_root(void)
{
	return kernel_root;
}

void mmu_early_map(uint64_t start, uint64_t end, bool device)
{
	uint64_t flags = PTE_BLOCK | PTE_ACCESSED | PTE_SHARED | PTE_PXN | PTE_UXN |
			 PTE_ATTR(device ? ATTR_DEVICE : ATTR_NORMAL);

	end = MIN(end, KERNEL_DIRECT_SIZE);
	for (start = ALIGN_DOWN(start, SIZE_1G); start < end; start += SIZE_1G)
		if (!early_direct[start / SIZE_1G])
			WRITE_ONCE(early_direct[start / SIZE_1G], start | flags);
	dsb(ishst);
	isb();
}

/* A zeroed table page; 0 if memory is out. */
static uint64_t table_alloc(void)
{
	struct page *p;

	if (!allocator_works)
		return boot_alloc(PAGE_SIZE, KERNEL_DIRECT_SIZE);
	p = page_alloc(0, ALLOC_ZERO | ALLOC_ATOMIC);
	return p ? page_to_phys(p) : 0;
}

/* The table below *e, made if it is missing. Null if memory is out. Races are settled by the swap. */
static uint64_t *table_below(uint64_t *e)
{
	uint64_t old = READ_ONCE(*e), phys;

	if (likely(old & PTE_VALID))
		return table_of(old);
	phys = table_alloc();
	if (!phys)
		return NULL;
	dsb(ishst);		/* the zeros are there before a walk can find the table */
	if (!__atomic_compare_exchange_n(e, &old, phys | PTE_TABLE, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		page_free(phys_to_page(phys), 0);
		return table_of(old);
	}
	return phys_to_virt(phys);
}

/* The kernel's entry at `level` for va. Null if there is no such table, or memory is out. */
static uint64_t *kernel_entry(uintptr_t va, unsigned int level, bool create)
{
	uint64_t *table = phys_to_virt(kernel_root);

	for (unsigned int l = 4; l > level; l--) {
		uint64_t *e = &table[index_at(va, l)];

		if (!create && !(READ_ONCE(*e) & PTE_VALID))
			return NULL;
		table = table_below(e);
		if (!table)
			return NULL;
	}
	return &table[index_at(va, level)];
}

/* Boot: maps with the largest pages that fit. Neighbouring ranges may share a table. */
static void boot_map(uintptr_t va, uint64_t phys, uint64_t size, unsigned int prot)
{
	uint64_t flags = arch_pte_flags(prot | MMU_DIRTY);

	if ((prot & MMU_EXEC) && cpu_features.bti)
		flags |= PTE_GP;
	while (size) {
		unsigned int level = 1;
		uint64_t step = PAGE_SIZE;

		if (!((va | phys) & (SIZE_1G - 1)) && size >= SIZE_1G) {
			level = 3;
			step = SIZE_1G;
		} else if (!((va | phys) & (SIZE_2M - 1)) && size >= SIZE_2M) {
			level = 2;
			step = SIZE_2M;
		}
		*kernel_entry(va, level, true) = phys | (level > 1 ? (flags & ~PTE_PAGE) | PTE_BLOCK : flags);
		va += step;
		phys += step;
		size -= step;
	}
}

static void map_direct(uint64_t start, uint64_t end)
{
	uint64_t ro_start = image_to_phys(kernel_image_start), ro_end = image_to_phys(ro_after_init_start);
	uint64_t split[3] = { MIN(MAX(start, ro_start), end), MIN(MAX(start, ro_end), end), end };

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t from = i ? split[i - 1] : start;

		if (split[i] > from)
			boot_map(KERNEL_DIRECT_BASE + from, from, split[i] - from,
				 i == 1 ? MMU_READ : MMU_READ | MMU_WRITE);
	}
}

/* Ranges that touch are mapped as one, so that large pages fit; pages that are RAM in part only are left out. */
static void map_memory(void)
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
			map_direct(start, MIN(end, KERNEL_DIRECT_SIZE));
		start = s;
		end = e;
	}
}

static void map_image(const char *start, const char *end, unsigned int prot)
{
	boot_map((uintptr_t)start, image_to_phys(start), (uintptr_t)(end - start), prot);
}

void mmu_cpu_start(void)
{
	cpu_arch_self()->root = 0;
	sysreg_write("ttbr0_el1", empty_root);
	isb();
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
}

void mmu_boot(void)
{
	kernel_root = boot_alloc(PAGE_SIZE, KERNEL_DIRECT_SIZE);
	empty_root = boot_alloc(PAGE_SIZE, KERNEL_DIRECT_SIZE);
	map_memory();
	map_image(kernel_image_start, kernel_text_start, MMU_READ);
	map_image(kernel_text_start, kernel_text_end, MMU_READ | MMU_EXEC);
	map_image(kernel_rodata_start, ro_after_init_start, MMU_READ);
	map_image(ro_after_init_start, boot_stack_guard, MMU_READ | MMU_WRITE);
	map_image(boot_stack_guard + PAGE_SIZE, kernel_end, MMU_READ | MMU_WRITE);
	if (pl011_phys())
		boot_map(EARLY_UART_BASE, pl011_phys(), PAGE_SIZE, MMU_READ | MMU_WRITE | MMU_DEVICE);
	dsb(ish);
	sysreg_write("ttbr1_el1", kernel_root);
	isb();
	mmu_cpu_start();
	pl011_move(EARLY_UART_BASE);
}

/* The tables of modules come from the page allocator from now on. */
void mmu_allocator_ready(void)
{
	allocator_works = true;
}

int arch_mmu_create(struct arch_mmu *mmu)
{
	struct page *p = page_alloc(0, ALLOC_ZERO);

	if (!p)
		return -ENOMEM;
	mmu->root = page_to_phys(p);
	dsb(ishst);
	return 0;
}

static void free_table(uint64_t e, unsigned int level)
{
	uint64_t *table = table_of(e);

	if (level > 1)
		for (unsigned int i = 0; i < ENTRIES; i++)
			if (table[i] & PTE_VALID)
				free_table(table[i], level - 1);
	page_free(phys_to_page(e & PTE_PHYS), 0);
}

static void flush_all(void)
{
	__asm__ volatile("dsb ishst\n\ttlbi aside1is, xzr\n\tdsb ish\n\tisb" : : : "memory");
}

void arch_mmu_destroy(struct arch_mmu *mmu)
{
	uint64_t *root = phys_to_virt(mmu->root);

	for (unsigned int i = 0; i < ENTRIES; i++)
		if (root[i] & PTE_VALID)
			free_table(root[i], 3);
	page_free(phys_to_page(mmu->root), 0);
	mmu->root = 0;
}

void arch_mmu_load(struct arch_mmu *mmu)
{
	struct cpu_arch *a = cpu_arch_self();
	uint64_t root = mmu ? mmu->root : 0;

	if (a->root == root)
		return;
	a->root = root;
	sysreg_write("ttbr0_el1", root ? root : empty_root);
	isb();
	__asm__ volatile("tlbi aside1, xzr\n\tdsb nsh\n\tisb" : : : "memory");
}

uint64_t *arch_mmu_entry(struct arch_mmu *mmu, uintptr_t va, bool create)
{
	uint64_t *table = phys_to_virt(mmu->root);

	for (unsigned int level = 4; level > 1; level--) {
		uint64_t *e = &table[index_at(va, level)];

		if (likely(*e & PTE_VALID)) {
			table = table_of(*e);
			continue;
		}
		if (!create)
			return NULL;
		table = table_below(e);
		if (!table)
			return NULL;
	}
	return &table[index_at(va, 1)];
}

uintptr_t arch_mmu_next(struct arch_mmu *mmu, uintptr_t va, uintptr_t end)
{
	while (va < end) {
		uint64_t *table = phys_to_virt(mmu->root);
		unsigned int level;

		for (level = 4; level > 1; level--) {
			uint64_t e = READ_ONCE(table[index_at(va, level)]);

			if (!(e & PTE_VALID))
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
	for (unsigned int i = 0; i < ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

void arch_mmu_free_tables(struct arch_mmu *mmu, uintptr_t start, uintptr_t end)
{
	struct list freed = LIST_INIT(freed);
	struct page *p, *tmp;

	start = ALIGN_UP(start, SIZE_2M);
	for (uintptr_t va = arch_mmu_next(mmu, start, end); va < end && end - va >= SIZE_2M;
	     va = arch_mmu_next(mmu, va + SIZE_2M, end)) {
		uint64_t *table = phys_to_virt(mmu->root);
		uint64_t *e = NULL;

		va = ALIGN_DOWN(va, SIZE_2M);
		for (unsigned int level = 4; level > 1; level--) {
			e = &table[index_at(va, level)];
			table = table_of(*e);
		}
		if (!table_empty(table))
			continue;
		p = phys_to_page(*e & PTE_PHYS);
		WRITE_ONCE(*e, 0);
		list_add_tail(&freed, &p->link);
	}
	if (list_empty(&freed))
		return;
	flush_all();
	list_for_each_safe(p, tmp, &freed, link) {
		list_remove(&p->link);
		page_free(p, 0);
	}
}

/* The operand of an invalidation by address: page number, ASID 0. */
static inline uint64_t tlbi_operand(uintptr_t va)
{
	return va >> PAGE_SHIFT & ((1ul << 44) - 1);
}

void arch_tlb_flush_range(struct arch_mmu *mmu, const struct cpu_set *mask, uintptr_t start, uintptr_t end)
{
	(void)mmu;
	(void)mask;
	start = ALIGN_DOWN(start, PAGE_SIZE);
	if ((end - start) >> PAGE_SHIFT > FLUSH_LIMIT) {
		flush_all();
		return;
	}
	dsb(ishst);
	for (; start < end; start += PAGE_SIZE)
		__asm__ volatile("tlbi vae1is, %0" : : "r"(tlbi_operand(start)) : "memory");
	dsb(ish);
	isb();
}

void arch_tlb_flush_all(struct arch_mmu *mmu, const struct cpu_set *mask)
{
	arch_tlb_flush_range(mmu, mask, 0, USER_END);
}

void arch_tlb_flush_local(uintptr_t va)
{
	__asm__ volatile("dsb nshst\n\ttlbi vae1, %0\n\tdsb nsh\n\tisb" : : "r"(tlbi_operand(va)) : "memory");
}

int arch_kernel_map(uintptr_t va, uint64_t phys, size_t size, unsigned int prot)
{
	uint64_t flags = arch_pte_flags(prot | MMU_DIRTY);
	size_t done;

	for (done = 0; done < size; done += PAGE_SIZE) {
		uint64_t *e = kernel_entry(va + done, 1, true);

		if (!e)
			goto undo_entries;
		WRITE_ONCE(*e, (phys + done) | flags);
	}
	dsb(ishst);		/* the walks of all CPUs see them */
	isb();
	return 0;
undo_entries:
	/* Nobody has used them: there is nothing to flush. */
	while (done) {
		done -= PAGE_SIZE;
		WRITE_ONCE(*kernel_entry(va + done, 1, false), 0);
	}
	return -ENOMEM;
}

static void flush_kernel(uintptr_t va, size_t size)
{
	dsb(ishst);
	if (size >> PAGE_SHIFT > FLUSH_LIMIT)
		__asm__ volatile("tlbi vmalle1is" : : : "memory");
	else
		for (uintptr_t end = va + size; va < end; va += PAGE_SIZE)
			__asm__ volatile("tlbi vaale1is, %0" : : "r"(tlbi_operand(va)) : "memory");
	dsb(ish);
	isb();
}

void arch_kernel_unmap(uintptr_t va, size_t size)
{
	for (size_t done = 0; done < size; done += PAGE_SIZE) {
		uint64_t *e = kernel_entry(va + done, 1, false);

		if (e)
			WRITE_ONCE(*e, 0);
	}
	flush_kernel(va, size);
}

void arch_kernel_protect(uintptr_t va, size_t size, unsigned int prot)
{
	uint64_t guarded = (prot & MMU_EXEC) && cpu_features.bti ? PTE_GP : 0;

	for (size_t done = 0; done < size; done += PAGE_SIZE) {
		uint64_t *e = kernel_entry(va + done, 1, false);

		if (e && (*e & PTE_VALID))
			WRITE_ONCE(*e, arch_pte_prot(*e, prot | MMU_DIRTY) | guarded);
	}
	flush_kernel(va, size);
}

uint64_t arch_kernel_phys(uintptr_t va, bool *ok)
{
	uint64_t *table = phys_to_virt(kernel_root);

	*ok = false;
	if (va < KERNEL_HALF_BASE || !kernel_root)
		return 0;
	for (unsigned int level = 4;; level--) {
		uint64_t e = READ_ONCE(table[index_at(va, level)]);
		uint64_t size = 1ul << (12 + 9 * (level - 1));

		if (!(e & PTE_VALID))
			return 0;
		if (level == 1 || (e & PTE_TABLE) == PTE_BLOCK) {
			*ok = true;
			return (e & PTE_PHYS & ~(size - 1)) | (va & (size - 1));
		}
		table = table_of(e);
	}
}
KAPI(arch_kernel_phys);

static void sync_lines(uintptr_t va, size_t size)
{
	uint64_t ctr = sysreg_read("ctr_el0");
	size_t dline = 4ul << (ctr >> 16 & 15), iline = 4ul << (ctr & 15);

	for (uintptr_t p = ALIGN_DOWN(va, dline); p < va + size; p += dline)
		__asm__ volatile("dc cvau, %0" : : "r"(p) : "memory");
	dsb(ish);
	for (uintptr_t p = ALIGN_DOWN(va, iline); p < va + size; p += iline)
		__asm__ volatile("ic ivau, %0" : : "r"(p) : "memory");
	dsb(ish);
	isb();
}

void mmu_sync_exec(uint64_t phys)
{
	uint64_t ctr = sysreg_read("ctr_el0");

	/* IDC and DIC: neither is needed. */
	if ((ctr >> 28 & 3) != 3 && phys < KERNEL_DIRECT_SIZE)
		sync_lines((uintptr_t)phys_to_virt(phys), PAGE_SIZE);
}

/* What the other CPUs have fetched already; the interrupt and its return synchronise their pipelines. */
static void sync_local(void *arg)
{
	(void)arg;
	isb();
}

void arch_icache_sync(uintptr_t va, size_t size)
{
	sync_lines(va, size);
	cpu_call(&cpus_online, sync_local, NULL);
}
