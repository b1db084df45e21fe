/*
 * Faults, interrupts, and the way back to user mode: what the ports' entry code calls.
 *
 * Exit work runs with interrupts on and is repeated until the work word is clear, looked at with interrupts off for the last time;
 * so nothing set meanwhile is left behind.
 */
#include "core/trap/trap.h"

#include "core/debug/panic.h"
#include "core/module/export.h"
#include "core/module/gate.h"
#include "core/module/hooks.h"
#include "core/sched/sched.h"
#include "core/sync/wait.h"

static enum trap_kind kind_of(enum fault_result result)
{
	switch (result) {
	case FAULT_BAD_ADDRESS: return TRAP_SEGV_MAP;
	case FAULT_BAD_ACCESS: return TRAP_SEGV_ACCESS;
	case FAULT_BUS: return TRAP_BUS_OBJECT;
	case FAULT_OUT_OF_MEMORY: return TRAP_OUT_OF_MEMORY;
	default: return TRAP_KILLED;
	}
}

bool trap_page_fault(struct trap_frame *frame, uintptr_t addr, enum fault_kind kind, const struct trap_info *info)
{
	struct thread *t = current;
	bool user = arch_frame_is_user(frame);
	struct trap_info report = *info;
	enum fault_result result;

	if (!user && (!t->aspace || t->fault_disabled || in_atomic() || addr >= USER_END))
		return false;
	result = t->aspace ? aspace_fault(t->aspace, addr, kind) : FAULT_BAD_ADDRESS;
	if (likely(result == FAULT_DONE))
		return true;
	/* A table could not be had under its lock. Somebody else may have to die for it: then the access is tried again. */
	if (result == FAULT_OUT_OF_MEMORY && page_out_of_memory && page_out_of_memory())
		return true;
	if (!user)
		return false;
	if (result == FAULT_OUT_OF_MEMORY && thread_has_work(t, WORK_KILL))
		return true;		/* a victim: dies on the way out */
	report.kind = kind_of(result);
	report.address = addr;
	trap_user_fault(frame, &report);
	return true;
}

void trap_user_fault(struct trap_frame *frame, const struct trap_info *info)
{
	if (hook_list_empty(HOOK_LIST(user_fault)))
		panic_frame(frame, "fault of user code without a personality (kind %d at %lx)", info->kind, info->address);
	hook_call(user_fault, frame, info);
}
KAPI(trap_user_fault);

void trap_exit_work(struct trap_frame *frame)
{
	struct thread *t = current;

	for (;;) {
		unsigned int work = READ_ONCE(t->work) & ~(WORK_TRACE | WORK_SINGLESTEP);

		if (!work && !arch_need_resched())
			return;
		if (arch_need_resched()) {
			WRITE_ONCE(t->leaving, true);
			sched_preempt_irq();
			WRITE_ONCE(t->leaving, false);
			continue;
		}
		arch_irq_enable();
		/*
		 * First, and until nothing of it is left: a call that was kicked begins again before signals
		 * are looked at, and sees to them itself; nobody waits for it any more when they stop it.
		 */
		if (unlikely(work & (WORK_KICK | WORK_SETTLE | WORK_HURRY))) {
			gate_exit_work(frame);
			arch_irq_disable();
			continue;
		}
		if (work & WORK_TASK) {
			thread_clear_work(WORK_TASK);
			hook_call(task_work, t);
		}
		if (work & (WORK_SIGNAL | WORK_KILL))
			hook_call(signal_work, frame);
		if (work & WORK_NOTIFY) {
			thread_clear_work(WORK_NOTIFY);
			hook_call(notify_work, frame);
		}
		if ((work & (WORK_SIGNAL | WORK_KILL)) && hook_list_empty(HOOK_LIST(signal_work)))
			thread_clear_work(WORK_SIGNAL | WORK_KILL);
		arch_irq_disable();
	}
}

void trap_irq_enter(void)
{
	arch_preempt_add(PREEMPT_IRQ);
	arch_cpu_self()->irq_count++;
}

void trap_irq_exit(struct trap_frame *frame)
{
	bool user = arch_frame_is_user(frame);

	if (user || arch_cpu_self()->idle != current) {
		thread_account(user);
		if (current->aspace && !hook_list_empty(HOOK_LIST(cpu_time)))
			hook_call(cpu_time, current, user);
	}
	rcu_tick(user);
	arch_preempt_add(-PREEMPT_IRQ);
	/* User frames reschedule in the exit work; kernel code here, if nothing forbids it. */
	if (!user && arch_need_resched() && arch_preempt_count() == 0)
		sched_preempt_irq();
}
