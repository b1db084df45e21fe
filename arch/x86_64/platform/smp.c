/*
 * x86_64: starting the other CPUs. All get INIT, then one after the other the start-up interrupt, and runs the code of
 * trampoline.asm into smp_ap_start() on the stack of its idle thread. A CPU that does not answer in time is left out; it is
 * never tried again, and it finds nothing to run if it comes late, since the trampoline's page is cleared.
 */
#include "platform.h"

#include <arch/percpu.h>
#include <arch/x86.h>

#include "core/arch/cpu.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/mem/slab.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "core/time/clock.h"

#define LOW_LIMIT 0x100000ull
#define ANSWER_NS (2 * NSEC_PER_SEC)

extern char trampoline_start[], trampoline_end[];
extern uint32_t trampoline_base, trampoline_cr3;
extern uint64_t ap_boot_root, ap_boot_stack, ap_boot_cpu;
extern uint32_t ap_boot_nx;
extern char boot_pml4[];

void smp_ap_start(struct cpu *c) __noreturn;

static uint64_t trampoline_phys;	/* 0: none */

/* Low memory is left alone otherwise: firmware of real machines writes to it. */
void smp_reserve_trampoline(void)
{
	for (unsigned int i = 0; i < boot_info.range_count; i++) {
		const struct boot_range *r = &boot_info.ranges[i];

		if (r->kind == BOOT_RAM && r->start < LOW_LIMIT &&
		    MIN(r->end, LOW_LIMIT) >= MAX(ALIGN_UP(r->start, PAGE_SIZE), PAGE_SIZE) + PAGE_SIZE) {
			trampoline_phys = boot_alloc(PAGE_SIZE, LOW_LIMIT);
			break;
		}
	}
	boot_reserve(0, LOW_LIMIT);
}

void smp_ap_start(struct cpu *c)
{
	cpu_load_tables(c);
	trap_cpu_start();
	cpu_enable_features();
	apic_cpu_start();
	store_release(&cpu_arch_of(c)->started, true);	/* pairs with wait_started */
	sched_cpu_start();
}

static bool wait_started(const struct cpu *c, uint64_t ns)
{
	uint64_t end = clock_monotonic() + ns;

	while (!load_acquire(&cpu_arch_of(c)->started)) {
		if (clock_monotonic() >= end)
			return false;
		arch_cpu_relax();
	}
	return true;
}

static struct cpu *prepare(unsigned int id, uint32_t apic)
{
	struct cpu_arch *a = kmalloc(sizeof(*a), 0);
	struct cpu *c;

	if (!a)
		return NULL;
	if (cpu_alloc_tables(a))
		goto undo_arch;
	if (sched_cpu_prepare(id, apic, &c))
		goto undo_tables;
	a->root = kernel_map_root();
	c->arch = a;
	c->stack_canary = boot_cpu.stack_canary;
	c->idle->arch.canary = boot_cpu.stack_canary;
	pti_map_cpu(c);
	return c;
undo_tables:
	cpu_free_tables(a);
undo_arch:
	kfree(a);
	return NULL;
}

static void start_one(uint32_t apic)
{
	unsigned int id = cpu_count;
	struct cpu *c = prepare(id, apic);
	uint8_t page = (uint8_t)(trampoline_phys >> PAGE_SHIFT);

	if (!c) {
		log_warn("smp: no memory for CPU %u", id);
		return;
	}
	cpu_count = id + 1;
	ap_boot_root = kernel_map_root();
	ap_boot_stack = c->idle->stack_base + KERNEL_STACK_SIZE;
	ap_boot_cpu = (uintptr_t)c;
	ap_boot_nx = cpu_features.nx ? EFER_NXE : 0;
	full_barrier();
	apic_send_startup(apic, page);
	if (wait_started(c, 200 * NSEC_PER_USEC))
		return;
	apic_send_startup(apic, page);
	if (!wait_started(c, ANSWER_NS)) {
		log_warn("smp: CPU %u (APIC id %u) does not answer; going on without it", id, apic);
		apic_send_init(apic);
	}
}

static void place_trampoline(void)
{
	char *page = phys_to_virt(trampoline_phys);

	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	*(uint32_t *)(page + ((char *)&trampoline_base - trampoline_start)) = (uint32_t)trampoline_phys;
	*(uint32_t *)(page + ((char *)&trampoline_cr3 - trampoline_start)) =
		(uint32_t)mmu_image_phys(boot_pml4);
}

static unsigned int cpu_limit(void)
{
	const char *v = cmdline_value("maxcpus");
	uint64_t n;

	if (cmdline_value("nosmp") || !apic_present())
		return 1;
	if (v && str_to_u64(v, NULL, 10, &n) == 0)
		return (unsigned int)MIN(MAX(n, 1ull), (uint64_t)CPU_MAX);
	return CPU_MAX;
}

void arch_cpu_start_all(void)
{
	const struct acpi_info *a = &acpi_info;
	unsigned int limit = cpu_limit(), others = 0;

	for (unsigned int i = 0; i < a->cpu_count && others + 1 < limit; i++)
		others += a->cpu_ids[i] != boot_cpu.hw_id;
	if (!others)
		return;
	if (!trampoline_phys) {
		log_warn("smp: no memory below 1 MiB to start other CPUs from");
		return;
	}
	place_trampoline();
	preempt_disable();
	for (unsigned int i = 0, n = 0; i < a->cpu_count && n < others; i++)
		if (a->cpu_ids[i] != boot_cpu.hw_id) {
			apic_send_init(a->cpu_ids[i]);
			n++;
		}
	clock_delay_ns(10 * NSEC_PER_MSEC);
	preempt_enable();
	for (unsigned int i = 0, n = 0; i < a->cpu_count && n < others; i++)
		if (a->cpu_ids[i] != boot_cpu.hw_id) {
			start_one(a->cpu_ids[i]);
			n++;
		}
	memset(phys_to_virt(trampoline_phys), 0xf4, PAGE_SIZE);	/* HLT */
	log_info("smp: %u CPUs", cpu_count);
}

