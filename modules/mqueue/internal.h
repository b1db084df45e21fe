/*
 * POSIX message queues, for the files of this module.
 *
 * A queue is an inode of the one file system of type mqueue; inode.private is its struct mqueue, which lives as long as the inode. A
 * descriptor is an open file of it.
 *
 * Locks, outermost first:
 *   inode.lock of the root directory   names (vfs documents it)
 *   mqueue.lock                        all of a queue that can change. A spinlock: user memory is never touched under it
 *   the signal locks                   a notification is sent under mqueue.lock, so that who takes his registration back gets no late one
 */
#pragma once

#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/mqueue.h>

#include "core/lib/rbtree.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/services.h"
#include "core/sched/thread.h"
#include "core/sync/wait.h"
#include "core/sync/wake_list.h"
#include "core/time/clock.h"
#include "modules/linux/signal.h"
#include "modules/vfs/vfs.h"

/* What queues consist of stays when its maker is gone: nobody is killed to make room for it, and who asks gets ENOMEM. */
#define MQUEUE_ALLOC ALLOC_TRY

#define MQUEUE_PRIORITIES 32768u
#define MQUEUE_HARD_MESSAGES 65536	/* of one queue, whatever the limits and privileges */
#define MQUEUE_HARD_SIZE (16 << 20)	/* of one message */

/* ---- messages (message.c) ---- */

struct mqueue_part;
struct mqueue_message {
	struct rb_node node;
	uint32_t priority;
	size_t size;
	struct mqueue_part *rest;
	char data[];
};

/* -ENOMEM, -EFAULT. May sleep. */
int mqueue_message_load(uintptr_t text, size_t size, uint32_t priority, struct mqueue_message **out);
/* To user memory: 0 or -EFAULT. May sleep. */
int mqueue_message_store(const struct mqueue_message *m, uintptr_t text);
/* Null is taken. */
void mqueue_message_free(struct mqueue_message *m);

/* ---- queues (queue.c) ---- */

struct mqueue {
	struct spinlock lock;
	struct rb_root messages;	/* highest priority first, of one priority the oldest */
	long max, message_size;		/* constant */
	long count;			/* poll reads it without the lock */
	uint64_t bytes;
	struct list receivers, senders;	/* who waits; highest scheduling priority first, of one the oldest */
	struct wait_queue poll;
	struct {
		struct process *owner;	/* null: nobody registered; a reference */
		int pid;
		uint64_t exec_id;	/* the signal is for the program that registered */
		int kind, signal;	/* SIGEV_* */
		union sigval value;
	} notify;
	struct user *user;		/* who is charged; a reference */
	uint64_t charge;
};

/* A queue charged to the caller's user. `attr` null: the defaults. -EINVAL, -EMFILE, -ENOMEM. May sleep. */
int mqueue_create(const struct mq_attr *attr, struct mqueue **out);
/* Nobody uses it any more. May sleep. */
void mqueue_destroy(struct mqueue *q);
/*
 * Gives the message to the queue or to who waits for one; `until` (ns of the real-time clock) may be null. 0: the message is no longer the caller's.
 * -EAGAIN, -ETIMEDOUT, -ERESTARTSYS. May sleep.
 */
int mqueue_send(struct mqueue *q, struct mqueue_message *m, bool nonblock, const int64_t *until);
/* The first message, which is the caller's then. Errors as above. */
int mqueue_receive(struct mqueue *q, bool nonblock, const int64_t *until, struct mqueue_message **out);

/* ---- notification (notify.c) ---- */

/*
 * A message came to the empty queue: tells who registered and takes the registration away. The lock is held. The reference of
 * the process, for the caller to drop without it, or null.
 */
struct process *mqueue_notify_locked(struct mqueue *q);
/* The caller's process closes a descriptor of the queue, or does not want to be told any more. True if it was registered. May sleep. */
bool mqueue_unregister(struct mqueue *q);
/* 0 or -EBUSY. `event` is checked. May sleep. */
int mqueue_register(struct mqueue *q, const struct sigevent *event);

/* ---- files (fs.c) ---- */

extern struct mount *mqueue_mount;	/* where the calls find names */
extern const struct file_ops mqueue_file_ops;
/* The name's queue, made now. The root directory is locked, `d` is negative. */
int mqueue_create_file(struct inode *dir, struct dentry *d, uint32_t mode, const struct mq_attr *attr);

/* ---- limits (limits.c): /proc/sys/fs/mqueue ---- */

extern unsigned int mqueue_queues_max, mqueue_msg_max, mqueue_msgsize_max, mqueue_msg_default, mqueue_msgsize_default;
extern const struct mqueue_ops mqueue_service;

int mqueue_init(void);
