/*
 * getsockopt and setsockopt at the level SOL_SOCKET. Options that have no effect on local sockets are kept and read back, as on Linux.
 */
#include <gen/unix.h>

#include <linux/capability.h>

#include "modules/unix/internal.h"

#define BUFFER_MAX     212992u		/* net.core.wmem_max, rmem_max */
#define SEND_LIMIT_MIN 4608u
#define RECEIVE_MIN    2304u

/* Options that are a bit and nothing else. */
static const uint8_t toggles[] = {
	SO_DEBUG, SO_REUSEADDR, SO_DONTROUTE, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK, SO_REUSEPORT,
	SO_PASSSEC, SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_RXQ_OVFL, SO_WIFI_STATUS, SO_NOFCS, SO_SELECT_ERR_QUEUE,
};

/* Bit of a toggle; 0: it is none. */
static uint32_t toggle_bit(int name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(toggles); i++) {
		if (toggles[i] == name)
			return 1u << i;
	}
	return 0;
}

static int set_timeout(uint64_t *timeout, uintptr_t value, int length)
{
	struct __kernel_old_timeval tv;

	if (length < (int)sizeof(tv))
		return -EINVAL;
	if (copy_from_user(&tv, value, sizeof(tv)))
		return -EFAULT;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0)
		*timeout = 1;
	else if (tv.tv_sec > (int64_t)1 << 32)
		*timeout = 0;
	else
		*timeout = (uint64_t)tv.tv_sec * 1000000000u + (uint64_t)tv.tv_usec * 1000u;
	return 0;
}

static int set_linger(struct unix_socket *s, uintptr_t value, int length)
{
	struct unix_linger l;

	if (length < (int)sizeof(l))
		return -EINVAL;
	if (copy_from_user(&l, value, sizeof(l)))
		return -EFAULT;
	s->linger.on = l.on != 0;
	if (l.on)
		s->linger.seconds = l.seconds;
	return 0;
}

static uint32_t buffer_size(int value, uint32_t minimum, bool force)
{
	uint32_t v = value < 0 ? 0 : (uint32_t)value;

	if (!force)
		v = MIN((uint32_t)value, BUFFER_MAX);
	return MAX(MIN(v, 0x3fffffffu) * 2, minimum);
}

static int set_number(struct unix_socket *s, int name, int value)
{
	uint32_t bit = toggle_bit(name);

	switch (name) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		if (name == SO_SNDBUFFORCE && !capable(CAP_NET_ADMIN))
			return -EPERM;
		WRITE_ONCE(s->send_limit, buffer_size(value, SEND_LIMIT_MIN, name == SO_SNDBUFFORCE));
		wait_queue_wake(&s->write_wait, ~0u, POLL_OUT_SET);
		return 0;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		if (name == SO_RCVBUFFORCE && !capable(CAP_NET_ADMIN))
			return -EPERM;
		s->receive_limit = buffer_size(value, RECEIVE_MIN, name == SO_RCVBUFFORCE);
		return 0;
	case SO_PASSCRED:
		WRITE_ONCE(s->pass_cred, value != 0);
		return 0;
	case SO_RCVLOWAT:
		s->low_water = value < 0 ? INT32_MAX : value ? (uint32_t)value : 1;
		return 0;
	case SO_PEEK_OFF:
		s->peek_offset = value < 0 ? -1 : value;
		return 0;
	case SO_PRIORITY:
		if ((value < 0 || value > 6) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		s->priority = value;
		return 0;
	case SO_BUSY_POLL:
		if (value < 0)
			return -EINVAL;
		if ((uint32_t)value > s->busy_poll && !capable(CAP_NET_ADMIN))
			return -EPERM;
		s->busy_poll = (uint32_t)value;
		return 0;
	case SO_INCOMING_CPU:
		s->incoming_cpu = value;
		return 0;
	case SO_ZEROCOPY:
		return -EOPNOTSUPP;
	case SO_TYPE:
	case SO_PROTOCOL:
	case SO_DOMAIN:
	case SO_ERROR:
	case SO_MEMINFO:
	case SO_PEERGROUPS:
		return -ENOPROTOOPT;
	}
	if (!bit)
		return -ENOPROTOOPT;
	if (name == SO_DEBUG && value && !capable(CAP_NET_ADMIN))
		return -EACCES;
	if (value)
		__atomic_or_fetch(&s->toggles, bit, __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(&s->toggles, ~bit, __ATOMIC_RELAXED);
	return 0;
}

static int set_option(struct unix_socket *s, int name, uintptr_t value, int length)
{
	uint32_t number;

	if (length < (int)sizeof(number))
		return -EINVAL;
	if (copy_from_user(&number, value, sizeof(number)))
		return -EFAULT;
	switch (name) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return set_timeout(&s->receive_timeout, value, length);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return set_timeout(&s->send_timeout, value, length);
	case SO_LINGER:
		return set_linger(s, value, length);
	}
	return set_number(s, name, (int)number);
}

long sys_setsockopt(int32_t fd, int32_t level, int32_t name, uintptr_t value, int32_t length)
{
	struct unix_call c;
	int error;

	if (length < 0)
		return -EINVAL;
	error = unix_call_begin(&c, fd);
	if (error)
		return error;
	error = level == SOL_SOCKET ? set_option(c.socket, name, value, length) : -EOPNOTSUPP;
	unix_call_end(&c);
	return error;
}

/* A value as getsockopt stores it. */
struct option_value {
	union {
		int32_t number;
		struct unix_linger linger;
		struct __kernel_old_timeval time;
		struct unix_ucred cred;
		uint64_t cookie;
		uint32_t memory[9];	/* SK_MEMINFO_* */
	};
	size_t size;
};

static void get_timeout(uint64_t timeout, struct option_value *out)
{
	out->size = sizeof(out->time);
	out->time.tv_sec = (long)(timeout / 1000000000u);
	out->time.tv_usec = (long)(timeout % 1000000000u / 1000u);
}

static void get_cred(struct unix_socket *s, struct option_value *out)
{
	out->size = sizeof(out->cred);
	spin_lock(&unix_peer_lock);
	out->cred = s->peer_cred;
	spin_unlock(&unix_peer_lock);
}

static int get_option(struct unix_socket *s, int name, struct option_value *out)
{
	uint32_t bit = toggle_bit(name);

	out->size = sizeof(out->number);
	switch (name) {
	case SO_TYPE:
		out->number = s->type;
		return 0;
	case SO_DOMAIN:
		out->number = AF_UNIX;
		return 0;
	case SO_PROTOCOL:
	case SO_MARK:
		out->number = 0;
		return 0;
	case SO_ERROR:
		out->number = -unix_take_error(s);
		return 0;
	case SO_ACCEPTCONN:
		out->number = unix_state(s) == UNIX_LISTENING;
		return 0;
	case SO_SNDBUF:
		out->number = (int32_t)s->send_limit;
		return 0;
	case SO_RCVBUF:
		out->number = (int32_t)s->receive_limit;
		return 0;
	case SO_PASSCRED:
		out->number = s->pass_cred;
		return 0;
	case SO_RCVLOWAT:
		out->number = (int32_t)s->low_water;
		return 0;
	case SO_SNDLOWAT:
		out->number = 1;
		return 0;
	case SO_PEEK_OFF:
		out->number = (int32_t)s->peek_offset;
		return 0;
	case SO_PRIORITY:
		out->number = s->priority;
		return 0;
	case SO_LINGER:
		out->size = sizeof(out->linger);
		out->linger = s->linger;
		return 0;
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		get_timeout(s->receive_timeout, out);
		return 0;
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		get_timeout(s->send_timeout, out);
		return 0;
	case SO_PEERCRED:
		get_cred(s, out);
		return 0;
	case SO_MEMINFO:
		/* What is under way is charged to who sent it. */
		out->size = sizeof(out->memory);
		out->memory[1] = s->receive_limit;
		out->memory[2] = READ_ONCE(s->sent_charge);
		out->memory[3] = s->send_limit;
		return 0;
	case SO_BUSY_POLL:
		out->number = (int32_t)s->busy_poll;
		return 0;
	case SO_INCOMING_CPU:
		out->number = s->incoming_cpu;
		return 0;
	case SO_ZEROCOPY:
		out->number = 0;
		return 0;
	case SO_COOKIE:
		out->size = sizeof(out->cookie);
		out->cookie = s->cookie;
		return 0;
	}
	out->number = (s->toggles & bit) != 0;
	return bit ? 0 : -ENOPROTOOPT;
}

/* The peer's groups, if there is room for all of them; *user_length says how much they want. */
static int store_groups(struct unix_socket *s, uintptr_t value, uintptr_t user_length, uint32_t room)
{
	struct unix_groups *g;
	uint32_t size;
	bool known;
	int error;

	spin_lock(&unix_peer_lock);
	g = s->peer_groups;
	if (g)
		refcount_get(&g->refs);
	known = s->peer_cred.uid != ~0u;
	spin_unlock(&unix_peer_lock);
	if (!known)
		return -ENODATA;
	size = g ? (uint32_t)g->count * sizeof(g->gid[0]) : 0;
	if (room < size)
		error = user_store_u32(user_length, size) ? -EFAULT : -ERANGE;
	else
		error = size && copy_to_user(value, g->gid, size) ? -EFAULT : user_store_u32(user_length, size);
	unix_groups_put(g);
	return error;
}

static int store_option(struct unix_socket *s, int name, uintptr_t value, uintptr_t user_length)
{
	struct option_value v;
	uint32_t room;
	int error;

	if (user_load_u32(user_length, &room))
		return -EFAULT;
	if ((int32_t)room < 0)
		return -EINVAL;
	if (name == SO_PEERGROUPS)
		return store_groups(s, value, user_length, room);
	memset(&v, 0, sizeof(v));
	error = get_option(s, name, &v);
	if (error)
		return error;
	if (name == SO_COOKIE && room < v.size)
		return -EINVAL;
	if (copy_to_user(value, &v, MIN((size_t)room, v.size)))
		return -EFAULT;
	return user_store_u32(user_length, (uint32_t)MIN((size_t)room, v.size));
}

long sys_getsockopt(int32_t fd, int32_t level, int32_t name, uintptr_t value, struct uinout_i32 length)
{
	struct unix_call c;
	int error = unix_call_begin(&c, fd);

	if (error)
		return error;
	error = level == SOL_SOCKET ? store_option(c.socket, name, value, length.addr) : -EOPNOTSUPP;
	unix_call_end(&c);
	return error;
}
