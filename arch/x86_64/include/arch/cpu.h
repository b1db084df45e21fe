/*
 * x86_64: inline part of the contract core/arch/cpu.h. %gs points to this CPU's struct cpu while kernel code runs;
 * the offsets below are asserted in arch/x86_64/cpu.c.
 */
#pragma once

#include "core/lib/types.h"

struct cpu;
struct thread;

#define X86_FLAGS_IF 0x200ul
#define ARCH_CPU_LEAD 4096ul	/* percpu.h says what for */

static __always_inline struct cpu *arch_cpu_self(void)
{
	struct cpu *c;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}

/* Not volatile: for the code that asks, the answer never changes, so the compiler may keep it. */
static __always_inline struct thread *arch_current(void)
{
	struct thread *t;

	__asm__("movq %%gs:8, %0" : "=r"(t));
	return t;
}

static __always_inline unsigned int arch_cpu_id(void)
{
	unsigned int id;

	__asm__ volatile("movl %%gs:48, %0" : "=r"(id));
	return id;
}

static __always_inline void arch_preempt_add(int n)
{
	__asm__ volatile("addl %0, %%gs:32" : : "ri"(n) : "memory", "cc");
}

static __always_inline int arch_preempt_count(void)
{
	int n;

	__asm__ volatile("movl %%gs:32, %0" : "=r"(n) : : "memory");
	return n;
}

static __always_inline bool arch_need_resched(void)
{
	unsigned int n;

	__asm__ volatile("movl %%gs:36, %0" : "=r"(n) : : "memory");
	return n != 0;
}

static __always_inline unsigned long arch_irq_flags(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags) : : "memory");
	return flags;
}

static __always_inline void arch_irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static __always_inline void arch_irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static __always_inline bool arch_irq_enabled(void)
{
	return (arch_irq_flags() & X86_FLAGS_IF) != 0;
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
	if (flags & X86_FLAGS_IF)
		arch_irq_enable();
}

static __always_inline void arch_cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* The interrupt shadow of STI covers HLT, so no wake-up is lost in between. */
static __always_inline void arch_cpu_idle(void)
{
	__asm__ volatile("sti\n\thlt" : : : "memory");
}

/* LFENCE keeps the counter from being read before earlier loads are done. */
static __always_inline uint64_t arch_cycles(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static __always_inline size_t arch_index_clamp(size_t i, size_t n)
{
	size_t mask;

	__asm__("cmp %2, %1\n\tsbb %0, %0" : "=r"(mask) : "r"(i), "rm"(n) : "cc");
	return i & mask;
}
