/*
 * The calls that send and receive, from the caller's structs to one transfer and back.
 */
#include <gen/unix.h>

#include "modules/unix/internal.h"

static bool nonblock(const struct unix_call *c, uint32_t flags)
{
	return (flags & MSG_DONTWAIT) || unix_call_nonblock(c);
}

static void drop_transfer(struct unix_transfer *t)
{
	if (t->files)
		unix_files_drop(t->files);
	if (t->from)
		unix_address_put(t->from);
}

long sys_sendto(int32_t fd, struct uin_u8 buf, size_t count, uint32_t flags, uintptr_t address, int32_t length)
{
	struct unix_transfer t = { .flags = flags & ~MSG_CMSG_COMPAT };
	struct sockaddr_un name;
	struct unix_call c;
	long n;

	count = MIN(count, IO_COUNT_MAX);
	if (!user_range_ok(buf.addr, count))
		return -EFAULT;
	n = unix_call_begin(&c, fd);
	if (n)
		return n;
	if (address) {
		n = unix_name_load(&name, address, length);
		t.name = &name;
		t.name_length = length;
	}
	if (!n) {
		t.nonblock = nonblock(&c, flags);
		io_iter_init_user(&t.iter, buf.addr, count);
		n = unix_send(c.socket, &t);
	}
	unix_call_end(&c);
	return n;
}

long sys_recvfrom(int32_t fd, struct uout_u8 buf, size_t count, uint32_t flags, uintptr_t address, uintptr_t length)
{
	struct unix_transfer t = { .flags = flags & ~MSG_CMSG_COMPAT };
	struct unix_call c;
	uint64_t none = 0;
	long n;
	int error;

	count = MIN(count, IO_COUNT_MAX);
	if (!user_range_ok(buf.addr, count))
		return -EFAULT;
	n = unix_call_begin(&c, fd);
	if (n)
		return n;
	t.nonblock = nonblock(&c, flags);
	io_iter_init_user(&t.iter, buf.addr, count);
	n = unix_receive(c.socket, &t);
	if (n >= 0 && address) {
		/* Without a name nothing is stored but the length. */
		error = t.from ? unix_name_store(t.from, address, length) : user_store_u32(length, 0);
		n = error ? error : n;
	}
	if (unlikely(t.files))
		unix_control_emit(c.socket, &t, 0, &none);
	drop_transfer(&t);
	unix_call_end(&c);
	return n;
}

/* A message under way in sendmsg or recvmsg. */
struct message {
	struct unix_msghdr h;
	struct io_segment fast[IO_SEGMENTS_FAST], *heap;
	struct sockaddr_un name;
	struct unix_transfer t;
};

static int load_header(struct message *m, uintptr_t user, uint32_t flags)
{
	memset(&m->t, 0, sizeof(m->t));
	m->heap = NULL;
	m->t.flags = flags & ~MSG_CMSG_COMPAT;
	if (copy_from_user(&m->h, user, sizeof(m->h)))
		return -EFAULT;
	if (m->h.name_length < 0)
		return -EINVAL;
	if (!m->h.name)
		m->h.name_length = 0;
	if (m->h.name_length > SOCKET_NAME_MAX)
		m->h.name_length = SOCKET_NAME_MAX;
	if (m->h.iov_count > IO_SEGMENTS_MAX)
		return -EMSGSIZE;
	return 0;
}

static long send_message(struct unix_call *c, uintptr_t user, uint32_t flags)
{
	struct message m;
	long n = load_header(&m, user, flags);

	if (!n && m.h.name_length) {
		n = unix_name_load(&m.name, m.h.name, m.h.name_length);
		m.t.name = &m.name;
		m.t.name_length = m.h.name_length;
	}
	if (!n)
		n = io_iter_init_vector(&m.t.iter, m.h.iov, m.h.iov_count, m.fast, &m.heap);
	if (n)
		return n;
	if (m.h.control_length > INT32_MAX)
		n = -ENOBUFS;
	if (!n)
		n = unix_control_parse(m.h.control, m.h.control_length, &m.t);
	if (!n) {
		m.t.nonblock = nonblock(c, flags);
		n = unix_send(c->socket, &m.t);
	}
	kfree(m.heap);
	drop_transfer(&m.t);
	return n;
}

#define HEADER_AT(field) offsetof(struct unix_msghdr, field)

/* Writes what recvmsg tells beside the data. */
static int store_results(struct unix_socket *s, struct message *m, uintptr_t user)
{
	int error = 0;

	m->t.out_flags |= m->t.flags & MSG_CMSG_CLOEXEC;
	error = unix_control_emit(s, &m->t, m->h.control, &m->h.control_length);
	if (!error && m->h.name) {
		if (m->t.from)
			error = unix_name_store(m->t.from, m->h.name, user + HEADER_AT(name_length));
		else
			error = user_store_u32(user + HEADER_AT(name_length), 0);
	}
	if (!error)
		error = user_store_u32(user + HEADER_AT(flags), m->t.out_flags);
	if (!error)
		error = user_store_u64(user + HEADER_AT(control_length), m->h.control_length);
	return error;
}

static long receive_message(struct unix_call *c, uintptr_t user, uint32_t flags)
{
	struct message m;
	long n = load_header(&m, user, flags);
	int error;

	if (!n)
		n = io_iter_init_vector(&m.t.iter, m.h.iov, m.h.iov_count, m.fast, &m.heap);
	if (n)
		return n;
	m.t.nonblock = nonblock(c, flags);
	n = unix_receive(c->socket, &m.t);
	if (n >= 0) {
		error = store_results(c->socket, &m, user);
		n = error ? error : n;
	}
	kfree(m.heap);
	drop_transfer(&m.t);
	return n;
}

long sys_sendmsg(int32_t fd, uintptr_t message, uint32_t flags)
{
	struct unix_call c;
	long n = unix_call_begin(&c, fd);

	if (n)
		return n;
	n = send_message(&c, message, flags);
	unix_call_end(&c);
	return n;
}

long sys_recvmsg(int32_t fd, uintptr_t message, uint32_t flags)
{
	struct unix_call c;
	long n = unix_call_begin(&c, fd);

	if (n)
		return n;
	n = receive_message(&c, message, flags);
	unix_call_end(&c);
	return n;
}

#define MANY_LENGTH_AT offsetof(struct unix_mmsghdr, length)

long sys_sendmmsg(int32_t fd, uintptr_t messages, uint32_t count, uint32_t flags)
{
	struct unix_call c;
	uint32_t done = 0;
	long n = unix_call_begin(&c, fd);

	if (n)
		return n;
	count = MIN(count, (uint32_t)IO_SEGMENTS_MAX);
	while (done < count) {
		uintptr_t user = messages + done * sizeof(struct unix_mmsghdr);

		n = send_message(&c, user, flags);
		if (n < 0)
			break;
		if (user_store_u32(user + MANY_LENGTH_AT, (uint32_t)n)) {
			n = -EFAULT;
			break;
		}
		done++;
		if (wait_interrupted(WAIT_INTERRUPTIBLE))
			break;
	}
	unix_call_end(&c);
	return done ? (long)done : MIN(n, 0l);
}

/* The timeout is looked at between messages only, as on Linux. */
static bool time_is_up(uint64_t deadline)
{
	return deadline != TIME_NEVER && clock_monotonic() >= deadline;
}

static int load_timeout(struct uinout_timespec timeout, uint64_t *deadline)
{
	struct __kernel_timespec ts;
	uint64_t now = clock_monotonic();

	*deadline = TIME_NEVER;
	if (!timeout.addr)
		return 0;
	if (copy_from_user(&ts, timeout.addr, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= 1000000000)
		return -EINVAL;
	if ((uint64_t)ts.tv_sec < (TIME_NEVER - now) / 1000000000u - 1)
		*deadline = now + (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	return 0;
}

static int store_timeout(struct uinout_timespec timeout, uint64_t deadline)
{
	uint64_t now = clock_monotonic(), left = deadline > now ? deadline - now : 0;
	struct __kernel_timespec ts = { (int64_t)(left / 1000000000u), (int64_t)(left % 1000000000u) };

	if (!timeout.addr || deadline == TIME_NEVER)
		return 0;
	return copy_to_user(timeout.addr, &ts, sizeof(ts));
}

long sys_recvmmsg(int32_t fd, uintptr_t messages, uint32_t count, uint32_t flags, struct uinout_timespec timeout)
{
	uint64_t deadline;
	struct unix_call c;
	uint32_t done = 0;
	long n = load_timeout(timeout, &deadline);

	if (n)
		return n;
	n = unix_call_begin(&c, fd);
	if (n)
		return n;
	n = unix_take_error(c.socket);
	count = MIN(count, (uint32_t)IO_SEGMENTS_MAX);
	while (!n && done < count) {
		uintptr_t user = messages + done * sizeof(struct unix_mmsghdr);
		long got = receive_message(&c, user, flags & ~MSG_WAITFORONE);

		if (got >= 0 && user_store_u32(user + MANY_LENGTH_AT, (uint32_t)got))
			got = -EFAULT;
		if (got < 0) {
			n = got;
			break;
		}
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (time_is_up(deadline) || wait_interrupted(WAIT_INTERRUPTIBLE))
			break;
	}
	if (done && n && n != -EAGAIN && n > -ERESTARTSYS)
		WRITE_ONCE(c.socket->error, (int)-n);
	if ((done || !n) && store_timeout(timeout, deadline))
		n = -EFAULT;
	unix_call_end(&c);
	return done ? (long)done : n;
}
