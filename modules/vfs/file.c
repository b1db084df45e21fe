/*
 * Open files: their life, and files that belong to no directory.
 *
 * A file is freed at once when it never was in a table that several threads used; otherwise after a grace period, because
 * a descriptor look-up under RCU may still try to raise its count.
 */
#include <linux/capability.h>

#include "modules/vfs/internal.h"

static struct kmem_cache *file_cache;

uint64_t file_limit, file_count;
MODAPI(file_limit);
MODAPI(file_count);

/* As on Linux: a tenth of memory, if a file with all it has were a KiB. */
void file_limit_start(void)
{
	file_limit = MAX(page_total() * (PAGE_SIZE / 1024) / 10, 8192ul);
}

static bool too_many(uint64_t count)
{
	return unlikely(count > READ_ONCE(file_limit)) && !capable(CAP_SYS_ADMIN);
}

int file_alloc_error(void)
{
	return too_many(READ_ONCE(file_count) + 1) ? -ENFILE : -ENOMEM;
}

struct file *file_alloc(const struct file_ops *ops, unsigned int flags)
{
	bool refused = too_many(__atomic_add_fetch(&file_count, 1, __ATOMIC_RELAXED));
	struct file *f = refused ? NULL : kmem_cache_alloc(file_cache, ALLOC_ZERO);

	if (!f) {
		__atomic_sub_fetch(&file_count, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	refcount_init(&f->refs, 1);
	f->ops = ops;
	f->flags = flags;
	mutex_init(&f->pos_lock);
	spin_init(&f->lock);
	list_init(&f->epoll);
	list_init(&f->async_link);
	return f;
}

static void file_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(file_cache, container_of(head, struct file, rcu));
}

void file_free(struct file *f)
{
	__atomic_sub_fetch(&file_count, 1, __ATOMIC_RELAXED);
	if (f->mode & FILE_RCU)
		rcu_call(&f->rcu, file_free_rcu);
	else
		kmem_cache_free(file_cache, f);
}

void file_release(struct file *f)
{
	if (unlikely(f->mode & FILE_EPOLL))
		epoll_release_file(f);
	if (unlikely(f->inode->locks))
		locks_release_file(f);
	if (f->ops->release && !(f->mode & FILE_PATH))
		f->ops->release(f);
	if (f->mode & FILE_WRITER) {
		inode_put_write(f->inode);
		mount_put_write(f->path.mount);
	} else if (f->mode & FILE_READER) {
		__atomic_fetch_sub(&f->inode->read_count, 1, __ATOMIC_RELAXED);
	}
	if (unlikely(f->mode & FILE_UNMOUNT))
		mount_drop_anon(f->path.mount);
	kfree(f->owner);
	path_put(&f->path);
	file_free(f);
}

void file_put(struct file *f)
{
	if (refcount_put(&f->refs))
		file_release(f);
}
MODAPI(file_put);

int file_close(struct file *f, struct fd_table *t)
{
	int error = 0;

	if (!(f->mode & FILE_PATH)) {
		if (f->ops->flush)
			error = f->ops->flush(f);
		if (unlikely(READ_ONCE(f->inode->locks)))
			locks_release_posix(f, t);
	}
	file_put(f);
	return error;
}

/* What the access mode allows. */
static unsigned int mode_of(const struct inode *inode, unsigned int flags)
{
	unsigned int mode = 0;

	if (flags & O_PATH)
		return FILE_PATH;
	if ((flags & O_ACCMODE) != O_WRONLY)
		mode |= FILE_READ;
	if ((flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR)
		mode |= FILE_WRITE;
	if ((flags & O_ACCMODE) == 3)
		mode &= ~(FILE_READ | FILE_WRITE);
	if (!S_ISFIFO(inode->mode) && !S_ISSOCK(inode->mode))
		mode |= FILE_SEEK | FILE_POS | FILE_PREAD;
	return mode;
}

int file_setup(struct file *f, const struct path *p, struct inode *inode, unsigned int flags)
{
	int error = 0;

	f->ops = inode->file_ops;
	f->inode = inode;
	f->path = *p;
	f->flags = flags;
	f->mode = mode_of(inode, flags);
	if (f->mode & FILE_PATH) {
		f->flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
		path_get(p);
		return 0;
	}
	if ((f->mode & FILE_WRITE) && inode_is_regular(inode)) {
		error = mount_get_write(p->mount);
		if (error)
			return error;
		error = inode_get_write(inode);
		if (error) {
			mount_put_write(p->mount);
			return error;
		}
		f->mode |= FILE_WRITER;
	} else if ((f->mode & (FILE_READ | FILE_WRITE)) == FILE_READ && inode_is_regular(inode)) {
		__atomic_fetch_add(&inode->read_count, 1, __ATOMIC_SEQ_CST);
		f->mode |= FILE_READER;
	}
	path_get(p);
	if (f->ops->open)
		error = f->ops->open(inode, f);
	if (error) {
		if (f->mode & FILE_WRITER) {
			inode_put_write(inode);
			mount_put_write(p->mount);
		} else if (f->mode & FILE_READER) {
			__atomic_fetch_sub(&inode->read_count, 1, __ATOMIC_RELAXED);
		}
		path_put(p);
	}
	/* What concerned the opening alone: the file's own open has looked at it. */
	f->flags &= ~(unsigned int)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
	return error;
}

int file_create_pseudo(struct mount *m, struct inode *inode, const char *name, const struct file_ops *ops,
		       void *private, unsigned int flags, struct file **out)
{
	struct file *f = file_alloc(ops, flags & ~(unsigned int)O_CLOEXEC);
	struct dentry *d = f ? dentry_create_anon(m->super, inode, name) : NULL;

	if (!d) {
		int error = f ? -ENOMEM : file_alloc_error();

		if (f)
			file_free(f);
		inode_put(inode);
		return error;
	}
	mount_get(m);
	f->inode = inode;
	f->path.mount = m;
	f->path.dentry = d;
	f->private = private;
	if ((flags & O_ACCMODE) != O_WRONLY)
		f->mode |= FILE_READ;
	if ((flags & O_ACCMODE) != O_RDONLY)
		f->mode |= FILE_WRITE;
	*out = f;
	return 0;
}
MODAPI(file_create_pseudo);

int file_format(struct file *f, char *buf, size_t size)
{
	return path_format(&f->path, buf, size);
}
MODAPI(file_format);

int file_stat(struct file *f, struct kstat *out)
{
	return path_stat(&f->path, out);
}
MODAPI(file_stat);

int file_cache_init(void)
{
	file_cache = kmem_cache_create("file", sizeof(struct file), 64);
	return file_cache ? 0 : -ENOMEM;
}

void file_cache_exit(void)
{
	if (file_cache)
		kmem_cache_destroy(file_cache);
}
