/*
 * Delivering signals before the return to user mode, and the restart of interrupted system calls.
 *
 * The loop takes one signal at a time: fatal ones end the process, stopping ones stop it, handlers get a frame. When the first handler gets
 * its frame, or none ran, the interrupted call is restarted or fails with EINTR as the rules of signal(7) say.
 */
#include "internal.h"

#include <gen/linux.h>

#include "core/arch/trap.h"
#include "core/module/hooks.h"
#include "core/trap/trap.h"

#define SIG_STOPS (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define SIG_IGNORES (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))
#define SIG_CORES (SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) | \
		   SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGSYS) | \
		   SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ))

/* A system call that ended with a restart code, when no handler runs. */
static void restart_without_handler(struct trap_frame *f)
{
	long result;

	if (arch_syscall_number(f) < 0)
		return;
	result = arch_syscall_result(f);
	if (result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND || result == -ERESTART_MODULE) {
		arch_syscall_rewind(f);
	} else if (result == -ERESTART_RESTARTBLOCK) {
		arch_syscall_set_number(f, signal_restart_number());
		arch_syscall_rewind(f);
	} else {
		return;
	}
	arch_trap_sanitize(f);
	arch_syscall_set_number(f, -1);
}

/* ... when a handler runs. */
static void restart_with_handler(struct trap_frame *f, const struct signal_action *a)
{
	long result;

	if (arch_syscall_number(f) < 0)
		return;
	result = arch_syscall_result(f);
	if (result == -ERESTARTNOINTR || result == -ERESTART_MODULE || (result == -ERESTARTSYS && (a->flags & SA_RESTART)))
		arch_syscall_rewind(f);
	else if (result == -ERESTARTSYS || result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK)
		arch_syscall_set_result(f, -EINTR);
	else
		return;
	arch_trap_sanitize(f);
	arch_syscall_set_number(f, -1);
}

/* Signal frame for a handler. False if the stack could not be written: SIGSEGV is on its way. */
static void run_handler(struct trap_frame *frame, int sig, const struct siginfo *info, const struct signal_action *a)
{
	struct task *t = current_task;
	struct signal_delivery d = { .sig = sig, .info = *info, .action = *a };
	uint64_t mask;

	restart_with_handler(frame, a);
	current->restart_deadline = 0;	/* the handler's own calls are new ones */
	d.saved_mask = t->restore_blocked ? t->saved_blocked : t->blocked;
	hook_call(user_redirect, frame);
	if (arch_signal_setup_frame(frame, &d)) {
		if (sig == SIGSEGV)
			signal_force_fatal(SIGSEGV);
		else
			signal_force(SIGSEGV, SIGINFO_KERNEL);
		return;
	}
	t->restore_blocked = false;
	arch_trap_sanitize(frame);
	mask = t->blocked | a->mask;
	if (!(a->flags & SA_NODEFER))
		mask |= SIGNAL_BIT(sig);
	signal_set_blocked(mask);
}

/* The action for a signal; SA_RESETHAND takes effect. */
static struct signal_action take_action(struct process *p, int sig)
{
	unsigned long flags = spin_lock_irqsave(&p->sighand->lock);
	struct signal_action *slot = &p->sighand->action[sig - 1], a = *slot;

	if ((a.flags & SA_RESETHAND) && a.handler > (uintptr_t)SIG_IGN)
		slot->handler = (uintptr_t)SIG_DFL;
	spin_unlock_irqrestore(&p->sighand->lock, flags);
	return a;
}

static void die_of(struct trap_frame *frame, int sig, const struct siginfo *info)
{
	int code = sig;

	if (SIGNAL_BIT(sig) & SIG_CORES) {
		signal_report_fatal(frame, sig, info);
		/* The status tells of a dump only where one was written. */
	}
	process_exit_group(code);
}

/* The default action. True if something of the loop must be looked at again. */
static void default_action(struct trap_frame *frame, int sig, const struct siginfo *info)
{
	struct process *p = current_process;
	bool forced = current_task->forced & SIGNAL_BIT(sig);

	if (SIGNAL_BIT(sig) & SIG_IGNORES)
		return;
	if (p == init_process && !forced)
		return;
	if (SIGNAL_BIT(sig) & SIG_STOPS) {
		if (sig != SIGSTOP && group_is_orphaned(p->group))
			return;
		signal_start_stop(sig);
		return;
	}
	die_of(frame, sig, info);
}

/* This thread is to end: its process exits, or another thread's exec kills it. */
static void check_dying(void)
{
	struct task *t = current_task;
	struct process *p = t->process;

	if (READ_ONCE(p->group_exit))
		task_exit(p->group_exit_code);
	if (READ_ONCE(p->group_exec) && p->group_exec != t)
		task_exit(0);
}

void signal_deliver_work(struct trap_frame *frame)
{
	struct task *t = current_task;
	struct siginfo info;
	bool handled = false;

	for (;;) {
		struct signal_action a;
		int sig;

		check_dying();
		if (signal_take_part_in_stop())
			continue;
		sig = signal_dequeue(~t->blocked, &info);
		if (!sig)
			break;
		a = take_action(t->process, sig);
		if (sig == SIGKILL)
			process_exit_group(SIGKILL);
		if (a.handler == (uintptr_t)SIG_IGN)
			continue;
		if (a.handler == (uintptr_t)SIG_DFL) {
			default_action(frame, sig, &info);
			t->forced &= ~SIGNAL_BIT(sig);
			continue;
		}
		t->forced &= ~SIGNAL_BIT(sig);
		run_handler(frame, sig, &info, &a);
		handled = true;
	}
	if (!handled) {
		restart_without_handler(frame);
		if (t->restore_blocked) {
			t->restore_blocked = false;
			signal_set_blocked(t->saved_blocked);
		}
	}
}

void signal_user_fault(struct trap_frame *frame, const struct trap_info *trap)
{
	struct siginfo info;

	(void)frame;
	if (trap->kind == TRAP_KILLED)
		return;
	if (trap->kind == TRAP_OUT_OF_MEMORY) {
		signal_force_fatal(SIGKILL);
		return;
	}
	memset(&info, 0, sizeof(info));
	arch_signal_fault_info(trap, &info);
	signal_force(info.si_signo, &info);
}

/* exec's and others' way to say that a fatal signal is on its way. */
static int swap_user_mask(uintptr_t sigset, size_t size)
{
	struct task *t = current_task;
	uint64_t mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (user_load_u64(sigset, &mask))
		return -EFAULT;
	t->saved_blocked = t->blocked;
	signal_set_blocked(mask);
	return 0;
}

static void restore_mask(bool interrupted)
{
	struct task *t = current_task;

	if (interrupted) {
		t->restore_blocked = true;
		thread_set_work(current, WORK_SIGNAL);
	} else {
		signal_set_blocked(t->saved_blocked);
	}
}

const struct signal_mask_ops linux_signal_mask_ops = { .swap_user = swap_user_mask, .restore = restore_mask };
