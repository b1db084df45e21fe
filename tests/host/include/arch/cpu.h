/* The build machine as a port, for tests of pure logic: one CPU, no interrupts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread;
struct cpu;

extern struct cpu host_cpu;
extern struct thread *host_thread;
extern int host_preempt;
extern bool host_need_resched;
extern uint64_t host_cycles;

static inline struct cpu *arch_cpu_self(void) { return &host_cpu; }
static inline struct thread *arch_current(void) { return host_thread; }
static inline unsigned long arch_irq_save(void) { return 0; }
static inline void arch_irq_restore(unsigned long flags) { (void)flags; }
static inline void arch_irq_enable(void) { }
static inline void arch_irq_disable(void) { }
static inline bool arch_irq_enabled(void) { return true; }
static inline void arch_cpu_relax(void) { }
static inline void arch_cpu_idle(void) { }
static inline unsigned int arch_cpu_id(void) { return 0; }
static inline void arch_preempt_add(int n) { host_preempt += n; }
static inline int arch_preempt_count(void) { return host_preempt; }
static inline uint64_t arch_cycles(void) { return host_cycles; }
static inline bool arch_need_resched(void) { return host_need_resched; }
