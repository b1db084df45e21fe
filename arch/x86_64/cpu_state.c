/*
 * x86_64: the state that every CPU has from its start on: control registers, and the MSRs that decide
 * how user mode comes in.
 *
 * The registers are written whole, not bit by bit: what firmware or a boot loader left on (VME, PVI,
 * TSD, PCE, CET, protection keys, SYSENTER, supervisor state components) is off afterwards. Kept are the
 * two bits that the running page tables depend on: LA57 and EFER.LMA. The kernel test below reads all
 * of it back on each CPU; docs/security.md says what each part is for.
 *
 * Context: each CPU for itself, once, interrupts off, before it can run a user program.
 */
#include "core/arch/cpu.h"

#include <arch/percpu.h>
#include <arch/trap.h>
#include <arch/x86.h>

#include "core/debug/ktest.h"
#include "core/debug/log.h"
#include "core/mem/page_table.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/sched/sched.h"

#define CR0_STATE (CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE)
#define CR4_ALWAYS (CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT)
#define DR7_OFF 0x400ul		/* the bit that is always 1 */
/* Write-back, write-combining, uncached-, uncached; and the same again. */
#define PAT_STATE 0x0007010600070106ul
#define FMASK_STATE (FLAGS_CF | 0xd4 | FLAGS_TF | FLAGS_IF | FLAGS_DF | FLAGS_IOPL | FLAGS_NT | FLAGS_RF | \
		     FLAGS_AC | FLAGS_ID | 0x800)

extern char syscall_entry[], syscall_entry_pti[], syscall_entry_compat[];

static unsigned long cr4_state(void)
{
	const struct cpu_features *f = &cpu_features;

	return CR4_ALWAYS | (cr4_read() & CR4_LA57) | (f->debug_extensions ? CR4_DE : 0) |
	       (f->machine_check ? CR4_MCE : 0) | (f->pge ? CR4_PGE : 0) | (f->smep ? CR4_SMEP : 0) |
	       (f->smap ? CR4_SMAP : 0) | (f->umip ? CR4_UMIP : 0) | (f->fsgsbase ? CR4_FSGSBASE : 0) |
	       (f->xsave ? CR4_OSXSAVE : 0);
}

static uint64_t efer_state(void)
{
	return EFER_SCE | EFER_LME | EFER_LMA | (cpu_features.nx ? EFER_NXE : 0);
}

static uint64_t lstar_state(void)
{
	return (uintptr_t)(pti_on ? syscall_entry_pti : syscall_entry);
}

void cpu_enable_features(void)
{
	const struct cpu_features *f = &cpu_features;

	cr0_write(CR0_STATE);
	cr4_write(cr4_state());
	dr7_write(DR7_OFF);
	if (f->pat)
		msr_write(MSR_PAT, PAT_STATE);
	if (f->sysenter)
		msr_write(MSR_SYSENTER_CS, 0);	/* a null selector: SYSENTER faults */
	if (f->xsaves)
		msr_write(MSR_XSS, 0);
	msr_write(MSR_EFER, efer_state());
	msr_write(MSR_STAR, (uint64_t)X86_KERNEL_CS << 32 | (uint64_t)(X86_USER_CS - 16) << 48);
	msr_write(MSR_LSTAR, lstar_state());
	msr_write(MSR_CSTAR, (uintptr_t)syscall_entry_compat);
	msr_write(MSR_FMASK, FMASK_STATE);
	fpu_cpu_start();
}

/* What one CPU says of itself, for the test. */
struct cpu_state {
	unsigned long cr0, cr4, dr7;
	uint64_t efer, star, lstar, fmask, sysenter, xss;
	uint16_t ldt, tr, ds, es, fs, gs;
	uint16_t gdt_limit;
	uintptr_t gdt;
	bool seen;
};

#define SELECTOR_READ(name) ({ uint16_t v_; __asm__ volatile(name " %0" : "=r"(v_)); v_; })
#define SEGMENT_READ(name) ({ uint16_t v_; __asm__ volatile("mov %%" name ", %0" : "=r"(v_)); v_; })

static void read_state(void *arg)
{
	struct cpu_state *s = &((struct cpu_state *)arg)[arch_cpu_id()];
	struct { uint16_t limit; uint64_t base; } __packed table;

	__asm__ volatile("sgdt %0" : "=m"(table));
	s->gdt = table.base;
	s->gdt_limit = table.limit;
	s->ldt = SELECTOR_READ("sldt");
	s->tr = SELECTOR_READ("str");
	s->ds = SEGMENT_READ("ds");
	s->es = SEGMENT_READ("es");
	s->fs = SEGMENT_READ("fs");
	s->gs = SEGMENT_READ("gs");
	s->cr0 = cr0_read();
	s->cr4 = cr4_read();
	s->dr7 = dr7_read();
	s->efer = msr_read(MSR_EFER);
	s->star = msr_read(MSR_STAR);
	s->lstar = msr_read(MSR_LSTAR);
	s->fmask = msr_read(MSR_FMASK);
	s->sysenter = cpu_features.sysenter ? msr_read(MSR_SYSENTER_CS) : 0;
	s->xss = cpu_features.xsaves ? msr_read(MSR_XSS) : 0;
	s->seen = true;
}

static void check_state(struct ktest *self, const struct cpu_state *s, unsigned int cpu)
{
	const unsigned long forbidden = 0x1 | 0x2 | 0x4 | 0x100 | 0x2000 | 0x4000 | 0x400000 | 0x800000;
	const struct cpu_features *f = &cpu_features;
	const struct cpu_arch *a = cpu_arch_of(cpus[cpu]);

	ktest_check(s->seen);
	ktest_check(s->ldt == 0 && s->tr == GDT_TSS * 8);
	ktest_check(!s->fs && !s->gs && !s->ds && !s->es);
	ktest_check(s->gdt == (uintptr_t)a->gdt_used && s->gdt_limit == GDT_ENTRIES * 8 - 1);
	ktest_check(!kernel_may_write(s->gdt) && !kernel_may_write((uintptr_t)a->gdt));
	ktest_check(!kernel_may_write((uintptr_t)a->tss_used));
	ktest_check(kernel_may_write((uintptr_t)a->tss) == !pti_on);
	ktest_check(s->cr0 == CR0_STATE);
	/* VME, PVI, TSD, PCE, VMXE, SMXE, PKE, CET: none of them is known here. */
	ktest_check(!(s->cr4 & forbidden));
	ktest_check((s->cr4 & CR4_ALWAYS) == CR4_ALWAYS);
	ktest_check(!(s->cr4 & CR4_SMEP) == !f->smep && !(s->cr4 & CR4_SMAP) == !f->smap);
	ktest_check(!(s->cr4 & CR4_UMIP) == !f->umip && !(s->cr4 & CR4_MCE) == !f->machine_check);
	ktest_check(s->efer == efer_state());
	ktest_check(s->star == 0x0023001000000000 && s->lstar == lstar_state());
	ktest_check(s->fmask == FMASK_STATE && (s->fmask & FLAGS_IF) && (s->fmask & FLAGS_TF));
	ktest_check((s->fmask & FLAGS_AC) && (s->fmask & FLAGS_DF) && (s->fmask & FLAGS_NT));
	ktest_check(s->sysenter == 0 && s->xss == 0 && s->dr7 == DR7_OFF);
}

KTEST(x86_state_of_every_cpu)
{
	struct cpu_state *states = kmalloc_array(CPU_MAX, sizeof(*states), ALLOC_ZERO);
	unsigned int cpu;

	ktest_check(states);
	if (!states)
		return;
	cpu_call_each(&cpus_online, read_state, states);
	for_each_online_cpu(cpu)
		check_state(self, &states[cpu], cpu);
	kfree(states);
}

/* Below each interrupt stack there is a page that nobody may touch. */
KTEST(x86_interrupt_stacks_have_guards)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		for (unsigned int i = 0; i < IST_COUNT; i++) {
			const struct cpu_arch *a = cpu_arch_of(cpus[cpu]);

			ktest_check(kernel_stack_guard(a->ist[i] - 8));
			ktest_check(a->tss->ist[i] == a->ist[i] + IST_STACK_SIZE - 16);
			ktest_check(*(struct cpu **)a->tss->ist[i] == cpus[cpu]);
		}
}
