/*
 * Waiting for files. A file's poll() calls poll_wait() for each queue that announces its changes and returns the events that
 * hold now. Wakers pass the event bits as the key of wait_queue_wake (0: all).
 */
#pragma once

#include <linux/eventpoll.h>

#include "core/sync/wait.h"

struct file;

/* Somebody who polls: select, poll, epoll. `queue` is null once the queues are registered: poll() is then only asked for its mask. */
struct poll_table {
	void (*queue)(struct poll_table *table, struct file *f, struct wait_queue *q);
	unsigned int events;		/* those of interest */
};

static inline void poll_wait(struct poll_table *table, struct file *f, struct wait_queue *q)
{
	if (table && table->queue)
		table->queue(table, f, q);
}

/* Wakes pollers of q for these events (EPOLLIN | ...). Any context. */
static inline void poll_wake(struct wait_queue *q, unsigned int events)
{
	wait_queue_wake(q, 1, events);
}
/* The file is about to go and a queue with it: ends every epoll interest in that queue. */
#define POLL_WAKE_FREE 0x4000u
/* No event: data or room that was announced is still there for one more who sleeps in a read or write. */
#define POLL_WAKE_SLEEPER 0x8000u

/* The events of a file now; files without poll() are always readable and writable. */
unsigned int file_poll(struct file *f, struct poll_table *table);

#define POLL_IN_SET  (EPOLLIN | EPOLLRDNORM)
#define POLL_OUT_SET (EPOLLOUT | EPOLLWRNORM)
