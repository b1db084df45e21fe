/*
 * Local sockets, for the files of this module.
 *
 * A socket is reachable from its file, from its peer, from the name tables, from messages that it sent and from a listener whose
 * connection it is; each holds a reference. Memory goes with the last one; what the socket holds of others goes in unix_release.
 *
 * Locks, outermost first:
 *   read_mutex       of a socket: who takes messages from its queue or looks at their contents
 *   bind_mutex       of a socket: it gets its name
 *   collect mutex    (collect.c) descriptors enter and leave messages
 *   unix_peer_lock   every change of `peer` and `state`, in all sockets
 *   socket.lock      queue, pending connections, shutdown, error, the senders that wait for its room
 * A stream's or sequence's peer is set once and stays until the socket itself is released: its own file's users read it without a lock.
 * Messages are added under `lock` alone, removed under read_mutex and `lock`: a reader's message stays while it copies.
 */
#pragma once

#include <asm/errno.h>

#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/services.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/time/clock.h"
#include "modules/unix/abi.h"
#include "modules/vfs/vfs.h"

struct unix_socket;

/* A name, shared by a listener and its connections; constant. */
struct unix_address {
	struct refcount refs;
	unsigned int length;		/* of the whole sockaddr */
	struct sockaddr_un name;
};
#define UNIX_PATH_AT offsetof(struct sockaddr_un, sun_path)

/* Descriptors under way in one message. */
struct unix_files {
	unsigned int count;
	unsigned int sockets;		/* local sockets among them: the garbage collector counts those */
	struct account *account;	/* of who sent them */
	struct unix_files *next;	/* waiting to be dropped */
	struct file *file[];
};

/* Supplementary groups of a peer; shared, constant. */
struct unix_groups {
	struct refcount refs;
	int count;
	uint32_t gid[];
};

struct unix_message {
	struct list link;
	struct unix_socket *sender;	/* a reference; pays for the message */
	struct unix_files *files;
	struct unix_ucred cred;		/* pid 0: not known */
	uint32_t charge;
	uint32_t length, offset;	/* bytes in all; read so far */
	unsigned int pages;		/* 0: the data is inline */
	union {
		char data[0];
		struct page *page[0];
	};
};

enum unix_state { UNIX_UNCONNECTED, UNIX_LISTENING, UNIX_CONNECTED };

#define SHUT_RECEIVE 1u
#define SHUT_SEND    2u
#define SHUT_BOTH    3u

struct unix_socket {
	struct refcount refs;
	int type;			/* SOCK_* */
	enum unix_state state;
	struct spinlock lock;
	struct mutex read_mutex, bind_mutex;
	struct file *file;		/* no reference; null before accept and after release */
	struct unix_socket *peer;

	struct list queue;		/* messages */
	unsigned int queue_count;
	unsigned int arrivals;		/* counts messages: who waits for more than there is sees a change */
	uint32_t queue_bytes;
	unsigned int backlog;		/* listeners: connections; datagrams: messages that wait at most */
	struct list pending;		/* listeners: connections not accepted yet */
	unsigned int pending_count;
	struct list pending_link;
	unsigned int shutdown;		/* SHUT_* */
	int error;			/* reported once; positive */
	bool dead;

	struct wait_queue read_wait;	/* something came, or the end did */
	struct wait_queue write_wait;	/* what was sent has been read */
	struct wait_queue room_wait;	/* other sockets' senders and connecters wait for room here */
	struct list room_pollers;	/* sockets connected to this one whose pollers wait for room */
	struct list room_link;		/* in the peer's list, under the peer's lock */
	struct file_async_list async;

	struct account *account;	/* who made it: what it has sent is charged to him */
	uint32_t sent_charge;		/* atomic: messages sent and not read yet */
	uint32_t send_limit, receive_limit;	/* SO_SNDBUF, SO_RCVBUF as getsockopt shows them */
	uint32_t low_water;
	int64_t peek_offset;		/* -1: off */
	uint64_t send_timeout, receive_timeout;	/* ns; 0: for ever; 1: an instant */
	bool pass_cred;
	struct unix_message *oob;	/* streams: the urgent byte, a message of the queue that is left out; under lock */
	int32_t incoming_cpu;		/* options that are only kept */
	uint32_t busy_poll;
	uint32_t toggles;		/* options that are only kept, see options.c */
	int32_t priority;
	struct unix_linger linger;
	uint64_t cookie;

	struct unix_ucred peer_cred;	/* at connect, or our own at listen */
	struct unix_groups *peer_groups;	/* those that belong to it; null: none */
	struct unix_address *address;	/* null: no name; set once with release */
	struct path path;		/* of a name in the file system; dentry null: none */
	uint32_t name_hash;
	struct list name_link;

	unsigned int in_flight;		/* in messages; under the collect mutex */
	int64_t collect_refs;
	bool collect_candidate, collect_reached;
	struct list in_flight_link, collect_link;
};

extern struct spinlock unix_peer_lock;
extern const struct file_ops unix_file_ops;
extern unsigned int unix_max_dgram_qlen;

static inline bool unix_is_connected_type(const struct unix_socket *s) { return s->type != SOCK_DGRAM; }
static inline enum unix_state unix_state(const struct unix_socket *s) { return READ_ONCE(s->state); }

/* socket.c: life. Null when memory is out. */
struct unix_socket *unix_socket_create(int type);
static inline void unix_socket_get(struct unix_socket *s) { refcount_get(&s->refs); }
void unix_socket_put(struct unix_socket *s);
/* The socket has no file any more (or never got one): ends its connections and gives back what it holds. */
void unix_release(struct unix_socket *s);
void unix_shutdown(struct unix_socket *s, unsigned int how);
/* Wakes everybody who waits for the socket. */
void unix_wake_all(struct unix_socket *s);
/* Takes the pending error: 0 or negative. */
int unix_take_error(struct unix_socket *s);
/* Gives a socket a file; takes the socket's reference over on success. `flags`: O_NONBLOCK or 0. */
int unix_file_create(struct unix_socket *s, unsigned int flags, struct file **out);
/* The socket behind a file; null if it is none. */
static inline struct unix_socket *unix_of_file(const struct file *f)
{
	return f->ops == &unix_file_ops ? f->private : NULL;
}
int unix_init(void);
void unix_exit(void);

/* names.c. `length` as the caller gave it; the text is terminated by these. */
int unix_bind(struct unix_socket *s, struct sockaddr_un *name, unsigned int length);
/* A name of five hexadecimal digits, if it has none. */
int unix_bind_any(struct unix_socket *s);
void unix_unbind(struct unix_socket *s);
/* Its place in the file system, references taken; false: it has none. */
bool unix_name_path(struct unix_socket *s, struct path *out);
void unix_address_put(struct unix_address *a);
/* The socket of that name, with a reference. -EINVAL, -ECONNREFUSED, -EPROTOTYPE, errors of the walk. May sleep. */
int unix_find(struct sockaddr_un *name, unsigned int length, int type, struct unix_socket **out);

/* connect.c */
int unix_pair(int type, struct unix_socket *out[2]);
int unix_connect(struct unix_socket *s, struct sockaddr_un *name, unsigned int length, bool nonblock);
int unix_listen(struct unix_socket *s, int backlog);
/* The next connection, its reference for the caller. */
int unix_accept(struct unix_socket *s, bool nonblock, struct unix_socket **out);
void unix_current_cred(struct unix_ucred *out, bool effective);
void unix_groups_put(struct unix_groups *g);
/* unix_peer_lock is held: forgets a datagram socket's peer, whose reference is the caller's then. */
struct unix_socket *unix_drop_peer_locked(struct unix_socket *s);

/* message.c */
/* Space and a copy of n bytes, paid by s. -EAGAIN, -EPIPE, -EFAULT, -ENOBUFS, pending errors, interruptions. */
int unix_message_make(struct unix_socket *s, struct io_iter *from, size_t n, uint64_t deadline,
		      struct unix_message **out);
/* Its files are gone from it or are dropped here. May sleep. */
void unix_message_free(struct unix_message *m);
void unix_messages_free(struct list *messages);
/* Bytes copied; the message is not changed. */
size_t unix_message_copy(const struct unix_message *m, size_t offset, struct io_iter *to, size_t n);
#define UNIX_OOB_INLINE 0x20u		/* SO_OOBINLINE's place among the toggles (options.c) */
/* The socket's lock is held. */
static inline void unix_queue_add_locked(struct unix_socket *s, struct unix_message *m)
{
	list_add_tail(&s->queue, &m->link);
	WRITE_ONCE(s->queue_count, s->queue_count + 1);
	WRITE_ONCE(s->arrivals, s->arrivals + 1);
	s->queue_bytes += m->length;
}
static inline void unix_queue_remove_locked(struct unix_socket *s, struct unix_message *m)
{
	list_remove(&m->link);
	if (unlikely(s->oob == m))
		s->oob = NULL;
	WRITE_ONCE(s->queue_count, s->queue_count - 1);
	s->queue_bytes -= m->length - m->offset;
}
/*
 * What a socket may send when its user has as much under way as one may have: one small message at a time, so that
 * each goes on when its own are read.
 */
#define UNIX_LEAST_MESSAGE 4096u
static inline bool unix_user_has_room(const struct unix_socket *s)
{
	return !READ_ONCE(s->sent_charge) || !account_is_full(s->account, ACCOUNT_SOCKET_BYTES);
}
static inline bool unix_writable(const struct unix_socket *s)
{
	return unix_state(s) != UNIX_LISTENING &&
	       (uint64_t)READ_ONCE(s->sent_charge) * 4 <= READ_ONCE(s->send_limit) && unix_user_has_room(s);
}
/* The queue of a socket that others send to is as long as it may get. */
static inline bool unix_queue_full(const struct unix_socket *s)
{
	return READ_ONCE(s->queue_count) > READ_ONCE(s->backlog);
}
/*
 * Will no more come? Who ends the connection delivered before, so the caller then looks at `arrivals`: unchanged since it found the
 * queue empty, that was the end.
 */
static inline bool unix_ended(const struct unix_socket *s)
{
	return load_acquire(&s->error) || (load_acquire(&s->shutdown) & SHUT_RECEIVE);
}
/* A message or a shutdown arrived. */
void unix_wake_reader(struct unix_socket *s);

/* One transfer of the send and receive calls. */
struct unix_transfer {
	struct io_iter iter;
	unsigned int flags;		/* MSG_* */
	bool nonblock;
	/* Sending */
	struct sockaddr_un *name;
	int name_length;
	bool has_cred;
	/* Both: what comes along */
	struct unix_ucred cred;
	struct unix_files *files;
	/* Receiving */
	struct unix_address *from;	/* a reference, or null */
	unsigned int out_flags;
};

/* stream.c, datagram.c (also sequences): bytes, or an error. */
long unix_stream_send(struct unix_socket *s, struct unix_transfer *t);
long unix_stream_receive(struct unix_socket *s, struct unix_transfer *t);
long unix_datagram_send(struct unix_socket *s, struct unix_transfer *t);
long unix_datagram_receive(struct unix_socket *s, struct unix_transfer *t);
static inline long unix_send(struct unix_socket *s, struct unix_transfer *t)
{
	return s->type == SOCK_STREAM ? unix_stream_send(s, t) : unix_datagram_send(s, t);
}
static inline long unix_receive(struct unix_socket *s, struct unix_transfer *t)
{
	return s->type == SOCK_STREAM ? unix_stream_receive(s, t) : unix_datagram_receive(s, t);
}
/* A message that was never delivered: its files go back. */
void unix_message_discard(struct unix_message *m, struct unix_transfer *t);
/* Gives the message what comes along with it, for that receiver. */
void unix_attach(struct unix_message *m, struct unix_socket *s, struct unix_socket *to, struct unix_transfer *t);
/* The peers' credentials as a receiver sees them. */
void unix_note_sender(struct unix_socket *s, const struct unix_message *m, struct unix_transfer *t);

/* files.c */
/* From descriptor numbers. -EBADF, -ETOOMANYREFS, -ENOMEM, -EINVAL. Adds to *files. */
int unix_files_add(struct unix_files **files, const int32_t *fds, unsigned int count);
struct unix_files *unix_files_copy(const struct unix_files *files);
/* Drops the files, which are in no message (any more). May sleep. */
void unix_files_drop(struct unix_files *files);
/* Accounts for each user's files under way; `leave`: takes them off the account. */
void unix_files_charge(const struct unix_files *files, bool leave);

/* collect.c: around the moment at which files enter or leave a message that somebody can receive. */
void unix_flight_begin(void);
void unix_flight_count(struct unix_files *files, bool leave);
void unix_flight_end(void);
/* Takes the files out of a message. */
struct unix_files *unix_flight_leave(struct unix_message *m);
/* Frees sockets that only messages in their own circles can reach. May sleep. */
void unix_collect(void);

/* control.c */
int unix_control_parse(uintptr_t control, uint64_t length, struct unix_transfer *t);
/* Writes what came along; drops what there is no room for. *length: in, out. */
int unix_control_emit(struct unix_socket *s, struct unix_transfer *t, uintptr_t control, uint64_t *length);

/* calls.c */
struct unix_call {
	struct fd_ref ref;
	struct unix_socket *socket;
};
/* -EBADF, -ENOTSOCK. */
int unix_call_begin(struct unix_call *c, int fd);
static inline void unix_call_end(struct unix_call *c) { fd_put(&c->ref); }
static inline bool unix_call_nonblock(const struct unix_call *c)
{
	return READ_ONCE(c->ref.file->flags) & O_NONBLOCK;
}
/* A name from user space. */
int unix_name_load(struct sockaddr_un *out, uintptr_t address, int length);
/* And to it, as accept and getsockname do: cut to the room that *user_length says. */
int unix_name_store(const struct unix_address *a, uintptr_t address, uintptr_t user_length);

/* The deadline of a call with a timeout option; kept when the call is executed again because a module is replaced. */
static inline uint64_t unix_deadline(uint64_t timeout, bool nonblock)
{
	uint64_t kept = current->restart_deadline;

	current->restart_deadline = 0;
	if (nonblock)
		return 0;
	if (!timeout)
		return TIME_NEVER;
	return kept ? kept : clock_monotonic() + timeout;
}
/* The result of a wait until `deadline` as the call returns it. */
static inline int unix_wait_error(int error, uint64_t deadline)
{
	current->restart_deadline = error == -ERESTART_MODULE && deadline != TIME_NEVER ? deadline : 0;
	if (error == -ETIMEDOUT)
		return -EAGAIN;
	return error == -EINTR && deadline == TIME_NEVER ? -ERESTARTSYS : error;
}
static inline bool capable(int cap) { return service(authority)->capable(cap); }
