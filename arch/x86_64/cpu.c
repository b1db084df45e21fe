/*
 * x86_64: CPU features, descriptor tables.
 *
 * cpu_detect() runs once on the boot CPU; the others are taken to have the same features. Each CPU loads its own GDT and TSS from
 * struct cpu_arch. The word above each interrupt stack holds the CPU's block: entry.asm finds it there.
 */
#include "core/arch/cpu.h"

#include <arch/percpu.h>
#include <arch/trap.h>
#include <arch/x86.h>

#include "arch/x86_64/platform/platform.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
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

static uint8_t boot_ist[IST_COUNT * IST_STACK_SIZE] __aligned(16);
struct cpu_arch boot_cpu_arch = { .ist_base = boot_ist, .started = true };
struct cpu boot_cpu = { .self = &boot_cpu, .arch = &boot_cpu_arch };

static bool stopping;

extern char syscall_entry[], syscall_entry_compat[];

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
	if (f->xsave && f->max_leaf >= 13)
		f->xsaveopt = cpuid_read(13, 1).eax & 1;
	else
		f->xsave = false;
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

static void tss_fill(struct cpu *c)
{
	struct cpu_arch *a = cpu_arch_of(c);

	memset(&a->tss, 0, sizeof(a->tss));
	a->tss.io_map = sizeof(a->tss);
	a->tss.rsp[0] = c->kernel_stack;
	for (unsigned int i = 0; i < IST_COUNT; i++) {
		uint8_t *top = a->ist_base + (i + 1) * IST_STACK_SIZE - 16;

		*(struct cpu **)top = c;
		a->tss.ist[i] = (uintptr_t)top;
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
			 "ltr %%ax"
			 : : "m"(pointer), "i"(X86_KERNEL_CS), "i"(X86_KERNEL_SS), "i"(GDT_TSS * 8)
			 : "rax", "memory");
	msr_write(MSR_GS_BASE, (uintptr_t)c);
	msr_write(MSR_KERNEL_GS_BASE, 0);
	msr_write(MSR_FS_BASE, 0);
	if (cpu_features.rdtscp)
		msr_write(MSR_TSC_AUX, c->id);
}

void cpu_enable_features(void)
{
	const struct cpu_features *f = &cpu_features;
	unsigned long cr4 = cr4_read();

	cr0_write((cr0_read() & ~(CR0_EM | CR0_TS | CR0_AM)) | CR0_MP | CR0_NE | CR0_WP | CR0_AM);
	cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	cr4 |= (f->pge ? CR4_PGE : 0) | (f->smep ? CR4_SMEP : 0) | (f->smap ? CR4_SMAP : 0) |
	       (f->umip ? CR4_UMIP : 0) | (f->fsgsbase ? CR4_FSGSBASE : 0) | (f->xsave ? CR4_OSXSAVE : 0);
	cr4_write(cr4);
	if (f->pat)
		msr_write(MSR_PAT, 0x0007010600070106);	/* write-back, write-combining, uncached-, uncached */
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | (f->nx ? EFER_NXE : 0));
	msr_write(MSR_STAR, (uint64_t)X86_KERNEL_CS << 32 | (uint64_t)(X86_USER_CS - 16) << 48);
	msr_write(MSR_LSTAR, (uintptr_t)syscall_entry);
	msr_write(MSR_CSTAR, (uintptr_t)syscall_entry_compat);
	msr_write(MSR_FMASK, FLAGS_CF | 0xd4 | FLAGS_TF | FLAGS_IF | FLAGS_DF | FLAGS_IOPL | FLAGS_NT | FLAGS_RF |
		  FLAGS_AC | FLAGS_ID | 0x800);
	fpu_cpu_start();
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
