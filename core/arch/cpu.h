/*
 * Contract of a port: the CPU that runs this code, interrupts on it, and preemption.
 * Inline parts come from arch/<a>/include/arch/cpu.h, the rest from arch/<a>/cpu.c.
 */
#pragma once

#include "core/lib/types.h"

struct thread;
struct cpu;

/*
 * The port's inline header defines:
 *   ARCH_CPU_LEAD                             bytes before each struct cpu that are the port's; whole pages
 *   struct cpu *arch_cpu_self(void)           this CPU's block; stable only with preemption disabled
 *   struct thread *arch_current(void)         the running thread; never null after boot
 *   unsigned long arch_irq_save(void)         disables interrupts, returns the former state
 *   void arch_irq_restore(unsigned long)
 *   void arch_irq_enable(void), arch_irq_disable(void)
 *   bool arch_irq_enabled(void)
 *   void arch_cpu_relax(void)                 in spin loops
 *   void arch_cpu_idle(void)                  called with interrupts off: enables them and waits for one, atomically
 *   unsigned int arch_cpu_id(void)            dense index 0..cpu_count-1
 *   void arch_preempt_add(int), int arch_preempt_count(void)   this CPU's preemption count
 *   uint64_t arch_cycles(void)                the raw clock counter
 *   size_t arch_index_clamp(size_t i, size_t n)   i if i < n, else 0, by calculation alone: what a user chose
 *                                             is no index out of bounds past a mispredicted check either
 */
#include <arch/cpu.h>

#define current arch_current()

/* preempt_count: low 16 bits nested disables, bits 16-23 nested interrupts, bit 24 NMI. */
#define PREEMPT_IRQ 0x10000
#define PREEMPT_NMI 0x1000000

void sched_preempt(void);		/* core/sched: reschedule now; called with preemption enabled */
bool arch_need_resched(void);		/* inline of the port: this CPU's flag */

static __always_inline void preempt_disable(void)
{
	arch_preempt_add(1);
	compiler_barrier();
}

static __always_inline void preempt_enable_no_resched(void)
{
	compiler_barrier();
	arch_preempt_add(-1);
}

static __always_inline void preempt_enable(void)
{
	compiler_barrier();
	arch_preempt_add(-1);
	if (unlikely(arch_need_resched()) && arch_preempt_count() == 0)
		sched_preempt();
}

static inline bool in_interrupt(void) { return arch_preempt_count() >= PREEMPT_IRQ; }
/* True where sleeping is forbidden: preemption off, interrupt, or interrupts disabled. */
static inline bool in_atomic(void) { return arch_preempt_count() != 0 || !arch_irq_enabled(); }

/* Stops every other CPU where it is (panic). Each calls panic_cpu_stopped() and halts. */
void arch_cpu_stop_others(void);
/* Makes `cpu` take an interrupt soon; its handler calls sched_ipi(). Any context. */
void arch_cpu_kick(unsigned int cpu);
/* Makes `cpu` take an interrupt whose handler calls cpu_call_answer(). Preemption off. */
void arch_cpu_send_call(unsigned int cpu);
/* Boot: the running code, which had no thread, is `t`'s from now on; its stack is the boot stack. Sets struct cpu.thread. */
void arch_cpu_set_current(struct thread *t);
/* Starts all other CPUs; each ends up in sched_cpu_start(). Returns when all answered or timed out. */
void arch_cpu_start_all(void);
void arch_cpu_halt(void) __noreturn;
/* One line for /proc/cpuinfo's sake: formats the port's description of a CPU into buf; returns the length. */
int arch_cpu_describe(unsigned int cpu, char *buf, size_t size);
