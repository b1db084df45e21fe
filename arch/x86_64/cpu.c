/*
 * x86_64: CPU features, descriptor tables. What else a CPU must have set is in cpu_state.c.
 *
 * cpu_detect() runs once on the boot CPU; the others are taken to have the same features. Each CPU loads a GDT and a TSS of its own.
 * They lie in pages of their own, which the CPU uses by a second address that cannot be written to. The GDT's page is read-only
 * everywhere once the CPUs run, the TSS's too where page-table isolation is on: else each switch of threads writes a stack to it.
 * The word above each interrupt stack holds the CPU's block: entry.asm finds it there.
 */
#include "core/arch/cpu.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/trap.h>
#include <arch/x86.h>

#include "arch/x86_64/platform/platform.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/mem/vmap.h"
#include "core/module/export.h"
#include "core/sched/sched.h"

_Static_assert(offsetof(struct cpu, self) == 0, "offsets.inc");
_Static_assert(offsetof(struct cpu, thread) == 8, "offsets.inc");
_Static_assert(offsetof(struct cpu, kernel_stack) == 16, "offsets.inc");
_Static_assert(offsetof(struct cpu, user_stack) == 24, "offsets.inc");
_Static_assert(offsetof(struct cpu, preempt_count) == 32, "offsets.inc");
_Static_assert(offsetof(struct cpu, need_resched) == 36, "offsets.inc");
_Static_assert(offsetof(struct cpu, stack_canary) == 40, "offsets.inc");
_Static_assert(offsetof(struct cpu, id) == 48, "cpu.h");
_Static_assert(offsetof(struct tss, ist) == 36, "the hardware's layout");

struct cpu_features cpu_features;

/* Until the page allocator works: cpu_guard_stacks(). */
static uint8_t boot_ist[IST_COUNT][IST_STACK_SIZE] __aligned(16);
static uint64_t boot_gdt_entries[GDT_ENTRIES];
static struct tss boot_tss;
struct cpu_arch boot_cpu_arch = {
	.gdt = boot_gdt_entries, .gdt_used = boot_gdt_entries,
	.tss = &boot_tss, .tss_used = &boot_tss, .switched = &boot_tss,
	.ist = { (uintptr_t)boot_ist[0], (uintptr_t)boot_ist[1], (uintptr_t)boot_ist[2], (uintptr_t)boot_ist[3] },
	.started = true,
};
_Static_assert(IST_COUNT == 4, "boot_cpu_arch.ist");
/* boot_cpu is the second page of it. */
struct { char lead[ARCH_CPU_LEAD]; struct cpu cpu; } boot_cpu_block __aligned(PAGE_SIZE) = {
	.cpu = { .self = &boot_cpu, .arch = &boot_cpu_arch },
};
__asm__(".globl boot_cpu\n\t.set boot_cpu, boot_cpu_block + 4096");
_Static_assert(ARCH_CPU_LEAD == 4096, "boot_cpu");
_Static_assert(ARCH_CPU_LEAD == PAGE_SIZE && offsetof(struct cpu_lead, entry_stack) == 16, "offsets.inc");

/* What switches of threads write to where the CPU's own TSS does not need it. */
static struct tss unused_tss;

static bool stopping;

static void detect_extended(struct cpu_features *f)
{
	struct cpuid r = cpuid_read(0x80000000, 0);

	f->max_ext_leaf = r.eax;
	f->phys_bits = 36;
	f->virt_bits = 48;
	if (f->max_ext_leaf >= 0x80000001) {
		r = cpuid_read(0x80000001, 0);
		f->nx = r.edx >> 20 & 1;
		f->page_1g = r.edx >> 26 & 1;
		f->rdtscp = r.edx >> 27 & 1;
	}
	if (f->max_ext_leaf >= 0x80000004) {
		for (unsigned int i = 0; i < 3; i++) {
			r = cpuid_read(0x80000002 + i, 0);
			memcpy(f->brand + 16 * i, &r, 16);
		}
		f->brand[48] = '\0';
	}
	if (f->max_ext_leaf >= 0x80000007)
		f->tsc_invariant = cpuid_read(0x80000007, 0).edx >> 8 & 1;
	if (f->max_ext_leaf >= 0x80000008) {
		r = cpuid_read(0x80000008, 0);
		f->phys_bits = r.eax & 0xff;
		f->virt_bits = r.eax >> 8 & 0xff;
	}
}

void cpu_detect(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid r = cpuid_read(0, 0);

	f->max_leaf = r.eax;
	memcpy(f->vendor, &r.ebx, 4);
	memcpy(f->vendor + 4, &r.edx, 4);
	memcpy(f->vendor + 8, &r.ecx, 4);
	r = cpuid_read(1, 0);
	f->hwcap = r.edx;
	f->stepping = r.eax & 15;
	f->model = r.eax >> 4 & 15;
	f->family = r.eax >> 8 & 15;
	if (f->family == 6 || f->family == 15)
		f->model |= r.eax >> 12 & 0xf0;
	if (f->family == 15)
		f->family += r.eax >> 20 & 0xff;
	f->apic = r.edx >> 9 & 1;
	f->debug_extensions = r.edx >> 2 & 1;
	f->machine_check = r.edx >> 7 & 1;
	f->sysenter = r.edx >> 11 & 1;
	f->pge = r.edx >> 13 & 1;
	f->pat = r.edx >> 16 & 1;
	f->x2apic = r.ecx >> 21 & 1;
	f->tsc_deadline = r.ecx >> 24 & 1;
	f->xsave = r.ecx >> 26 & 1;
	f->rdrand = r.ecx >> 30 & 1;
	if (f->max_leaf >= 7) {
		r = cpuid_read(7, 0);
		f->fsgsbase = r.ebx & 1;
		f->smep = r.ebx >> 7 & 1;
		f->rdseed = r.ebx >> 18 & 1;
		f->smap = r.ebx >> 20 & 1;
		f->umip = r.ecx >> 2 & 1;
		f->arch_capabilities = r.edx >> 29 & 1;
	}
	if (f->xsave && f->max_leaf >= 13) {
		r = cpuid_read(13, 1);
		f->xsaveopt = r.eax & 1;
		f->xsaves = r.eax >> 3 & 1;
	} else {
		f->xsave = false;
	}
	detect_extended(f);
	pte_nx_mask = f->nx ? PTE_NX : 0;
}

/* Segment bases and limits mean nothing in long mode but for the TSS, and the limit that user space reads by LSL. */
static void gdt_fill(struct cpu *c)
{
	struct cpu_arch *a = cpu_arch_of(c);
	uint64_t base = (uintptr_t)a->tss_used, limit = sizeof(*a->tss) - 1;

	memset(a->gdt, 0, GDT_ENTRIES * sizeof(*a->gdt));
	a->gdt[2] = 0x00af9b000000ffff;		/* kernel code */
	a->gdt[3] = 0x00cf93000000ffff;		/* kernel data */
	a->gdt[5] = 0x00cff3000000ffff;		/* user data */
	a->gdt[6] = 0x00affb000000ffff;		/* user code */
	a->gdt[GDT_TSS] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	a->gdt[GDT_TSS + 1] = base >> 32;
	a->gdt[GDT_CPU] = 0x0040f50000000000 | (c->id & 0xffff);
}

/* The word above the stack is written before the processor can use it. */
static void use_ist_stack(struct cpu *c, unsigned int i)
{
	struct cpu_arch *a = cpu_arch_of(c);
	uintptr_t top = a->ist[i] + IST_STACK_SIZE - 16;

	*(struct cpu **)top = c;
	a->tss->ist[i] = top;
}

static void tss_fill(struct cpu *c)
{
	struct cpu_arch *a = cpu_arch_of(c);

	memset(a->tss, 0, sizeof(*a->tss));
	a->tss->io_map = sizeof(*a->tss);
	a->tss->rsp[0] = c->kernel_stack;
	if (a->entry_stack) {
		cpu_lead_of(c)->entry_stack = a->entry_stack + PAGE_SIZE;
		a->tss->rsp[0] = a->entry_stack + PAGE_SIZE;
	}
	for (unsigned int i = 0; i < IST_COUNT; i++)
		use_ist_stack(c, i);
}

/* A page for a table, and a second address of it that cannot be written to. -ENOMEM, with nothing allocated. */
static int alloc_table(void **writable, const void **used)
{
	*writable = page_alloc_kernel(ALLOC_ZERO);
	*used = *writable ? device_map(virt_to_phys(*writable), PAGE_SIZE, MMU_READ) : NULL;
	if (*used)
		return 0;
	page_free_kernel(*writable);
	*writable = NULL;
	return -ENOMEM;
}

static void free_table(void *writable, const void *used)
{
	if (!writable)
		return;
	device_unmap((void *)used, PAGE_SIZE);
	page_free_kernel(writable);
}

int cpu_alloc_tables(struct cpu_arch *a)
{
	memset(a, 0, sizeof(*a));
	for (unsigned int i = 0; i < IST_COUNT; i++) {
		a->ist[i] = guarded_stack_alloc(IST_STACK_SIZE);
		if (!a->ist[i])
			goto undo;
	}
	if (pti_on) {
		a->entry_stack = guarded_stack_alloc(PAGE_SIZE);
		if (!a->entry_stack)
			goto undo;
	}
	if (alloc_table((void **)&a->gdt, (const void **)&a->gdt_used) ||
	    alloc_table((void **)&a->tss, (const void **)&a->tss_used))
		goto undo;
	a->switched = pti_on ? &unused_tss : a->tss;
	return 0;
undo:
	cpu_free_tables(a);
	return -ENOMEM;
}

void cpu_free_tables(struct cpu_arch *a)
{
	free_table(a->gdt, a->gdt_used);
	free_table(a->tss, a->tss_used);
	vfree((void *)a->entry_stack);
	for (unsigned int i = 0; i < IST_COUNT; i++)
		vfree((void *)a->ist[i]);
}

void cpu_change_boot_tables(void)
{
	struct cpu_arch a;
	unsigned long irq;

	if (cpu_alloc_tables(&a))
		panic("no memory for the tables of the first CPU");
	irq = arch_irq_save();
	a.root = boot_cpu_arch.root;
	a.fpu_owner = boot_cpu_arch.fpu_owner;
	a.started = true;
	boot_cpu_arch = a;
	cpu_load_tables(&boot_cpu);
	arch_irq_restore(irq);
}

void cpu_protect_tables(void)
{
	bool failed = false;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		const struct cpu_arch *a = cpu_arch_of(cpus[cpu]);

		failed |= kernel_direct_protect(virt_to_phys(a->gdt), MMU_READ) != 0;
		if (a->switched != a->tss)
			failed |= kernel_direct_protect(virt_to_phys(a->tss), MMU_READ) != 0;
	}
	arch_tlb_flush_kernel(KERNEL_DIRECT_BASE, KERNEL_DIRECT_SIZE);
	if (failed)
		log_warn("no memory to protect the descriptor tables in the direct map");
}

static void load_gdt(const uint64_t *gdt)
{
	struct { uint16_t limit; uint64_t base; } __packed pointer = { GDT_ENTRIES * 8 - 1, (uintptr_t)gdt };

	__asm__ volatile("lgdt %0" : : "m"(pointer));
}

/* LTR marks the TSS as busy, so it finds the table where that can be written to. */
void cpu_load_tables(struct cpu *c)
{
	struct cpu_arch *a = cpu_arch_of(c);

	gdt_fill(c);
	tss_fill(c);
	load_gdt(a->gdt);
	__asm__ volatile("pushq %0\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %1, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "movl %%eax, %%fs\n\t"
			 "movl %%eax, %%gs\n\t"
			 "movw %w2, %%ax\n\t"
			 "ltr %%ax\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "lldt %%ax"
			 : : "i"(X86_KERNEL_CS), "i"(X86_KERNEL_SS), "i"(GDT_TSS * 8)
			 : "rax", "memory");
	load_gdt(a->gdt_used);
	msr_write(MSR_GS_BASE, (uintptr_t)c);
	msr_write(MSR_KERNEL_GS_BASE, 0);
	msr_write(MSR_FS_BASE, 0);
	if (cpu_features.rdtscp)
		msr_write(MSR_TSC_AUX, c->id);
}

void arch_cpu_send_call(unsigned int cpu)
{
	apic_send(cpus[cpu]->hw_id, VECTOR_CALL);
}

void arch_cpu_kick(unsigned int cpu)
{
	apic_send(cpus[cpu]->hw_id, VECTOR_RESCHED);
}
KAPI(arch_cpu_kick);

void arch_cpu_set_current(struct thread *t)
{
	arch_cpu_self()->thread = t;
}

void arch_cpu_stop_others(void)
{
	if (__atomic_exchange_n(&stopping, true, __ATOMIC_SEQ_CST))
		return;
	for (unsigned int i = 0; i < cpu_count; i++)
		if (cpus[i] && cpus[i]->online && i != arch_cpu_id())
			apic_send_nmi(cpus[i]->hw_id);
}

bool cpu_stopping(void)
{
	return READ_ONCE(stopping);
}

void arch_cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt" : : : "memory");
}
KAPI(arch_cpu_halt);
