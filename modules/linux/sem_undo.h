/*
 * Who shares the adjustments of System V semaphores that are made good at the end: the threads cloned with CLONE_SYSVSEM. That must be known
 * from the clone on, also when the module that serves semaphores is not loaded yet; what the list holds is that module's.
 */
#pragma once

#include "core/lib/list.h"
#include "core/lib/refcount.h"
#include "core/sync/spinlock.h"

struct task;

struct sem_undo_share {
	struct refcount refs;		/* threads */
	struct spinlock lock;
	struct list entries;		/* the semaphores' module: under lock */
};

/* The caller's share, made if it has none. Null when out of memory. May sleep. */
struct sem_undo_share *sem_undo_share(void);
/* Clone: `t`, not published yet, shares the caller's. -ENOMEM. */
int sem_undo_inherit(struct task *t);
/* Exit, unshare(CLONE_SYSVSEM): the last of the sharing threads makes the adjustments. The task's own thread, or it never ran. May sleep. */
void sem_undo_leave(struct task *t);
/* Set while semaphores are served: empties the list of a share that nobody else refers to any more, in the context of its last user. May sleep. */
extern void (*sem_undo_apply)(struct sem_undo_share *share);
