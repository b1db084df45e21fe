/*
 * aarch64: tests of the port: protection of the kernel's own memory, atomic operations.
 */
#include "core/debug/ktest.h"

#include <arch/percpu.h>
#include <arch/sysreg.h>
#include <arch/trap.h>

#include "core/arch/uaccess.h"
#include "core/debug/log.h"
#include "core/mem/page_table.h"
#include "core/mem/vmap.h"
#include "core/sched/sched.h"

extern char kernel_text_start[], kernel_rodata_start[];

/* What the translation tables say of an access by the kernel. */
static bool may(uintptr_t addr, bool write)
{
	unsigned long flags = arch_irq_save(), result;

	if (write)
		__asm__ volatile("at s1e1w, %0" : : "r"(addr) : "memory");
	else
		__asm__ volatile("at s1e1r, %0" : : "r"(addr) : "memory");
	isb();
	result = sysreg_read("par_el1");
	arch_irq_restore(flags);
	return !(result & 1);
}

KTEST(aarch64_kernel_protection)
{
	uint64_t text = (uintptr_t)kernel_text_start, rodata = (uintptr_t)kernel_rodata_start;
	uintptr_t alias = (uintptr_t)phys_to_virt(image_to_phys(kernel_text_start));
	char byte = 0;
	bool ok;

	ktest_check(may(text, false) && !may(text, true));
	ktest_check(may(rodata, false) && !may(rodata, true));
	ktest_check(may(alias, false) && !may(alias, true));
	ktest_check(may(current->stack_base, true) && !may(current->stack_base - 8, false));
	ktest_check(kernel_stack_guard(current->stack_base - 8));
	ktest_check(!may(KERNEL_DIRECT_BASE, false));
	kernel_phys(0, &ok);
	ktest_check(!ok);
	/* User copies have the program's rights only. */
	ktest_check(arch_uaccess_copy_in(&byte, text, 1) == 1);
	ktest_check(arch_uaccess_copy_out((uintptr_t)&byte, "x", 1) == 1 && !byte);
	ktest_check(!cpu_features.pan || (sysreg_read("s3_0_c4_c2_3") & PSTATE_PAN));
}

/* One by one: the compiler must not see through the values. */
#define CHECK_ATOMICS(type, order)                                                                                                  \
	do {                                                                                                                        \
		type v[3] = { (type)-1, (type)0x8000000000000005, (type)-1 }, x = v[1], expected = v[1], *p = &v[1];                 \
                                                                                                                                    \
		__asm__("" : "+r"(p) : : "memory");                                                                                 \
		ktest_check(__atomic_fetch_add(p, (type)-3, order) == x && *p == (type)(x - 3));                                    \
		ktest_check(__atomic_fetch_or(p, 0x70, order) == (type)(x - 3) && *p == (type)(x - 3 + 0x70));                      \
		ktest_check(__atomic_fetch_and(p, (type)~0x21, order) == (type)(x + 0x6d) && *p == (type)(x + 0x4d));               \
		ktest_check(__atomic_fetch_xor(p, (type)-1, order) == (type)(x + 0x4d) && *p == (type)~(x + 0x4d));                 \
		ktest_check(__atomic_exchange_n(p, x, order) == (type)~(x + 0x4d) && *p == x);                                      \
		ktest_check(__atomic_compare_exchange_n(p, &expected, 9, false, order, __ATOMIC_RELAXED) && *p == 9);               \
		ktest_check(!__atomic_compare_exchange_n(p, &expected, 8, false, order, __ATOMIC_RELAXED));                         \
		ktest_check(expected == 9 && *p == 9 && v[0] == (type)-1 && v[2] == (type)-1);                                      \
	} while (0)

static void contend(void *arg)
{
	uint64_t *count = arg;
	uint32_t *half = (uint32_t *)(count + 1);

	for (unsigned int i = 0; i < 2000; i++) {
		uint64_t old = READ_ONCE(*count);

		while (!__atomic_compare_exchange_n(count, &old, old + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			arch_cpu_relax();
		__atomic_fetch_add(half, 3, __ATOMIC_RELAXED);
	}
}

KTEST(aarch64_atomics)
{
	extern uint32_t atomics_code_start[], atomics_code_end[];
	uint64_t counts[2] = { 0 };
	unsigned int online = 0, i;

	CHECK_ATOMICS(uint32_t, __ATOMIC_RELAXED);
	CHECK_ATOMICS(uint32_t, __ATOMIC_ACQUIRE);
	CHECK_ATOMICS(uint32_t, __ATOMIC_RELEASE);
	CHECK_ATOMICS(uint32_t, __ATOMIC_SEQ_CST);
	CHECK_ATOMICS(uint64_t, __ATOMIC_RELAXED);
	CHECK_ATOMICS(uint64_t, __ATOMIC_ACQUIRE);
	CHECK_ATOMICS(uint64_t, __ATOMIC_RELEASE);
	CHECK_ATOMICS(uint64_t, __ATOMIC_SEQ_CST);
	for_each_online_cpu(i)
		online++;
	cpu_call_begin(&cpus_online, contend, counts);
	contend(counts);
	cpu_call_end();
	ktest_check(counts[0] == 2000 * online && counts[1] == 6000 * online);
	/* The way that fits the CPU was chosen, everywhere. */
	for (const uint32_t *head = atomics_code_start; head < atomics_code_end; head += 16)
		ktest_check((head[0] == head[2]) == cpu_features.lse);
	log_notice("# atomic operations: %s", cpu_features.lse ? "single instructions" : "exclusive pairs");
}
