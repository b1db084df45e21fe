/*
 * Sockets as files: read and write, polling, ioctls.
 */
#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <linux/un.h>

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
	if (unlikely(READ_ONCE(s->oob)))
		mask |= EPOLLPRI;
	return mask;
}

/* A descriptor that names the socket's place in the file system. */
static long open_name(struct unix_socket *s)
{
	struct path p;
	struct file *f;
	long fd;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!load_acquire(&s->address) || !unix_name_path(s, &p))
		return -ENOENT;
	fd = file_open_path(&p, O_PATH, &f);
	path_put(&p);
	if (fd)
		return fd;
	fd = fd_install(f, O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* There is no network: the list of interfaces is empty. */
static long no_interfaces(uintptr_t arg)
{
	struct { int32_t length; uint32_t pad; uint64_t buffer; } conf;

	if (copy_from_user(&conf, arg, sizeof(conf)))
		return -EFAULT;
	conf.length = 0;
	return copy_to_user(arg, &conf, sizeof(conf));
}

/* Requests about one interface, by its name or number: there is none. What changes one is for who may. */
static long interface_request(unsigned int cmd, uintptr_t arg)
{
	static const unsigned short asked[] = {
		SIOCGIFNAME, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK, SIOCGIFMETRIC,
		SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFSLAVE, SIOCGIFINDEX, SIOCGIFTXQLEN, SIOCGIFMAP,
	};
	static const unsigned short changes[] = { SIOCSIFFLAGS, SIOCSIFMTU, SIOCSIFHWADDR, SIOCSIFNAME, SIOCSIFMETRIC };
	char request[40];

	if (copy_from_user(request, arg, sizeof(request)))
		return -EFAULT;
	for (unsigned int i = 0; i < ARRAY_SIZE(asked); i++) {
		if (cmd == asked[i])
			return -ENODEV;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(changes); i++) {
		if (cmd == changes[i])
			return capable(CAP_NET_ADMIN) ? -ENODEV : -EPERM;
	}
	return -ENOTTY;
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
	case SIOCATMARK:
		spin_lock(&s->lock);
		bytes = s->oob && list_first(&s->queue, struct unix_message, link) == s->oob;
		spin_unlock(&s->lock);
		return user_store_u32(arg, bytes);
	case SIOCUNIXFILE:
		return open_name(s);
	case SIOCGIFCONF:
		return no_interfaces(arg);
	}
	return cmd >= SIOCGIFNAME && cmd <= SIOCGIFTXQLEN ? interface_request(cmd, arg) : -ENOTTY;
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
