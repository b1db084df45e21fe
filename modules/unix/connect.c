/*
 * Connections: pairs, connect, listen, accept, and the peers of datagram sockets.
 *
 * A stream connects by making the other end itself and queueing it at the listener: it is connected at once, and may send before it
 * is accepted. All checks of both sockets' states and both changes are one step under unix_peer_lock.
 */
#include "core/mem/vmap.h"
#include "modules/unix/internal.h"

void unix_current_cred(struct unix_ucred *out, bool effective)
{
	struct identity id;

	service(authority)->identity(current, &id);
	out->pid = service(process)->pid();
	out->uid = effective ? id.euid : id.uid;
	out->gid = effective ? id.egid : id.gid;
}

/* The caller's groups, for somebody's peer; null if there are none. -ENOMEM. */
static int current_groups(struct unix_groups **out)
{
	int n = service(authority)->groups(current, NULL, 0);
	struct unix_groups *g = n > 0 ? kvmalloc(sizeof(*g) + (size_t)n * sizeof(g->gid[0]), 0) : NULL;

	*out = g;
	if (!g)
		return n > 0 ? -ENOMEM : 0;
	refcount_init(&g->refs, 1);
	g->count = MIN(service(authority)->groups(current, g->gid, n), n);
	return 0;
}

static struct unix_groups *groups_get(struct unix_groups *g)
{
	if (g)
		refcount_get(&g->refs);
	return g;
}

void unix_groups_put(struct unix_groups *g)
{
	if (g && refcount_put(&g->refs))
		kvfree(g);
}

/* unix_peer_lock is held; both get the other as their peer. */
static void join_locked(struct unix_socket *a, struct unix_socket *b)
{
	unix_socket_get(a);
	unix_socket_get(b);
	/* Pairs with the readers of `peer`, who see a connected socket whole. */
	store_release(&a->peer, b);
	store_release(&b->peer, a);
	WRITE_ONCE(a->state, UNIX_CONNECTED);
	WRITE_ONCE(b->state, UNIX_CONNECTED);
}

int unix_pair(int type, struct unix_socket *out[2])
{
	struct unix_ucred me;

	out[0] = unix_socket_create(type);
	out[1] = out[0] ? unix_socket_create(type) : NULL;
	if (!out[1]) {
		if (out[0])
			unix_socket_put(out[0]);
		return -ENOMEM;
	}
	if (current_groups(&out[0]->peer_groups)) {
		unix_socket_put(out[0]);
		unix_socket_put(out[1]);
		return -ENOMEM;
	}
	out[1]->peer_groups = groups_get(out[0]->peer_groups);
	unix_current_cred(&me, true);
	out[0]->peer_cred = out[1]->peer_cred = me;
	spin_lock(&unix_peer_lock);
	join_locked(out[0], out[1]);
	spin_unlock(&unix_peer_lock);
	return 0;
}

struct unix_socket *unix_drop_peer_locked(struct unix_socket *s)
{
	struct unix_socket *peer = s->peer;

	if (!peer)
		return NULL;
	spin_lock(&peer->lock);
	list_remove(&s->room_link);
	spin_unlock(&peer->lock);
	spin_lock(&s->lock);
	WRITE_ONCE(s->peer, NULL);
	spin_unlock(&s->lock);
	return peer;
}

/* A datagram socket that changes its peer no longer wants what came from the old one; who regards it as peer is told. */
static void leave_old_peer(struct unix_socket *s, struct unix_socket *old)
{
	struct list messages;
	bool tell;

	list_init(&messages);
	mutex_lock(&s->read_mutex);
	spin_lock(&s->lock);
	list_splice_tail(&messages, &s->queue);
	WRITE_ONCE(s->queue_count, 0);
	s->queue_bytes = 0;
	spin_unlock(&s->lock);
	mutex_unlock(&s->read_mutex);
	if (!list_empty(&messages)) {
		wait_wake_all(&s->room_wait);
		spin_lock(&unix_peer_lock);
		tell = !old->dead && READ_ONCE(old->peer) == s;
		if (tell)
			WRITE_ONCE(old->error, ECONNRESET);
		spin_unlock(&unix_peer_lock);
		if (tell)
			unix_wake_all(old);
	}
	unix_messages_free(&messages);
	unix_socket_put(old);
}

static int connect_datagram(struct unix_socket *s, struct sockaddr_un *name, unsigned int length)
{
	struct unix_socket *other = NULL, *old;
	int error;

	if (name->sun_family != AF_UNSPEC) {
		error = unix_find(name, length, s->type, &other);
		if (error)
			return error;
		if (s->pass_cred && !s->address)
			error = unix_bind_any(s);
		if (error)
			goto undo_other;
	}
	spin_lock(&unix_peer_lock);
	error = 0;
	if (other && other->dead)
		error = -ECONNREFUSED;
	else if (other && other->peer && other->peer != s)
		error = -EPERM;
	if (error) {
		spin_unlock(&unix_peer_lock);
		goto undo_other;
	}
	old = unix_drop_peer_locked(s);
	spin_lock(&s->lock);
	WRITE_ONCE(s->peer, other);
	WRITE_ONCE(s->state, other ? UNIX_CONNECTED : UNIX_UNCONNECTED);
	spin_unlock(&s->lock);
	spin_unlock(&unix_peer_lock);
	wait_queue_wake(&s->write_wait, ~0u, POLL_OUT_SET);
	if (old && old != other)
		leave_old_peer(s, old);
	else if (old)
		unix_socket_put(old);
	return 0;
undo_other:
	if (other)
		unix_socket_put(other);
	return error;
}

/* unix_peer_lock is held. 0, an error, or 1: the listener's queue is full. */
static int may_connect_locked(const struct unix_socket *s, const struct unix_socket *listener)
{
	if (listener->dead || listener->state != UNIX_LISTENING || (listener->shutdown & SHUT_RECEIVE))
		return -ECONNREFUSED;
	if (listener->pending_count > listener->backlog)
		return 1;
	if (s->state == UNIX_CONNECTED)
		return -EISCONN;
	return s->state == UNIX_LISTENING ? -EINVAL : 0;
}

static bool listener_has_room(const struct unix_socket *l)
{
	return READ_ONCE(l->pending_count) <= READ_ONCE(l->backlog) || READ_ONCE(l->dead) ||
	       (READ_ONCE(l->shutdown) & SHUT_RECEIVE);
}

/* One attempt with `end` as the new socket: 0, an error, or 1: full. */
static int connect_to(struct unix_socket *s, struct unix_socket *listener, struct unix_socket *end)
{
	int error;

	spin_lock(&unix_peer_lock);
	error = may_connect_locked(s, listener);
	if (!error) {
		if (listener->address) {
			refcount_get(&listener->address->refs);
			end->address = listener->address;
		}
		s->peer_cred = listener->peer_cred;
		s->peer_groups = groups_get(listener->peer_groups);
		end->pass_cred = listener->pass_cred;
		join_locked(s, end);
		spin_lock(&listener->lock);
		list_add_tail(&listener->pending, &end->pending_link);
		WRITE_ONCE(listener->pending_count, listener->pending_count + 1);
		spin_unlock(&listener->lock);
	}
	spin_unlock(&unix_peer_lock);
	return error;
}

static int connect_stream(struct unix_socket *s, struct sockaddr_un *name, unsigned int length, bool nonblock)
{
	uint64_t deadline = unix_deadline(s->send_timeout, nonblock);
	struct unix_socket *listener, *end;
	int error;

	if (s->pass_cred && !s->address) {
		error = unix_bind_any(s);
		if (error)
			return error;
	}
	end = unix_socket_create(s->type);
	if (!end)
		return -ENOMEM;
	if (current_groups(&end->peer_groups)) {
		unix_socket_put(end);
		return -ENOMEM;
	}
	unix_current_cred(&end->peer_cred, true);
	for (;;) {
		error = unix_find(name, length, s->type, &listener);
		if (error)
			break;
		error = connect_to(s, listener, end);
		if (error == 1)
			error = deadline ? wait_event(&listener->room_wait, listener_has_room(listener),
						      WAIT_INTERRUPTIBLE, deadline) : -ETIMEDOUT;
		else if (!error)
			break;
		unix_socket_put(listener);
		if (error) {
			error = unix_wait_error(error, deadline);
			break;
		}
	}
	if (error) {
		unix_socket_put(end);
		return error;
	}
	unix_wake_reader(listener);
	wait_queue_wake(&s->write_wait, ~0u, POLL_OUT_SET);
	unix_socket_put(listener);
	return 0;
}

int unix_connect(struct unix_socket *s, struct sockaddr_un *name, unsigned int length, bool nonblock)
{
	if (length < sizeof(name->sun_family))
		return -EINVAL;
	if (s->type == SOCK_DGRAM)
		return connect_datagram(s, name, length);
	return connect_stream(s, name, length, nonblock);
}

int unix_listen(struct unix_socket *s, int backlog)
{
	unsigned int limit = (unsigned int)backlog > SOCKET_BACKLOG_MAX ? SOCKET_BACKLOG_MAX : (unsigned int)backlog;
	struct unix_groups *groups;
	struct unix_ucred me;
	int error;

	if (!unix_is_connected_type(s))
		return -EOPNOTSUPP;
	if (!load_acquire(&s->address))
		return -EINVAL;
	error = current_groups(&groups);
	if (error)
		return error;
	unix_current_cred(&me, true);
	spin_lock(&unix_peer_lock);
	if (s->state == UNIX_CONNECTED) {
		error = -EINVAL;
	} else {
		WRITE_ONCE(s->backlog, limit);
		struct unix_groups *old = s->peer_groups;

		WRITE_ONCE(s->state, UNIX_LISTENING);
		s->peer_cred = me;
		s->peer_groups = groups;
		groups = old;
	}
	spin_unlock(&unix_peer_lock);
	unix_groups_put(groups);
	if (!error)
		wait_wake_all(&s->room_wait);
	return error;
}

static struct unix_socket *take_pending(struct unix_socket *s)
{
	struct unix_socket *c = NULL;

	spin_lock(&s->lock);
	if (!list_empty(&s->pending)) {
		c = list_first(&s->pending, struct unix_socket, pending_link);
		list_remove(&c->pending_link);
		WRITE_ONCE(s->pending_count, s->pending_count - 1);
	}
	spin_unlock(&s->lock);
	return c;
}

int unix_accept(struct unix_socket *s, bool nonblock, struct unix_socket **out)
{
	uint64_t deadline = unix_deadline(s->receive_timeout, nonblock);
	int error = 0;

	if (!unix_is_connected_type(s))
		return -EOPNOTSUPP;
	if (unix_state(s) != UNIX_LISTENING)
		return -EINVAL;
	for (;;) {
		*out = take_pending(s);
		if (*out)
			break;
		if (READ_ONCE(s->shutdown) & SHUT_RECEIVE)
			error = -EINVAL;
		else if (!deadline)
			error = -EAGAIN;
		else if (error)
			error = unix_wait_error(error, deadline);
		if (error)
			return error;
		error = wait_event_exclusive(&s->read_wait,
					     !list_empty(&s->pending) || (READ_ONCE(s->shutdown) & SHUT_RECEIVE),
					     WAIT_INTERRUPTIBLE, deadline);
	}
	wait_wake_all(&s->room_wait);
	/* A wake-up may have been for two, or have come to one that left. */
	if (READ_ONCE(s->pending_count))
		poll_wake(&s->read_wait, POLL_IN_SET);
	return 0;
}
