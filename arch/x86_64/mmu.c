/*
 * x86_64: the kernel's own mappings at boot, and the TLB.
 *
 * mmu_boot() makes the kernel's tables: RAM and ACPI ranges in the direct map, never executable and read-only where the kernel's own
 * text, constants and tables lie; the image section by section; and the second-level tables of the vmap area. From then on no entry of
 * the upper half of the top table changes, so that every address space can copy it once.
 */
#include "core/arch/mmu.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/x86.h>

#include "core/arch/cpu.h"
#include "core/boot/boot.h"
#include "core/boot/cmdline.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/module/export.h"

#define FLUSH_LIMIT 32ul		/* pages; beyond it everything is flushed */

uint64_t pte_nx_mask;
KAPI(pte_nx_mask);
uint64_t pte_global_mask;

extern char kernel_text_start[], kernel_text_end[], kernel_rodata_start[], ro_after_init_start[], sockets_end[],
	kernel_tables_start[], kernel_tables_end[], kernel_end[], boot_stack_guard[], kernel_text_phys[];
extern const struct { uint64_t address, code; } smap_patch_start[], smap_patch_end[];
extern const struct { uint64_t from, to; } mitigation_patch_start[], mitigation_patch_end[];

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

static void map_image(const char *start, const char *end, unsigned int prot)
{
	uintptr_t va = (uintptr_t)start;

	kernel_map_range(va, mmu_image_phys(start), (uintptr_t)end - va, prot);
}

void mmu_boot(void)
{
	pte_global_mask = cpu_features.pge && !pti_on ? PTE_GLOBAL : 0;
	kernel_map_boot();
	kernel_map_memory(mmu_image_phys(kernel_text_start), mmu_image_phys(sockets_end));
	map_image(kernel_text_start, kernel_text_end, MMU_READ | MMU_EXEC);
	map_image(kernel_rodata_start, ro_after_init_start, MMU_READ);
	map_image(ro_after_init_start, kernel_tables_start, MMU_READ | MMU_WRITE);
	map_image(kernel_tables_start, kernel_tables_end, MMU_READ);
	map_image(boot_stack_guard + PAGE_SIZE, kernel_end, MMU_READ | MMU_WRITE);
	for (uintptr_t va = VMAP_BASE; va < VMAP_END; va += 1ul << 39)
		if (!kernel_map_entry(va, 3, true))
			panic("no memory for the kernel's page tables");
	cpu_arch_self()->root = kernel_map_root();
	cr3_write(kernel_map_root());
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

/* As smap_patch(): a short jump over each block. */
void mitigation_patch(void)
{
	if (!cmdline_mitigations_off())
		return;
	for (__typeof__(&mitigation_patch_start[0]) p = mitigation_patch_start; p < mitigation_patch_end; p++) {
		volatile uint8_t *code = (uint8_t *)p->from;

		code[0] = 0xeb;
		code[1] = (uint8_t)(p->to - p->from - 2);
	}
}

bool arch_table_has_1g(void)
{
	return cpu_features.page_1g;
}

void arch_mmu_load(struct arch_mmu *mmu)
{
	struct cpu_arch *a = cpu_arch_self();
	uint64_t root = mmu ? mmu->root : kernel_map_root();

	if (a->root == root)
		return;
	WRITE_ONCE(a->root, root);	/* before the tables are used: pairs with arch_tlb_flush_tables */
	cr3_write(root);
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

void arch_tlb_flush_tables(struct arch_mmu *mmu)
{
	struct cpu_set set;

	preempt_disable();
	cpus_with_tables(mmu, &set);
	if (cpu_arch_self()->root == mmu->root)
		flush_user_local(NULL);
	cpu_call(&set, flush_user_local, NULL);
	preempt_enable();
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

void arch_tlb_flush_kernel(uintptr_t va, size_t size)
{
	struct flush f = { 0, va, va + size };

	cpu_call_each(&cpus_online, flush_kernel_local, &f);
}

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
	cpu_call_each(&cpus_online, sync_local, NULL);
}
