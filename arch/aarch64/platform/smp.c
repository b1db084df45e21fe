/*
 * aarch64: starting the other CPUs by PSCI. Each runs boot.S's secondary_entry into smp_ap_start() on the stack of its idle thread. A CPU
 * that does not answer in time is left out and never tried again.
 */
#include "platform.h"

#include <arch/percpu.h>
#include <arch/sysreg.h>

#include "core/arch/cpu.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/mem/slab.h"
#include "core/sched/sched.h"
#include "core/sched/thread.h"
#include "core/time/clock.h"

#define ANSWER_NS (2 * NSEC_PER_SEC)

/* What a CPU finds before its MMU is on; boot.S knows the order. */
struct ap_start {
	uint64_t root;			/* physical */
	uint64_t stack, cpu;		/* virtual */
} __aligned(64);

extern char secondary_entry[];

void smp_ap_start(struct cpu *c) __noreturn;

static struct ap_start ap_start;

/* The canary is the idle thread's own, and stays: no function here may have been entered with another. */
void smp_ap_start(struct cpu *c)
{
	trap_cpu_start();
	cpu_enable_features();
	mmu_cpu_start();
	gic_cpu_start();
	timer_cpu_enable();
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

static struct cpu *prepare(unsigned int id, uint64_t mpidr)
{
	struct cpu_arch *a = kzalloc(sizeof(*a), 0);
	struct cpu *c;

	if (!a)
		return NULL;
	if (sched_cpu_prepare(id, (unsigned int)mpidr, &c)) {
		kfree(a);
		return NULL;
	}
	a->mpidr = mpidr;
	c->arch = a;
	c->user_stack = (uintptr_t)a->overflow_stack + OVERFLOW_STACK_SIZE;
	c->idle->arch.canary = current->arch.canary;
	return c;
}

/* The CPU reads it past the caches. */
static void clean_start(void)
{
	__asm__ volatile("dsb ish\n\tdc civac, %0\n\tdsb sy" : : "r"(&ap_start) : "memory");
}

static void start_one(uint64_t mpidr)
{
	unsigned int id = cpu_count;
	struct cpu *c = prepare(id, mpidr);
	long error;

	if (!c) {
		log_warn("smp: no memory for CPU %u", id);
		return;
	}
	cpu_count = id + 1;
	ap_start.root = kernel_map_root();
	ap_start.stack = c->idle->stack_base + KERNEL_STACK_SIZE;
	ap_start.cpu = (uintptr_t)c;
	clean_start();
	error = psci_cpu_on(mpidr, image_to_phys(secondary_entry), image_to_phys(&ap_start));
	if (error)
		log_warn("smp: CPU %u (affinity %lx) cannot be switched on (%ld)", id, mpidr, error);
	else if (!wait_started(c, ANSWER_NS))
		log_warn("smp: CPU %u (affinity %lx) does not answer; going on without it", id, mpidr);
}

static unsigned int cpu_limit(void)
{
	const char *v = cmdline_value("maxcpus");
	uint64_t n;

	if (cmdline_value("nosmp"))
		return 1;
	if (v && str_to_u64(v, NULL, 10, &n) == 0)
		return (unsigned int)MIN(MAX(n, 1ull), (uint64_t)CPU_MAX);
	return CPU_MAX;
}

static bool is_cpu(const struct fdt_node *n)
{
	uint32_t length;
	const char *type = fdt_property(n, "device_type", &length);

	return type && length == 4 && !memcmp(type, "cpu", 4) && fdt_available(n);
}

void arch_cpu_start_all(void)
{
	unsigned int limit = cpu_limit();
	struct fdt_node n = { 0 };

	while (cpu_count < limit && fdt_next(&n)) {
		uint32_t length;
		const void *reg = is_cpu(&n) ? fdt_property(&n, "reg", &length) : NULL;
		uint64_t mpidr;

		if (!reg || length < 4)
			continue;
		mpidr = length >= 8 ? be64(reg) : be32(reg);
		if (mpidr != boot_cpu_arch.mpidr)
			start_one(mpidr);
	}
	if (cpu_count > 1)
		log_info("smp: %u CPUs", cpu_count);
}
