/*
 * The inside of epoll, for epoll.c and epoll_calls.c.
 */
#pragma once

#include "core/lib/rbtree.h"
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
	struct file *file;		/* the epoll's own */
};

extern struct mutex epoll_graph_mutex;
extern const struct file_ops epoll_ops;

/* ep->mutex is held. */
int epoll_add(struct epoll *ep, struct file *f, int fd, const struct epoll_event *event);
int epoll_modify(struct epoll *ep, struct file *f, int fd, const struct epoll_event *event);
int epoll_delete(struct epoll *ep, struct file *f, int fd);
/* Waits for events and stores up to max: number, 0 at the deadline, -EINTR, -ERESTART_MODULE, -EFAULT. */
long epoll_collect(struct epoll *ep, uintptr_t user, int max, uint64_t deadline);
