/*
 * Work on modules in use is done by a kernel thread above all ordinary threads: while it goes on others wait at the gate, and it must
 * not stand in a queue behind those that it waits for. It lives for one job.
 *
 * The job lies on the stack of the caller, who waits for it without being interruptible; the thread does not touch it after it was done.
 */
#include "internal.h"

#include "core/sched/sched.h"
#include "core/sync/wait.h"

#define WORKER_PRIORITY 1		/* of the real-time ones the lowest */

struct job {
	int (*fn)(void *arg);
	void *arg;
	int result;
	bool done;
	struct wait_queue wait;
};

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

	wait_queue_init(&j.wait);
	error = thread_start_kernel("modules", work, &j);
	if (error)
		return error;
	wait_event(&j.wait, READ_ONCE(j.done), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
	flags = spin_lock_irqsave(&j.wait.lock);
	spin_unlock_irqrestore(&j.wait.lock, flags);
	return j.result;
}
