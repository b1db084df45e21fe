/*
 * What the port's entry code calls: faults, and the work before a return to user mode.
 */
#pragma once

#include "core/arch/trap.h"
#include "core/mem/aspace.h"

/* A synchronous fault of user code that nobody resolved, for the personality to turn into a signal. */
enum trap_kind {
	TRAP_SEGV_MAP, TRAP_SEGV_ACCESS, TRAP_SEGV_GENERAL, TRAP_BUS_ADDRESS, TRAP_BUS_ALIGN, TRAP_BUS_OBJECT,
	TRAP_OUT_OF_MEMORY, TRAP_ILLEGAL, TRAP_DIVIDE, TRAP_OVERFLOW_INT, TRAP_FPU, TRAP_SIMD, TRAP_BREAKPOINT,
	TRAP_SINGLE_STEP, TRAP_HW_BREAKPOINT, TRAP_BOUND, TRAP_STACK, TRAP_KILLED,
};

struct trap_info {
	enum trap_kind kind;
	uintptr_t address;		/* faulting data address, or pc */
	unsigned int number;		/* the port's exception number and error code, for signal frames */
	unsigned long error;
};

/*
 * Page fault. `frame` may be kernel code inside a user copy: then false means that the port applies its exception
 * table. For user code it resolves or reports to the personality, and returns true. Interrupts are on if they were on in the faulting code.
 */
bool trap_page_fault(struct trap_frame *frame, uintptr_t addr, enum fault_kind kind, const struct trap_info *info);
/* Any other fault of user code. */
void trap_user_fault(struct trap_frame *frame, const struct trap_info *info);

/*
 * Called by the port with interrupts off before every return to user mode when current->work or need_resched is set; loops until
 * nothing is left. Returns with interrupts off.
 */
void trap_exit_work(struct trap_frame *frame);

/* Interrupt entry and exit of the port: accounting, preemption count, reschedule. */
void trap_irq_enter(void);
void trap_irq_exit(struct trap_frame *frame);
