/*
 * The inside of epoll, for epoll.c and epoll_calls.c.
 */
#pragma once

#include "core/lib/rbtree.h"
#include "modules/vfs/account.h"
#include "modules/vfs/internal.h"

/* Bits of events that say how, not what. */
#define EPOLL_PRIVATE (EPOLLONESHOT | EPOLLET | EPOLLWAKEUP | EPOLLEXCLUSIVE)
#define EPOLL_NESTS   4

struct epoll_waiter {
	struct waiter waiter;
	struct epoll_item *item;
	struct wait_queue *queue;	/* null: unused, or the queue is gone */
	struct epoll_waiter *next;
};

struct epoll_item {
	struct rb_node node;
	struct list ready;		/* ep->ready, under ep->lock */
	struct list file_link;		/* file->epoll, under file->lock and ep->mutex */
	struct epoll *ep;
	struct file *file;		/* no reference: its release removes the item */
	int fd;
	struct epoll_event event;
	uint64_t round;			/* of the collection that saw it last */
	uint64_t check;			/* of the graph that saw its file last; file->lock */
	struct epoll_waiter first, *more;
};

struct epoll {
	struct mutex mutex;
	struct spinlock lock;
	struct list ready;
	struct rb_root items;		/* by (file, fd) */
	struct wait_queue wait;		/* epoll_wait */
	struct wait_queue poll_wait;	/* who polls the epoll */
	uint64_t round;
	uint64_t scans;			/* odd while one is under way; written under the mutex */
	struct account *account;	/* who made it, and is charged for its items */
	struct file *file;		/* the epoll's own */
	uint64_t check;			/* of the graph that saw it last; with depth: epoll_graph.c */
	unsigned int depth;
};

extern struct mutex epoll_graph_mutex;
extern const struct file_ops epoll_ops;

static inline struct epoll *file_epoll(const struct file *f)
{
	return f->ops == &epoll_ops ? f->private : NULL;
}

/* epoll_graph.c: a check of what may be added lies between lock and unlock. */
void epoll_graph_lock(void);
void epoll_graph_unlock(void);
/* Must what is added to `ep` be checked? ep->mutex is held. */
bool epoll_graph_concerns(const struct epoll *ep);
/* May `outer` watch `inner`: without a loop or a chain that is too long? */
bool epoll_graph_may_nest(struct epoll *outer, struct epoll *inner);
/* Have the files below an item that is in the graph already not too many ways up? */
bool epoll_graph_within_limits(struct file *added);

/* ep->mutex is held; `check`: and the graph. -EINVAL if that says no. */
int epoll_add(struct epoll *ep, struct file *f, int fd, const struct epoll_event *event, bool check);
int epoll_modify(struct epoll *ep, struct file *f, int fd, const struct epoll_event *event);
int epoll_delete(struct epoll *ep, struct file *f, int fd);
/* Waits for events and stores up to max: number, 0 at the deadline, -EINTR, -ERESTART_MODULE, -EFAULT. */
long epoll_collect(struct epoll *ep, uintptr_t user, int max, uint64_t deadline);
