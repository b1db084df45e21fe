/*
 * x86_64: page tables and the TLB.
 *
 * mmu_boot() makes the kernel's tables from boot memory: RAM and ACPI ranges in the direct map, never executable and read-only where the
 * kernel's own text and constants lie; the image section by section; and the second-level tables of the vmap area. From then on no entry of
 * the upper half of the top table changes, so that every address space can copy it once.
 *
 * Entries of kernel tables are set without a lock: table pages are put in by compare-and-swap, and every area belongs to its allocator.
 * User entries are under the address space's pt_lock. A table page is freed only after every CPU that has the tables loaded has dropped
 * its paging-structure caches.
 */
#include "core/arch/mmu.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/x86.h>

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
#define FLUSH_LIMIT 32ul		/* pages; beyond it everything is flushed */
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)

uint64_t pte_nx_mask;
KAPI(pte_nx_mask);
static uint64_t kernel_root;
static bool allocator_works;

extern char kernel_text_start[], kernel_text_end[], kernel_rodata_start[], ro_after_init_start[], ro_after_init_end[],
	kernel_tables_start[], kernel_tables_end[], kernel_end[], boot_stack_guard[], kernel_text_phys[];
extern const struct { uint64_t address, code; } smap_patch_start[], smap_patch_end[];

/* Only a whole address can be relocated: keeps the compiler from calculating with it. */
static inline uintptr_t whole_address(const char *symbol)
{
	__asm__("" : "+r"(symbol));
	return (uintptr_t)symbol;
}

uint64_t mmu_image_phys(const char *symbol)
{
	return whole_address(symbol) - KERNEL_IMAGE_BASE - arch_kernel_slide();
}

uintptr_t arch_kernel_slide(void)
{
	return whole_address(kernel_text_start) - (uintptr_t)kernel_text_phys - KERNEL_IMAGE_BASE;
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

/* A zeroed table page; 0 if memory is out. */
static uint64_t table_alloc(void)
{
	struct page *p;

	if (!allocator_works)
		return boot_alloc(PAGE_SIZE, 1ull << 32);
	p = page_alloc(0, ALLOC_ZERO | ALLOC_ATOMIC);
	return p ? page_to_phys(p) : 0;
}

/* The table below *e, made if it is missing. Null if memory is out. Races are settled by the swap. */
static uint64_t *table_below(uint64_t *e, uint64_t flags)
{
	uint64_t old = READ_ONCE(*e), phys;

	if (likely(old & PTE_PRESENT))
		return table_of(old);
	phys = table_alloc();
	if (!phys)
		return NULL;
	if (!__atomic_compare_exchange_n(e, &old, phys | flags, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
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

		if (!create && !(READ_ONCE(*e) & PTE_PRESENT))
			return NULL;
		table = table_below(e, TABLE_FLAGS);
		if (!table)
			return NULL;
	}
	return &table[index_at(va, level)];
}

/* Boot: maps with the largest pages that fit. Neighbouring ranges may share a table. */
static void boot_map(uintptr_t va, uint64_t phys, uint64_t size, unsigned int prot)
{
	uint64_t flags = arch_pte_flags(prot | MMU_GLOBAL | MMU_DIRTY);

	if (!cpu_features.pge)
		flags &= ~PTE_GLOBAL;
	while (size) {
		unsigned int level = 1;
		uint64_t step = PAGE_SIZE;

		if (cpu_features.page_1g && !((va | phys) & (SIZE_1G - 1)) && size >= SIZE_1G) {
			level = 3;
			step = SIZE_1G;
		} else if (!((va | phys) & (SIZE_2M - 1)) && size >= SIZE_2M) {
			level = 2;
			step = SIZE_2M;
		}
		*kernel_entry(va, level, true) = phys | flags | (level > 1 ? PTE_LARGE : 0);
		va += step;
		phys += step;
		size -= step;
	}
}

static void map_direct(uint64_t start, uint64_t end)
{
	uint64_t ro_start = mmu_image_phys(kernel_text_start);
	uint64_t ro_end = mmu_image_phys(ro_after_init_start);
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
	uintptr_t va = (uintptr_t)start;

	boot_map(va, mmu_image_phys(start), (uintptr_t)end - va, prot);
}

void mmu_boot(void)
{
	kernel_root = boot_alloc(PAGE_SIZE, 1ull << 32);
	map_memory();
	map_image(kernel_text_start, kernel_text_end, MMU_READ | MMU_EXEC);
	map_image(kernel_rodata_start, ro_after_init_start, MMU_READ);
	map_image(ro_after_init_start, kernel_tables_start, MMU_READ | MMU_WRITE);
	map_image(kernel_tables_start, kernel_tables_end, MMU_READ);
	map_image(boot_stack_guard + PAGE_SIZE, kernel_end, MMU_READ | MMU_WRITE);
	for (uintptr_t va = VMAP_BASE; va < VMAP_END; va += 1ul << 39)
		if (!kernel_entry(va, 3, true))
			panic("no memory for the kernel's page tables");
	cpu_arch_self()->root = kernel_root;
	cr3_write(kernel_root);
}

/* The tables of modules come from the page allocator from now on. */
void mmu_allocator_ready(void)
{
	allocator_works = true;
}

/* Boot, one CPU: the early tables still allow writes to the text. */
void smap_patch(void)
{
	if (!cpu_features.smap)
		return;
	for (__typeof__(&smap_patch_start[0]) p = smap_patch_start; p < smap_patch_end; p++) {
		volatile uint8_t *code = (uint8_t *)p->address;

		code[0] = 0x0f;
		code[1] = 0x01;
		code[2] = (uint8_t)p->code;
	}
}

int arch_mmu_create(struct arch_mmu *mmu)
{
	struct page *p = page_alloc(0, ALLOC_ZERO);
	uint64_t *table, *kernel = phys_to_virt(kernel_root);

	if (!p)
		return -ENOMEM;
	table = page_address(p);
	memcpy(table + ENTRIES / 2, kernel + ENTRIES / 2, PAGE_SIZE / 2);
	mmu->root = page_to_phys(p);
	return 0;
}

static void free_table(uint64_t e, unsigned int level)
{
	uint64_t *table = table_of(e);

	if (level > 1)
		for (unsigned int i = 0; i < ENTRIES; i++)
			if (table[i] & PTE_PRESENT)
				free_table(table[i], level - 1);
	page_free(phys_to_page(e & PTE_PHYS), 0);
}

void arch_mmu_destroy(struct arch_mmu *mmu)
{
	uint64_t *root = phys_to_virt(mmu->root);

	for (unsigned int i = 0; i < ENTRIES / 2; i++)
		if (root[i] & PTE_PRESENT)
			free_table(root[i], 3);
	page_free(phys_to_page(mmu->root), 0);
	mmu->root = 0;
}

void arch_mmu_load(struct arch_mmu *mmu)
{
	struct cpu_arch *a = cpu_arch_self();
	uint64_t root = mmu ? mmu->root : kernel_root;

	if (a->root == root)
		return;
	WRITE_ONCE(a->root, root);	/* before the tables are used: pairs with arch_mmu_free_tables */
	cr3_write(root);
}

uint64_t *arch_mmu_entry(struct arch_mmu *mmu, uintptr_t va, bool create)
{
	uint64_t *table = phys_to_virt(mmu->root);

	for (unsigned int level = 4; level > 1; level--) {
		uint64_t *e = &table[index_at(va, level)];

		if (likely(*e & PTE_PRESENT)) {
			table = table_of(*e);
			continue;
		}
		if (!create)
			return NULL;
		table = table_below(e, TABLE_FLAGS | PTE_USER);
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

			if (!(e & PTE_PRESENT))
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

/* Everything that the CPU remembers of user addresses, paging-structure caches included. */
static void flush_user_local(void *arg)
{
	(void)arg;
	cr3_write(cr3_read());
}

static void cpus_with_tables(const struct arch_mmu *mmu, struct cpu_set *out)
{
	out->bits[0] = 0;
	full_barrier();		/* the entries were cleared before; pairs with arch_mmu_load */
	for (unsigned int i = 0; i < cpu_count; i++)
		if (cpus[i] && cpus[i]->online && READ_ONCE(cpu_arch_of(cpus[i])->root) == mmu->root)
			bitmap_set(out->bits, i);
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
	struct cpu_set set;

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
	preempt_disable();
	cpus_with_tables(mmu, &set);
	if (cpu_arch_self()->root == mmu->root)
		flush_user_local(NULL);
	cpu_call(&set, flush_user_local, NULL);
	preempt_enable();
	list_for_each_safe(p, tmp, &freed, link) {
		list_remove(&p->link);
		page_free(p, 0);
	}
}

struct flush {
	uint64_t root;
	uintptr_t start, end;
};

static void flush_range_local(void *arg)
{
	const struct flush *f = arg;

	if (cpu_arch_self()->root != f->root)
		return;
	if ((f->end - f->start) >> PAGE_SHIFT > FLUSH_LIMIT) {
		flush_user_local(NULL);
		return;
	}
	for (uintptr_t va = f->start; va < f->end; va += PAGE_SIZE)
		tlb_invalidate(va);
}

void arch_tlb_flush_range(struct arch_mmu *mmu, const struct cpu_set *mask, uintptr_t start, uintptr_t end)
{
	struct flush f = { mmu->root, ALIGN_DOWN(start, PAGE_SIZE), end };

	preempt_disable();
	full_barrier();		/* entries before the read of the mask; pairs with the switch that sets its bit */
	flush_range_local(&f);
	if (READ_ONCE(mask->bits[0]) & ~(1ul << arch_cpu_id()))
		cpu_call(mask, flush_range_local, &f);
	preempt_enable();
}

void arch_tlb_flush_all(struct arch_mmu *mmu, const struct cpu_set *mask)
{
	arch_tlb_flush_range(mmu, mask, 0, USER_END);
}

void arch_tlb_flush_local(uintptr_t va)
{
	tlb_invalidate(va);
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
	return 0;
undo_entries:
	/* Nobody has used them: there is nothing to flush. */
	while (done) {
		done -= PAGE_SIZE;
		WRITE_ONCE(*kernel_entry(va + done, 1, false), 0);
	}
	return -ENOMEM;
}

static void flush_kernel_local(void *arg)
{
	const struct flush *f = arg;

	if ((f->end - f->start) >> PAGE_SHIFT > FLUSH_LIMIT) {
		unsigned long cr4 = cr4_read();

		/* Global entries go when CR4.PGE changes. */
		cr4_write(cr4 & ~CR4_PGE);
		cr4_write(cr4);
		if (!cpu_features.pge)
			flush_user_local(NULL);
		return;
	}
	for (uintptr_t va = f->start; va < f->end; va += PAGE_SIZE)
		tlb_invalidate(va);
}

static void flush_kernel(uintptr_t va, size_t size)
{
	struct flush f = { 0, va, va + size };
	unsigned long flags;

	preempt_disable();
	flags = arch_irq_save();
	flush_kernel_local(&f);
	arch_irq_restore(flags);
	cpu_call(&cpus_online, flush_kernel_local, &f);
	preempt_enable();
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
	for (size_t done = 0; done < size; done += PAGE_SIZE) {
		uint64_t *e = kernel_entry(va + done, 1, false);

		if (e && (*e & PTE_PRESENT))
			WRITE_ONCE(*e, arch_pte_prot(*e, prot | MMU_DIRTY));
	}
	flush_kernel(va, size);
}

uint64_t arch_kernel_phys(uintptr_t va, bool *ok)
{
	uint64_t *table = phys_to_virt(kernel_root);

	*ok = false;
	if (va < -(1ul << 47))
		return 0;
	for (unsigned int level = 4;; level--) {
		uint64_t e = READ_ONCE(table[index_at(va, level)]);
		uint64_t size = 1ul << (12 + 9 * (level - 1));

		if (!(e & PTE_PRESENT))
			return 0;
		if (level == 1 || (e & PTE_LARGE)) {
			*ok = true;
			return (e & PTE_PHYS & ~(size - 1)) | (va & (size - 1));
		}
		table = table_of(e);
	}
}
KAPI(arch_kernel_phys);

/* The CPUs notice changes of their instructions; other CPUs serialise by the interrupt. */
static void sync_local(void *arg)
{
	(void)arg;
	cpuid_read(0, 0);
}

void arch_icache_sync(uintptr_t va, size_t size)
{
	(void)va;
	(void)size;
	sync_local(NULL);
	cpu_call(&cpus_online, sync_local, NULL);
}
