/*
 * Sockets as files: read and write, polling, ioctls.
 */
#include <asm/ioctls.h>

#include "modules/unix/internal.h"

static long socket_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct unix_transfer t = { .iter = *to, .nonblock = io_flags & IO_NONBLOCK };
	struct unix_socket *s = f->private;
	uint64_t none = 0;
	long n;

	(void)pos;
	if (!to->count)
		return 0;
	if (to->segments == &to->single)
		t.iter.segments = &t.iter.single;
	n = unix_receive(s, &t);
	if (unlikely(t.files))
		unix_control_emit(s, &t, 0, &none);
	if (t.from)
		unix_address_put(t.from);
	if (n > 0)
		io_iter_advance(to, MIN((size_t)n, to->count));
	return n;
}

static long socket_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	struct unix_transfer t = { .iter = *from, .nonblock = io_flags & IO_NONBLOCK };
	long n;

	(void)pos;
	if (from->segments == &from->single)
		t.iter.segments = &t.iter.single;
	n = unix_send(f->private, &t);
	if (n > 0)
		io_iter_advance(from, (size_t)n);
	return n;
}

/* A datagram socket's peer that does not talk back has a short queue: the poller is put on its list while that is full. */
static bool peer_has_room(struct unix_socket *s)
{
	struct unix_socket *peer;
	bool room = true;

	spin_lock(&unix_peer_lock);
	peer = s->peer;
	if (peer && peer->peer != s && peer != s) {
		spin_lock(&peer->lock);
		room = !unix_queue_full(peer) || peer->dead;
		if (!room && list_empty(&s->room_link))
			list_add_tail(&peer->room_pollers, &s->room_link);
		spin_unlock(&peer->lock);
	}
	spin_unlock(&unix_peer_lock);
	return room;
}

static unsigned int socket_poll(struct file *f, struct poll_table *table)
{
	struct unix_socket *s = f->private;
	unsigned int shutdown, mask = 0;

	poll_wait(table, f, &s->read_wait);
	poll_wait(table, f, &s->write_wait);
	shutdown = READ_ONCE(s->shutdown);
	if (READ_ONCE(s->error))
		mask |= EPOLLERR;
	if (shutdown == SHUT_BOTH)
		mask |= EPOLLHUP;
	if (shutdown & SHUT_RECEIVE)
		mask |= EPOLLRDHUP | POLL_IN_SET;
	if (!list_empty(&s->queue) || !list_empty(&s->pending))
		mask |= POLL_IN_SET;
	if (unix_is_connected_type(s) && unix_state(s) == UNIX_UNCONNECTED)
		mask |= EPOLLHUP;
	if (unix_writable(s) && (s->type != SOCK_DGRAM || !READ_ONCE(s->peer) || peer_has_room(s)))
		mask |= POLL_OUT_SET | EPOLLWRBAND;
	return mask;
}

static long socket_ioctl(struct file *f, unsigned int cmd, uintptr_t arg)
{
	struct unix_socket *s = f->private;
	uint32_t bytes;

	switch (cmd) {
	case FIONREAD:
		if (unix_state(s) == UNIX_LISTENING)
			return -EINVAL;
		spin_lock(&s->lock);
		bytes = s->queue_bytes;
		if (s->type == SOCK_DGRAM)
			bytes = list_empty(&s->queue) ? 0 : list_first(&s->queue, struct unix_message, link)->length;
		spin_unlock(&s->lock);
		return user_store_u32(arg, bytes);
	case TIOCOUTQ:
		return user_store_u32(arg, READ_ONCE(s->sent_charge));
	}
	return -ENOTTY;
}

static void socket_release(struct file *f)
{
	struct unix_socket *s = f->private;

	file_async_set(&s->async, f, 0);
	unix_release(s);
}

static int socket_set_flags(struct file *f, unsigned int flags)
{
	struct unix_socket *s = f->private;

	file_async_set(&s->async, f, flags);
	return 0;
}

static uint64_t unix_memory(const struct file *f)
{
	const struct unix_socket *s = f->private;

	return sizeof(*s) + READ_ONCE(s->sent_charge);
}

const struct file_ops unix_file_ops = {
	.memory = unix_memory,
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.release = socket_release,
	.set_flags = socket_set_flags,
};
