/*
 * Datagrams and sequences of packets: one message for each send, taken whole.
 *
 * A receiver that is not connected back to the sender holds max_dgram_qlen messages and one more; senders wait on its room_wait.
 * Those who poll instead are in its list room_pollers, and are woken through their own queue.
 */
#include "modules/unix/internal.h"

/* The socket that is connected to, with a reference. */
static struct unix_socket *get_peer(struct unix_socket *s)
{
	struct unix_socket *peer;

	spin_lock(&s->lock);
	peer = s->peer;
	if (peer)
		unix_socket_get(peer);
	spin_unlock(&s->lock);
	return peer;
}

static inline bool limited(const struct unix_socket *s, const struct unix_socket *to)
{
	return to != s && READ_ONCE(to->peer) != s && unix_queue_full(to);
}

/* The peer is gone: a datagram socket forgets it. */
static int forget_dead_peer(struct unix_socket *s, struct unix_socket *dead)
{
	struct unix_socket *old = NULL;

	if (s->type == SOCK_SEQPACKET)
		return -EPIPE;
	spin_lock(&unix_peer_lock);
	if (s->peer == dead) {
		old = unix_drop_peer_locked(s);
		WRITE_ONCE(s->state, UNIX_UNCONNECTED);
	}
	spin_unlock(&unix_peer_lock);
	if (old)
		unix_socket_put(old);
	return old ? -ECONNREFUSED : 0;
}

/* One attempt: 0, 1: full, -ESHUTDOWN: it is dead, or an error. */
static int try_deliver(struct unix_socket *s, struct unix_socket *to, struct unix_message *m)
{
	struct unix_files *files = m->files;
	struct unix_socket *to_peer;
	int result = 0;

	if (unlikely(files))
		unix_flight_begin();
	spin_lock(&to->lock);
	to_peer = READ_ONCE(to->peer);
	if (to_peer && to_peer != s)
		result = -EPERM;
	else if (to->dead)
		result = -ESHUTDOWN;
	else if (to->shutdown & SHUT_RECEIVE)
		result = -EPIPE;
	else if (limited(s, to))
		result = 1;
	if (!result) {
		unix_queue_add_locked(to, m);
		if (unlikely(files))
			unix_flight_count(files, false);
	}
	spin_unlock(&to->lock);
	if (unlikely(files))
		unix_flight_end();
	return result;
}

static int wait_for_queue(struct unix_socket *s, struct unix_socket *to, uint64_t deadline)
{
	int error;

	if (!deadline)
		return -EAGAIN;
	error = wait_event(&to->room_wait,
			   !limited(s, to) || READ_ONCE(to->dead) || (READ_ONCE(to->shutdown) & SHUT_RECEIVE),
			   WAIT_INTERRUPTIBLE, deadline);
	return error ? unix_wait_error(error, deadline) : 0;
}

/* Delivers to `to` (a reference, dropped), or to who has the name then. */
static int deliver(struct unix_socket *s, struct unix_socket *to, struct unix_message *m, struct unix_transfer *t,
		   uint64_t deadline)
{
	int error = 0;

	for (;;) {
		if (!to) {
			if (!t->name_length)
				return -ECONNRESET;
			error = unix_find(t->name, (unsigned int)t->name_length, s->type, &to);
			if (error)
				return error;
		}
		unix_attach(m, s, to, t);
		error = try_deliver(s, to, m);
		if (!error) {
			unix_wake_reader(to);
			break;
		}
		t->files = m->files;
		m->files = NULL;
		if (error == 1) {
			error = wait_for_queue(s, to, deadline);
			if (!error)
				continue;
		} else if (error == -ESHUTDOWN) {
			error = forget_dead_peer(s, to);
			if (!error) {
				unix_socket_put(to);
				to = NULL;
				continue;
			}
		}
		break;
	}
	unix_socket_put(to);
	return error;
}

static int check_send(struct unix_socket *s, const struct unix_transfer *t)
{
	int error;

	if (s->type == SOCK_SEQPACKET) {
		error = unix_take_error(s);
		if (error)
			return error;
		if (unix_state(s) != UNIX_CONNECTED)
			return -ENOTCONN;
	}
	return t->flags & MSG_OOB ? -EOPNOTSUPP : 0;
}

long unix_datagram_send(struct unix_socket *s, struct unix_transfer *t)
{
	uint64_t deadline = unix_deadline(s->send_timeout, t->nonblock);
	size_t length = t->iter.count;
	struct unix_socket *to = NULL;
	struct unix_message *m;
	int error = check_send(s, t);

	if (error)
		return error;
	if (s->type == SOCK_SEQPACKET)
		t->name_length = 0;
	if (t->name_length) {
		if (t->name_length <= (int)UNIX_PATH_AT || t->name_length > (int)sizeof(*t->name) ||
		    t->name->sun_family != AF_UNIX)
			return -EINVAL;
	} else {
		to = get_peer(s);
		if (!to)
			return -ENOTCONN;
	}
	if (READ_ONCE(s->pass_cred) && !load_acquire(&s->address))
		error = unix_bind_any(s);
	if (!error && length > READ_ONCE(s->send_limit) - 32)
		error = -EMSGSIZE;
	if (!error)
		error = unix_message_make(s, &t->iter, length, deadline, &m);
	if (error) {
		if (to)
			unix_socket_put(to);
		return error;
	}
	error = deliver(s, to, m, t, deadline);
	if (error) {
		unix_message_discard(m, t);
		return error;
	}
	return (long)length;
}

/* The message to take: the first, or beyond the peek offset. *at: where in it. */
static struct unix_message *find_message(struct unix_socket *s, bool peek, size_t *at)
{
	int64_t skip = peek && s->peek_offset > 0 ? s->peek_offset : 0;
	struct unix_message *m, *found = NULL;

	spin_lock(&s->lock);
	list_for_each(m, &s->queue, link) {
		if (skip && skip >= (int64_t)m->length) {
			skip -= m->length;
			continue;
		}
		found = m;
		break;
	}
	spin_unlock(&s->lock);
	*at = (size_t)skip;
	return found;
}

/* Waits, with read_mutex held before and after, until there is a message. 0, 1: the end, or an error. */
static int wait_for_message(struct unix_socket *s, uint64_t deadline, unsigned int arrivals)
{
	bool ended = unix_ended(s);
	int error;

	if (READ_ONCE(s->arrivals) != arrivals)
		return 0;
	if (ended) {
		error = unix_take_error(s);
		return error ? error : s->type == SOCK_SEQPACKET || deadline ? 1 : -EAGAIN;
	}
	if (!deadline)
		return -EAGAIN;
	mutex_unlock(&s->read_mutex);
	error = wait_event_exclusive(&s->read_wait,
				     READ_ONCE(s->arrivals) != arrivals || READ_ONCE(s->error) ||
				     (READ_ONCE(s->shutdown) & SHUT_RECEIVE),
				     WAIT_INTERRUPTIBLE, deadline);
	mutex_lock(&s->read_mutex);
	return error ? unix_wait_error(error, deadline) : 0;
}

/* Takes the message out and lets senders know. */
static void take(struct unix_socket *s, struct unix_message *m, struct unix_transfer *t)
{
	if (unlikely(m->files))
		t->files = unix_flight_leave(m);
	spin_lock(&s->lock);
	unix_queue_remove_locked(s, m);
	if (s->peek_offset > 0)
		s->peek_offset = MAX((int64_t)0, s->peek_offset - (int64_t)m->length);
	while (unlikely(!list_empty(&s->room_pollers)) && !unix_queue_full(s)) {
		struct unix_socket *w = list_first(&s->room_pollers, struct unix_socket, room_link);

		list_remove(&w->room_link);
		poll_wake(&w->write_wait, POLL_OUT_SET);
	}
	spin_unlock(&s->lock);
	if (s->type == SOCK_DGRAM)
		wait_wake_all(&s->room_wait);
	unix_message_free(m);
}

/* Copies a message to the caller. */
static long receive_message(struct unix_socket *s, struct unix_message *m, size_t at, struct unix_transfer *t)
{
	size_t left = m->length - at, n = MIN(left, t->iter.count);
	bool ok;

	unix_note_sender(s, m, t);
	if (n < left)
		t->out_flags |= MSG_TRUNC;
	ok = unix_message_copy(m, at, &t->iter, n) == n;
	if (!(t->flags & MSG_PEEK)) {
		take(s, m, t);
	} else if (ok) {
		if (s->peek_offset >= 0)
			s->peek_offset += (int64_t)n;
		if (m->files)
			t->files = unix_files_copy(m->files);
	}
	if (!ok)
		return -EFAULT;
	return (long)(t->flags & MSG_TRUNC ? left : n);
}

long unix_datagram_receive(struct unix_socket *s, struct unix_transfer *t)
{
	uint64_t deadline = unix_deadline(s->receive_timeout, t->nonblock);
	bool peek = t->flags & MSG_PEEK;
	long result;

	if (s->type == SOCK_SEQPACKET && unix_state(s) != UNIX_CONNECTED)
		return -ENOTCONN;
	if (t->flags & MSG_OOB)
		return -EOPNOTSUPP;
	result = unix_take_error(s);
	if (result)
		return result;
	mutex_lock(&s->read_mutex);
	for (;;) {
		unsigned int arrivals = READ_ONCE(s->arrivals);
		size_t at;
		struct unix_message *m = find_message(s, peek, &at);

		if (m) {
			result = receive_message(s, m, at, t);
			break;
		}
		result = wait_for_message(s, deadline, arrivals);
		if (result) {
			result = result == 1 ? 0 : result;
			break;
		}
	}
	mutex_unlock(&s->read_mutex);
	/* A wake-up may have come to one that left, or stand for two messages. */
	if (READ_ONCE(s->queue_count))
		poll_wake(&s->read_wait, POLL_IN_SET);
	return result;
}
