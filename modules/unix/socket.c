/*
 * A socket's life: creation, shutdown, release; the pseudo file system that its files stand in.
 *
 * Release runs once, when the file's last reference goes (or for a connection that nobody accepted, with its listener's). From
 * then on `dead` is set: senders that found the socket before see that under its lock and put nothing into the queue any more.
 */
#include <linux/magic.h>

#include "core/module/module.h"
#include "modules/unix/internal.h"

#define SEND_LIMIT_DEFAULT 212992u	/* net.core.wmem_default */

struct spinlock unix_peer_lock = SPINLOCK_INIT(unix_peer_lock);
unsigned int unix_max_dgram_qlen = 10;

static struct mount *socket_mount;
static uint64_t next_cookie;
static const struct fs_type socket_type = { .name = "sockfs", .nodev = true };

static int socket_format(struct dentry *d, char *buf, size_t size)
{
	return snprintf(buf, size, "socket:[%llu]", (unsigned long long)d->inode->ino);
}

static int socket_statfs(struct super *s, struct kstatfs *out)
{
	out->type = s->magic;
	out->block_size = PAGE_SIZE;
	out->name_max = NAME_LENGTH_MAX;
	return 0;
}

static const struct super_ops socket_super_ops = { .format = socket_format, .statfs = socket_statfs };

struct unix_socket *unix_socket_create(int type)
{
	struct unix_socket *s = kzalloc(sizeof(*s), 0);

	if (!s)
		return NULL;
	s->account = account_find();
	if (!s->account) {
		kfree(s);
		return NULL;
	}
	refcount_init(&s->refs, 1);
	s->type = type;
	spin_init(&s->lock);
	mutex_init(&s->read_mutex);
	mutex_init(&s->bind_mutex);
	list_init(&s->queue);
	list_init(&s->pending);
	list_init(&s->pending_link);
	list_init(&s->room_pollers);
	list_init(&s->room_link);
	list_init(&s->name_link);
	list_init(&s->in_flight_link);
	list_init(&s->collect_link);
	wait_queue_init(&s->read_wait);
	wait_queue_init(&s->write_wait);
	wait_queue_init(&s->room_wait);
	file_async_init(&s->async);
	s->backlog = unix_max_dgram_qlen;
	s->send_limit = s->receive_limit = SEND_LIMIT_DEFAULT;
	s->low_water = 1;
	s->peek_offset = -1;
	s->incoming_cpu = -1;
	s->peer_cred = (struct unix_ucred){ 0, ~0u, ~0u };
	s->cookie = __atomic_add_fetch(&next_cookie, 1, __ATOMIC_RELAXED);
	return s;
}

void unix_socket_put(struct unix_socket *s)
{
	if (!refcount_put(&s->refs))
		return;
	if (s->address)
		unix_address_put(s->address);
	unix_groups_put(s->peer_groups);
	account_put(s->account);
	kfree(s);
}

int unix_file_create(struct unix_socket *s, unsigned int flags, struct file **out)
{
	struct inode *inode = inode_create(socket_mount->super, S_IFSOCK | 0777);
	int error;

	if (!inode)
		return -ENOMEM;
	inode->uid = service(authority)->fsuid();
	inode->gid = service(authority)->fsgid();
	inode_init_special(inode, 0);
	error = file_create_pseudo(socket_mount, inode, "socket", &unix_file_ops, s, O_RDWR | flags, out);
	if (!error)
		WRITE_ONCE(s->file, *out);
	return error;
}

void unix_wake_all(struct unix_socket *s)
{
	wait_queue_wake(&s->read_wait, ~0u, POLL_IN_SET | EPOLLRDHUP | EPOLLERR | EPOLLHUP);
	wait_queue_wake(&s->write_wait, ~0u, POLL_OUT_SET | EPOLLERR | EPOLLHUP);
}

void unix_wake_reader(struct unix_socket *s)
{
	poll_wake(&s->read_wait, POLL_IN_SET);
	file_async_notify(&s->async, FILE_READ, POLL_IN_SET);
}

int unix_take_error(struct unix_socket *s)
{
	return likely(!READ_ONCE(s->error)) ? 0 : -__atomic_exchange_n(&s->error, 0, __ATOMIC_SEQ_CST);
}

void unix_shutdown(struct unix_socket *s, unsigned int how)
{
	struct unix_socket *peer = NULL;
	unsigned int other = (how & SHUT_RECEIVE ? SHUT_SEND : 0) | (how & SHUT_SEND ? SHUT_RECEIVE : 0);

	spin_lock(&unix_peer_lock);
	spin_lock(&s->lock);
	WRITE_ONCE(s->shutdown, s->shutdown | how);
	spin_unlock(&s->lock);
	if (s->peer && unix_is_connected_type(s)) {
		peer = s->peer;
		unix_socket_get(peer);
		spin_lock(&peer->lock);
		WRITE_ONCE(peer->shutdown, peer->shutdown | other);
		spin_unlock(&peer->lock);
	}
	spin_unlock(&unix_peer_lock);
	unix_wake_all(s);
	wait_wake_all(&s->room_wait);
	if (peer) {
		unix_wake_all(peer);
		wait_wake_all(&peer->room_wait);
		unix_socket_put(peer);
	}
}

/* Pollers that wait for room in a queue that goes. */
static void wake_room_pollers(struct unix_socket *s)
{
	spin_lock(&s->lock);
	while (!list_empty(&s->room_pollers)) {
		struct unix_socket *w = list_first(&s->room_pollers, struct unix_socket, room_link);

		list_remove(&w->room_link);
		poll_wake(&w->write_wait, POLL_OUT_SET);
	}
	spin_unlock(&s->lock);
}

/* Marks the end on both sides. `unread`: something was left that the peer believes delivered. The peer's reference is the caller's. */
static struct unix_socket *detach(struct unix_socket *s, struct list *messages, struct list *pending, bool unread)
{
	struct unix_socket *peer;

	spin_lock(&unix_peer_lock);
	spin_lock(&s->lock);
	s->dead = true;
	WRITE_ONCE(s->file, NULL);
	WRITE_ONCE(s->shutdown, SHUT_BOTH);
	unread |= !list_empty(&s->queue);
	list_splice_tail(messages, &s->queue);
	list_splice_tail(pending, &s->pending);
	WRITE_ONCE(s->queue_count, 0);
	s->queue_bytes = 0;
	spin_unlock(&s->lock);
	peer = unix_drop_peer_locked(s);
	WRITE_ONCE(s->state, UNIX_UNCONNECTED);
	if (peer && unix_is_connected_type(s)) {
		spin_lock(&peer->lock);
		WRITE_ONCE(peer->shutdown, SHUT_BOTH);
		if (unread)
			WRITE_ONCE(peer->error, ECONNRESET);
		spin_unlock(&peer->lock);
	}
	spin_unlock(&unix_peer_lock);
	return peer;
}

/* `unaccepted`: its listener goes. */
static void release(struct unix_socket *s, bool unaccepted)
{
	struct unix_socket *peer, *c, *next;
	struct list messages, pending;

	list_init(&messages);
	list_init(&pending);
	unix_unbind(s);
	peer = detach(s, &messages, &pending, unaccepted);
	wake_room_pollers(s);
	wait_wake_all(&s->room_wait);
	if (peer) {
		if (unix_is_connected_type(s)) {
			unix_wake_all(peer);
			file_async_notify(&peer->async, FILE_READ | FILE_WRITE, EPOLLHUP);
		}
		unix_socket_put(peer);
	}
	/* A connection that waits to be accepted has no connections of its own. */
	list_for_each_safe(c, next, &pending, pending_link) {
		list_remove(&c->pending_link);
		release(c, true);
	}
	unix_messages_free(&messages);
	unix_socket_put(s);
}

void unix_release(struct unix_socket *s)
{
	release(s, false);
	unix_collect();
}

int unix_init(void)
{
	socket_mount = pseudo_mount_create(&socket_type, &socket_super_ops, SOCKFS_MAGIC);
	return socket_mount ? 0 : -ENOMEM;
}

void unix_exit(void)
{
	if (socket_mount)
		mount_put(socket_mount);
}
