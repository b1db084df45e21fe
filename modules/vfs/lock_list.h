/*
 * The locks of one inode, for lock.c, lock_tree.c, lock_show.c and lease.c.
 */
#pragma once

#include "core/lib/rbtree.h"
#include "modules/vfs/account.h"
#include "modules/vfs/lock.h"

/* A lock that is held. It is in two trees. */
struct held_lock {
	struct file_lock lock;
	struct rb_node owned;		/* by owner, kind and start */
	struct rb_node ranged;		/* by start, among those of its group and type */
	int64_t greatest;		/* end of what is below in that tree */
	struct account *account;	/* who is charged, with a reference */
	bool waited;			/* somebody waits for it: of one listing, under the mutex */
};

/* Somebody waits with it; on the waiter's stack. */
struct pending_lock {
	struct list link;
	const struct file_lock *lock;
	struct held_lock *blocker;	/* of one listing */
};

struct file_lock_list {
	struct mutex mutex;
	struct rb_root owned;
	struct rb_root ranges[2][2];	/* records and flocks; for reading and for writing */
	struct list leases;		/* of struct lease */
	struct list pending;		/* of pending_lock */
	struct list all_link;		/* under lists_mutex */
	const struct inode *inode;
	unsigned int changes;
	struct wait_queue wait;
};

/* A lease (lease.c), under the list's mutex. */
struct lease {
	struct list link;
	struct file *file;		/* whose release ends it */
	short type;			/* F_RDLCK, F_WRLCK */
	bool unlocking, downgrading;	/* somebody waits for that */
	uint64_t unlock_at, downgrade_at;	/* when it is done without the holder */
	int fd, pid;
	struct account *account;
};

/* lock.c: the inode's list, made on first use. Null when out. */
struct file_lock_list *lock_list_of(struct inode *inode);
/* Wakes all who wait for a change; the mutex is held. */
void lock_list_changed(struct file_lock_list *list);

/* lock_tree.c; the mutex is held. */
void lock_tree_add(struct file_lock_list *list, struct held_lock *l);
void lock_tree_remove(struct file_lock_list *list, struct held_lock *l);
/* The owner's first lock of this kind that ends at `start` or later; null if there is none. And the one behind it. */
struct held_lock *lock_tree_own(const struct file_lock_list *list, const void *owner, enum file_lock_kind kind, int64_t start);
struct held_lock *lock_tree_own_next(const struct held_lock *l);
/* A lock of somebody else that is in the way; null if there is none. */
struct held_lock *lock_tree_conflict(const struct file_lock_list *list, const struct file_lock *l);

/* lock_show.c */
void lock_list_register(struct file_lock_list *list);
void lock_list_unregister(struct file_lock_list *list);

/* lease.c: the file is released. The mutex is held. */
void lease_release(struct file_lock_list *list, const struct file *f);
/* What a lease is about to become; the mutex is held. */
static inline int lease_target(const struct lease *l)
{
	return l->unlocking ? F_UNLCK : l->downgrading ? F_RDLCK : l->type;
}
