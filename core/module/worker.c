/*
 * Work on modules in use is done by a kernel thread above all ordinary threads: while it goes on
 * others wait at the gate, and it must not stand in a queue behind those that it waits for. It
 * lives for one job; there is one job at a time (turn).
 *
 * The job lies on the stack of the caller, who waits for it; the thread does not touch it after it
 * was done. A caller who is killed says so in `given_up`, which the job looks at where it waits
 * for others, and then waits for the job's end, which is near.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/sched/sched.h"
#include "core/sync/mutex.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"

#define LOOK_NS (NSEC_PER_SEC / 1000)	/* between two looks at a lock that others have */
#define WORKER_PRIORITY 1		/* of the real-time ones the lowest */

struct job {
	int (*fn)(void *arg);
	void *arg;
	int result;
	bool done;
	struct wait_queue wait;
};

static struct mutex turn = MUTEX_INIT(turn);
static bool given_up;			/* written by the caller whose turn it is */

bool module_work_given_up(void) { return READ_ONCE(given_up); }

int module_work_lock(void)
{
	for (;;) {
		if (module_work_given_up())
			return -EINTR;
		if (mutex_trylock(&module_lock))
			return 0;
		wait_prepare(WAIT_UNINTERRUPTIBLE);
		wait_sleep(clock_monotonic() + LOOK_NS);
	}
}

static void work(void *arg)
{
	const struct sched_params params = { .class = SCHED_CLASS_RT, .priority = WORKER_PRIORITY };
	struct job *j = arg;
	unsigned long flags;
	struct waiter *w, *next;

	sched_set_params(current, &params);
	j->result = j->fn(j->arg);
	/* Under the lock to the end: the job is gone as soon as the caller sees `done` and gets the lock. */
	flags = spin_lock_irqsave(&j->wait.lock);
	WRITE_ONCE(j->done, true);
	list_for_each_safe(w, next, &j->wait.waiters, link)
		w->notify(w, 0);
	spin_unlock_irqrestore(&j->wait.lock, flags);
}

int module_work(int (*fn)(void *arg), void *arg)
{
	struct job j = { .fn = fn, .arg = arg };
	unsigned long flags;
	int error;

	if (mutex_lock_killable(&turn))
		return -EINTR;
	WRITE_ONCE(given_up, false);
	wait_queue_init(&j.wait);
	error = thread_start_kernel("modules", work, &j);
	if (error) {
		mutex_unlock(&turn);
		return error;
	}
	if (wait_event(&j.wait, READ_ONCE(j.done), WAIT_KILLABLE, TIME_NEVER)) {
		WRITE_ONCE(given_up, true);
		wait_event(&j.wait, READ_ONCE(j.done), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
	}
	flags = spin_lock_irqsave(&j.wait.lock);
	spin_unlock_irqrestore(&j.wait.lock, flags);
	mutex_unlock(&turn);
	return j.result;
}
