/*
 * x86_64: CPU features, descriptor tables. What else a CPU must have set is in cpu_state.c.
 *
 * cpu_detect() runs once on the boot CPU; the others are taken to have the same features. Each CPU loads its own GDT and TSS from
 * struct cpu_arch. The word above each interrupt stack holds the CPU's block: entry.asm finds it there.
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
struct cpu_arch boot_cpu_arch = {
	.ist = { (uintptr_t)boot_ist[0], (uintptr_t)boot_ist[1], (uintptr_t)boot_ist[2], (uintptr_t)boot_ist[3] },
	.started = true,
};
_Static_assert(IST_COUNT == 4, "boot_cpu_arch.ist");
struct cpu boot_cpu = { .self = &boot_cpu, .arch = &boot_cpu_arch };

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
	uint64_t base = (uintptr_t)&a->tss, limit = sizeof(a->tss) - 1;

	memset(a->gdt, 0, sizeof(a->gdt));
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
	a->tss.ist[i] = top;
}

static void tss_fill(struct cpu *c)
{
	struct cpu_arch *a = cpu_arch_of(c);

	memset(&a->tss, 0, sizeof(a->tss));
	a->tss.io_map = sizeof(a->tss);
	a->tss.rsp[0] = c->kernel_stack;
	for (unsigned int i = 0; i < IST_COUNT; i++)
		use_ist_stack(c, i);
}

int cpu_alloc_stacks(struct cpu_arch *a)
{
	for (unsigned int i = 0; i < IST_COUNT; i++) {
		a->ist[i] = guarded_stack_alloc(IST_STACK_SIZE);
		if (!a->ist[i]) {
			cpu_free_stacks(a);
			return -ENOMEM;
		}
	}
	return 0;
}

void cpu_free_stacks(struct cpu_arch *a)
{
	for (unsigned int i = 0; i < IST_COUNT; i++) {
		vfree((void *)a->ist[i]);
		a->ist[i] = 0;
	}
}

void cpu_guard_boot_stacks(void)
{
	struct cpu_arch stacks = { 0 };

	if (cpu_alloc_stacks(&stacks)) {
		log_warn("no memory for interrupt stacks with guard pages");
		return;
	}
	for (unsigned int i = 0; i < IST_COUNT; i++) {
		boot_cpu_arch.ist[i] = stacks.ist[i];
		use_ist_stack(&boot_cpu, i);
	}
}

void cpu_load_tables(struct cpu *c)
{
	struct cpu_arch *a = cpu_arch_of(c);
	struct { uint16_t limit; uint64_t base; } __packed pointer = { sizeof(a->gdt) - 1, (uintptr_t)a->gdt };

	gdt_fill(c);
	tss_fill(c);
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %2, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "movl %%eax, %%fs\n\t"
			 "movl %%eax, %%gs\n\t"
			 "movw %w3, %%ax\n\t"
			 "ltr %%ax\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "lldt %%ax"
			 : : "m"(pointer), "i"(X86_KERNEL_CS), "i"(X86_KERNEL_SS), "i"(GDT_TSS * 8)
			 : "rax", "memory");
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
