/*
 * Sending signals: queues, who is woken, what is thrown away.
 *
 * A signal goes into the queue of a task or of its process, under process.lock, unless it is ignored and nobody holds it back. Standard signals
 * are queued once, real-time ones as often as sent. Then one thread that can take it gets WORK_SIGNAL, which ends its
 * sleep or makes its CPU enter the kernel. Job-control signals act on the other queue entries when they are sent.
 *
 * Any context, so allocations are atomic; entries are released outside of the lock.
 */
#include "internal.h"

#include "core/lib/string.h"

#define DEFAULT_IGNORED (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))

void signal_pending_init(struct signal_pending *p)
{
	p->set = 0;
	list_init(&p->queue);
}

/* One word. process.lock held, or the caller's own process: exec may replace the table. */
static uintptr_t handler_of(struct process *p, int sig)
{
	return READ_ONCE(p->sighand->action[sig - 1].handler);
}

bool signal_ignored(struct process *p, int sig)
{
	uintptr_t handler = handler_of(p, sig);

	if (handler == (uintptr_t)SIG_IGN)
		return true;
	return handler == (uintptr_t)SIG_DFL && (SIGNAL_BIT(sig) & DEFAULT_IGNORED);
}
MODAPI(signal_ignored);

/* Nobody would ever see it. Blocked ones are kept: the action may change before they are let through. */
static bool thrown_away(struct process *p, struct task *t, int sig)
{
	if (!t)
		t = p->leader;		/* its mask stands for the process's, as on Linux */
	if (t && (t->blocked & SIGNAL_BIT(sig)))
		return false;
	if (p == init_process && sig != SIGKILL && sig != SIGSTOP && handler_of(p, sig) == (uintptr_t)SIG_DFL)
		return true;		/* init gets only what it has a handler for */
	if (p == init_process && (SIGNAL_BIT(sig) & SIG_KILL_STOP))
		return true;
	return signal_ignored(p, sig);
}

static bool can_take(const struct task *t, int sig)
{
	if (t->exiting || !t->thread)
		return false;
	if (sig == SIGKILL)
		return true;
	if (t->stopped)
		return false;
	return !(t->blocked & SIGNAL_BIT(sig)) || (t->waiting_for & SIGNAL_BIT(sig));
}

static void wake_for(struct task *t, int sig)
{
	thread_set_work(t->thread, sig == SIGKILL ? WORK_SIGNAL | WORK_KILL : WORK_SIGNAL);
}

/* A fatal signal takes the whole process at once: nobody waits until the chosen thread looks. process.lock held. */
static bool start_group_exit(struct process *p, struct task *t, int sig)
{
	struct task *each;
	uintptr_t handler = handler_of(p, sig);

	if (sig != SIGKILL && (handler != (uintptr_t)SIG_DFL || (SIGNAL_BIT(sig) & (DEFAULT_IGNORED | SIG_STOPS)) ||
			       (t->blocked & SIGNAL_BIT(sig)) || p->group_exit))
		return false;
	/* Signals whose default makes a core dump are left to the thread that takes them: it reports the fault. */
	if (sig == SIGQUIT || sig == SIGILL || sig == SIGTRAP || sig == SIGABRT || sig == SIGFPE || sig == SIGSEGV ||
	    sig == SIGBUS || sig == SIGSYS || sig == SIGXCPU || sig == SIGXFSZ)
		return false;
	if (!p->group_exit) {
		p->group_exit = true;
		p->group_exit_code = sig;
	}
	list_for_each(each, &p->tasks, link)
		if (each->thread)
			wake_for(each, SIGKILL);
	return true;
}

/* A thread for a signal of the process: the first, else the one that took the last, else any. Null if there is none. process.lock held. */
static struct task *find_taker(struct process *p, int sig)
{
	struct task *t;

	if (p->leader && can_take(p->leader, sig))
		return p->leader;
	if (p->last_taker && can_take(p->last_taker, sig))
		return p->last_taker;
	if (p->none_takes & SIGNAL_BIT(sig))
		return NULL;
	list_for_each(t, &p->tasks, link)
		if (can_take(t, sig)) {
			p->last_taker = t;
			return t;
		}
	/* Until a thread lets it through, waits for it, joins or goes on from a stop. */
	p->none_takes |= SIGNAL_BIT(sig) & ~SIGNAL_BIT(SIGKILL);
	return NULL;
}

/* Wakes a thread for a signal that was queued. process.lock held. */
static void wake_somebody(struct process *p, struct task *t, int sig)
{
	full_barrier();		/* the set before the look: pairs with wait_prepare() */
	if (unlikely(wait_queue_active(&p->signalfd_wait)))
		wait_wake_all(&p->signalfd_wait);
	if (t) {
		if (!can_take(t, sig))
			return;
	} else {
		t = find_taker(p, sig);
		if (!t)
			return;
	}
	if (!start_group_exit(p, t, sig))
		wake_for(t, sig);
}

/* Takes all entries of the set out of a queue. */
static void remove_set(struct signal_pending *q, uint64_t set, struct list *dead)
{
	struct signal_entry *e, *next;

	if (!(q->set & set))
		return;
	q->set &= ~set;
	list_for_each_safe(e, next, &q->queue, link)
		if (SIGNAL_BIT(e->info.si_signo) & set) {
			list_remove(&e->link);
			list_add_tail(dead, &e->link);
		}
}

void signal_remove_locked(struct process *p, uint64_t set, struct list *dead)
{
	struct task *t;

	remove_set(&p->pending, set, dead);
	if (!(p->task_pending & set))
		return;
	p->task_pending &= ~set;
	list_for_each(t, &p->tasks, link)
		remove_set(&t->pending, set, dead);
}

/*
 * Stop signals and SIGCONT cancel each other when they are sent. SIGCONT lets a stopped process run even if it is blocked or ignored;
 * the parent is told. process.lock held, and tree_lock for SIGCONT.
 */
static bool job_control(struct process *p, int sig, struct list *dead)
{
	bool was_stopped = false;

	if (SIGNAL_BIT(sig) & SIG_STOPS) {
		signal_remove_locked(p, SIGNAL_BIT(SIGCONT), dead);
	} else if (sig == SIGCONT || sig == SIGKILL) {
		if (sig == SIGCONT)
			signal_remove_locked(p, SIG_STOPS, dead);
		was_stopped = p->stopped || p->stop_signal;
		if (was_stopped && sig == SIGCONT) {
			p->continued = true;
			p->stop_code = 0;
		}
		if (was_stopped || p->stop_taken)
			signal_end_stop_locked(p);
	}
	return was_stopped && sig == SIGCONT;
}

/* It counts against the receiver's user. process.lock held. */
static struct signal_entry *make_entry(struct process *p, struct task *t, int sig, const struct siginfo *info)
{
	bool must = sig < SIGRTMIN && ((uintptr_t)info <= 1 || info->si_code >= 0);
	struct signal_entry *e;
	struct user *user;

	if (!t && list_empty(&p->tasks))
		return NULL;		/* the last thread is about to end */
	user = t ? t->user : p->leader->user;
	if (!user_charge_signal(user, process_limit(p, RLIMIT_SIGPENDING), must))
		return NULL;
	e = kmalloc(sizeof(*e), ALLOC_ATOMIC);
	if (!e) {
		user_uncharge_signal(user);
		return NULL;
	}
	e->owner = NULL;
	e->dequeued = NULL;
	e->user = user;
	return e;
}

static void fill_info(struct siginfo *to, int sig, const struct siginfo *info)
{
	if ((uintptr_t)info > 1) {
		siginfo_copy(to, info);
		return;
	}
	siginfo_clear(to);
	to->si_signo = sig;
	to->si_code = info == SIGINFO_KERNEL ? SI_KERNEL : SI_USER;
	if (info == SIGINFO_NONE && current_task) {
		struct identity id;

		service(authority)->identity(current, &id);
		to->si_pid = current_process->pid->nr;
		to->si_uid = id.uid;
	}
}

/* process.lock held; `t` null: to the process. 0, -EAGAIN. */
static int queue_signal(struct process *p, struct task *t, int sig, const struct siginfo *info, struct list *dead)
{
	struct signal_pending *q = t ? &t->pending : &p->pending;
	struct signal_entry *e;

	if (thrown_away(p, t, sig))
		return 0;
	if (sig < SIGRTMIN && (q->set & SIGNAL_BIT(sig)))
		return 0;
	if (t)
		p->task_pending |= SIGNAL_BIT(sig);
	if (sig == SIGKILL) {
		q->set |= SIGNAL_BIT(sig);
		wake_somebody(p, t, sig);
		return 0;
	}
	e = make_entry(p, t, sig, info);
	if (e) {
		fill_info(&e->info, sig, info);
		list_add_tail(&q->queue, &e->link);
	} else if (sig >= SIGRTMIN && (uintptr_t)info > 1 && info->si_code != SI_USER) {
		return -EAGAIN;
	}
	(void)dead;
	q->set |= SIGNAL_BIT(sig);
	wake_somebody(p, t, sig);
	return 0;
}

/* tree_lock held for SIGCONT, which tells the parent. */
static int send_locked(struct process *p, struct task *t, int sig, const struct siginfo *info, struct list *dead)
{
	unsigned long flags = spin_lock_irqsave(&p->lock);
	bool continued;
	int error = 0;

	if (p->state != PROCESS_ALIVE || (t && (t->exiting || !t->thread))) {
		spin_unlock_irqrestore(&p->lock, flags);
		return 0;
	}
	continued = job_control(p, sig, dead);
	error = queue_signal(p, t, sig, info, dead);
	spin_unlock_irqrestore(&p->lock, flags);
	if (continued)
		signal_notify_parent_locked(p, CLD_CONTINUED);
	return error;
}

int signal_send_process_locked(struct process *p, int sig, const struct siginfo *info)
{
	struct list dead = LIST_INIT(dead);
	int error = send_locked(p, NULL, sig, info, &dead);

	if (unlikely(!list_empty(&dead)))
		signal_release_list(&dead);
	return error;
}

int signal_send_process(struct process *p, int sig, const struct siginfo *info)
{
	unsigned long flags;
	int error;

	if (sig != SIGCONT)
		return signal_send_process_locked(p, sig, info);
	flags = spin_lock_irqsave(&tree_lock);
	error = signal_send_process_locked(p, sig, info);
	spin_unlock_irqrestore(&tree_lock, flags);
	return error;
}
MODAPI(signal_send_process);

int signal_send_task_locked(struct task *t, int sig, const struct siginfo *info)
{
	struct list dead = LIST_INIT(dead);
	int error = send_locked(t->process, t, sig, info, &dead);

	if (unlikely(!list_empty(&dead)))
		signal_release_list(&dead);
	return error;
}

int signal_send_task(struct task *t, int sig, const struct siginfo *info)
{
	unsigned long flags;
	int error;

	if (sig != SIGCONT)
		return signal_send_task_locked(t, sig, info);
	flags = spin_lock_irqsave(&tree_lock);
	error = signal_send_task_locked(t, sig, info);
	spin_unlock_irqrestore(&tree_lock, flags);
	return error;
}
MODAPI(signal_send_task);

int signal_send_group_locked(struct pid *group, int sig, const struct siginfo *info)
{
	struct process *p;
	int result = -ESRCH;

	list_for_each(p, &group->group, group_link) {
		signal_send_process_locked(p, sig, info);
		result = 0;
	}
	return result;
}

int signal_send_group(struct pid *group, int sig, const struct siginfo *info)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	int error = signal_send_group_locked(group, sig, info);

	spin_unlock_irqrestore(&tree_lock, flags);
	return error;
}
MODAPI(signal_send_group);

void signal_force(int sig, const struct siginfo *info)
{
	struct task *t = current_task;
	struct process *p = t->process;
	struct list dead = LIST_INIT(dead);
	unsigned long flags = spin_lock_irqsave(&p->lock);
	struct signal_action *a = &p->sighand->action[sig - 1];

	spin_lock_raw(&p->sighand->lock);
	if ((t->blocked & SIGNAL_BIT(sig)) || a->handler == (uintptr_t)SIG_IGN) {
		/* Cannot be held back: the default kills. */
		a->handler = (uintptr_t)SIG_DFL;
		t->blocked &= ~SIGNAL_BIT(sig);
		p->none_takes &= ~SIGNAL_BIT(sig);
	}
	spin_unlock_raw(&p->sighand->lock);
	t->forced = SIGNAL_BIT(sig);
	remove_set(&t->pending, SIGNAL_BIT(sig), &dead);
	queue_signal(p, t, sig, info, &dead);
	/* Also init dies of its own faults; thrown_away() does not know of force. */
	t->pending.set |= SIGNAL_BIT(sig);
	p->task_pending |= SIGNAL_BIT(sig);
	thread_set_work(t->thread, WORK_SIGNAL);
	spin_unlock_irqrestore(&p->lock, flags);
	signal_release_list(&dead);
}
MODAPI(signal_force);

void signal_force_fatal(int sig)
{
	struct process *p = current_process;
	unsigned long flags = spin_lock_irqsave(&p->sighand->lock);

	p->sighand->action[sig - 1].handler = (uintptr_t)SIG_DFL;
	spin_unlock_irqrestore(&p->sighand->lock, flags);
	signal_force(sig, SIGINFO_KERNEL);
}
MODAPI(signal_force_fatal);

void signal_flush_locked(struct signal_pending *p, struct list *dead)
{
	remove_set(p, ~0ull, dead);
}

static void release_entry(struct signal_entry *e)
{
	if (e->dequeued) {
		e->dequeued(e, NULL);
		return;
	}
	user_uncharge_signal(e->user);
	kfree(e);
}

void signal_release_list(struct list *list)
{
	while (!list_empty(list)) {
		struct signal_entry *e = list_first(list, struct signal_entry, link);

		list_remove(&e->link);
		release_entry(e);
	}
}

int signal_entry_init(struct signal_entry *e, void *owner,
		       void (*dequeued)(struct signal_entry *e, struct siginfo *taken))
{
	struct user *user = current_task->user;

	memset(e, 0, sizeof(*e));
	if (!user_charge_signal(user, process_limit(current_process, RLIMIT_SIGPENDING), false))
		return -EAGAIN;
	e->user = user;
	list_init(&e->link);
	e->owner = owner;
	e->dequeued = dequeued;
	return 0;
}
MODAPI(signal_entry_init);

void signal_entry_release(struct signal_entry *e)
{
	user_uncharge_signal(e->user);
	e->user = NULL;
}
MODAPI(signal_entry_release);

int signal_entry_send(struct signal_entry *e, struct task *t, bool process_wide)
{
	struct process *p = t->process;
	struct signal_pending *q = process_wide ? &p->pending : &t->pending;
	int sig = e->info.si_signo, result = 1;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	if (p->state == PROCESS_ALIVE && list_empty(&e->link) && !thrown_away(p, process_wide ? NULL : t, sig) &&
	    !(!process_wide && t->exiting)) {
		list_add_tail(&q->queue, &e->link);
		q->set |= SIGNAL_BIT(sig);
		if (!process_wide)
			p->task_pending |= SIGNAL_BIT(sig);
		wake_somebody(p, process_wide ? NULL : t, sig);
		result = 0;
	}
	spin_unlock_irqrestore(&p->lock, flags);
	return result;
}
MODAPI(signal_entry_send);

/* Is a signal of that number still queued? */
static bool still_queued(const struct signal_pending *q, int sig)
{
	struct signal_entry *e;

	list_for_each(e, &q->queue, link)
		if (e->info.si_signo == sig)
			return true;
	return false;
}

bool signal_entry_cancel(struct signal_entry *e, struct task *t)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	bool queued = !list_empty(&e->link);
	int sig = e->info.si_signo;

	if (queued) {
		list_remove(&e->link);
		if (!still_queued(&p->pending, sig))
			p->pending.set &= ~SIGNAL_BIT(sig);
		if (!still_queued(&t->pending, sig))
			t->pending.set &= ~SIGNAL_BIT(sig);
	}
	spin_unlock_irqrestore(&p->lock, flags);
	return queued;
}
MODAPI(signal_entry_cancel);

void signal_recalc_locked(struct task *t)
{
	struct process *p = t->process;

	if (((t->pending.set | p->pending.set) & ~t->blocked) || (p->stop_signal && !t->stopped) || t->restore_blocked ||
	    p->group_exit || (p->group_exec && p->group_exec != t))
		thread_set_work(t->thread, WORK_SIGNAL);
	else if (t->thread == current)
		thread_clear_work(WORK_SIGNAL);
}

void signal_set_blocked(uint64_t mask)
{
	struct task *t = current_task, *other;
	struct process *p = t->process;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	uint64_t newly, was = t->blocked;

	t->blocked = mask & ~SIG_KILL_STOP;
	p->none_takes &= t->blocked;
	/* Signals of the process that we would have taken: somebody else may. */
	newly = t->blocked & ~was & p->pending.set;
	if (newly)
		list_for_each(other, &p->tasks, link)
			if (other != t && other->thread && (newly & ~other->blocked))
				thread_set_work(other->thread, WORK_SIGNAL);
	signal_recalc_locked(t);
	spin_unlock_irqrestore(&p->lock, flags);
}
MODAPI(signal_set_blocked);

/* The lowest deliverable number, synchronous faults first. */
static int first_signal(uint64_t set)
{
	uint64_t faults = set & (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |
				 SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS));

	if (set & SIGNAL_BIT(SIGKILL))
		return SIGKILL;
	if (faults)
		set = faults;
	return set ? (int)bit_lowest(set) + 1 : 0;
}

static void take_entry(struct signal_pending *q, int sig, struct siginfo *info, struct list *dead)
{
	struct signal_entry *e, *found = NULL;

	list_for_each(e, &q->queue, link)
		if (e->info.si_signo == sig) {
			found = e;
			break;
		}
	if (!found) {
		siginfo_clear(info);
		info->si_signo = sig;
		info->si_code = SI_USER;
		q->set &= ~SIGNAL_BIT(sig);
		return;
	}
	siginfo_copy(info, &found->info);
	list_remove(&found->link);
	list_add_tail(dead, &found->link);
	if (!still_queued(q, sig))
		q->set &= ~SIGNAL_BIT(sig);
}

static int dequeue(uint64_t mask, struct siginfo *info, bool update)
{
	struct task *t = current_task;
	struct process *p = t->process;
	struct list dead = LIST_INIT(dead);
	unsigned long flags = spin_lock_irqsave(&p->lock);
	int sig = first_signal(t->pending.set & mask);

	if (sig) {
		take_entry(&t->pending, sig, info, &dead);
	} else {
		sig = first_signal(p->pending.set & mask);
		if (sig)
			take_entry(&p->pending, sig, info, &dead);
	}
	/* It leaves the queue, where SIGCONT would find it, and has no effect yet: leave word. */
	if (sig && (SIGNAL_BIT(sig) & SIG_STOPS))
		t->stop_taken = p->stop_taken = true;
	if (update || !sig)
		signal_recalc_locked(t);
	spin_unlock_irqrestore(&p->lock, flags);
	if (!list_empty(&dead)) {
		struct signal_entry *e = list_first(&dead, struct signal_entry, link);

		/* The owner of a timer's entry completes the information (overruns) before it is seen. */
		if (e->dequeued) {
			list_remove(&e->link);
			e->dequeued(e, info);
		}
		signal_release_list(&dead);
	}
	return sig;
}

int signal_dequeue(uint64_t mask, struct siginfo *info)
{
	return dequeue(mask, info, true);
}
MODAPI(signal_dequeue);

int signal_take(uint64_t mask, struct siginfo *info)
{
	return dequeue(mask, info, false);
}
