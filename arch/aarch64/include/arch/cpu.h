/*
 * aarch64: inline part of the contract core/arch/cpu.h.
 *
 * In the kernel SP_EL0 holds the running thread, where the compiler also looks for the stack canary (-mstack-protector-guard), and
 * TPIDR_EL1 this CPU's struct cpu. The preemption count is the thread's, so that a thread that is moved between reading the
 * register and changing the count still changes its own; arch_thread_switch carries the value over, so it behaves as a CPU's.
 * The offsets below are asserted in arch/aarch64/cpu.c.
 */
#pragma once

#include "core/lib/types.h"

struct cpu;
struct thread;

#define ARCH_CPU_LEAD 0ul
#define DAIF_IRQ 0x80ul

static __always_inline struct cpu *arch_cpu_self(void)
{
	struct cpu *c;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(c));
	return c;
}

/* Not volatile: for the code that asks, the answer never changes, so the compiler may keep it. */
static __always_inline struct thread *arch_current(void)
{
	struct thread *t;

	__asm__("mrs %0, sp_el0" : "=r"(t));
	return t;
}

static __always_inline unsigned int arch_cpu_id(void)
{
	return *(const volatile unsigned int *)((const char *)arch_cpu_self() + 48);
}

static __always_inline volatile int *arch_preempt_word(void)
{
	return (volatile int *)((char *)arch_current() + 20);
}

static __always_inline void arch_preempt_add(int n)
{
	compiler_barrier();
	*arch_preempt_word() += n;
	compiler_barrier();
}

static __always_inline int arch_preempt_count(void)
{
	return *arch_preempt_word();
}

/* A thread that is moved in between reads the flag of the CPU that it left: it was just scheduled, so nothing is lost. */
static __always_inline bool arch_need_resched(void)
{
	return *(const volatile unsigned int *)((const char *)arch_cpu_self() + 36) != 0;
}

static __always_inline unsigned long arch_irq_flags(void)
{
	unsigned long flags;

	__asm__ volatile("mrs %0, daif" : "=r"(flags) : : "memory");
	return flags;
}

static __always_inline void arch_irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" : : : "memory");
}

static __always_inline void arch_irq_disable(void)
{
	__asm__ volatile("msr daifset, #2" : : : "memory");
}

static __always_inline bool arch_irq_enabled(void)
{
	return !(arch_irq_flags() & DAIF_IRQ);
}

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long flags = arch_irq_flags();

	arch_irq_disable();
	return flags;
}

static __always_inline void arch_irq_restore(unsigned long flags)
{
	compiler_barrier();
	if (!(flags & DAIF_IRQ))
		arch_irq_enable();
}

static __always_inline void arch_cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

/* WFI ends by a pending interrupt also while it is masked, so no wake-up is lost in between. */
static __always_inline void arch_cpu_idle(void)
{
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
	arch_irq_enable();
}

/* ISB keeps the counter from being read before earlier instructions are done. */
static __always_inline uint64_t arch_cycles(void)
{
	uint64_t v;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(v) : : "memory");
	return v;
}

static __always_inline size_t arch_index_clamp(size_t i, size_t n)
{
	size_t out;

	__asm__("cmp %1, %2\n\tcsel %0, %1, xzr, lo\n\thint #20" : "=r"(out) : "r"(i), "r"(n) : "cc");
	return out;
}
