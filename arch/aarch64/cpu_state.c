/*
 * aarch64: the state that every CPU has from its start on: control registers, and what user mode may
 * read and do by itself.
 *
 * The registers are written whole, not bit by bit: what firmware or a boot loader left on is off
 * afterwards. The kernel test below reads all of it back on each CPU; docs/security.md says what each
 * part is for.
 *
 * Context: each CPU for itself, once, interrupts off, before it can run a user program.
 */
#include "core/arch/cpu.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/sysreg.h>
#include <arch/trap.h>

#include "core/debug/ktest.h"
#include "core/mem/slab.h"
#include "core/sched/sched.h"

extern char trap_vectors[];

static bool has_pmu(void)
{
	return (sysreg_read("id_aa64dfr0_el1") >> 8 & 15) - 1 < 14;
}

void cpu_enable_features(void)
{
	const struct cpu_features *f = &cpu_features;
	uint64_t sctlr = SCTLR_ON;

	if (f->pan)
		sctlr &= ~(uint64_t)SCTLR_SPAN;
	if (f->pauth)
		sctlr |= 1ul << SCTLR_ENIA_BIT | SCTLR_ENIB | SCTLR_ENDA | SCTLR_ENDB;
	if (f->bti)
		sctlr |= 1ul << SCTLR_BT0_BIT | 1ul << SCTLR_BT1_BIT;
	sysreg_write("sctlr_el1", sctlr);
	isb();
	if (f->pan)
		__asm__ volatile(".arch_extension pan\n\tmsr pan, #1");
	sysreg_write("cpacr_el1", 3ul << 20);	/* FP and SIMD; SVE traps */
	sysreg_write("mdscr_el1", 0ul);
	sysreg_write("oslar_el1", 0ul);
	sysreg_write("cntkctl_el1", 2ul);	/* user code reads the virtual counter */
	sysreg_write("tpidrro_el0", 0ul);
	sysreg_write("contextidr_el1", 0ul);
	if (has_pmu())
		sysreg_write("pmuserenr_el0", 0ul);
	isb();
	__asm__ volatile("msr daifclr, #5" : : : "memory");	/* SError and FIQ, the interrupt of last resort */
}

/* What one CPU says of itself. */
struct cpu_state {
	uint64_t sctlr, cpacr, mdscr, cntkctl, vbar, pmuserenr, pan;
	bool seen;
};

static void read_state(void *arg)
{
	struct cpu_state *s = &((struct cpu_state *)arg)[arch_cpu_id()];

	s->sctlr = sysreg_read("sctlr_el1");
	s->cpacr = sysreg_read("cpacr_el1");
	s->mdscr = sysreg_read("mdscr_el1");
	s->cntkctl = sysreg_read("cntkctl_el1");
	s->vbar = sysreg_read("vbar_el1");
	s->pmuserenr = has_pmu() ? sysreg_read("pmuserenr_el0") : 0;
	s->pan = cpu_features.pan ? sysreg_read("s3_0_c4_c2_3") & PSTATE_PAN : PSTATE_PAN;
	s->seen = true;
}

/* Every CPU has what cpu_enable_features() gives: docs/security.md says what each part is for. */
KTEST(aarch64_state_of_every_cpu)
{
	struct cpu_state *states = kmalloc_array(CPU_MAX, sizeof(*states), ALLOC_ZERO);
	uint64_t on = SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_SA | SCTLR_SA0;
	unsigned int cpu;

	ktest_check(states);
	if (!states)
		return;
	cpu_call_each(&cpus_online, read_state, states);
	for_each_online_cpu(cpu) {
		const struct cpu_state *s = &states[cpu];

		ktest_check(s->seen && (s->sctlr & on) == on && s->sctlr == states[0].sctlr);
		/* PAN is set at each exception where the CPU has it. */
		ktest_check(!(s->sctlr & SCTLR_SPAN) == cpu_features.pan && s->pan);
		ktest_check(s->vbar == (uintptr_t)trap_vectors);
		/* Floating point for user mode, no SVE; no debug exceptions; no counters for user mode. */
		ktest_check((s->cpacr & (3ul << 20 | 3ul << 16)) == 3ul << 20);
		ktest_check(!(s->mdscr & (1ul << 15 | 1ul << 13 | 1)) && !s->pmuserenr);
		/* User mode reads the virtual counter, not the physical one, and sets no timer. */
		ktest_check((s->cntkctl & 0x303) == 2);
	}
	kfree(states);
}
