/*
 * mq_notify: one process is told, once, when a message comes to the empty queue and nobody waits for it.
 *
 * All under the queue's lock, the signal's sending, too. References of processes are dropped without it.
 */
#include "modules/mqueue/internal.h"

static void send_signal(struct mqueue *q)
{
	struct siginfo info;
	struct identity id;

	service(authority)->identity(current, &id);
	siginfo_clear(&info);
	info.si_signo = q->notify.signal;
	info.si_code = SI_MESGQ;
	info.si_pid = service(process)->pid();
	info.si_uid = id.uid;
	info.si_value = q->notify.value;
	signal_send_process(q->notify.owner, q->notify.signal, &info);
}

struct process *mqueue_notify_locked(struct mqueue *q)
{
	struct process *owner = q->notify.owner;

	if (!owner)
		return NULL;
	/* Another program in the same process knows nothing of it. Signal 0 is none. */
	if (q->notify.kind == SIGEV_SIGNAL && q->notify.signal && READ_ONCE(owner->exec_id) == q->notify.exec_id)
		send_signal(q);
	q->notify.owner = NULL;
	return owner;
}

bool mqueue_unregister(struct mqueue *q)
{
	struct process *owner = NULL;

	if (!current_task)
		return false;
	spin_lock(&q->lock);
	if (q->notify.owner == current_process) {
		owner = q->notify.owner;
		q->notify.owner = NULL;
	}
	spin_unlock(&q->lock);
	if (owner)
		process_put(owner);
	return owner;
}

int mqueue_register(struct mqueue *q, const struct sigevent *event)
{
	struct process *p = current_process;
	int error = -EBUSY;

	spin_lock(&q->lock);
	if (!q->notify.owner) {
		process_get(p);
		q->notify.owner = p;
		q->notify.pid = service(process)->pid();
		q->notify.exec_id = p->exec_id;
		q->notify.kind = event->sigev_notify;
		q->notify.signal = event->sigev_signo;
		q->notify.value = event->sigev_value;
		error = 0;
	}
	spin_unlock(&q->lock);
	return error;
}
