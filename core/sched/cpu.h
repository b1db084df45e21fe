/*
 * The block of data that each CPU owns. The port's assembly knows the offsets of the first fields (asserted by the port).
 */
#pragma once

#include "core/lib/bits.h"
#include "core/lib/types.h"
#include "core/sched/call.h"

struct thread;
struct run_queue;

struct cpu {
	struct cpu *self;		/*  0 */
	struct thread *thread;		/*  8: the running thread */
	uintptr_t kernel_stack;		/* 16: top of its kernel stack */
	uintptr_t user_stack;		/* 24: scratch of the system-call entry */
	int preempt_count;		/* 32 */
	unsigned int need_resched;	/* 36 */
	unsigned long stack_canary;	/* 40: where the compiler looks for it */
	unsigned int id;		/* 48: dense index */
	unsigned int hw_id;		/* 52: the platform's identifier (APIC id, MPIDR) */
	struct thread *idle;
	struct run_queue *run_queue;
	struct aspace *aspace;		/* the address space whose tables are loaded; null: the kernel's only */
	bool online;
	uint64_t irq_count;
	uint64_t idle_ns;		/* without the pause that lasts; core/sched/times.c */
	uint64_t user_ns, system_ns;	/* found by interrupts */
	uint64_t irq_timer, irq_kick, irq_call;	/* how often each kind came; written by the CPU itself */
	uint64_t rcu_quiescent;		/* core/sync/rcu.c */
	struct cpu_request request;	/* core/sched/call.c: made by this CPU */
	unsigned long asked_by;		/* CPUs whose request this CPU has to answer */
	void *timer_queue;		/* core/time/timer.c */
	void *page_cache;		/* core/mem/page.c */
	void *arch;			/* the port's own block */
} __aligned(64);

extern struct cpu *cpus[CPU_MAX];
extern unsigned int cpu_count;		/* CPUs found; indices below it are valid, online or not */
extern struct cpu_set cpus_online;

static inline struct cpu *cpu_get(unsigned int id) { return cpus[id]; }
#define for_each_online_cpu(i) for (i = 0; i < cpu_count; i++) if (!cpus[i] || !READ_ONCE(cpus[i]->online)) {} else
