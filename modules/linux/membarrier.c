/*
 * membarrier(2): memory barriers on all CPUs that run threads of a set, by making them take an interrupt.
 */
#include "internal.h"

#include <gen/linux.h>
#include <linux/membarrier.h>

#include "core/mem/aspace.h"
#include "core/sched/cpu.h"

enum { REGISTERED_GLOBAL, REGISTERED_PRIVATE, REGISTERED_SYNC_CORE, REGISTERED_RSEQ };

static void barrier_here(void *arg)
{
	(void)arg;
	full_barrier();
}

/* The threads that a CPU switches away from meanwhile are ordered by the switch itself. */
static void restart_here(void *arg)
{
	struct thread *t = current;

	full_barrier();
	if (t->aspace == arg)
		thread_set_work(t, WORK_NOTIFY);
}

static long private_expedited(int cpu, bool rseq)
{
	struct aspace *as = current->aspace;
	struct cpu_set set = as->cpus;

	full_barrier();
	if (cpu >= 0) {
		struct cpu_set one = { { 0 } };

		if ((unsigned int)cpu >= cpu_count || !bitmap_test(set.bits, (unsigned int)cpu))
			return 0;
		bitmap_set(one.bits, (unsigned int)cpu);
		set = one;
	}
	cpu_call(&set, rseq ? restart_here : barrier_here, as);
	if (rseq)
		thread_set_work(current, WORK_NOTIFY);
	full_barrier();
	return 0;
}

static long registered(int which, int cpu, bool rseq)
{
	return current_process->membarrier_registered[which] ? private_expedited(cpu, rseq) : -EPERM;
}

static long register_for(int which)
{
	current_process->membarrier_registered[which] = true;
	return 0;
}

long sys_membarrier(int32_t command, uint32_t flags, int32_t cpu)
{
	const int all = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
			MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |
			MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |
			MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ;

	if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ ? flags & ~(uint32_t)MEMBARRIER_CMD_FLAG_CPU : flags)
		return -EINVAL;
	if (!(flags & MEMBARRIER_CMD_FLAG_CPU))
		cpu = -1;
	switch (command) {
	case MEMBARRIER_CMD_QUERY: return all;
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		cpu_call(&cpus_online, barrier_here, NULL);
		return 0;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: return register_for(REGISTERED_GLOBAL);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED: return registered(REGISTERED_PRIVATE, -1, false);
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: return register_for(REGISTERED_PRIVATE);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE: return registered(REGISTERED_SYNC_CORE, -1, false);
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE: return register_for(REGISTERED_SYNC_CORE);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ: return registered(REGISTERED_RSEQ, cpu, true);
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ: return register_for(REGISTERED_RSEQ);
	}
	return -EINVAL;
}
