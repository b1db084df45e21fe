/*
 * The gate at which callers of a module wait while it is replaced: what the rest of the core has to do with it.
 */
#pragma once

struct trap_frame;

/*
 * WORK_KICK or WORK_SETTLE is set, before return to user mode, interrupts on: a call that ended with -ERESTART_MODULE waits until the
 * module serves again, and is executed again here. May sleep.
 */
void gate_exit_work(struct trap_frame *frame);
/* The current thread, which has WORK_SETTLE, sleeps again, or will not. Any thread context; does not change its state. */
void gate_settled(void);
