/*
 * Inodes: life, times, permission checks, counts of writers. Whoever holds a dentry or an open file has the inode; the
 * memory is freed after a grace period, because the lockless walk looks at modes and owners.
 */
#include <linux/capability.h>

#include "core/time/clock.h"
#include "modules/vfs/acl.h"
#include "modules/vfs/internal.h"

static struct kmem_cache *inode_cache;
static const struct inode_ops no_inode_ops;
static const struct file_ops no_file_ops;

struct file_time file_time_now(void)
{
	int64_t ns = clock_realtime();
	struct file_time t = { ns / (int64_t)NSEC_PER_SEC, (uint32_t)(ns % (int64_t)NSEC_PER_SEC) };

	if (unlikely(ns < 0 && t.nsec)) {
		t.sec--;
		t.nsec += NSEC_PER_SEC;
	}
	return t;
}
MODAPI(file_time_now);

struct inode *inode_create(struct super *s, uint32_t mode)
{
	struct inode *i = kmem_cache_alloc(inode_cache, ALLOC_ZERO);

	if (!i)
		return NULL;
	refcount_init(&i->refs, 1);
	i->mode = mode;
	i->nlink = 1;
	i->super = s;
	refcount_get(&s->holds);
	i->ops = &no_inode_ops;
	i->file_ops = &no_file_ops;
	i->ino = super_new_ino(s);
	mutex_init(&i->lock);
	spin_init(&i->state_lock);
	i->atime = i->mtime = i->ctime = i->btime = file_time_now();
	return i;
}
MODAPI(inode_create);

void inode_init_owner(struct inode *inode, const struct inode *dir)
{
	inode->uid = service(authority)->fsuid();
	if (dir && (dir->mode & S_ISGID)) {
		inode->gid = dir->gid;
		if (inode_is_dir(inode))
			inode->mode |= S_ISGID;
		else if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
			 !service(authority)->in_group(dir->gid) && !capable(CAP_FSETID))
			inode->mode &= ~(uint32_t)S_ISGID;
	} else {
		inode->gid = service(authority)->fsgid();
	}
}
MODAPI(inode_init_owner);

static void inode_free_rcu(struct rcu_head *head)
{
	struct inode *inode = container_of(head, struct inode, rcu);

	super_unhold(inode->super);
	if (inode->flags & INODE_OWN_TEXT)
		kfree(inode->link_text);
	kmem_cache_free(inode_cache, inode);
}

void inode_put(struct inode *inode)
{
	if (!refcount_put(&inode->refs))
		return;
	if (unlikely(inode->access_acl || inode->default_acl))
		acl_release(inode);
	if (inode->super->ops->evict)
		inode->super->ops->evict(inode);
	locks_free(inode);
	rcu_call(&inode->rcu, inode_free_rcu);
}
MODAPI(inode_put);

void inode_init_special(struct inode *inode, uint64_t rdev)
{
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) {
		inode->rdev = rdev;
		inode->file_ops = S_ISCHR(inode->mode) ? &device_ops : &no_device_ops;
	} else if (S_ISFIFO(inode->mode)) {
		inode->file_ops = &fifo_ops;
	} else if (S_ISSOCK(inode->mode)) {
		inode->file_ops = &no_device_ops;
	}
}
MODAPI(inode_init_special);

uint64_t inode_size(const struct inode *inode)
{
	return inode->object ? READ_ONCE(inode->object->size) : READ_ONCE(inode->size);
}
MODAPI(inode_size);

void inode_touch(struct inode *inode, unsigned int which)
{
	struct file_time now;

	if (inode->flags & INODE_NO_TIMES)
		return;
	now = file_time_now();
	spin_lock(&inode->state_lock);
	if (which & TOUCH_ATIME)
		inode->atime = now;
	if (which & TOUCH_MTIME)
		inode->mtime = now;
	if (which & TOUCH_CTIME)
		inode->ctime = now;
	spin_unlock(&inode->state_lock);
}
MODAPI(inode_touch);

bool inode_owner_or_capable(const struct inode *inode)
{
	return service(authority)->fsuid() == inode->uid || capable(CAP_FOWNER);
}
MODAPI(inode_owner_or_capable);

/* The answer of the mode bits and the list: 0 or -EACCES. */
static int check_mode_bits(const struct inode *inode, int mask)
{
	uint32_t mode = READ_ONCE(inode->mode);
	int listed;

	if (service(authority)->fsuid() == inode->uid)
		return mask & ~(mode >> 6) & 7 ? -EACCES : 0;
	if (unlikely(READ_ONCE(inode->access_acl)) && (mode & S_IRWXG)) {
		listed = acl_permission(inode, mask);
		if (listed != -EAGAIN)
			return listed;
	}
	if (((mode >> 3) ^ mode) & 7 && service(authority)->in_group(inode->gid))
		mode >>= 3;
	return (mask & ~mode & 7) ? -EACCES : 0;
}

static int check_capabilities(const struct inode *inode, int mask)
{
	if (inode_is_dir(inode)) {
		if (!(mask & MAY_WRITE) && capable(CAP_DAC_READ_SEARCH))
			return 0;
		return capable(CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (mask == MAY_READ && capable(CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(mask & MAY_EXEC) || (inode->mode & 0111)) && capable(CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int inode_mode_permission(const struct inode *inode, int mask)
{
	return check_mode_bits(inode, mask) ? check_capabilities(inode, mask) : 0;
}
MODAPI(inode_mode_permission);

int inode_permission(struct inode *inode, int mask)
{
	if (mask & MAY_WRITE) {
		if ((inode->super->flags & SUPER_RDONLY) &&
		    (inode_is_regular(inode) || inode_is_dir(inode) || inode_is_link(inode)))
			return -EROFS;
		if (inode->flags & INODE_IMMUTABLE)
			return -EPERM;
	}
	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (unlikely(inode->ops->permission))
		return inode->ops->permission(inode, mask);
	return inode_mode_permission(inode, mask);
}
MODAPI(inode_permission);

int inode_get_write(struct inode *inode)
{
	int n = READ_ONCE(inode->write_count);

	do {
		if (n < 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(&inode->write_count, &n, n + 1, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return 0;
}
MODAPI(inode_get_write);

void inode_put_write(struct inode *inode)
{
	__atomic_sub_fetch(&inode->write_count, 1, __ATOMIC_RELEASE);
}
MODAPI(inode_put_write);

int inode_deny_write(struct inode *inode)
{
	int n = READ_ONCE(inode->write_count);

	do {
		if (n > 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(&inode->write_count, &n, n - 1, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return 0;
}
MODAPI(inode_deny_write);

void inode_allow_write(struct inode *inode)
{
	__atomic_add_fetch(&inode->write_count, 1, __ATOMIC_RELEASE);
}
MODAPI(inode_allow_write);

int inode_cache_init(void)
{
	inode_cache = kmem_cache_create("inode", sizeof(struct inode), 64);
	return inode_cache ? 0 : -ENOMEM;
}

void inode_cache_exit(void)
{
	if (inode_cache)
		kmem_cache_destroy(inode_cache);
}
