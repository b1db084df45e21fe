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
static void run_handler(struct trap_frame *frame, struct signal_delivery *d)
{
	struct task *t = current_task;
	uint64_t mask;

	restart_with_handler(frame, &d->action);
	current->restart_deadline = 0;	/* the handler's own calls are new ones */
	d->saved_mask = t->restore_blocked ? t->saved_blocked : t->blocked;
	hook_call(user_redirect, frame);
	if (arch_signal_setup_frame(frame, d)) {
		if (d->sig == SIGSEGV)
			signal_force_fatal(SIGSEGV);
		else
			signal_force(SIGSEGV, SIGINFO_KERNEL);
		return;
	}
	t->restore_blocked = false;
	mask = t->blocked | d->action.mask;
	if (!(d->action.flags & SA_NODEFER))
		mask |= SIGNAL_BIT(d->sig);
	signal_set_blocked(mask);
}

/* The action for a signal; SA_RESETHAND takes effect. */
static void take_action(struct process *p, int sig, struct signal_action *out)
{
	unsigned long flags = spin_lock_irqsave(&p->sighand->lock);
	struct signal_action *slot = &p->sighand->action[sig - 1];

	*out = *slot;
	if ((out->flags & SA_RESETHAND) && out->handler > (uintptr_t)SIG_IGN)
		slot->handler = (uintptr_t)SIG_DFL;
	spin_unlock_irqrestore(&p->sighand->lock, flags);
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

/* Whether WORK_SIGNAL, which signal_set_blocked() has brought up to date, finds nothing: what comes later sets it again. */
static bool nothing_left(void)
{
	return !thread_has_work(current, WORK_SIGNAL | WORK_KILL);
}

void signal_deliver_work(struct trap_frame *frame)
{
	struct task *t = current_task;
	struct signal_delivery d;
	bool handled = false;

	for (;;) {
		check_dying();
		if (signal_take_part_in_stop())
			continue;
		d.sig = signal_take(~t->blocked, &d.info);
		if (!d.sig)
			break;
		take_action(t->process, d.sig, &d.action);
		if (d.sig == SIGKILL)
			process_exit_group(SIGKILL);
		if (d.action.handler == (uintptr_t)SIG_IGN)
			continue;
		if (d.action.handler == (uintptr_t)SIG_DFL) {
			default_action(frame, d.sig, &d.info);
			t->forced &= ~SIGNAL_BIT(d.sig);
			continue;
		}
		t->forced &= ~SIGNAL_BIT(d.sig);
		run_handler(frame, &d);
		handled = true;
		if (nothing_left())
			break;
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
