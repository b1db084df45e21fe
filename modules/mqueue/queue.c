/*
 * Queues: making them, sending, receiving, waiting.
 *
 * Nobody waits for what is there: receivers wait while the queue is empty, senders while it is full, never both. So a message that somebody waits
 * for is handed to him without entering the queue, and who takes a message from a full queue puts in that of the first sender. Of
 * those who wait the one with the highest scheduling priority comes first, by the priority it had when it began to wait.
 * A signal or deadline that comes after the hand-over comes too late.
 *
 * The deadline is one of the real-time clock: who waits for it is woken when that clock is set, and looks again.
 */
#include "modules/mqueue/internal.h"
#include "modules/linux/user.h"

/* What Linux counts for a message and for a priority, so that RLIMIT_MSGQUEUE lets as many queues be made as there. */
#define MESSAGE_COST 48u
#define PRIORITY_COST 48u

struct waiting {
	struct list link;
	struct thread *thread;
	int rank;
	struct mqueue_message *message;	/* a sender's own; a receiver's when done */
	bool done;			/* off the list; the waiter's again */
};

/* ---- queues ---- */

static int choose_size(const struct mq_attr *attr, long *max, long *size)
{
	bool privileged = service(authority)->capable(CAP_SYS_RESOURCE);

	*max = attr ? attr->mq_maxmsg : (long)MIN(READ_ONCE(mqueue_msg_max), READ_ONCE(mqueue_msg_default));
	*size = attr ? attr->mq_msgsize : (long)MIN(READ_ONCE(mqueue_msgsize_max), READ_ONCE(mqueue_msgsize_default));
	if (*max <= 0 || *max > (privileged ? MQUEUE_HARD_MESSAGES : (long)READ_ONCE(mqueue_msg_max)))
		return -EINVAL;
	if (*size <= 0 || *size > (privileged ? MQUEUE_HARD_SIZE : (long)READ_ONCE(mqueue_msgsize_max)))
		return -EINVAL;
	return 0;
}

int mqueue_create(const struct mq_attr *attr, struct mqueue **out)
{
	struct mqueue *q;
	long max, size;
	int error = choose_size(attr, &max, &size);

	if (error)
		return error;
	q = kzalloc(sizeof(*q), MQUEUE_ALLOC);
	if (!q)
		return -ENOMEM;
	q->max = max;
	q->message_size = size;
	/* All that the queue may ever hold counts from now on. */
	q->charge = (uint64_t)max * ((uint64_t)size + MESSAGE_COST) + MIN((uint64_t)max, MQUEUE_PRIORITIES) * PRIORITY_COST;
	q->user = current_task->user;
	if (!user_charge_queue(q->user, q->charge, process_limit(current_process, RLIMIT_MSGQUEUE))) {
		kfree(q);
		return -EMFILE;
	}
	spin_init(&q->lock);
	list_init(&q->receivers);
	list_init(&q->senders);
	wait_queue_init(&q->poll);
	*out = q;
	return 0;
}

static struct mqueue_message *take_first(struct mqueue *q)
{
	struct mqueue_message *m = rb_entry(rb_first(&q->messages), struct mqueue_message, node);

	rb_remove(&q->messages, &m->node);
	q->bytes -= m->size;
	WRITE_ONCE(q->count, q->count - 1);
	return m;
}

void mqueue_destroy(struct mqueue *q)
{
	while (q->count)
		mqueue_message_free(take_first(q));
	if (q->notify.owner)
		process_put(q->notify.owner);
	user_uncharge_queue(q->user, q->charge);
	kfree(q);
}

static bool comes_before(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct mqueue_message, node)->priority > rb_entry(b, struct mqueue_message, node)->priority;
}

static void insert(struct mqueue *q, struct mqueue_message *m)
{
	rb_insert(&q->messages, &m->node, comes_before);
	q->bytes += m->size;
	WRITE_ONCE(q->count, q->count + 1);
}

/* ---- waiting ---- */

/* Real-time priorities above all others, then by niceness. */
static int rank_of(const struct thread *t)
{
	if (READ_ONCE(t->sched.class) == SCHED_CLASS_RT)
		return 100 + READ_ONCE(t->sched.priority);
	return -READ_ONCE(t->sched.nice);
}

static void enqueue(struct list *list, struct waiting *w)
{
	struct waiting *other;

	list_for_each(other, list, link) {
		if (other->rank < w->rank)
			break;
	}
	list_add_tail(&other->link, &w->link);	/* before it, or at the end */
}

static void finish(struct waiting *w, struct wake_list *wakes)
{
	struct thread *t = w->thread;

	list_remove(&w->link);
	thread_get(t);
	store_release(&w->done, true);
	wake_list_add(wakes, t);
	thread_put(t);
}

/* Sleeps until it is done, or until the deadline or a signal. */
static int sleep_on(const struct waiting *w, const int64_t *until)
{
	struct wait_limit limit = { until ? (uint64_t)*until : TIME_NEVER, TIMER_REALTIME };
	int why = 0;

	for (;;) {
		wait_prepare(WAIT_INTERRUPTIBLE);
		if (load_acquire(&w->done) || why)
			break;
		why = wait_sleep_until(limit);
	}
	wait_finish();
	return why;
}

/* The lock is held, and dropped on return. 0: somebody did what `w` stands for. */
static int wait_unlock(struct mqueue *q, struct list *list, struct waiting *w, const int64_t *until)
{
	int why;

	w->thread = current;
	w->rank = rank_of(current);
	enqueue(list, w);
	spin_unlock(&q->lock);
	why = sleep_on(w, until);
	if (load_acquire(&w->done))
		return 0;
	spin_lock(&q->lock);
	if (w->done)
		why = 0;
	else
		list_remove(&w->link);
	spin_unlock(&q->lock);
	return why == -EINTR ? -ERESTARTSYS : why;
}

/* ---- sending and receiving ---- */

int mqueue_send(struct mqueue *q, struct mqueue_message *m, bool nonblock, const int64_t *until)
{
	struct waiting self = { .message = m }, *receiver = NULL;
	struct process *told = NULL;
	struct wake_list wakes;

	wake_list_init(&wakes);
	spin_lock(&q->lock);
	if (q->count == q->max) {
		if (!nonblock)
			return wait_unlock(q, &q->senders, &self, until);
		spin_unlock(&q->lock);
		return -EAGAIN;
	}
	if (!list_empty(&q->receivers)) {
		receiver = list_first(&q->receivers, struct waiting, link);
		receiver->message = m;
		finish(receiver, &wakes);
	} else {
		insert(q, m);
		if (q->count == 1)
			told = mqueue_notify_locked(q);
	}
	spin_unlock(&q->lock);
	wake_list_deliver(&wakes);
	if (told)
		process_put(told);
	if (!receiver)
		poll_wake(&q->poll, POLL_IN_SET);
	return 0;
}

int mqueue_receive(struct mqueue *q, bool nonblock, const int64_t *until, struct mqueue_message **out)
{
	struct waiting self = { .message = NULL }, *sender = NULL;
	struct wake_list wakes;
	int error;

	wake_list_init(&wakes);
	spin_lock(&q->lock);
	if (!q->count) {
		if (nonblock) {
			spin_unlock(&q->lock);
			return -EAGAIN;
		}
		error = wait_unlock(q, &q->receivers, &self, until);
		*out = self.message;
		return error;
	}
	*out = take_first(q);
	if (!list_empty(&q->senders)) {
		sender = list_first(&q->senders, struct waiting, link);
		insert(q, sender->message);
		finish(sender, &wakes);
	}
	spin_unlock(&q->lock);
	wake_list_deliver(&wakes);
	if (!sender)
		poll_wake(&q->poll, POLL_OUT_SET);
	return 0;
}
