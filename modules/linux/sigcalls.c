/*
 * The system calls on signals: masks, waiting, stacks, sending, return from handlers.
 */
#include "internal.h"

#include <gen/linux.h>

#include "core/arch/trap.h"
#include "core/trap/trap.h"
#include "modules/vfs/fd.h"

static int load_mask(uintptr_t from, size_t size, uint64_t *out)
{
	if (size != sizeof(*out))
		return -EINVAL;
	return user_load_u64(from, out);
}

long sys_rt_sigprocmask(int32_t how, struct uin_sigset set, struct uout_sigset old, size_t size)
{
	uint64_t was = current_task->blocked, mask;
	int error;

	if (size != sizeof(mask))
		return -EINVAL;
	if (set.addr) {
		error = load_mask(set.addr, size, &mask);
		if (error)
			return error;
		mask &= ~SIG_KILL_STOP;
		if (how == SIG_BLOCK)
			mask |= was;
		else if (how == SIG_UNBLOCK)
			mask = was & ~mask;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		if (mask != was)
			signal_set_blocked(mask);
	}
	return old.addr ? user_store_u64(old.addr, was) : 0;
}

long sys_rt_sigpending(struct uout_sigset set, size_t size)
{
	struct task *t = current_task;
	uint64_t pending;

	if (size > sizeof(pending))
		return -EINVAL;
	pending = (t->pending.set | t->process->pending.set) & t->blocked;
	return copy_to_user(set.addr, &pending, size);
}

long sys_rt_sigsuspend(struct trap_frame *frame, struct uin_sigset set, size_t size)
{
	struct task *t = current_task;
	uint64_t mask;
	int error = load_mask(set.addr, size, &mask);

	(void)frame;
	if (error)
		return error;
	t->saved_blocked = t->blocked;
	signal_set_blocked(mask);
	do {
		wait_prepare(WAIT_INTERRUPTIBLE);
		error = wait_sleep(TIME_NEVER);
	} while (!error);
	wait_finish();
	t->restore_blocked = true;
	thread_set_work(current, WORK_SIGNAL);
	return error == -EINTR ? -ERESTARTNOHAND : error;
}

long sys_pause(void)
{
	int error;

	do {
		wait_prepare(WAIT_INTERRUPTIBLE);
		error = wait_sleep(TIME_NEVER);
	} while (!error);
	wait_finish();
	return error == -EINTR ? -ERESTARTNOHAND : error;
}

/* Waits for one of `set`, which is blocked by convention. */
static int wait_for_signal(uint64_t set, uint64_t deadline, struct siginfo *info)
{
	struct task *t = current_task;
	struct process *p = t->process;
	unsigned long flags;
	int sig = signal_dequeue(set, info), error = 0;

	while (!sig && !error && deadline != 0) {
		flags = spin_lock_irqsave(&p->lock);
		t->waiting_for = set;
		p->none_takes &= ~set;
		spin_unlock_irqrestore(&p->lock, flags);
		wait_prepare(WAIT_INTERRUPTIBLE);
		if (!((t->pending.set | p->pending.set) & set))
			error = wait_sleep(deadline);
		wait_finish();
		flags = spin_lock_irqsave(&p->lock);
		t->waiting_for = 0;
		spin_unlock_irqrestore(&p->lock, flags);
		sig = signal_dequeue(set, info);
	}
	if (sig)
		return sig;
	return error == -EINTR ? -EINTR : error && error != -ETIMEDOUT ? error : -EAGAIN;
}

long sys_rt_sigtimedwait(struct uin_sigset set, struct uout_siginfo out, struct uin_timespec timeout, size_t size)
{
	uint64_t mask, deadline = TIME_NEVER;
	struct __kernel_timespec ts;
	struct siginfo info;
	int sig, error = load_mask(set.addr, size, &mask);

	if (error)
		return error;
	if (timeout.addr) {
		if (copy_in_timespec(&ts, timeout))
			return -EFAULT;
		if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (long)NSEC_PER_SEC)
			return -EINVAL;
		deadline = ts.tv_sec > 9000000000ll ? TIME_NEVER :
			   ts.tv_sec || ts.tv_nsec ? clock_monotonic() + (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec : 0;
	}
	sig = wait_for_signal(mask & ~SIG_KILL_STOP, deadline, &info);
	if (sig > 0 && out.addr && siginfo_to_user(out.addr, &info))
		return -EFAULT;
	return sig;
}

int signal_may_send(struct process *p, int sig)
{
	struct task *t;
	int error;

	if (p == current_process)
		return 0;
	if (sig == SIGCONT && p->session == current_process->session)
		return 0;
	t = process_leader(p);
	if (!t)
		return 0;		/* reaped just now */
	error = t->thread ? service(authority)->may_signal(t->thread) : 0;
	task_put(t);
	return error;
}

static int kill_process(struct process *p, int sig)
{
	int error = signal_may_send(p, sig);

	if (!error && sig)
		error = signal_send_process(p, sig, SIGINFO_NONE);
	return error;
}

/* Everybody that may be signalled, but init and the caller; or a group. */
static int kill_many(struct pid *group, bool all, int sig)
{
	struct process *p;
	int found = 0, sent = 0, error = -ESRCH;

	for (int nr = 1; (p = process_next(nr)); process_put(p)) {
		int e;

		nr = p->pid->nr + 1;
		if (all ? p == init_process || p == current_process : READ_ONCE(p->group) != group)
			continue;
		if (p->state == PROCESS_REAPED)
			continue;
		found++;
		e = kill_process(p, sig);
		if (!e)
			sent++;
		else
			error = e;
	}
	if (sent || (all && found))
		return 0;
	return error;
}

long sys_kill(int32_t nr, int32_t sig)
{
	struct process *p;
	struct pid *group;
	int error;

	if (sig < 0 || sig > SIGNALS)
		return -EINVAL;
	if (nr > 0) {
		if (nr == current_process->pid->nr)
			return sig ? signal_send_process(current_process, sig, SIGINFO_NONE) : 0;
		p = process_find_any(nr);
		if (!p)
			return -ESRCH;
		error = kill_process(p, sig);
		process_put(p);
		return error;
	}
	if (nr == -1)
		return kill_many(NULL, true, sig);
	if (nr == INT32_MIN)
		return -ESRCH;
	group = nr ? pid_find(-nr) : current_group();
	if (!group)
		return -ESRCH;
	error = kill_many(group, false, sig);
	pid_put(group);
	return error;
}

static int kill_thread(int tgid, int tid, int sig, const struct siginfo *info)
{
	struct task *t;
	int error = 0;

	/* To oneself, which is always allowed: raise(3), abort(3). */
	if (tid == current_task->pid->nr && (tgid <= 0 || tgid == current_process->pid->nr))
		return sig ? signal_send_task(current_task, sig, info) : 0;
	t = task_find(tid);
	if (!t)
		return -ESRCH;
	if (tgid > 0 && t->process->pid->nr != tgid)
		error = -ESRCH;
	if (!error)
		error = signal_may_send(t->process, sig);
	if (!error && sig)
		error = signal_send_task(t, sig, info);
	task_put(t);
	return error;
}

/* SI_TKILL with the sender's identity. */
static void tkill_info(int sig, struct siginfo *info)
{
	struct identity id;

	service(authority)->identity(current, &id);
	siginfo_clear(info);
	info->si_signo = sig;
	info->si_code = SI_TKILL;
	info->si_pid = current_process->pid->nr;
	info->si_uid = id.uid;
}

long sys_tkill(int32_t tid, int32_t sig)
{
	struct siginfo info;

	if (tid <= 0 || sig < 0 || sig > SIGNALS)
		return -EINVAL;
	tkill_info(sig, &info);
	return kill_thread(0, tid, sig, &info);
}

long sys_tgkill(int32_t tgid, int32_t tid, int32_t sig)
{
	struct siginfo info;

	if (tgid <= 0 || tid <= 0 || sig < 0 || sig > SIGNALS)
		return -EINVAL;
	tkill_info(sig, &info);
	return kill_thread(tgid, tid, sig, &info);
}

/* Codes whose meaning is known: what lies behind the kept part means nothing with them. */
static bool code_is_known(int sig, int code)
{
	static const unsigned char most[] = {
		[SIGILL] = 11, [SIGFPE] = 15, [SIGSEGV] = 10, [SIGBUS] = 5, [SIGTRAP] = 6, [SIGCHLD] = 6, [SIGPOLL] = 6, [SIGSYS] = 2,
	};

	if (code == SI_KERNEL)
		return true;
	if (code > SI_USER)
		return code <= 6 || (sig > 0 && sig < (int)sizeof(most) && code <= most[sig]);
	return code >= SI_DETHREAD || code == SI_ASYNCNL;
}

int siginfo_from_user(struct siginfo *out, uintptr_t from)
{
	const uint64_t *rest = (const uint64_t *)((const char *)out + SIGINFO_KEPT);
	uint64_t any = 0;

	if (copy_from_user(out, from, sizeof(*out)))
		return -EFAULT;
	for (unsigned int i = 0; i < (sizeof(*out) - SIGINFO_KEPT) / 8; i++)
		any |= rest[i];
	return any && !code_is_known(out->si_signo, out->si_code) ? -E2BIG : 0;
}

int siginfo_to_user(uintptr_t to, const struct siginfo *s)
{
	struct siginfo whole = { 0 };

	siginfo_copy(&whole, s);
	return copy_to_user(to, &whole, sizeof(whole)) ? -EFAULT : 0;
}

/* Nobody may pretend to be the kernel or kill(2) towards others. */
static int queue_info(struct uin_siginfo from, int sig, int target, struct siginfo *info)
{
	int error = siginfo_from_user(info, from.addr);

	if (error)
		return error;
	info->si_signo = sig;
	if ((info->si_code >= 0 || info->si_code == SI_TKILL) && target != current_process->pid->nr)
		return -EPERM;
	return sig < 0 || sig > SIGNALS ? -EINVAL : 0;
}

long sys_rt_sigqueueinfo(int32_t nr, int32_t sig, struct uin_siginfo from)
{
	struct siginfo info;
	struct process *p;
	int error = queue_info(from, sig, nr, &info);

	if (error)
		return error;
	p = process_find_any(nr);
	if (!p)
		return -ESRCH;
	error = signal_may_send(p, sig);
	if (!error && sig)
		error = signal_send_process(p, sig, &info);
	process_put(p);
	return error;
}

long sys_rt_tgsigqueueinfo(int32_t tgid, int32_t tid, int32_t sig, struct uin_siginfo from)
{
	struct siginfo info;
	int error;

	error = queue_info(from, sig, tgid, &info);
	if (error)
		return error;
	return tgid <= 0 || tid <= 0 ? -EINVAL : kill_thread(tgid, tid, sig, &info);
}

static bool on_altstack(const struct task *t, uintptr_t sp)
{
	return !(t->altstack_flags & SS_AUTODISARM) && sp > t->altstack_base && sp - t->altstack_base <= t->altstack_size;
}

int signal_set_altstack(const struct sigaltstack *s, uintptr_t sp)
{
	struct task *t = current_task;
	int mode = s->ss_flags & ~(int)SS_AUTODISARM;

	if (on_altstack(t, sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode != SS_DISABLE && s->ss_size < MINSIGSTKSZ)
		return -ENOMEM;
	t->altstack_base = mode == SS_DISABLE ? 0 : (uintptr_t)s->ss_sp;
	t->altstack_size = mode == SS_DISABLE ? 0 : s->ss_size;
	t->altstack_flags = s->ss_flags;
	return 0;
}

long sys_sigaltstack(struct uin_stack stack, struct uout_stack old)
{
	struct task *t = current_task;
	uintptr_t sp = arch_frame_sp(current->frame);
	struct sigaltstack s, was = {
		.ss_sp = (void *)t->altstack_base, .ss_size = t->altstack_size,
		.ss_flags = t->altstack_size ? (on_altstack(t, sp) ? SS_ONSTACK : 0) | (t->altstack_flags & (int)SS_AUTODISARM) :
			    SS_DISABLE,
	};
	int error = 0;

	if (stack.addr)
		error = copy_in_stack(&s, stack) ? -EFAULT : signal_set_altstack(&s, sp);
	return error ? error : old.addr && copy_out_stack(old, &was) ? -EFAULT : 0;
}

long sys_rt_sigreturn(struct trap_frame *frame)
{
	uint64_t mask;
	int result = arch_signal_return(frame, &mask);

	if (result < 0) {
		signal_force(SIGSEGV, SIGINFO_KERNEL);
		return 0;
	}
	current_task->restart.fn = NULL;
	signal_set_blocked(mask);
	if (result)
		signal_force(SIGSEGV, SIGINFO_KERNEL);
	/* Whatever the interrupted code had there, it is no result of ours. */
	return arch_syscall_result(frame);
}

long sys_restart_syscall(struct trap_frame *frame)
{
	struct restart_block *r = &current_task->restart;
	long (*fn)(struct restart_block *) = r->fn;

	(void)frame;
	return fn ? fn(r) : -EINTR;
}
