/*
 * The file system of type mqueue: one directory of queues, which every mount of the type and the calls see.
 *
 * Its names are pinned dentries, the cache is the directory. A queue counts against queues_max until its inode goes, which may
 * be long after its name. Reading a queue's file tells of the queue; messages go by the calls alone.
 */
#include <linux/magic.h>

#include "modules/mqueue/internal.h"

#define MQUEUE_MAGIC 0x19800202u
#define ENTRY_SIZE 20			/* what a name adds to the directory's size, as on Linux */
#define FILE_SIZE_SHOWN 80

struct mount *mqueue_mount;
static struct super *mqueue_super;
static unsigned int queue_count;	/* atomic */
static const struct inode_ops queue_inode_ops;

/* ---- names ---- */

/* False when there are as many queues as there may be. */
static bool count_queue(void)
{
	unsigned int before = __atomic_load_n(&queue_count, __ATOMIC_RELAXED);

	do {
		if (before >= READ_ONCE(mqueue_queues_max) && !service(authority)->capable(CAP_SYS_RESOURCE))
			return false;
	} while (!__atomic_compare_exchange_n(&queue_count, &before, before + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

static void uncount_queue(void)
{
	__atomic_fetch_sub(&queue_count, 1, __ATOMIC_RELAXED);
}

static void change_directory(struct inode *dir, int64_t size)
{
	dir->size = (uint64_t)((int64_t)dir->size + size);
	inode_touch(dir, TOUCH_ATIME | TOUCH_MTIME | TOUCH_CTIME);
}

int mqueue_create_file(struct inode *dir, struct dentry *d, uint32_t mode, const struct mq_attr *attr)
{
	struct inode *inode;
	struct mqueue *q;
	int error;

	if (!count_queue())
		return -ENOSPC;
	error = mqueue_create(attr, &q);
	if (error)
		goto undo_count;
	inode = inode_create(dir->super, mode);
	if (!inode) {
		error = -ENOMEM;
		goto undo_queue;
	}
	inode->uid = service(authority)->fsuid();
	inode->gid = service(authority)->fsgid();
	inode->ops = &queue_inode_ops;
	inode->file_ops = &mqueue_file_ops;
	inode->size = FILE_SIZE_SHOWN;
	inode->private = q;
	dentry_pin(d);
	dentry_attach(d, inode);
	change_directory(dir, ENTRY_SIZE);
	return 0;
undo_queue:
	mqueue_destroy(q);
undo_count:
	uncount_queue();
	return error;
}

static int create_default(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return mqueue_create_file(dir, d, mode, NULL);
}

/* What is not in the cache does not exist. */
static int lookup(struct inode *dir, struct dentry *d)
{
	return 0;
}

static int unlink(struct inode *dir, struct dentry *d)
{
	struct inode *inode = d->inode;

	spin_lock(&inode->state_lock);
	inode->nlink--;
	spin_unlock(&inode->state_lock);
	change_directory(dir, -ENTRY_SIZE);
	dentry_unpin(d);
	return 0;
}

/* A size may be set, and means nothing. */
static int set_attributes(struct inode *inode, const struct attr_change *c)
{
	if (c->valid & ATTR_SIZE)
		WRITE_ONCE(inode->size, c->size);
	inode_apply_attr(inode, c);
	return 0;
}

static const struct inode_ops directory_inode_ops = {
	.lookup = lookup, .create = create_default, .unlink = unlink, .no_negative = true,
};

static const struct inode_ops queue_inode_ops = { .setattr = set_attributes };

/* ---- files ---- */

static long read_status(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct mqueue *q = f->inode->private;
	int kind = 0, sig = 0, pid = 0;
	uint64_t bytes;
	char text[FILE_SIZE_SHOWN];
	size_t n;

	spin_lock(&q->lock);
	bytes = q->bytes;
	if (q->notify.owner) {
		kind = q->notify.kind;
		sig = kind == SIGEV_SIGNAL ? q->notify.signal : 0;
		pid = q->notify.pid;
	}
	spin_unlock(&q->lock);
	n = (size_t)snprintf(text, sizeof(text), "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
			     (unsigned long long)bytes, kind, sig, pid);
	n = MIN(n, sizeof(text) - 1);
	if (*pos < 0)
		return -EINVAL;
	if ((uint64_t)*pos >= n || !to->count)
		return 0;
	n = io_iter_write(to, text + *pos, MIN(n - (size_t)*pos, to->count));
	if (!n)
		return -EFAULT;
	*pos += (int64_t)n;
	inode_touch(f->inode, TOUCH_ATIME | TOUCH_CTIME);
	return (long)n;
}

static unsigned int poll_queue(struct file *f, struct poll_table *table)
{
	struct mqueue *q = f->inode->private;
	long count;

	poll_wait(table, f, &q->poll);
	count = READ_ONCE(q->count);
	return (count ? POLL_IN_SET : 0) | (count < q->max ? POLL_OUT_SET : 0);
}

static int flush_queue(struct file *f)
{
	mqueue_unregister(f->inode->private);
	return 0;
}

const struct file_ops mqueue_file_ops = { .read = read_status, .poll = poll_queue, .flush = flush_queue };

/* ---- the super block ---- */

static void evict(struct inode *inode)
{
	if (!inode->private)
		return;
	mqueue_destroy(inode->private);
	uncount_queue();
}

static void release(struct super *s)
{
	if (s->root)
		dentry_unpin_tree(s->root);
}

static const struct super_ops mqueue_super_ops = { .evict = evict, .release = release };

static int mount_queues(const struct fs_type *type, const char *source, unsigned int flags, const char *options,
			struct super **out)
{
	if (*options)
		return -EINVAL;
	super_get(mqueue_super);
	*out = mqueue_super;
	return 0;
}

static struct fs_type mqueue_type = { .name = "mqueue", .nodev = true, .mount = mount_queues };

int mqueue_init(void)
{
	struct super *s = super_create(&mqueue_type, &mqueue_super_ops, MQUEUE_MAGIC);
	struct inode *root = s ? inode_create(s, S_IFDIR | S_ISVTX | 0777) : NULL;
	int error = -ENOMEM;

	if (!root)
		goto undo_super;
	root->ops = &directory_inode_ops;
	root->file_ops = &pinned_dir_ops;
	root->nlink = 2;
	root->size = 2 * ENTRY_SIZE;
	s->root = dentry_create_root(root);
	if (!s->root)
		goto undo_super;
	super_get(s);			/* mqueue_super's; the mount takes over the other */
	mqueue_mount = mount_create_internal(s);
	if (!mqueue_mount)
		goto undo_super;
	mqueue_super = s;
	error = fs_type_register(&mqueue_type);
	if (!error)
		return 0;
	mount_put(mqueue_mount);
undo_super:
	if (s)
		super_put(s);
	return error;
}
