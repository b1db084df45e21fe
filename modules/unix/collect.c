/*
 * Sockets in flight: those whose files are in messages, and the collection of circles of them.
 *
 * Two sockets whose files lie only in one another's queues keep each other for ever: no descriptor leads to them. A socket is a candidate
 * if messages hold all references of its file. What can be received through a socket that is not a candidate is alive, with all that can be
 * received through it in turn; the remaining candidates are unreachable, and freeing the messages in their queues frees them.
 *
 * collect_mutex is held while files, of any kind, enter a queue together with their count, and while they leave a message. So under it the
 * counts and the queues agree, and no message loses its files. A reference got by other means while collecting comes from a descriptor or a message that is alive, and such a
 * socket is not a candidate, or is reached.
 */
#include "modules/unix/internal.h"

static struct mutex collect_mutex = MUTEX_INIT(collect_mutex);
static struct list in_flight = LIST_INIT(in_flight);	/* sockets with in_flight > 0 */
static unsigned int total;				/* of their counts; written under the mutex */

/*
 * One thread collects at a time. Who wants it meanwhile says so and goes on, and the collector looks again: so do the sockets that it
 * frees itself, each of which would else look at all that are left. What the last round leaves is for the next socket that is closed.
 */
#define ROUNDS_MAX 3
static bool wanted, collecting;

void unix_flight_begin(void)
{
	mutex_lock(&collect_mutex);
}

void unix_flight_end(void)
{
	mutex_unlock(&collect_mutex);
}

static void count_one(struct unix_socket *s, bool leave)
{
	if (leave) {
		WRITE_ONCE(total, total - 1);
		if (--s->in_flight == 0)
			list_remove(&s->in_flight_link);
		return;
	}
	WRITE_ONCE(total, total + 1);
	if (s->in_flight++ == 0)
		list_add_tail(&in_flight, &s->in_flight_link);
}

void unix_flight_count(struct unix_files *files, bool leave)
{
	unix_files_charge(files, leave);
	for (unsigned int i = 0; files->sockets && i < files->count; i++) {
		struct unix_socket *s = unix_of_file(files->file[i]);

		if (s)
			count_one(s, leave);
	}
}

struct unix_files *unix_flight_leave(struct unix_message *m)
{
	struct unix_files *files = m->files;

	unix_flight_begin();
	unix_flight_count(files, true);
	m->files = NULL;
	unix_flight_end();
	return files;
}

/* Calls fn for each candidate whose file lies in a message of the queue. */
static void scan_queue(struct unix_socket *s, void (*fn)(struct unix_socket *child, struct list *work),
		       struct list *work)
{
	struct unix_message *m;

	spin_lock(&s->lock);
	list_for_each(m, &s->queue, link) {
		for (unsigned int i = 0; m->files && i < m->files->count; i++) {
			struct unix_socket *child = unix_of_file(m->files->file[i]);

			if (child && child->collect_candidate)
				fn(child, work);
		}
	}
	spin_unlock(&s->lock);
}

/* The same for all that can be received through s: a listener's connections have queues, too. */
static void scan(struct unix_socket *s, void (*fn)(struct unix_socket *child, struct list *work), struct list *work)
{
	struct unix_socket *c;

	scan_queue(s, fn, work);
	if (unix_state(s) != UNIX_LISTENING)
		return;
	spin_lock(&s->lock);
	list_for_each(c, &s->pending, pending_link)
		scan_queue(c, fn, work);
	spin_unlock(&s->lock);
}

static void forget_reference(struct unix_socket *child, struct list *work)
{
	(void)work;
	child->collect_refs--;
}

static void reach(struct unix_socket *child, struct list *work)
{
	if (child->collect_reached)
		return;
	child->collect_reached = true;
	list_add_tail(work, &child->collect_link);
}

/* Finds the unreachable ones, each with a reference, in `garbage` (by collect_link). */
static void find_garbage_locked(struct list *garbage)
{
	struct unix_socket *s;
	struct list work;

	list_init(&work);
	list_for_each(s, &in_flight, in_flight_link) {
		struct file *f = READ_ONCE(s->file);

		s->collect_refs = s->in_flight;
		s->collect_reached = false;
		s->collect_candidate = f && refcount_read(&f->refs) == s->in_flight;
	}
	/* What is left of a candidate's count are messages outside of the candidates' queues. */
	list_for_each(s, &in_flight, in_flight_link) {
		if (s->collect_candidate)
			scan(s, forget_reference, NULL);
	}
	list_for_each(s, &in_flight, in_flight_link) {
		if (s->collect_candidate && s->collect_refs > 0)
			reach(s, &work);
	}
	while (!list_empty(&work)) {
		s = list_first(&work, struct unix_socket, collect_link);
		list_remove(&s->collect_link);
		scan(s, reach, &work);
	}
	list_for_each(s, &in_flight, in_flight_link) {
		if (s->collect_candidate && !s->collect_reached) {
			unix_socket_get(s);
			list_add_tail(garbage, &s->collect_link);
		}
	}
}

/* Takes the messages that hold files out of a queue that nobody can read. */
static void empty_queue(struct unix_socket *s, struct list *messages)
{
	struct unix_message *m, *next;

	spin_lock(&s->lock);
	list_for_each_safe(m, next, &s->queue, link) {
		if (m->files) {
			unix_queue_remove_locked(s, m);
			list_add_tail(messages, &m->link);
		}
	}
	spin_unlock(&s->lock);
}

static void collect_once(void)
{
	struct list garbage, messages;

	list_init(&garbage);
	list_init(&messages);
	mutex_lock(&collect_mutex);
	find_garbage_locked(&garbage);
	while (!list_empty(&garbage)) {
		struct unix_socket *s = list_first(&garbage, struct unix_socket, collect_link), *c;

		list_remove(&s->collect_link);
		empty_queue(s, &messages);
		spin_lock(&s->lock);
		list_for_each(c, &s->pending, pending_link)
			empty_queue(c, &messages);
		spin_unlock(&s->lock);
		/* Its file still holds it. */
		unix_socket_put(s);
	}
	mutex_unlock(&collect_mutex);
	unix_messages_free(&messages);
}

void unix_collect(void)
{
	if (likely(!READ_ONCE(total)))
		return;
	__atomic_store_n(&wanted, true, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < ROUNDS_MAX && __atomic_load_n(&wanted, __ATOMIC_SEQ_CST); i++) {
		if (__atomic_exchange_n(&collecting, true, __ATOMIC_SEQ_CST))
			return;
		__atomic_store_n(&wanted, false, __ATOMIC_SEQ_CST);
		collect_once();
		__atomic_store_n(&collecting, false, __ATOMIC_SEQ_CST);
	}
}
