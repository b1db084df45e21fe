/*
 * POSIX access control lists: kept in the inode, read under RCU, changed under inode->lock. File systems have them
 * whose super block can be charged for their memory (super_ops.charge).
 */
#pragma once

#include "modules/vfs/inode.h"

enum acl_type { ACL_ACCESS, ACL_DEFAULT };

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

struct acl {
	struct rcu_head rcu;
	unsigned int count;
	struct acl_entry entries[];
};

/* Is this an attribute that stands for a list, and which? */
bool acl_attribute(const char *name, enum acl_type *type);
/* What setxattr and removexattr (value null) of such an attribute do. inode->lock is held. */
int acl_set(struct inode *inode, enum acl_type type, const void *value, size_t size);
/* getxattr: bytes; size 0: how many there would be. inode->lock is held. */
long acl_get(const struct inode *inode, enum acl_type type, void *buf, size_t size);
/* Names of those that are there, each terminated: bytes, or -ERANGE if buf is given and too small. inode->lock is held. */
long acl_list(const struct inode *inode, char *buf, size_t size);
/* What the inode's list says about somebody who is not the owner: 0, -EACCES, or -EAGAIN if there is none. Any context. */
int acl_permission(const struct inode *inode, int mask);
/* The mode has changed: the entries of owner, group or mask, and others follow. inode->lock is held. */
void acl_follow_mode(struct inode *inode);
/* The inode goes. */
void acl_release(struct inode *inode);
