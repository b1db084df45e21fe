/*
 * Signals: sending, waiting, delivering. See process.h for locks and structures.
 */
#pragma once

#include "modules/linux/process.h"

/* Kernel's names for siginfo. */
#define SIGINFO_NONE   ((const struct siginfo *)0)	/* from kill by the current process: SI_USER */
#define SIGINFO_KERNEL ((const struct siginfo *)1)	/* SI_KERNEL */

/*
 * All that the kernel makes and keeps of a siginfo lies in its first bytes; the rest is zero where user space sees it, and memory of no
 * meaning elsewhere.
 */
#define SIGINFO_KEPT 48

struct siginfo_kept {
	uint64_t word[SIGINFO_KEPT / 8];
} __attribute__((may_alias));

static inline void siginfo_copy(struct siginfo *to, const struct siginfo *from)
{
	*(struct siginfo_kept *)to = *(const struct siginfo_kept *)from;
}

static inline void siginfo_clear(struct siginfo *s)
{
	*(struct siginfo_kept *)s = (struct siginfo_kept){ { 0 } };
}

/* One that a program made. -EFAULT; -E2BIG if it has bytes that would be lost and its si_code does not say that they mean nothing. */
int siginfo_from_user(struct siginfo *out, uintptr_t from);
/* All of it, the rest cleared. -EFAULT. */
int siginfo_to_user(uintptr_t to, const struct siginfo *s);

/*
 * The three keys: a restart at once, or SIGINT for init, as reboot(2) or the sysctl
 * kernel.ctrl-alt-del said last (1, a restart, until then). Any context, also interrupts.
 */
extern int linux_ctrl_alt_del_restarts;
void linux_ctrl_alt_del(void);

/*
 * Queue a signal for a thread or a process. Any context, also interrupts. No permission check. 0, or -EAGAIN if a queued (real-time,
 * sigqueue) signal has no room by RLIMIT_SIGPENDING or memory; others are sent without information then. -ESRCH if it is gone.
 */
int signal_send_task(struct task *t, int sig, const struct siginfo *info);
int signal_send_task_locked(struct task *t, int sig, const struct siginfo *info);	/* tree_lock held */
int signal_send_process(struct process *p, int sig, const struct siginfo *info);
/* To every process of a group; returns 0 if at least one got it, -ESRCH if there is none. tree_lock not held. */
int signal_send_group(struct pid *group, int sig, const struct siginfo *info);
/* The same with tree_lock held by the caller. */
int signal_send_process_locked(struct process *p, int sig, const struct siginfo *info);
int signal_send_group_locked(struct pid *group, int sig, const struct siginfo *info);
/* A synchronous fault of the current thread: cannot be blocked or ignored; kills if it is. */
void signal_force(int sig, const struct siginfo *info);
void signal_force_fatal(int sig);

/*
 * A queue entry that its owner allocated (posix timers): queued at most once. signal_entry_send returns 1 if it is queued already or the signal is ignored
 * (the caller counts an overrun), 0 if queued. signal_entry_cancel takes it off if it is queued; afterwards dequeued() will not be called.
 * `process_wide`: to the process of t. It counts against the caller's user from init to release: -EAGAIN beyond RLIMIT_SIGPENDING.
 */
int signal_entry_init(struct signal_entry *e, void *owner,
		      void (*dequeued)(struct signal_entry *e, struct siginfo *taken));
void signal_entry_release(struct signal_entry *e);
int signal_entry_send(struct signal_entry *e, struct task *t, bool process_wide);
bool signal_entry_cancel(struct signal_entry *e, struct task *t);

/*
 * Is the signal ignored by the process (SIG_IGN, or default action ignore)? process.lock held, or the
 * caller's own process.
 */
bool signal_ignored(struct process *p, int sig);
/* Blocked by the current thread? */
/* The caller's alternate stack, asked for from stack pointer `sp`. -EPERM (it is in use), -EINVAL, -ENOMEM. */
int signal_set_altstack(const struct sigaltstack *s, uintptr_t sp);
static inline bool signal_blocked(int sig) { return current_task->blocked & SIGNAL_BIT(sig); }
/* Is an unblocked signal pending for the current thread? */
static inline bool signal_pending(void) { return thread_has_work(current, WORK_SIGNAL | WORK_KILL); }

/* Sets the caller's mask (KILL and STOP are left out), and wakes for what it lets through. */
void signal_set_blocked(uint64_t mask);
/* Recomputes WORK_SIGNAL of a task: process.lock held. */
void signal_recalc_locked(struct task *t);

/* Takes the first signal of `mask` pending for the current thread or its process. Number, or 0. Fills what is kept of *info. */
int signal_dequeue(uint64_t mask, struct siginfo *info);
/* The same for the delivery: WORK_SIGNAL is brought up to date only if there is none; signal_set_blocked() or the next call does it. */
int signal_take(uint64_t mask, struct siginfo *info);

/* New, inherited and dropped state. */
struct sighand *sighand_create(void);
struct sighand *sighand_copy(struct sighand *from);
void sighand_put(struct sighand *s);
void signal_pending_init(struct signal_pending *p);
/* Flushes a queue. process.lock held; entries to release go to `list`, which signal_release_list empties without the lock. */
void signal_flush_locked(struct signal_pending *p, struct list *list);
void signal_release_list(struct list *list);
/* Takes signals of a set out of all queues of a process. process.lock held; entries as above. */
void signal_remove_locked(struct process *p, uint64_t set, struct list *list);
int sighand_start(void);
/* Begins a job-control stop of the current process. */
void signal_start_stop(int sig);
/* One dump of registers for the fault that kills. */
struct trap_frame;
/*
 * Reports of fatal faults, as /proc/sys sets them: whether there are any (debug/exception-trace), whether with registers
 * (kernel/print-fatal-signals), how many (kernel/printk_ratelimit_burst) in how many seconds (kernel/printk_ratelimit).
 */
extern int report_faults, report_registers, report_interval, report_burst;
void signal_report_fatal(struct trap_frame *frame, int sig, const struct siginfo *info);
/* exec: handlers back to default, altstack off. */
void signal_exec(void);

/* Tells the parent of p that it ended, stopped or continued (SIGCHLD and wake-up of wait). tree_lock held. */
void signal_notify_parent_locked(struct process *p, int why);	/* CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_STOPPED, CLD_CONTINUED */
/* The caller may signal the process: authority, or SIGCONT within the session. sig 0 tests. */
int signal_may_send(struct process *p, int sig);

/* setting of a frame and return from it: the port's part, modules/linux/arch/<a>/. */
struct trap_frame;
struct signal_delivery {
	int sig;
	struct siginfo info;
	struct signal_action action;
	uint64_t saved_mask;
};
/*
 * Pushes the frame on the user stack and redirects: the registers are fit for user mode then, if they were. -EFAULT if that cannot be
 * written. In exit work, whose way back restores every register.
 */
int arch_signal_setup_frame(struct trap_frame *frame, const struct signal_delivery *d);
/*
 * rt_sigreturn: takes all back from the user stack, *mask receives the mask. 0; -EFAULT, with the frame as it was;
 * or 1: all is taken back, but no processor could run it, so SIGSEGV is due once the mask is in force.
 */
int arch_signal_return(struct trap_frame *frame, uint64_t *mask);
/* Smallest stack a frame fits on (AT_MINSIGSTKSZ). */
size_t arch_signal_min_stack(void);
/* The port's number of restart_syscall(2). */
long signal_restart_number(void);
/* si_code, si_trapno etc. of a fault. */
struct trap_info;
void arch_signal_fault_info(const struct trap_info *t, struct siginfo *info);
