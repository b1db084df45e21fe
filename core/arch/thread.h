/*
 * Contract of a port: switching threads and their saved state. <arch/thread.h> defines struct arch_thread
 * (saved stack pointer, TLS registers, FPU state pointer, debug registers ...).
 */
#pragma once

#include <arch/thread.h>

struct thread;
struct trap_frame;

/*
 * Switches from `prev` to `next` with interrupts off: saves what a call preserves, FPU/TLS state of user threads, loads next's,
 * sets the kernel stack for the next entry. Returns (on prev's stack, much later) the thread that was running before.
 */
struct thread *arch_thread_switch(struct thread *prev, struct thread *next);

/* Prepares `t` (fresh stack) so that its first switch-in calls sched_finish_switch(prev), then sched_kernel_entry(). */
void arch_thread_setup_kernel(struct thread *t);
/*
 * Prepares `t` as a copy of `parent` returning to user mode with a system-call result of 0: after sched_finish_switch(prev) it goes
 * through the exit work. Copies the registers to t->frame and the FPU and TLS state. -ENOMEM.
 */
int arch_thread_setup_user(struct thread *t, struct thread *parent);
/* Frees what the port allocated for `t`. */
void arch_thread_free(struct thread *t);
/* Resets the calling thread's user state as after exec: FPU, TLS, debug registers; frame zeroed, with entry and stack. */
void arch_thread_reset_user(struct trap_frame *frame, uintptr_t entry, uintptr_t stack);
/* Turns the calling kernel thread into one that can run user mode: sets current->frame, allocates FPU state. -ENOMEM. */
int arch_thread_make_user(void);
/* Goes to user mode by current->frame, through the exit work. */
void arch_thread_enter_user(void) __noreturn;
/* Can a program have it? Every TLS pointer of a user is asked for before it is set. */
bool arch_thread_tls_valid(uintptr_t tls);
/* The TLS pointer that clone's CLONE_SETTLS and arch_prctl mean: a valid one. */
void arch_thread_set_tls(struct thread *t, uintptr_t tls);
uintptr_t arch_thread_tls(struct thread *t);
/* Saved kernel context of a thread that is not running: for backtraces. */
void arch_thread_saved_context(const struct thread *t, uintptr_t *pc, uintptr_t *fp);
/* Its stack pointer there: everything it keeps is at or above. */
uintptr_t arch_thread_saved_sp(const struct thread *t);
