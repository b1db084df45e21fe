/*
 * POSIX timers: timer_create and its relatives.
 *
 * An expiry queues the timer's own signal entry, once; while it is queued the timer is not armed. When the signal is taken, the periods
 * that passed meanwhile become the overrun and the timer is armed for the next one. So a program that does not take its signals costs nothing.
 *
 * A timer is found by id under group->lock, which also guards all its fields; references keep it while the lock is dropped. Deletion takes it
 * out of the tree, then waits for a running expiry, then takes its entry off the signal queue.
 *
 * Order: group->lock, then the signal locks.
 */
#include "internal.h"

#include <gen/posix_timers.h>

#define OVERRUN_MAX INT32_MAX
#define TIMERS_MAX  65536		/* of one process, if its user's RLIMIT_SIGPENDING allows */

static void free_rcu(struct rcu_head *head)
{
	struct posix_timer *t = container_of(head, struct posix_timer, rcu);

	signal_entry_release(&t->entry);
	task_put(t->target);
	cpu_clock_put(&t->cpu);
	kfree(t);
}

static void timer_put(struct posix_timer *t)
{
	if (refcount_put(&t->refs))
		rcu_call(&t->rcu, free_rcu);
}

static bool by_id(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct posix_timer, node)->id < rb_entry(b, struct posix_timer, node)->id;
}

static struct posix_timer *find_locked(struct timer_group *g, int id)
{
	struct rb_node *n = g->timers.top;

	while (n) {
		struct posix_timer *t = rb_entry(n, struct posix_timer, node);

		if (id == t->id)
			return t;
		n = id < t->id ? n->left : n->right;
	}
	return NULL;
}

/* The caller's timer, locked; null with nothing locked. */
static struct posix_timer *lock_timer(int id, unsigned long *flags)
{
	struct timer_group *g = timer_group_of(current_process);
	struct posix_timer *t;

	if (!g || id < 0)
		return NULL;
	*flags = spin_lock_irqsave(&g->lock);
	t = find_locked(g, id);
	if (!t)
		spin_unlock_irqrestore(&g->lock, *flags);
	return t;
}

static void unlock_timer(struct posix_timer *t, unsigned long flags)
{
	spin_unlock_irqrestore(&t->group->lock, flags);
}

/* What it runs on: relative times on the real-time clock do not follow that when it is set. */
static int running_clock(const struct posix_timer *t)
{
	return t->clock == CLOCK_REALTIME && !t->absolute ? CLOCK_MONOTONIC : t->clock;
}

static int64_t now_of(const struct posix_timer *t)
{
	int64_t ns = 0;

	if (clock_is_cpu(t->clock))
		return cpu_clock_read(t->cpu.process, t->cpu.task, t->cpu.kind);
	clock_now(running_clock(t), &ns);
	return ns;
}

/* group->lock held. */
static void arm_locked(struct posix_timer *t)
{
	if (clock_is_cpu(t->clock))
		cpu_timer_arm_locked(t);
	else if (t->notify != NOTIFY_NONE)
		clock_arm(&t->timer, running_clock(t), t->expires);
}

/* Moves the expiry past now; returns how many periods were passed over. */
static int64_t forward(struct posix_timer *t, int64_t now)
{
	int64_t periods;

	if (now < t->expires || !t->interval)
		return 0;
	periods = (now - t->expires) / t->interval + 1;
	t->expires += periods * t->interval;
	return periods;
}

void timer_expired_locked(struct posix_timer *t)
{
	if (!t->expires || t->deleted || t->notify == NOTIFY_NONE)
		return;
	t->entry.info.si_overrun = 0;
	if (signal_entry_send(&t->entry, t->target, t->notify == NOTIFY_PROCESS)) {
		/* Ignored: a periodic timer goes on, at most a thousand times a second. */
		if (t->interval) {
			int64_t now = now_of(t);

			forward(t, now);
			if (t->expires < now + (int64_t)NSEC_PER_MSEC && t->interval < (int64_t)NSEC_PER_MSEC)
				t->expires = now + (int64_t)NSEC_PER_MSEC;
			arm_locked(t);
		} else {
			t->expires = 0;
		}
		return;
	}
	t->pending = true;
	t->overrun = 0;
	if (!t->interval)
		t->expires = 0;
}

static void expired(struct timer *timer)
{
	struct posix_timer *t = container_of(timer, struct posix_timer, timer);
	unsigned long flags = spin_lock_irqsave(&t->group->lock);

	/* Armed: it was set anew while this waited for the lock. */
	if (!timer_armed(timer))
		timer_expired_locked(t);
	spin_unlock_irqrestore(&t->group->lock, flags);
}

/* The signal was taken by a thread, or thrown away. The entry may be sent again as soon as the lock is dropped. */
static void dequeued(struct signal_entry *e, struct siginfo *taken)
{
	struct posix_timer *t = e->owner;
	unsigned long flags = spin_lock_irqsave(&t->group->lock);

	t->pending = false;
	if (!t->deleted && t->expires && t->interval) {
		/* The signal stands for one of the periods that are over. */
		int64_t periods = forward(t, now_of(t));

		t->overrun = periods > 0 ? periods - 1 : 0;
		arm_locked(t);
	}
	t->last_overrun = MIN(t->overrun, (int64_t)OVERRUN_MAX);
	if (taken)
		taken->si_overrun = (int)t->last_overrun;
	spin_unlock_irqrestore(&t->group->lock, flags);
}

void posix_timers_adopt(struct timer_group *g)
{
	for (struct rb_node *n = rb_first(&g->timers); n; n = rb_next(n)) {
		struct posix_timer *t = rb_entry(n, struct posix_timer, node);

		t->timer.fn = expired;
		t->entry.dequeued = dequeued;
	}
}

/* Checks a sigevent and finds whom it means. */
static int check_event(const struct sigevent *e, struct posix_timer *t)
{
	int kind = e->sigev_notify & ~SIGEV_THREAD_ID;

	if (e->sigev_notify == SIGEV_NONE) {
		t->notify = NOTIFY_NONE;
		t->target = current_task;
		task_get(t->target);
		return 0;
	}
	if (kind != SIGEV_SIGNAL && kind != SIGEV_THREAD)
		return -EINVAL;
	if (e->sigev_signo <= 0 || e->sigev_signo > SIGNALS)
		return -EINVAL;
	if (e->sigev_notify & SIGEV_THREAD_ID) {
		if (kind == SIGEV_THREAD)
			return -EINVAL;
		t->target = task_find(e->sigev_notify_thread_id);
		if (!t->target || t->target->process != current_process) {
			if (t->target)
				task_put(t->target);
			return -EINVAL;
		}
		t->notify = NOTIFY_THREAD;
	} else {
		t->target = current_task;
		task_get(t->target);
		t->notify = NOTIFY_PROCESS;
		t->kind = kind;
	}
	return 0;
}

/* An id that is free, in rising order. group->lock held. */
static int take_id(struct timer_group *g)
{
	for (unsigned int tries = 0; tries <= g->timer_count; tries++) {
		int id = g->next_id;

		g->next_id = id == INT32_MAX ? 0 : id + 1;
		if (!find_locked(g, id))
			return id;
	}
	return -EAGAIN;
}

static int add(struct timer_group *g, struct posix_timer *t)
{
	unsigned long flags = spin_lock_irqsave(&g->lock);
	int id = g->timer_count >= TIMERS_MAX ? -EAGAIN : take_id(g);

	if (id >= 0) {
		t->id = id;
		rb_insert(&g->timers, &t->node, by_id);
		g->timer_count++;
	}
	spin_unlock_irqrestore(&g->lock, flags);
	return id;
}

static void remove_timer(struct posix_timer *t);

long sys_timer_create(int32_t clock, struct uin_sigevent event, struct uout_timer_id out)
{
	struct timer_group *g = timer_group_own();
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct posix_timer *t;
	int error, id;

	if (!clock_is_cpu(clock) && (error = clock_check_timer(clock, true)))
		return error;
	if (event.addr && copy_in_sigevent(&e, event))
		return -EFAULT;
	if (!g)
		return -EAGAIN;
	t = kzalloc(sizeof(*t), 0);
	if (!t)
		return -EAGAIN;
	refcount_init(&t->refs, 1);
	t->clock = clock;
	t->group = g;
	list_init(&t->cpu_link);
	timer_init(&t->timer, expired);
	error = clock_is_cpu(clock) ? cpu_clock_find(clock, &t->cpu) : 0;
	if (error)
		goto undo_alloc;
	error = check_event(&e, t);
	if (error)
		goto undo_clock;
	error = signal_entry_init(&t->entry, t, dequeued);
	if (error)
		goto undo_target;
	id = add(g, t);
	error = id;
	if (id < 0)
		goto undo_entry;
	t->entry.info.si_signo = e.sigev_signo;
	t->entry.info.si_code = SI_TIMER;
	t->entry.info.si_tid = id;
	t->entry.info.si_value = e.sigev_value;
	if (!event.addr)
		t->entry.info.si_int = id;
	if (user_store_u32(out.addr, (uint32_t)id)) {
		remove_timer(t);
		return -EFAULT;
	}
	return 0;
undo_entry:
	signal_entry_release(&t->entry);
undo_target:
	task_put(t->target);
undo_clock:
	cpu_clock_put(&t->cpu);
undo_alloc:
	kfree(t);
	return error;
}

/* group->lock held. */
static void get_locked(struct posix_timer *t, struct __kernel_itimerspec *out)
{
	int64_t now = t->expires ? now_of(t) : 0, left = 0;

	if (t->expires) {
		if (t->interval && (t->pending || t->notify == NOTIFY_NONE))
			forward(t, now);
		left = t->expires - now;
		if (left <= 0)
			left = t->notify == NOTIFY_NONE && !t->interval ? 0 : 1;
	}
	out->it_value = ns_timespec(left);
	out->it_interval = ns_timespec(t->interval);
}

long sys_timer_gettime(int32_t id, struct uout_itimerspec out)
{
	struct __kernel_itimerspec v;
	unsigned long flags;
	struct posix_timer *t = lock_timer(id, &flags);

	if (!t)
		return -EINVAL;
	get_locked(t, &v);
	unlock_timer(t, flags);
	return copy_out_itimerspec(out, &v);
}

long sys_timer_getoverrun(int32_t id)
{
	unsigned long flags;
	struct posix_timer *t = lock_timer(id, &flags);
	long overrun;

	if (!t)
		return -EINVAL;
	overrun = (long)t->last_overrun;
	unlock_timer(t, flags);
	return overrun;
}

/* Before it is set anew: a signal on its way is taken back, an expiry on its way will find another state. group->lock held. */
static void forget_expiry(struct posix_timer *t)
{
	t->expires = 0;
	cpu_timer_disarm_locked(t);
	/* Only an expiry queues it, under the lock. */
	if (!list_empty(&t->entry.link) && signal_entry_cancel(&t->entry, t->target))
		t->pending = false;
}

/* Stops the timer and its signal. group->lock held, dropped for a moment while the expiry runs. */
static void disarm(struct posix_timer *t, unsigned long *flags)
{
	t->expires = 0;
	cpu_timer_disarm_locked(t);
	refcount_get(&t->refs);
	spin_unlock_irqrestore(&t->group->lock, *flags);
	timer_cancel_sync(&t->timer);
	if (signal_entry_cancel(&t->entry, t->target))
		t->pending = false;
	*flags = spin_lock_irqsave(&t->group->lock);
}

long sys_timer_settime(int32_t id, int32_t how, struct uin_itimerspec in, struct uout_itimerspec out)
{
	struct __kernel_itimerspec new, old;
	struct posix_timer *t;
	unsigned long flags;
	int64_t value;

	if (!in.addr)
		return -EINVAL;
	if (copy_in_itimerspec(&new, in))
		return -EFAULT;
	if (!timespec_valid(&new.it_value) || !timespec_valid(&new.it_interval))
		return -EINVAL;
	t = lock_timer(id, &flags);
	if (!t)
		return -EINVAL;
	if (out.addr)
		get_locked(t, &old);
	forget_expiry(t);
	t->overrun = t->last_overrun = 0;
	value = timespec_ns(&new.it_value);
	t->interval = value ? timespec_ns(&new.it_interval) : 0;
	t->absolute = how & TIMER_ABSTIME;
	if (value && !t->deleted) {
		int64_t now = t->absolute ? 0 : now_of(t);

		t->expires = value >= TIME_MAX - now ? TIME_MAX : now + value;
		arm_locked(t);
	} else {
		timer_cancel(&t->timer);
	}
	unlock_timer(t, flags);
	return out.addr ? copy_out_itimerspec(out, &old) : 0;
}

/* Takes the timer out of its group for good. */
static void remove_timer(struct posix_timer *t)
{
	struct timer_group *g = t->group;
	unsigned long flags = spin_lock_irqsave(&g->lock);

	if (t->deleted) {
		spin_unlock_irqrestore(&g->lock, flags);
		return;
	}
	t->deleted = true;
	rb_remove(&g->timers, &t->node);
	g->timer_count--;
	disarm(t, &flags);
	spin_unlock_irqrestore(&g->lock, flags);
	timer_put(t);		/* disarm's */
	timer_put(t);		/* the group's */
}

long sys_timer_delete(int32_t id)
{
	unsigned long flags;
	struct posix_timer *t = lock_timer(id, &flags);

	if (!t)
		return -EINVAL;
	refcount_get(&t->refs);
	unlock_timer(t, flags);
	remove_timer(t);
	timer_put(t);
	return 0;
}

void posix_timers_delete_all(struct timer_group *g)
{
	for (;;) {
		unsigned long flags = spin_lock_irqsave(&g->lock);
		struct rb_node *n = rb_first(&g->timers);
		struct posix_timer *t = n ? rb_entry(n, struct posix_timer, node) : NULL;

		if (t)
			refcount_get(&t->refs);
		spin_unlock_irqrestore(&g->lock, flags);
		if (!t)
			return;
		remove_timer(t);
		timer_put(t);
	}
}

static bool next_timer(void *process, int after, struct timer_view *out)
{
	struct posix_timer *t = NULL;
	struct timer_group *g;
	unsigned long flags;

	rcu_read_lock();		/* the group's memory */
	g = timer_group_of(process);
	if (g) {
		struct rb_node *n;

		flags = spin_lock_irqsave(&g->lock);
		for (n = g->timers.top; n;) {
			struct posix_timer *each = rb_entry(n, struct posix_timer, node);

			if (each->id > after)
				t = each;
			n = each->id > after ? n->left : n->right;
		}
		if (t)
			*out = (struct timer_view){
				.id = t->id, .clock = t->clock, .signal = t->entry.info.si_signo,
				.notify = t->notify == NOTIFY_NONE ? SIGEV_NONE : t->notify == NOTIFY_THREAD ? SIGEV_THREAD_ID : t->kind,
				.target = t->notify == NOTIFY_THREAD ? t->target->pid->nr : g->process->pid->nr,
				.value = (uintptr_t)t->entry.info.si_value.sival_ptr,
			};
		spin_unlock_irqrestore(&g->lock, flags);
	}
	rcu_read_unlock();
	return t != NULL;
}

const struct timers_ops timers_service = { .next = next_timer };
