/*
 * The gate: where callers wait while a module is replaced or taken out.
 *
 * While it is shut the module's slots lead to gate_call, and the hooks by which it learns of the end of threads to functions that wait. A
 * thread that sleeps inside is kicked: its call ends with -ERESTART_MODULE, and on its way to user mode it waits here and executes the call
 * again, with the deadline that the thread keeps. A signal that comes meanwhile finds the call asleep as if nothing had been.
 *
 * When the gate opens, those that were kicked go first, and nobody else before each of them sleeps interruptibly again, has finished its
 * call or is ending (WORK_SETTLE is gone): so a waker that came after them finds them queued, as it would have. The one who shuts the gate
 * kicks only when nobody is inside but sleepers, so that no waker that came before misses them either.
 *
 * Each of them gets there without anybody's help. A call that ends by a signal, before it is executed
 * again or after, is over: a waker would not find it either. That is settled here, before signals are
 * looked at, so nothing that they do comes in between: stopping the process, writing a frame, death.
 * A thread that is killed while it waits here is settled at once, one that ends by thread_exit(). What
 * is left are sleeps of the call itself that are not interruptible: for locks and for memory, which
 * other threads give back without passing the gate.
 *
 * One gate, used under module_lock. gate.phase and gate.module change with release stores before the waiters are woken.
 */
#include "core/module/gate.h"

#include <asm/errno.h>

#include "core/module/hooks.h"
#include "core/module/internal.h"
#include "core/sched/sched.h"
#include "core/sync/mutex.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"
#include "core/trap/syscall.h"

#define DRAIN_NS (30 * NSEC_PER_SEC)	/* for everybody to come to rest */
#define LOOK_NS  (200 * NSEC_PER_USEC)	/* between two looks */
#define TIMES_MAX 64

enum { GATE_OPEN, GATE_SHUT, GATE_AGAIN };

static struct {
	unsigned int phase;
	struct module *module;		/* serves from GATE_AGAIN on; null: nobody */
	unsigned long pending;		/* kicked and not settled */
	struct wait_queue callers;	/* for GATE_OPEN */
	struct wait_queue kicked;	/* for GATE_AGAIN */
	struct wait_queue opener;	/* for pending to be 0 */
	uint64_t shut_ns;
	uint64_t times[TIMES_MAX];	/* of the newest openings, a ring */
	unsigned int count;
} gate = {
	.callers = WAIT_QUEUE_INIT(gate.callers),
	.kicked = WAIT_QUEUE_INIT(gate.kicked),
	.opener = WAIT_QUEUE_INIT(gate.opener),
};

static long (*binding_of(const struct module *m, unsigned int nr))(struct trap_frame *frame)
{
	const struct module_descriptor *d = m ? m->descriptor : NULL;

	for (unsigned int i = 0; d && i < d->syscall_count; i++)
		if (d->syscalls[i].number == nr)
			return d->syscalls[i].call;
	return syscall_absent;
}

static long gate_call(struct trap_frame *frame)
{
	unsigned int nr = (unsigned int)arch_syscall_number(frame);

	if (wait_event(&gate.callers, load_acquire(&syscall_table[nr]) != gate_call, WAIT_INTERRUPTIBLE, TIME_NEVER))
		return -ERESTARTNOINTR;
	return syscall_table[nr](frame);
}

static void wait_open(void)
{
	wait_event(&gate.callers, load_acquire(&gate.phase) == GATE_OPEN, WAIT_UNINTERRUPTIBLE, TIME_NEVER);
}

/* In place of hooks: the thread that ends asks who serves when the gate is open. */
static void thread_exit_gate(struct thread *t)
{
	const struct module_hooks *h;

	wait_open();
	h = gate.module ? gate.module->descriptor->hooks : NULL;
	if (h && h->thread_exit)
		h->thread_exit(t);
}

static void exec_release_gate(struct thread *t)
{
	const struct module_hooks *h;

	wait_open();
	h = gate.module ? gate.module->descriptor->hooks : NULL;
	if (h && h->exec_release)
		h->exec_release(t);
}

void *gate_hook(unsigned int index)
{
	if (index == HOOK_INDEX(thread_exit))
		return (void *)thread_exit_gate;
	if (index == HOOK_INDEX(exec_release))
		return (void *)exec_release_gate;
	return NULL;
}

void gate_settled(void)
{
	thread_clear_work(WORK_SETTLE);
	if (__atomic_sub_fetch(&gate.pending, 1, __ATOMIC_SEQ_CST) == 0)
		wait_wake_all(&gate.opener);
}

/* Waits until the module serves again, then makes the call. A thread that is to die does neither. */
static void execute_again(struct trap_frame *frame, unsigned int nr)
{
	long (*call)(struct trap_frame *frame);

	if (wait_event(&gate.kicked, load_acquire(&gate.phase) != GATE_SHUT, WAIT_KILLABLE, TIME_NEVER))
		return;
	call = load_acquire(&syscall_table[nr]);
	if (call == gate_call)
		call = binding_of(gate.module, nr);
	/* The module is gone. Loading it again would wait for those who wait for us. */
	if (call == syscall_absent && thread_has_work(current, WORK_SETTLE))
		gate_settled();
	arch_syscall_set_result(frame, call(frame));
}

void gate_exit_work(struct trap_frame *frame)
{
	long nr = arch_syscall_number(frame);

	if (thread_has_work(current, WORK_HURRY)) {
		thread_clear_work(WORK_HURRY);
		sched_set_hurry(current, false);
	}
	if (thread_has_work(current, WORK_KICK)) {
		thread_clear_work(WORK_KICK);
		if (nr >= 0 && nr < SYSCALL_TABLE_SIZE && arch_syscall_result(frame) == -ERESTART_MODULE)
			execute_again(frame, (unsigned int)nr);
	}
	/* The call is over, however it ended. Kicked anew, it comes back here before anything else. */
	if (thread_has_work(current, WORK_SETTLE) && !thread_has_work(current, WORK_KICK))
		gate_settled();
}

void gate_kick(struct thread *t)
{
	if (thread_has_work(t, WORK_SETTLE)) {
		thread_set_work(t, WORK_KICK);
		return;
	}
	__atomic_fetch_add(&gate.pending, 1, __ATOMIC_SEQ_CST);
	thread_set_work(t, WORK_KICK | WORK_SETTLE);
}

void gate_shut(struct module *m)
{
	const struct module_descriptor *d = m->descriptor;

	gate.shut_ns = clock_monotonic();
	gate.module = m;
	store_release(&gate.phase, GATE_SHUT);
	sockets_open();
	module_gate_hooks(m, true);
	for (unsigned int i = 0; i < d->syscall_count; i++)
		store_release(&syscall_table[d->syscalls[i].number], gate_call);
	sockets_close();
}

static void let_in(struct module *m)
{
	sockets_open();
	for (unsigned int nr = 0; nr < SYSCALL_TABLE_SIZE; nr++)
		if (READ_ONCE(syscall_table[nr]) == gate_call)
			store_release(&syscall_table[nr], binding_of(m, nr));
	for (unsigned int i = 0; m && i < m->descriptor->syscall_count; i++)
		store_release(&syscall_table[m->descriptor->syscalls[i].number], m->descriptor->syscalls[i].call);
	sockets_close();
}

void gate_open(struct module *m)
{
	gate.module = m;
	store_release(&gate.phase, GATE_AGAIN);
	wait_wake_all(&gate.kicked);
	wait_event(&gate.opener, READ_ONCE(gate.pending) == 0, WAIT_UNINTERRUPTIBLE, TIME_NEVER);
	if (m)
		module_gate_hooks(m, false);
	let_in(m);
	store_release(&gate.phase, GATE_OPEN);
	gate.times[gate.count++ % TIMES_MAX] = clock_monotonic() - gate.shut_ns;
	wait_wake_all(&gate.callers);
}

static void push(struct thread *t, bool asleep)
{
	if (asleep || t->sched.hurry || !t->frame)
		return;
	sched_set_hurry(t, true);
	thread_set_work(t, WORK_HURRY);
}

static void kick(struct thread *t, bool asleep)
{
	if (asleep)
		gate_kick(t);
}

/* While others are inside, sleepers are left alone. */
static void move_on(struct module_inspection *i, void *arg)
{
	(void)arg;
	module_for_each_inside(i->module, i->running ? push : kick);
}

int module_drain(struct module *m, bool sleepers)
{
	uint64_t end = clock_monotonic() + DRAIN_NS;
	struct module_inspection i;

	for (;;) {
		module_inspect(m, &i, sleepers ? move_on : NULL, NULL);
		if (!i.running && (!i.asleep || !sleepers))
			return 0;
		if (clock_monotonic() >= end)
			return -EBUSY;
		if (module_work_given_up())
			return -EINTR;
		wait_prepare(WAIT_UNINTERRUPTIBLE);
		wait_sleep(clock_monotonic() + LOOK_NS);
	}
}

const char *module_why_not_drained(int error)
{
	return error == -EINTR ? "who asked for it was killed" : "threads did not leave it in time";
}

uint64_t gate_last_time(void)
{
	return gate.times[(gate.count - 1) % TIMES_MAX];
}

unsigned int module_gate_times(uint64_t *out, unsigned int max)
{
	unsigned int n;

	mutex_lock(&module_lock);
	n = MIN(MIN(gate.count, TIMES_MAX), max);
	for (unsigned int i = 0; i < n; i++)
		out[i] = gate.times[(gate.count - n + i) % TIMES_MAX];
	mutex_unlock(&module_lock);
	return n;
}
