/*
 * Streams: a long write becomes several messages; a read takes from as many as there are, but stops after one that brought
 * descriptors, and before one of another sender when senders' credentials are asked for.
 */
#include <asm/signal.h>

#include "modules/unix/internal.h"

#define PIECE_MAX 32768u

void unix_attach(struct unix_message *m, struct unix_socket *s, struct unix_socket *to, struct unix_transfer *t)
{
	m->files = t->files;
	t->files = NULL;
	if (t->has_cred)
		m->cred = t->cred;
	else if (READ_ONCE(s->pass_cred) || READ_ONCE(to->pass_cred) || !READ_ONCE(to->file))
		unix_current_cred(&m->cred, false);
	else
		m->cred = (struct unix_ucred){ 0, ~0u, ~0u };
}

void unix_note_sender(struct unix_socket *s, const struct unix_message *m, struct unix_transfer *t)
{
	if (READ_ONCE(s->pass_cred))
		t->cred = m->cred;
	if (!t->from) {
		t->from = load_acquire(&m->sender->address);
		if (t->from)
			refcount_get(&t->from->refs);
	}
}

static long broken(const struct unix_transfer *t)
{
	if (!(t->flags & MSG_NOSIGNAL))
		service(process)->signal_current(SIGPIPE);
	return -EPIPE;
}

/* Puts the message into the peer's queue: false if nobody will read it. `urgent`: as the byte that is out of the band. */
static bool deliver(struct unix_socket *peer, struct unix_message *m, bool urgent)
{
	struct unix_files *files = m->files;
	bool ok;

	if (unlikely(files))
		unix_flight_begin();
	spin_lock(&peer->lock);
	ok = !peer->dead && !(peer->shutdown & SHUT_RECEIVE);
	if (ok) {
		unix_queue_add_locked(peer, m);
		/* One that was there before and has not been read is a byte like any other now. */
		if (unlikely(urgent))
			peer->oob = m;
		if (unlikely(files))
			unix_flight_count(files, false);
	}
	spin_unlock(&peer->lock);
	if (unlikely(files))
		unix_flight_end();
	return ok;
}

void unix_message_discard(struct unix_message *m, struct unix_transfer *t)
{
	t->files = m->files;
	m->files = NULL;
	unix_message_free(m);
}

long unix_stream_send(struct unix_socket *s, struct unix_transfer *t)
{
	struct unix_socket *peer = load_acquire(&s->peer);
	uint64_t deadline = unix_deadline(s->send_timeout, t->nonblock);
	size_t total = t->iter.count, sent = 0;
	long error = 0;

	if ((t->flags & MSG_OOB) && !total)
		return -EOPNOTSUPP;
	if (t->name_length)
		return unix_state(s) == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	if (!peer)
		return -ENOTCONN;
	if (READ_ONCE(s->shutdown) & SHUT_SEND)
		return broken(t);
	while (sent < total) {
		size_t n = MIN(MIN(total - sent, PIECE_MAX), READ_ONCE(s->send_limit) / 2 - 64);
		bool urgent = (t->flags & MSG_OOB) && sent + 1 == total;
		struct unix_message *m;

		if (unlikely(t->flags & MSG_OOB) && !urgent)
			n = MIN(n, total - sent - 1);
		if (unlikely(account_is_full(s->account, ACCOUNT_SOCKET_BYTES)))
			n = MIN(n, (size_t)UNIX_LEAST_MESSAGE);
		error = unix_message_make(s, &t->iter, n, deadline, &m);
		if (error == -ENOBUFS && n > UNIX_LEAST_MESSAGE)
			continue;	/* the last room went just now */
		if (error)
			break;
		unix_attach(m, s, peer, t);
		if (!deliver(peer, m, urgent)) {
			unix_message_discard(m, t);
			error = -EPIPE;
			break;
		}
		unix_wake_reader(peer);
		if (unlikely(urgent))
			poll_wake(&peer->read_wait, EPOLLPRI);
		sent += n;
	}
	if (sent)
		return (long)sent;
	return error == -EPIPE ? broken(t) : error;
}

/* The message at `skip` bytes from the front, for a peek; otherwise the first. *at: where in the message. */
static struct unix_message *find_message(struct unix_socket *s, size_t skip, size_t *at)
{
	struct unix_message *m, *found = NULL;

	spin_lock(&s->lock);
	list_for_each(m, &s->queue, link) {
		size_t left = m->length - m->offset;

		if (skip < left) {
			found = m;
			*at = m->offset + skip;
			break;
		}
		skip -= left;
	}
	spin_unlock(&s->lock);
	return found;
}

/* The urgent byte: 1, or an error. read_mutex is held. */
static long receive_urgent(struct unix_socket *s, struct unix_transfer *t)
{
	struct unix_message *m;

	spin_lock(&s->lock);
	m = s->toggles & UNIX_OOB_INLINE ? NULL : s->oob;
	spin_unlock(&s->lock);
	if (!m)
		return -EINVAL;
	unix_note_sender(s, m, t);
	if (t->iter.count && unix_message_copy(m, m->offset, &t->iter, 1) != 1)
		return -EFAULT;
	t->out_flags |= MSG_OOB;
	if (!(t->flags & MSG_PEEK)) {
		if (unlikely(m->files))
			t->files = unix_flight_leave(m);
		spin_lock(&s->lock);
		unix_queue_remove_locked(s, m);
		spin_unlock(&s->lock);
		unix_message_free(m);
	}
	return 1;
}

/*
 * The reading has come to the urgent byte: it ends there if something was read (null), goes on with the byte if that is to be
 * in line, or leaves it out. read_mutex is held. *again: look once more.
 */
static struct unix_message *at_mark(struct unix_socket *s, struct unix_message *m, const struct unix_transfer *t, bool copied,
				    bool *again)
{
	bool inside, drop;

	spin_lock(&s->lock);
	inside = s->toggles & UNIX_OOB_INLINE;
	drop = !copied && !inside && !(t->flags & MSG_PEEK);
	if (drop)
		unix_queue_remove_locked(s, m);
	else if (!copied && inside && !(t->flags & MSG_PEEK))
		s->oob = NULL;
	spin_unlock(&s->lock);
	*again = drop;
	if (drop)
		unix_message_free(m);
	return !copied && inside ? m : NULL;
}

/* Nothing to read: sleeps with read_mutex dropped. 0: look again; 1: the end; an error. */
static int wait_for_data(struct unix_socket *s, uint64_t deadline, unsigned int arrivals)
{
	bool ended = unix_ended(s);
	int error;

	if (READ_ONCE(s->arrivals) != arrivals)
		return 0;
	if (ended) {
		error = unix_take_error(s);
		return error ? error : 1;
	}
	if (!deadline)
		return -EAGAIN;
	mutex_unlock(&s->read_mutex);
	error = wait_event(&s->read_wait,
			   READ_ONCE(s->arrivals) != arrivals || READ_ONCE(s->error) ||
			   (READ_ONCE(s->shutdown) & SHUT_RECEIVE),
			   WAIT_INTERRUPTIBLE, deadline);
	mutex_lock(&s->read_mutex);
	return error ? unix_wait_error(error, deadline) : 0;
}

static bool same_cred(const struct unix_ucred *a, const struct unix_ucred *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* What was copied leaves the queue, and the message when it is empty. True: the read ends here. */
static bool consume(struct unix_socket *s, struct unix_message *m, size_t n, struct unix_transfer *t)
{
	bool empty;

	if (unlikely(m->files))
		t->files = unix_flight_leave(m);
	spin_lock(&s->lock);
	m->offset += (uint32_t)n;
	s->queue_bytes -= (uint32_t)n;
	if (s->peek_offset > 0)
		s->peek_offset = MAX((int64_t)0, s->peek_offset - (int64_t)n);
	empty = m->offset == m->length;
	if (empty)
		unix_queue_remove_locked(s, m);
	spin_unlock(&s->lock);
	if (empty)
		unix_message_free(m);
	return !empty || t->files;
}

/* The same for a peek. */
static bool look(struct unix_socket *s, struct unix_message *m, size_t n, struct unix_transfer *t)
{
	if (s->peek_offset >= 0)
		s->peek_offset += (int64_t)n;
	if (m->files)
		t->files = unix_files_copy(m->files);
	return t->files;
}

/* Copies from the message that stands at the front (or further on, when peeking). 1: go on, 0: enough, or an error. */
static long receive_piece(struct unix_socket *s, struct unix_message *m, size_t at, struct unix_transfer *t, bool first,
			  long *copied)
{
	size_t n = MIN(m->length - at, t->iter.count);

	if (READ_ONCE(s->pass_cred) && !first && !same_cred(&m->cred, &t->cred))
		return 0;
	unix_note_sender(s, m, t);
	if (unix_message_copy(m, at, &t->iter, n) != n)
		return -EFAULT;
	*copied += (long)n;
	if (t->flags & MSG_PEEK ? look(s, m, n, t) : consume(s, m, n, t))
		return 0;
	return t->iter.count ? 1 : 0;
}

long unix_stream_receive(struct unix_socket *s, struct unix_transfer *t)
{
	uint64_t deadline = unix_deadline(s->receive_timeout, t->nonblock);
	size_t wanted = t->iter.count, peek_from = 0, at = 0;
	long copied = 0, result = 1, target;

	if (unix_state(s) != UNIX_CONNECTED)
		return -EINVAL;
	if (t->flags & MSG_OOB) {
		mutex_lock(&s->read_mutex);
		result = receive_urgent(s, t);
		mutex_unlock(&s->read_mutex);
		return result;
	}
	target = (long)(t->flags & MSG_WAITALL ? wanted : MIN(wanted, (size_t)s->low_water));
	target = MAX(target, 1l);
	mutex_lock(&s->read_mutex);
	if ((t->flags & MSG_PEEK) && s->peek_offset > 0)
		peek_from = (size_t)s->peek_offset;
	while (result > 0) {
		unsigned int arrivals = READ_ONCE(s->arrivals);
		struct unix_message *m =
			find_message(s, t->flags & MSG_PEEK ? peek_from + (size_t)copied : 0, &at);

		if (unlikely(m && m == READ_ONCE(s->oob))) {
			bool again;

			m = at_mark(s, m, t, copied, &again);
			if (again)
				continue;
			if (!m && copied)
				break;
		}
		if (m) {
			result = receive_piece(s, m, at, t, !copied, &copied);
		} else if (copied >= target) {
			break;
		} else {
			result = wait_for_data(s, deadline, arrivals);
			if (result == 1)
				break;
			result = result ? result : 1;
		}
	}
	mutex_unlock(&s->read_mutex);
	if (copied || result >= 0)
		return copied;
	return result;
}
