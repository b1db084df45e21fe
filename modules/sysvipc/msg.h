/*
 * Message queues, for msg.c, msg_ctl.c and msg_data.c.
 */
#pragma once

#include <linux/msg.h>

#include "modules/sysvipc/internal.h"

/* A message's bytes: as many as fit a page after its head, the rest in further pages. */
struct msg_part {
	struct msg_part *next;
	char data[];
};

struct msg {
	struct list link;
	long type;
	size_t size;
	size_t charged;			/* to the account of who sent it */
	struct account *account;
	struct msg_part *rest;
	char data[];
};

struct msg_queue {
	struct ipc_object ipc;
	int64_t stime, rtime, ctime;
	uint64_t bytes, count;		/* of the messages in it */
	uint64_t max_bytes;
	int sender_pid, receiver_pid;
	struct list messages;
	struct list receivers, senders;	/* waiting calls, in the order of arrival */
};

static inline struct msg_queue *msg_queue_of(struct ipc_object *o) { return container_of(o, struct msg_queue, ipc); }

/* Messages and bytes in all queues, for MSG_INFO. */
extern uint64_t msg_total_count, msg_total_bytes;
/* Ends the waiting calls: receivers and senders look at the queue again, or fail with EIDRM if it is `gone`. queue.lock held. */
void msg_wake_all_locked(struct msg_queue *q, bool gone, struct wake_list *wakes);

/* msg_data.c: a message of so many bytes with those at `text`; -EFAULT, -ENOMEM. May sleep. */
int msg_load(uintptr_t text, size_t size, struct msg **out);
/* The first n bytes. 0 or -EFAULT. */
int msg_store(const struct msg *m, uintptr_t text, size_t n);
/* Room for a message of this size; null when out. And a copy into one that is no smaller. */
struct msg *msg_alloc(size_t size);
void msg_copy(struct msg *to, const struct msg *from);
void msg_free(struct msg *m);
