/*
 * x86_64: page-table isolation. Processors that have Meltdown read what the tables in use map, whatever the entries allow; so user
 * mode runs on tables of its own, which lack the kernel.
 *
 * Each address space has two top tables side by side, in a block of two pages: the kernel's and, behind it, the user's. Their lower
 * halves lead to the same tables. The user's upper half is a copy of user_root: it maps the entry code, the interrupt table, and of
 * each CPU its descriptor tables, its entry and interrupt stacks and the page before its struct cpu. entry.asm changes between the
 * two by bit 12 of CR3. Nothing of the kernel is global then, and process-context identifiers are not used, so that each change
 * also drops the TLB: what is flushed in the kernel is flushed for user mode, too.
 *
 * pti=on|off decides, mitigations=off turns it off; else it is on where the processor does not say that it has no such hole.
 *
 * Locking: none. user_root is made at boot, before the first address space, on one CPU.
 */
#include <arch/percpu.h>
#include <arch/x86.h>

#include "core/arch/mmu.h"
#include "core/boot/boot.h"
#include "core/boot/cmdline.h"
#include "core/debug/ktest.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/aspace.h"
#include "core/mem/page.h"
#include "core/mem/page_table.h"
#include "core/sched/thread.h"

#define RO_AFTER_INIT __attribute__((section(".data.ro_after_init")))
#define JUMP_SIZE 5

extern const struct { uint64_t site, target; } pti_patch_start[], pti_patch_end[];
extern char entry_text_start[], entry_text_end[];

bool pti_on RO_AFTER_INIT;
static uint64_t *user_root RO_AFTER_INIT;

/* Intel's processors before those that set a bit to say that they are free of it. */
static bool processor_leaks(void)
{
	const struct cpu_features *f = &cpu_features;

	if (strcmp(f->vendor, "GenuineIntel") || f->family < 6)
		return false;
	return !f->arch_capabilities || !(msr_read(MSR_ARCH_CAPABILITIES) & ARCH_CAP_RDCL_NO);
}

static bool wanted(void)
{
	const char *v = cmdline_value("pti");

	if (v && !strcmp(v, "on"))
		return true;
	if ((v && !strcmp(v, "off")) || cmdline_value("nopti") || cmdline_mitigations_off())
		return false;
	return processor_leaks();
}

void pti_boot(void)
{
	pti_on = wanted();
	if (!pti_on)
		return;
	for (__typeof__(&pti_patch_start[0]) p = pti_patch_start; p < pti_patch_end; p++) {
		volatile uint8_t *code = (uint8_t *)p->site;
		int32_t distance = (int32_t)(p->target - p->site - JUMP_SIZE);

		code[0] = 0xe9;
		for (unsigned int i = 0; i < 4; i++)
			code[1 + i] = (uint8_t)(distance >> 8 * i);
	}
}

/* The leaf entry of user_root for a kernel address. */
static uint64_t *user_entry(uintptr_t va)
{
	uint64_t *table = user_root;

	for (unsigned int level = 4; level > 1; level--) {
		table = table_below(&table[table_index(va, level)], false);
		if (!table)
			panic("no memory for the tables of page-table isolation");
	}
	return &table[table_index(va, 1)];
}

void pti_map(uintptr_t va, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE_SIZE) {
		unsigned int level;
		uint64_t e = kernel_leaf(va + at, &level);
		bool ok;

		kassert(e);
		*user_entry(va + at) = kernel_phys(va + at, &ok) | (e & (PTE_PRESENT | PTE_WRITE | PTE_NX | PTE_ACCESSED | PTE_DIRTY));
	}
}

void pti_map_cpu(struct cpu *c)
{
	struct cpu_arch *a = cpu_arch_of(c);

	if (!pti_on)
		return;
	pti_map((uintptr_t)cpu_lead_of(c), PAGE_SIZE);
	pti_map((uintptr_t)a->gdt_used, PAGE_SIZE);
	pti_map((uintptr_t)a->tss_used, PAGE_SIZE);
	pti_map(a->entry_stack, PAGE_SIZE);
	for (unsigned int i = 0; i < IST_COUNT; i++)
		pti_map(a->ist[i], IST_STACK_SIZE);
}

void pti_start(void)
{
	struct { uint16_t limit; uint64_t base; } __packed idt;

	if (!pti_on)
		return;
	user_root = page_alloc_kernel(ALLOC_ZERO);
	if (!user_root)
		panic("no memory for page-table isolation");
	__asm__ volatile("sidt %0" : "=m"(idt));
	pti_map(idt.base, PAGE_SIZE);
	pti_map((uintptr_t)entry_text_start, (size_t)(entry_text_end - entry_text_start));
	log_info("pti: user mode runs on tables without the kernel");
}

unsigned int arch_mmu_root_order(void)
{
	return pti_on ? 1 : 0;
}

void arch_mmu_prepare(uint64_t *table)
{
	const uint64_t *kernel = phys_to_virt(kernel_map_root());

	memcpy(table + TABLE_ENTRIES / 2, kernel + TABLE_ENTRIES / 2, PAGE_SIZE / 2);
	if (pti_on)
		memcpy(table + TABLE_ENTRIES + TABLE_ENTRIES / 2, user_root + TABLE_ENTRIES / 2, PAGE_SIZE / 2);
}

void arch_mmu_root_changed(uint64_t *entry)
{
	if (pti_on)
		WRITE_ONCE(entry[TABLE_ENTRIES], READ_ONCE(*entry));
}

/* Pages that a table maps, those below it included. */
static unsigned long count_pages(uint64_t e, unsigned int level, bool *large)
{
	const uint64_t *table = table_of(e);
	unsigned long n = 0;

	for (unsigned int i = 0; i < TABLE_ENTRIES; i++) {
		if (!(table[i] & PTE_PRESENT))
			continue;
		if (level == 1)
			n++;
		else if (arch_table_block(table[i]))
			*large = true;
		else
			n += count_pages(table[i], level - 1, large);
	}
	return n;
}

/* What user tables map of the kernel is what pti_map() was asked for, nothing else, and nothing global. */
KTEST(x86_user_tables_lack_the_kernel)
{
	unsigned long entry = (unsigned long)(entry_text_end - entry_text_start) / PAGE_SIZE, pages = 0;
	bool large = false;

	ktest_check(pti_on == (user_root != NULL));
	if (!pti_on)
		return;
	for (unsigned int i = TABLE_ENTRIES / 2; i < TABLE_ENTRIES; i++)
		if (user_root[i])
			pages += count_pages(user_root[i], 3, &large);
	ktest_check(!large && !pte_global_mask);
	ktest_check(pages == entry + 1 + cpu_count * (4 + IST_COUNT * IST_STACK_SIZE / PAGE_SIZE));
}
