/*
 * aarch64: CPU features, and the messages between CPUs. The control registers are in cpu_state.c.
 *
 * cpu_detect() runs once on the boot CPU; the others are taken to have the same features.
 */
#include "core/arch/cpu.h"

#include <asm/hwcap.h>

#include <arch/percpu.h>
#include <arch/sysreg.h>
#include <arch/trap.h>

#include "arch/aarch64/offsets.h"
#include "arch/aarch64/platform/platform.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/sched/sched.h"

_Static_assert(offsetof(struct cpu, thread) == CPU_THREAD, "offsets.h");
_Static_assert(offsetof(struct cpu, user_stack) == CPU_OVERFLOW, "offsets.h");
_Static_assert(offsetof(struct cpu, need_resched) == CPU_NEED_RESCHED, "offsets.h");
_Static_assert(offsetof(struct cpu, id) == 48, "cpu.h");
_Static_assert(KERNEL_IMAGE_BASE == IMAGE_BASE, "offsets.h");

struct cpu_features cpu_features;
uint32_t cpu_has_pan, cpu_has_lse;

struct cpu_arch boot_cpu_arch = { .started = true };
struct cpu boot_cpu = { .self = &boot_cpu, .arch = &boot_cpu_arch };

static bool stopping;

static unsigned int field(uint64_t reg, unsigned int shift)
{
	return reg >> shift & 15;
}

/* A field of an identification register that is at least `min` has these bits of AT_HWCAP or AT_HWCAP2. */
struct capability {
	uint8_t reg, shift, min;
	uint8_t word;			/* 0: hwcap, 1: hwcap2 */
	unsigned long bits;
};
enum { ID_ISAR0, ID_ISAR1, ID_PFR0, ID_MMFR2, ID_REGS };

static const struct capability capabilities[] = {
	{ ID_ISAR0, 4, 1, 0, HWCAP_AES }, { ID_ISAR0, 4, 2, 0, HWCAP_PMULL }, { ID_ISAR0, 8, 1, 0, HWCAP_SHA1 },
	{ ID_ISAR0, 12, 1, 0, HWCAP_SHA2 }, { ID_ISAR0, 12, 2, 0, HWCAP_SHA512 }, { ID_ISAR0, 16, 1, 0, HWCAP_CRC32 },
	{ ID_ISAR0, 20, 2, 0, HWCAP_ATOMICS }, { ID_ISAR0, 28, 1, 0, HWCAP_ASIMDRDM }, { ID_ISAR0, 32, 1, 0, HWCAP_SHA3 },
	{ ID_ISAR0, 36, 1, 0, HWCAP_SM3 }, { ID_ISAR0, 40, 1, 0, HWCAP_SM4 }, { ID_ISAR0, 44, 1, 0, HWCAP_ASIMDDP },
	{ ID_ISAR0, 48, 1, 0, HWCAP_ASIMDFHM }, { ID_ISAR0, 52, 1, 0, HWCAP_FLAGM }, { ID_ISAR0, 52, 2, 1, HWCAP2_FLAGM2 },
	{ ID_ISAR0, 60, 1, 1, HWCAP2_RNG }, { ID_ISAR1, 0, 1, 0, HWCAP_DCPOP }, { ID_ISAR1, 0, 2, 1, HWCAP2_DCPODP },
	{ ID_ISAR1, 12, 1, 0, HWCAP_JSCVT }, { ID_ISAR1, 16, 1, 0, HWCAP_FCMA }, { ID_ISAR1, 20, 1, 0, HWCAP_LRCPC },
	{ ID_ISAR1, 20, 2, 0, HWCAP_ILRCPC }, { ID_ISAR1, 32, 1, 1, HWCAP2_FRINT }, { ID_ISAR1, 36, 1, 0, HWCAP_SB },
	{ ID_ISAR1, 44, 1, 1, HWCAP2_BF16 }, { ID_ISAR1, 52, 1, 1, HWCAP2_I8MM }, { ID_PFR0, 48, 1, 0, HWCAP_DIT },
	{ ID_MMFR2, 32, 1, 0, HWCAP_USCAT },
};

static void detect_capabilities(struct cpu_features *f)
{
	uint64_t regs[ID_REGS] = {
		[ID_ISAR0] = sysreg_read("id_aa64isar0_el1"), [ID_ISAR1] = sysreg_read("id_aa64isar1_el1"),
		[ID_PFR0] = sysreg_read("id_aa64pfr0_el1"), [ID_MMFR2] = sysreg_read("id_aa64mmfr2_el1"),
	};
	unsigned int fp = field(regs[ID_PFR0], 16), simd = field(regs[ID_PFR0], 20);

	if (fp != 15)
		f->hwcap |= HWCAP_FP | (fp >= 1 ? HWCAP_FPHP : 0);
	if (simd != 15)
		f->hwcap |= HWCAP_ASIMD | (simd >= 1 ? HWCAP_ASIMDHP : 0);
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		const struct capability *c = &capabilities[i];

		if (field(regs[c->reg], c->shift) >= c->min)
			*(c->word ? &f->hwcap2 : &f->hwcap) |= c->bits;
	}
	if (f->pauth)
		f->hwcap |= HWCAP_PACA | (f->pauth_generic ? HWCAP_PACG : 0);
}

/*
 * Puts the single instruction at the head of each atomic function (platform/atomics.S). The early page tables let the text be written;
 * no other CPU runs, and an order of instructions that still sees the old branch is right as well.
 */
static void use_single_instructions(void)
{
	extern uint32_t atomics_code_start[], atomics_code_end[];

	for (uint32_t *head = atomics_code_start; head < atomics_code_end; head += 16) {
		head[0] = head[2];
		__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0" : : "r"(head) : "memory");
	}
	__asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

void cpu_detect(void)
{
	struct cpu_features *f = &cpu_features;
	uint64_t isar0 = sysreg_read("id_aa64isar0_el1"), isar1 = sysreg_read("id_aa64isar1_el1");
	uint64_t isar2 = sysreg_read("s3_0_c0_c6_2");

	f->midr = sysreg_read("midr_el1");
	f->pan = field(sysreg_read("id_aa64mmfr1_el1"), 20) != 0;
	f->bti = field(sysreg_read("id_aa64pfr1_el1"), 0) != 0;
	f->pauth = field(isar1, 4) || field(isar1, 8) || field(isar2, 12);
	f->pauth_generic = field(isar1, 24) || field(isar1, 28) || field(isar2, 8);
	f->lse = field(isar0, 20) >= 2;
	f->rndr = field(isar0, 60) != 0;
	cpu_has_pan = f->pan;
	cpu_has_lse = f->lse;
	if (f->lse)
		use_single_instructions();
	detect_capabilities(f);
}

void arch_cpu_send_call(unsigned int cpu)
{
	gic_send(cpus[cpu], SGI_CALL);
}

void arch_cpu_kick(unsigned int cpu)
{
	gic_send(cpus[cpu], SGI_RESCHED);
}
KAPI(arch_cpu_kick);

void arch_cpu_set_current(struct thread *t)
{
	struct cpu *c = arch_cpu_self();
	struct thread *old = arch_current();

	t->arch.canary = old->arch.canary;
	t->arch.preempt_count = old->arch.preempt_count;
	t->stack_base = old->stack_base;
	c->thread = t;
	sysreg_write("sp_el0", t);
}

void arch_cpu_stop_others(void)
{
	if (__atomic_exchange_n(&stopping, true, __ATOMIC_SEQ_CST))
		return;
	for (unsigned int i = 0; i < cpu_count; i++)
		if (cpus[i] && cpus[i]->online && i != arch_cpu_id())
			gic_send(cpus[i], SGI_STOP);
}

bool cpu_stopping(void)
{
	return READ_ONCE(stopping);
}

void arch_cpu_halt(void)
{
	for (;;)
		__asm__ volatile("msr daifset, #15\n\twfi" : : : "memory");
}
KAPI(arch_cpu_halt);
