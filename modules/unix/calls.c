/*
 * The calls that make, name and connect sockets. Every family but AF_UNIX gets EAFNOSUPPORT.
 */
#include <gen/unix.h>

#include "modules/unix/internal.h"

int unix_call_begin(struct unix_call *c, int fd)
{
	int error = fd_get(fd, &c->ref);

	if (error)
		return error;
	c->socket = unix_of_file(c->ref.file);
	if (likely(c->socket))
		return 0;
	fd_put(&c->ref);
	return -ENOTSOCK;
}

int unix_name_load(struct sockaddr_un *out, uintptr_t address, int length)
{
	uint8_t raw[SOCKET_NAME_MAX];

	if (length < 0 || length > SOCKET_NAME_MAX)
		return -EINVAL;
	if (copy_from_user(raw, address, (size_t)length))
		return -EFAULT;
	memset(out, 0, sizeof(*out));
	memcpy(out, raw, MIN((size_t)length, sizeof(*out)));
	return 0;
}

int unix_name_store(const struct unix_address *a, uintptr_t address, uintptr_t user_length)
{
	static const uint16_t unnamed = AF_UNIX;
	unsigned int length = a ? a->length : sizeof(unnamed);
	const void *name = a ? (const void *)&a->name : &unnamed;
	uint32_t room;

	if (user_load_u32(user_length, &room))
		return -EFAULT;
	if ((int32_t)room < 0)
		return -EINVAL;
	if (copy_to_user(address, name, MIN(room, length)))
		return -EFAULT;
	return user_store_u32(user_length, length);
}

/* What socket and socketpair check of their arguments. *type loses its flags. */
static int check_kind(int family, int *type, int protocol, unsigned int *flags)
{
	*flags = (unsigned int)*type & ~(unsigned int)SOCK_TYPE_MASK;
	if (*flags & ~(unsigned int)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	*type &= SOCK_TYPE_MASK;
	if (family < 0 || family >= AF_FAMILIES)
		return -EAFNOSUPPORT;
	if (*type >= SOCK_TYPES)
		return -EINVAL;
	if (family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (*type == SOCK_RAW)
		*type = SOCK_DGRAM;
	if (*type != SOCK_STREAM && *type != SOCK_DGRAM && *type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	return 0;
}

/* A file for the socket, whose reference passes in every case. */
static int make_file(struct unix_socket *s, unsigned int flags, struct file **out)
{
	int error = unix_file_create(s, flags & SOCK_NONBLOCK, out);

	if (error)
		unix_release(s);
	return error;
}

long sys_socket(int32_t family, int32_t type, int32_t protocol)
{
	struct unix_socket *s;
	unsigned int flags;
	struct file *f;
	int fd, error = check_kind(family, &type, protocol, &flags);

	if (error)
		return error;
	s = unix_socket_create(type);
	if (!s)
		return -ENOMEM;
	error = make_file(s, flags, &f);
	if (error)
		return error;
	fd = fd_install(f, flags & SOCK_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* Both files of a pair. */
static int make_pair(int type, unsigned int flags, struct file *files[2])
{
	struct unix_socket *s[2];
	int error = unix_pair(type, s);

	if (error)
		return error;
	error = make_file(s[0], flags, &files[0]);
	if (error) {
		unix_release(s[1]);
		return error;
	}
	error = make_file(s[1], flags, &files[1]);
	if (error)
		file_put(files[0]);
	return error;
}

long sys_socketpair(int32_t family, int32_t type, int32_t protocol, struct uout_i32 fds)
{
	struct file *files[2];
	int32_t numbers[2];
	unsigned int flags = (unsigned int)type & ~(unsigned int)SOCK_TYPE_MASK;
	int error;

	if (flags & ~(unsigned int)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	numbers[0] = error = fd_reserve(flags & SOCK_CLOEXEC);
	if (error < 0)
		return error;
	numbers[1] = error = fd_reserve(flags & SOCK_CLOEXEC);
	if (error < 0)
		goto undo_first;
	error = copy_out_i32_array(fds, numbers, 2);
	if (!error)
		error = check_kind(family, &type, protocol, &flags);
	if (!error)
		error = make_pair(type, flags, files);
	if (error)
		goto undo_second;
	fd_publish(numbers[0], files[0]);
	fd_publish(numbers[1], files[1]);
	return 0;
undo_second:
	fd_cancel(numbers[1]);
undo_first:
	fd_cancel(numbers[0]);
	return error;
}

long sys_bind(int32_t fd, struct uin_u8 address, int32_t length)
{
	struct sockaddr_un name;
	struct unix_call c;
	int error = unix_call_begin(&c, fd);

	if (error)
		return error;
	error = unix_name_load(&name, address.addr, length);
	if (!error)
		error = unix_bind(c.socket, &name, (unsigned int)length);
	unix_call_end(&c);
	return error;
}

long sys_connect(int32_t fd, struct uin_u8 address, int32_t length)
{
	struct sockaddr_un name;
	struct unix_call c;
	int error = unix_call_begin(&c, fd);

	if (error)
		return error;
	error = unix_name_load(&name, address.addr, length);
	if (!error)
		error = unix_connect(c.socket, &name, (unsigned int)length, unix_call_nonblock(&c));
	unix_call_end(&c);
	return error;
}

long sys_listen(int32_t fd, int32_t backlog)
{
	struct unix_call c;
	int error = unix_call_begin(&c, fd);

	if (error)
		return error;
	error = unix_listen(c.socket, backlog);
	unix_call_end(&c);
	return error;
}

long sys_shutdown(int32_t fd, int32_t how)
{
	struct unix_call c;
	int error = unix_call_begin(&c, fd);

	if (error)
		return error;
	if (how < 0 || how > 2)
		error = -EINVAL;
	else
		unix_shutdown(c.socket, (unsigned int)how + 1);
	unix_call_end(&c);
	return error;
}

/* The name of the other end. */
static struct unix_address *peer_address(struct unix_socket *s, bool *connected)
{
	struct unix_address *a = NULL;

	spin_lock(&unix_peer_lock);
	*connected = s->peer;
	if (s->peer)
		a = load_acquire(&s->peer->address);
	if (a)
		refcount_get(&a->refs);
	spin_unlock(&unix_peer_lock);
	return a;
}

static int store_peer(struct unix_socket *s, uintptr_t address, uintptr_t length)
{
	bool connected;
	struct unix_address *a = peer_address(s, &connected);
	int error = connected ? unix_name_store(a, address, length) : -ENOTCONN;

	if (a)
		unix_address_put(a);
	return error;
}

/* The connection gets a file and its number; the name of its other end is stored first. */
static int finish_accept(struct unix_socket *s, unsigned int flags, uintptr_t address, uintptr_t length)
{
	struct file *f;
	int fd, error = make_file(s, flags, &f);

	if (error)
		return error;
	fd = error = fd_reserve(flags & SOCK_CLOEXEC);
	if (error >= 0 && address)
		error = store_peer(s, address, length);
	if (error < 0) {
		if (fd >= 0)
			fd_cancel(fd);
		file_put(f);
		return error;
	}
	fd_publish(fd, f);
	return fd;
}

long sys_accept4(int32_t fd, uintptr_t address, uintptr_t length, int32_t flags)
{
	struct unix_socket *s;
	struct unix_call c;
	int error;

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	error = unix_call_begin(&c, fd);
	if (error)
		return error;
	error = unix_accept(c.socket, unix_call_nonblock(&c), &s);
	if (!error)
		error = finish_accept(s, (unsigned int)flags, address, length);
	unix_call_end(&c);
	return error;
}

long sys_accept(int32_t fd, uintptr_t address, uintptr_t length)
{
	return sys_accept4(fd, address, length, 0);
}

long sys_getsockname(int32_t fd, uintptr_t address, struct uinout_i32 length)
{
	struct unix_call c;
	int error = unix_call_begin(&c, fd);

	if (error)
		return error;
	error = unix_name_store(load_acquire(&c.socket->address), address, length.addr);
	unix_call_end(&c);
	return error;
}

long sys_getpeername(int32_t fd, uintptr_t address, struct uinout_i32 length)
{
	struct unix_call c;
	int error = unix_call_begin(&c, fd);

	if (error)
		return error;
	error = store_peer(c.socket, address, length.addr);
	unix_call_end(&c);
	return error;
}
