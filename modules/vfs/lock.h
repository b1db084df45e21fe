/*
 * Record locks (POSIX and open-file-description), whole-file locks (flock) and leases.
 */
#pragma once

#include "modules/vfs/internal.h"

enum file_lock_kind { LOCK_POSIX, LOCK_OFD, LOCK_FLOCK };

struct file_lock {
	enum file_lock_kind kind;
	short type;			/* F_RDLCK, F_WRLCK, F_UNLCK */
	const void *owner;		/* descriptor table, or file */
	const struct file *file;	/* by which it was set; no reference */
	int64_t start, end;		/* inclusive */
	int pid;
};

/* Sets or clears; `wait`: sleeps while somebody conflicts. 0, -EAGAIN, -EDEADLK, -ENOLCK, -ERESTARTSYS. */
int lock_set(struct inode *inode, const struct file_lock *l, bool wait);
/* A lock in the way of *l goes to *l; type F_UNLCK if there is none. */
void lock_test(struct inode *inode, struct file_lock *l);

/* fcntl's F_SETLEASE and F_GETLEASE. */
long lease_set(struct file *f, int fd, int type);
int lease_get(struct file *f);
