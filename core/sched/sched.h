/*
 * The scheduler: per-CPU run queues; real-time FIFO and RR above a fair class ordered by virtual deadlines, idle below.
 */
#pragma once

#include "core/sched/cpu.h"
#include "core/sched/thread.h"

/* Gives the CPU away if the state of the current thread says so or somebody else is due. Interrupts on or off. */
void sched_switch(void);
/* Moves the current thread behind its equals. */
void sched_yield(void);
/* Preempts at the end of an interrupt of kernel code; interrupts are off and come back off. */
void sched_preempt_irq(void);
/* The port's handler of the kick interrupt. */
void sched_ipi(void);
/* The timer interrupt's part of the scheduler. */
void sched_tick(void);

/* Attributes a thread may be given. `policy` is kept for the personality. */
struct sched_params {
	enum sched_class class;
	bool round_robin;
	int priority;			/* 1..99 for RT */
	int nice;			/* -20..19 for fair */
	unsigned int policy;
	bool reset_on_fork;
};
void sched_get_params(struct thread *t, struct sched_params *out);
/* Ranges are the caller's to check. Any thread; not from interrupts. */
void sched_set_params(struct thread *t, const struct sched_params *p);
/* Restricts `t` to a set, moving it if need be. -EINVAL if no CPU of the set is online. May sleep. */
int sched_set_affinity(struct thread *t, const struct cpu_set *set);
/* Effective priority lent by a priority-inheriting mutex: RT 1..99, 0: none. */
void sched_set_boost(struct thread *t, int priority);

/* Lets `t` run before ordinary threads, or ends that. Nothing of it is lent to others. Any context, also with all CPUs stopped. */
void sched_set_hurry(struct thread *t, bool on);

/* Round-robin slice in ns. */
uint64_t sched_rr_interval(struct thread *t);
/* Load averages scaled by 65536 (as sysinfo), and the number of runnable threads. */
void sched_loads(unsigned long loads[3]);
unsigned int sched_runnable(void);
/* Voluntary and forced switches since boot. */
uint64_t sched_switch_count(void);
/* What an online CPU did since the start; no part is ever less than before. */
void sched_cpu_times(unsigned int id, struct cpu_split *busy, uint64_t *idle_ns);

/* Boot: makes the running code a thread, so that current is one from then on. */
void sched_adopt_boot(void);
/* Boot: the first CPU's queue and idle thread from the boot stack. */
void sched_start(void);
/* The boot CPU becomes idle for good. */
void sched_idle(void) __noreturn;
/* A further CPU, running on the stack of its idle thread (made by sched_cpu_prepare); does not return. */
void sched_cpu_start(void) __noreturn;
/* Makes the block, queue and idle thread of CPU `id`. Returns the idle thread, whose stack the CPU shall use. */
int sched_cpu_prepare(unsigned int id, unsigned int hw_id, struct cpu **out);

/*
 * Called by the port on the new thread's stack, first thing after a switch: finishes the switch from `prev`.
 * arch_switch passes `prev` through.
 */
void sched_finish_switch(struct thread *prev);
/* Where a new kernel thread begins, after sched_finish_switch. */
void sched_kernel_entry(void) __noreturn;
