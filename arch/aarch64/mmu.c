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
#include "core/mem/page_table.h"
#include "core/module/export.h"

#define FLUSH_LIMIT 64ul		/* pages; beyond it everything is flushed */

uint64_t kernel_image_phys;
uint64_t pte_guarded_mask;
static uint64_t empty_root;	/* physical address of a table without entries */

extern char kernel_image_start[], kernel_text_start[], kernel_text_end[], kernel_rodata_start[], ro_after_init_start[],
	sockets_end[], kernel_end[],
	boot_stack_guard[];
extern uint64_t early_direct[];

/* The image may be anywhere in memory, but its addresses are those that it is linked to. */
uintptr_t arch_kernel_slide(void)
{
	return 0;
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

static void map_image(const char *start, const char *end, unsigned int prot)
{
	kernel_map_range((uintptr_t)start, image_to_phys(start), (uintptr_t)(end - start), prot);
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
	pte_guarded_mask = cpu_features.bti ? PTE_GP : 0;
	kernel_map_boot();
	empty_root = boot_alloc(PAGE_SIZE, BOOT_TABLE_LIMIT);
	kernel_map_memory(image_to_phys(kernel_image_start), image_to_phys(sockets_end));
	kernel_map_loaded(boot_info.device_tree, fdt_size());
	map_image(kernel_image_start, kernel_text_start, MMU_READ);
	map_image(kernel_text_start, kernel_text_end, MMU_READ | MMU_EXEC);
	map_image(kernel_rodata_start, ro_after_init_start, MMU_READ);
	map_image(ro_after_init_start, boot_stack_guard, MMU_READ | MMU_WRITE);
	map_image(boot_stack_guard + PAGE_SIZE, kernel_end, MMU_READ | MMU_WRITE);
	if (pl011_phys())
		kernel_map_range(EARLY_UART_BASE, pl011_phys(), PAGE_SIZE, MMU_READ | MMU_WRITE | MMU_DEVICE);
	dsb(ish);
	sysreg_write("ttbr1_el1", kernel_map_root());
	isb();
	mmu_cpu_start();
	pl011_move(EARLY_UART_BASE);
}

unsigned int arch_mmu_root_order(void)
{
	return 0;
}

void arch_mmu_root_changed(uint64_t *entry)
{
	(void)entry;
}

void arch_mmu_prepare(uint64_t *table)
{
	(void)table;
	arch_table_publish();
}

static void flush_all(void)
{
	__asm__ volatile("dsb ishst\n\ttlbi aside1is, xzr\n\tdsb ish\n\tisb" : : : "memory");
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

void arch_tlb_flush_tables(struct arch_mmu *mmu)
{
	(void)mmu;
	flush_all();
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

void arch_tlb_flush_kernel(uintptr_t va, size_t size)
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
	cpu_call_each(&cpus_online, sync_local, NULL);
}
