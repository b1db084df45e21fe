/*
 * x86_64: tests of the port: protection of the kernel's own memory.
 */
#include "core/debug/ktest.h"

#include <arch/percpu.h>
#include <arch/x86.h>

#include "core/arch/uaccess.h"
#include "core/boot/cmdline.h"
#include "core/mem/page_table.h"
#include "core/mem/vmap.h"
#include "core/sched/sched.h"

extern char kernel_text_start[], kernel_rodata_start[];

/* The user copies may fault on kernel addresses as well, so they tell what can be written. */
KTEST(x86_kernel_protection)
{
	uint64_t text = (uintptr_t)kernel_text_start, rodata = (uintptr_t)kernel_rodata_start;
	char byte = 0;
	bool ok;

	ktest_check(arch_uaccess_copy_out(text, &byte, 1) == 1);
	ktest_check(arch_uaccess_copy_out(rodata, &byte, 1) == 1);
	ktest_check(arch_uaccess_copy_out((uintptr_t)phys_to_virt(mmu_image_phys(kernel_text_start)), &byte, 1) == 1);
	ktest_check(arch_uaccess_copy_in(&byte, current->stack_base - 8, 1) == 1);
	ktest_check(kernel_stack_guard(current->stack_base - 8));
	ktest_check(arch_uaccess_copy_in(&byte, KERNEL_DIRECT_BASE - PAGE_SIZE, 1) == 1);
	kernel_phys(0, &ok);
	ktest_check(!ok);
	ktest_check(!cpu_features.smap || (cr4_read() & CR4_SMAP));
}

/* Each block that mitigations=off takes out begins with a jump to its end, or else with its own code. */
KTEST(x86_mitigations_as_asked)
{
	extern const struct { uint64_t from, to; } mitigation_patch_start[], mitigation_patch_end[];

	ktest_check(&mitigation_patch_start[0] != &mitigation_patch_end[0]);
	for (__typeof__(&mitigation_patch_start[0]) p = mitigation_patch_start; p < mitigation_patch_end; p++) {
		const uint8_t *code = (const uint8_t *)p->from;
		bool jumps = code[0] == 0xeb && p->from + 2 + code[1] == p->to;

		ktest_check(p->to > p->from && p->to - p->from < 128);
		ktest_check(jumps == cmdline_mitigations_off());
	}
}
