/*
 * Message queues: making them, sending, receiving.
 *
 * A message that a waiting receiver wants is handed to it without entering the queue. A sender that waits for room is woken when there is
 * enough for it and tries again; others may be quicker then. A signal or removal that comes after a receiver got its message
 * comes too late.
 */
#include <gen/sysvipc.h>

#include "modules/sysvipc/msg.h"

struct ipc_ids msg_ids;
uint64_t msg_total_count, msg_total_bytes;

/* What a receiver wants. */
struct wish {
	enum { ANY, EQUAL, OTHER, UP_TO, NUMBER } kind;
	long type;
	size_t max;			/* larger ones are E2BIG, unless they may be cut */
	bool cut;
};

#define RECEIVER_WAITS 1
#define RECEIVER_AGAIN 2

struct receiver {
	struct list link;
	struct thread *thread;
	struct wish wish;
	struct msg *msg;		/* with status 0 */
	int status;			/* RECEIVER_WAITS, then 0, an error, or RECEIVER_AGAIN: it is the waiter's again */
};

struct sender {
	struct list link;
	struct thread *thread;
	size_t size;
	bool woken;			/* off the list; the waiter's again */
};

/* ---- queues ---- */

static void count_total(int64_t messages, int64_t bytes)
{
	__atomic_fetch_add(&msg_total_count, (uint64_t)messages, __ATOMIC_RELAXED);
	__atomic_fetch_add(&msg_total_bytes, (uint64_t)bytes, __ATOMIC_RELAXED);
}

static void destroy(struct ipc_object *o)
{
	struct msg_queue *q = msg_queue_of(o);

	while (!list_empty(&q->messages)) {
		struct msg *m = list_first(&q->messages, struct msg, link);

		list_remove(&m->link);
		count_total(-1, -(int64_t)m->size);
		msg_free(m);
	}
	kfree(q);
}

void msg_start(void)
{
	ipc_ids_init(&msg_ids, destroy);
}

static long create(const struct ipc_get *g)
{
	struct msg_queue *q = kzalloc(sizeof(*q), IPC_ALLOC);
	long result;

	if (!q)
		return -ENOMEM;
	ipc_object_init(&q->ipc, g->key, (unsigned int)g->flags);
	q->ctime = ipc_now();
	q->max_bytes = READ_ONCE(msg_max_queue);
	list_init(&q->messages);
	list_init(&q->receivers);
	list_init(&q->senders);
	result = ipc_charge(&q->ipc, ACCOUNT_IPC_BYTES, sizeof(*q));
	if (!result)
		result = ipc_add(&msg_ids, &q->ipc, READ_ONCE(msg_max_ids), 0, 0);
	if (result < 0) {
		ipc_uncharge(&q->ipc);
		kfree(q);
	}
	return result;
}

long sys_msgget(int32_t key, int32_t flags)
{
	const struct ipc_get g = { .ids = &msg_ids, .key = key, .flags = flags, .create = create };

	return ipc_get(&g);
}

/* ---- waiting calls ---- */

static void finish_receiver(struct receiver *r, int status, struct wake_list *wakes)
{
	struct thread *t = r->thread;

	list_remove(&r->link);
	thread_get(t);
	__atomic_store_n(&r->status, status, __ATOMIC_RELEASE);
	wake_list_add(wakes, t);
	thread_put(t);
}

static void finish_sender(struct sender *s, struct wake_list *wakes)
{
	struct thread *t = s->thread;

	list_remove(&s->link);
	thread_get(t);
	__atomic_store_n(&s->woken, true, __ATOMIC_RELEASE);
	wake_list_add(wakes, t);
	thread_put(t);
}

static bool fits(const struct msg_queue *q, size_t size)
{
	return size + q->bytes <= q->max_bytes && q->count + 1 <= q->max_bytes;
}

/* There is room: each sender that it suffices for tries again. */
static void wake_senders(struct msg_queue *q, struct wake_list *wakes)
{
	struct sender *s, *next;

	list_for_each_safe(s, next, &q->senders, link)
		if (fits(q, s->size))
			finish_sender(s, wakes);
}

void msg_wake_all_locked(struct msg_queue *q, bool gone, struct wake_list *wakes)
{
	while (!list_empty(&q->receivers))
		finish_receiver(list_first(&q->receivers, struct receiver, link), gone ? -EIDRM : RECEIVER_AGAIN, wakes);
	while (!list_empty(&q->senders))
		finish_sender(list_first(&q->senders, struct sender, link), wakes);
}

/* ---- sending ---- */

static bool wanted(const struct msg *m, const struct wish *w)
{
	switch (w->kind) {
	case EQUAL: return m->type == w->type;
	case OTHER: return m->type != w->type;
	case UP_TO: return m->type <= w->type;
	default: return true;
	}
}

/* Gives a message to the first receiver that wants it; those for whom it is too large fail. */
static bool hand_over(struct msg_queue *q, struct msg *m, struct wake_list *wakes)
{
	struct receiver *r, *next;

	list_for_each_safe(r, next, &q->receivers, link) {
		if (!wanted(m, &r->wish))
			continue;
		if (m->size > r->wish.max && !r->wish.cut) {
			finish_receiver(r, -E2BIG, wakes);
			continue;
		}
		q->receiver_pid = service(process)->thread_pid(r->thread);
		q->rtime = ipc_now();
		r->msg = m;
		finish_receiver(r, 0, wakes);
		return true;
	}
	return false;
}

/* Waits for room. The lock is dropped meanwhile. 0 or -ERESTARTNOHAND. */
static int wait_for_room(struct msg_queue *q, size_t size)
{
	struct sender s = { .thread = current, .size = size };
	bool woken;
	int why = 0;

	list_add_tail(&q->senders, &s.link);
	mutex_unlock(&q->ipc.lock);
	for (;;) {
		wait_prepare(WAIT_INTERRUPTIBLE);
		woken = __atomic_load_n(&s.woken, __ATOMIC_ACQUIRE);
		if (woken || why)
			break;
		why = wait_sleep(TIME_NEVER);
	}
	wait_finish();
	mutex_lock(&q->ipc.lock);
	if (!s.woken)
		list_remove(&s.link);
	return why ? -ERESTARTNOHAND : 0;
}

/* Until the queue takes the message, which is its or a receiver's then. The lock is held. */
static int send_locked(struct msg_queue *q, struct msg *m, int flags, struct wake_list *wakes)
{
	int why = 0;

	for (;;) {
		int error = q->ipc.removed ? -EIDRM : ipc_permission(&q->ipc, IPC_MAY_WRITE);

		if (error)
			return error;
		if (fits(q, m->size))
			break;
		if (why)
			return why;
		if (flags & IPC_NOWAIT)
			return -EAGAIN;
		why = wait_for_room(q, m->size);
	}
	q->sender_pid = ipc_pid();
	q->stime = ipc_now();
	if (hand_over(q, m, wakes))
		return 0;
	list_add_tail(&q->messages, &m->link);
	q->bytes += m->size;
	q->count++;
	count_total(1, (int64_t)m->size);
	return 0;
}

long sys_msgsnd(int32_t id, uintptr_t message, size_t size, int32_t flags)
{
	struct wake_list wakes;
	struct ipc_object *o;
	struct msg *m;
	uint64_t type;
	int error;

	if (user_load_u64(message, &type))
		return -EFAULT;
	if (size > READ_ONCE(msg_max_size) || id < 0 || (int64_t)type < 1)
		return -EINVAL;
	error = msg_load(message + sizeof(long), size, &m);
	if (error)
		return error;
	m->type = (long)type;
	error = ipc_lock(&msg_ids, id, &o);
	if (!error) {
		wake_list_init(&wakes);
		error = send_locked(msg_queue_of(o), m, flags, &wakes);
		mutex_unlock(&o->lock);
		wake_list_deliver(&wakes);
		ipc_put(o);
	}
	if (error)
		msg_free(m);
	return error;
}

/* ---- receiving ---- */

static struct wish wish_of(long type, int flags, size_t max)
{
	struct wish w = { .kind = EQUAL, .type = type, .max = max, .cut = flags & MSG_NOERROR };

	if (flags & MSG_COPY) {
		w.kind = NUMBER;
	} else if (!type) {
		w.kind = ANY;
	} else if (type < 0) {
		w.kind = UP_TO;
		w.type = type == INT64_MIN ? INT64_MAX : -type;
	} else if (flags & MSG_EXCEPT) {
		w.kind = OTHER;
	}
	return w;
}

/* The message that the wish is for; null if none. Of types up to one the lowest comes first. */
static struct msg *find(const struct msg_queue *q, const struct wish *w)
{
	struct msg *m, *best = NULL;
	long number = 0;

	list_for_each(m, &q->messages, link) {
		if (w->kind == NUMBER) {
			if (number++ == w->type)
				return m;
			continue;
		}
		if (!wanted(m, w) || (best && m->type >= best->type))
			continue;
		if (w->kind != UP_TO || m->type == 1)
			return m;
		best = m;
	}
	return best;
}

static void take_out(struct msg_queue *q, struct msg *m, struct wake_list *wakes)
{
	list_remove(&m->link);
	q->count--;
	q->bytes -= m->size;
	count_total(-1, -(int64_t)m->size);
	q->rtime = ipc_now();
	q->receiver_pid = ipc_pid();
	wake_senders(q, wakes);
}

/* Waits for a message. The lock is dropped, and held again if the result is RECEIVER_AGAIN. */
static int wait_for_message(struct msg_queue *q, const struct wish *w, struct msg **out)
{
	struct receiver r = { .thread = current, .wish = *w, .status = RECEIVER_WAITS };
	int why = 0, status;

	list_add_tail(&q->receivers, &r.link);
	mutex_unlock(&q->ipc.lock);
	for (;;) {
		wait_prepare(WAIT_INTERRUPTIBLE);
		status = __atomic_load_n(&r.status, __ATOMIC_ACQUIRE);
		if (status != RECEIVER_WAITS || why)
			break;
		why = wait_sleep(TIME_NEVER);
	}
	wait_finish();
	if (status == RECEIVER_WAITS || status == RECEIVER_AGAIN) {
		mutex_lock(&q->ipc.lock);
		status = r.status;
		if (status == RECEIVER_WAITS) {
			list_remove(&r.link);
			status = -ERESTARTNOHAND;
		}
		if (status == RECEIVER_AGAIN)
			return status;
		mutex_unlock(&q->ipc.lock);
	}
	*out = r.msg;
	return status;
}

/* Takes or copies one message, or waits for one. The lock is held, and dropped on return. */
static int receive_unlock(struct msg_queue *q, const struct wish *w, int flags, struct msg *copy, struct msg **out)
{
	struct wake_list wakes;
	int result;

	wake_list_init(&wakes);
	do {
		struct msg *m = NULL;

		result = q->ipc.removed ? -EIDRM : ipc_permission(&q->ipc, IPC_MAY_READ);
		if (!result)
			m = find(q, w);
		if (m && m->size > w->max && !w->cut) {
			result = -E2BIG;
		} else if (m && copy) {
			result = m->size > copy->size ? -EINVAL : 0;	/* a copy is never cut */
			if (!result)
				msg_copy(copy, m);
			*out = copy;
		} else if (m) {
			take_out(q, m, &wakes);
			*out = m;
		} else if (!result && (flags & IPC_NOWAIT)) {
			result = -ENOMSG;
		} else if (!result) {
			result = wait_for_message(q, w, out);
			if (result != RECEIVER_AGAIN)
				return result;
		}
	} while (result == RECEIVER_AGAIN);
	mutex_unlock(&q->ipc.lock);
	wake_list_deliver(&wakes);
	return result;
}

static long deliver(const struct msg *m, uintptr_t message, size_t max)
{
	size_t n = MIN(m->size, max);

	if (user_store_u64(message, (uint64_t)m->type) || msg_store(m, message + sizeof(long), n))
		return -EFAULT;
	return (long)n;
}

long sys_msgrcv(int32_t id, uintptr_t message, size_t size, long type, int32_t flags)
{
	struct wish w = wish_of(type, flags, size);
	struct msg *m = NULL, *copy = NULL;
	struct ipc_object *o;
	long result;

	if (id < 0 || (int64_t)size < 0)
		return -EINVAL;
	if (flags & MSG_COPY) {
		if ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT))
			return -EINVAL;
		copy = msg_alloc(MIN(size, READ_ONCE(msg_max_size)));
		if (!copy)
			return -ENOMEM;
	}
	result = ipc_lock(&msg_ids, id, &o);
	if (!result) {
		result = receive_unlock(msg_queue_of(o), &w, flags, copy, &m);
		ipc_put(o);
	}
	if (!result)
		result = deliver(m, message, size);
	if (m != copy)
		msg_free(m);
	msg_free(copy);
	return result;
}
