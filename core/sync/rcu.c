/*
 * RCU by quiescent states.
 *
 * Grace periods have numbers. One kernel thread starts the next one when callbacks wait, asks every online CPU for a quiescent state
 * (a kick makes it reschedule, also out of idle and user mode), and runs the callbacks when all have reported.
 * A CPU reports by copying the current number into cpu->rcu_quiescent at a point where it holds no reference.
 *
 * The full barrier in rcu_quiescent orders the readers before it against the report; the one in the grace-period thread orders
 * the removal of pointers by updaters (before rcu_call, through rcu.lock) against the request.
 *
 * Locking: rcu.lock (interrupts off) guards the callback lists. Callbacks run in the thread and may sleep.
 */
#include "core/sync/rcu.h"

#include "core/debug/panic.h"
#include "core/module/export.h"
#include "core/sched/sched.h"
#include "core/sync/mutex.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"
#include "core/time/timer.h"

#define RCU_DELAY_NS  (2 * NSEC_PER_MSEC)	/* callbacks are collected for so long */
#define RCU_BATCH_MAX 1024			/* ... unless so many wait */

static struct {
	struct spinlock lock;
	struct rcu_head *first, **last;
	unsigned int queued;
	bool hurry;			/* do not collect further */
	uint64_t period;		/* number of the newest grace period */
	struct wait_queue thread_wait;
	struct wait_queue report_wait;
	struct timer delay;
	bool started;
} rcu = {
	.lock = SPINLOCK_INIT(rcu.lock),
	.last = &rcu.first,
	.thread_wait = WAIT_QUEUE_INIT(rcu.thread_wait),
	.report_wait = WAIT_QUEUE_INIT(rcu.report_wait),
};

static void delay_over(struct timer *t)
{
	(void)t;
	WRITE_ONCE(rcu.hurry, true);
	wait_wake_all(&rcu.thread_wait);
}

void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *))
{
	unsigned long flags;
	unsigned int queued;

	head->fn = fn;
	head->next = NULL;
	flags = spin_lock_irqsave(&rcu.lock);
	*rcu.last = head;
	rcu.last = &head->next;
	queued = ++rcu.queued;
	if (queued == 1 && rcu.started)
		timer_arm(&rcu.delay, clock_monotonic() + RCU_DELAY_NS);
	spin_unlock_irqrestore(&rcu.lock, flags);
	if (queued == RCU_BATCH_MAX)
		delay_over(NULL);
}
KAPI(rcu_call);

void rcu_quiescent(void)
{
	struct cpu *cpu = arch_cpu_self();
	uint64_t period = READ_ONCE(rcu.period);

	if (likely(cpu->rcu_quiescent == period))
		return;
	full_barrier();
	WRITE_ONCE(cpu->rcu_quiescent, period);
	wait_wake_all(&rcu.report_wait);
}

void rcu_tick(bool from_user)
{
	struct cpu *cpu = arch_cpu_self();

	if (cpu->rcu_quiescent == READ_ONCE(rcu.period))
		return;
	if (from_user)
		rcu_quiescent();
	else
		WRITE_ONCE(cpu->need_resched, 1);
}

/* Have all online CPUs reported the period? Asks those that have not if `kick`. */
static bool all_reported(uint64_t period, bool kick)
{
	bool all = true;
	unsigned int i;

	for_each_online_cpu(i) {
		struct cpu *cpu = cpu_get(i);

		if (READ_ONCE(cpu->rcu_quiescent) >= period)
			continue;
		all = false;
		if (kick && i != arch_cpu_id()) {
			WRITE_ONCE(cpu->need_resched, 1);
			arch_cpu_kick(i);
		}
	}
	return all;
}

static void grace_period(void)
{
	uint64_t period;

	full_barrier();
	period = __atomic_add_fetch(&rcu.period, 1, __ATOMIC_SEQ_CST);
	preempt_disable();
	rcu_quiescent();
	all_reported(period, true);
	preempt_enable();
	wait_event(&rcu.report_wait, all_reported(period, false), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
	full_barrier();
}

static struct rcu_head *take_callbacks(void)
{
	unsigned long flags = spin_lock_irqsave(&rcu.lock);
	struct rcu_head *first = rcu.first;

	rcu.first = NULL;
	rcu.last = &rcu.first;
	rcu.queued = 0;
	rcu.hurry = false;
	spin_unlock_irqrestore(&rcu.lock, flags);
	return first;
}

static void rcu_thread(void *unused)
{
	const struct sched_params above_ordinary = { .class = SCHED_CLASS_RT, .priority = 1 };

	(void)unused;
	/* Threads that free much must not keep from the CPU the one that gives it back: memory would run out. */
	sched_set_params(current, &above_ordinary);
	for (;;) {
		struct rcu_head *head;

		wait_event(&rcu.thread_wait, READ_ONCE(rcu.first) && READ_ONCE(rcu.hurry),
			   WAIT_UNINTERRUPTIBLE, TIME_NEVER);
		head = take_callbacks();
		grace_period();
		while (head) {
			struct rcu_head *next = head->next;

			head->fn(head);
			head = next;
		}
	}
}

struct sync_request {
	struct rcu_head head;
	struct wait_queue wait;
	bool done;
};

static void sync_done(struct rcu_head *head)
{
	struct sync_request *r = container_of(head, struct sync_request, head);
	unsigned long flags = spin_lock_irqsave(&r->wait.lock);
	struct waiter *w, *next;

	/* Under the lock to the end: the waiter's frame is gone as soon as it sees `done` and gets the lock. */
	WRITE_ONCE(r->done, true);
	list_for_each_safe(w, next, &r->wait.waiters, link)
		w->notify(w, 0);
	spin_unlock_irqrestore(&r->wait.lock, flags);
}

void rcu_barrier(void)
{
	struct sync_request r = { .done = false };
	unsigned long flags;

	might_sleep();
	wait_queue_init(&r.wait);
	rcu_call(&r.head, sync_done);
	delay_over(NULL);
	wait_event(&r.wait, READ_ONCE(r.done), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
	flags = spin_lock_irqsave(&r.wait.lock);
	spin_unlock_irqrestore(&r.wait.lock, flags);
}
KAPI(rcu_barrier);

void rcu_synchronize(void)
{
	rcu_barrier();
}
KAPI(rcu_synchronize);

void rcu_start(void)
{
	timer_init(&rcu.delay, delay_over);
	rcu.started = true;
	if (thread_start_kernel("rcu", rcu_thread, NULL))
		panic("no memory for the RCU thread");
	delay_over(NULL);
}
