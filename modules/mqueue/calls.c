/*
 * The calls. Names are looked up in the one directory of the file system whether or not it is mounted anywhere; they have no slash: that
 * before a name is the library's to remove.
 */
#include <gen/mqueue.h>

#include "modules/mqueue/internal.h"

#define COOKIE_SIZE 32			/* what SIGEV_THREAD sends */

/* ---- names ---- */

/* The name in memory for kfree. */
static int fetch_name(struct ustr from, char **out)
{
	char *name = kmalloc(PATH_SIZE_MAX, 0);
	long n = name ? copy_string_from_user(name, from, PATH_SIZE_MAX) : -ENOMEM;

	if (n <= 0) {
		kfree(name);
		return n ? (int)n : -ENOENT;
	}
	*out = name;
	return 0;
}

/* May there be such a name, and may the caller look for it? */
static int check_name(const char *name)
{
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EACCES;
	return inode_permission(mqueue_mount->root->inode, MAY_EXEC);
}

struct request {
	unsigned int flags;
	uint32_t mode;
	const struct mq_attr *attr;	/* null: the defaults */
};

/* What the name stands for, made if it must be. The directory is locked. */
static int find_or_make(struct dentry *d, const struct request *r)
{
	static const int access[] = {
		[O_RDONLY] = MAY_READ, [O_WRONLY] = MAY_WRITE, [O_RDWR] = MAY_READ | MAY_WRITE,
	};
	struct inode *dir = mqueue_mount->root->inode;
	int error;

	if (!d->inode) {
		if (!(r->flags & O_CREAT))
			return -ENOENT;
		error = inode_permission(dir, MAY_WRITE | MAY_EXEC);
		if (error)
			return error;
		return mqueue_create_file(dir, d, S_IFREG | (r->mode & 07777 & ~thread_umask(current)), r->attr);
	}
	if ((r->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if ((r->flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return inode_permission(d->inode, access[r->flags & O_ACCMODE]);
}

static int open_queue(const char *name, const struct request *r, struct file **out)
{
	struct path p = { mqueue_mount, NULL };
	struct inode *dir = mqueue_mount->root->inode;
	int error = check_name(name);

	if (error)
		return error;
	mutex_lock(&dir->lock);
	error = dentry_child(mqueue_mount->root, name, strlen(name), &p.dentry);
	if (!error) {
		error = find_or_make(p.dentry, r);
		if (error)
			dentry_put(p.dentry);
	}
	mutex_unlock(&dir->lock);
	if (error)
		return error;
	error = file_open_made(&p, r->flags & ~(unsigned int)O_TRUNC, out);
	dentry_put(p.dentry);
	return error;
}

long sys_mq_open(struct ustr name, int32_t flags, uint32_t mode, struct uin_mq_attr attributes)
{
	struct mq_attr attr;
	struct request r = { .flags = (unsigned int)flags, .mode = mode, .attr = attributes.addr ? &attr : NULL };
	struct file *f;
	char *text = NULL;
	int fd, error;

	if (attributes.addr && copy_in_mq_attr(&attr, attributes))
		return -EFAULT;
	error = fetch_name(name, &text);
	if (error)
		return error;
	fd = fd_reserve(O_CLOEXEC);
	error = fd < 0 ? fd : open_queue(text, &r, &f);
	if (!error)
		fd_publish(fd, f);
	else if (fd >= 0)
		fd_cancel(fd);
	kfree(text);
	return error ? error : fd;
}

long sys_mq_unlink(struct ustr name)
{
	const struct path root = { mqueue_mount, mqueue_mount->root };
	char *text = NULL;
	int error = fetch_name(name, &text);

	if (error)
		return error;
	error = check_name(text);
	if (!error)
		error = path_unlink_from(&root, text);
	kfree(text);
	return error;
}

/* ---- descriptors ---- */

/* The queue of a descriptor that was opened so (FILE_READ, FILE_WRITE, 0: whatever); fd_put afterwards. */
static int get_queue(int fd, unsigned int mode, struct fd_ref *ref, struct mqueue **out)
{
	int error = fd_get(fd, ref);

	if (error)
		return error;
	if (ref->file->ops != &mqueue_file_ops || (mode && !(ref->file->mode & mode))) {
		fd_put(ref);
		return -EBADF;
	}
	*out = ref->file->inode->private;
	return 0;
}

static bool is_nonblocking(const struct fd_ref *ref) { return READ_ONCE(ref->file->flags) & O_NONBLOCK; }

/* The instant of a timeout that is given. */
static int fetch_instant(struct uin_timespec timeout, int64_t *out)
{
	struct __kernel_timespec t;

	if (!timeout.addr)
		return 0;
	if (copy_in_timespec(&t, timeout))
		return -EFAULT;
	if (t.tv_sec < 0 || t.tv_nsec < 0 || t.tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	if (__builtin_mul_overflow((int64_t)t.tv_sec, (int64_t)NSEC_PER_SEC, out) ||
	    __builtin_add_overflow(*out, (int64_t)t.tv_nsec, out))
		*out = INT64_MAX;
	return 0;
}

long sys_mq_timedsend(int32_t fd, struct uin_u8 text, size_t length, uint32_t priority, struct uin_timespec timeout)
{
	struct mqueue_message *m;
	struct fd_ref ref;
	struct mqueue *q;
	int64_t until = 0;
	int error = fetch_instant(timeout, &until);

	if (error)
		return error;
	if (priority >= MQUEUE_PRIORITIES)
		return -EINVAL;
	error = get_queue(fd, FILE_WRITE, &ref, &q);
	if (error)
		return error;
	if (length > (size_t)q->message_size)
		error = -EMSGSIZE;
	else
		error = mqueue_message_load(text.addr, length, priority, &m);
	if (!error) {
		error = mqueue_send(q, m, is_nonblocking(&ref), timeout.addr ? &until : NULL);
		if (error)
			mqueue_message_free(m);
		else
			inode_touch(ref.file->inode, TOUCH_ATIME | TOUCH_MTIME | TOUCH_CTIME);
	}
	fd_put(&ref);
	return error;
}

static long deliver(struct mqueue_message *m, struct uout_u8 text, struct uout_u32 priority)
{
	long result = (long)m->size;

	if ((priority.addr && copy_out_u32(priority, &m->priority)) || mqueue_message_store(m, text.addr))
		result = -EFAULT;
	mqueue_message_free(m);
	return result;
}

long sys_mq_timedreceive(int32_t fd, struct uout_u8 text, size_t length, struct uout_u32 priority, struct uin_timespec timeout)
{
	struct mqueue_message *m = NULL;
	struct fd_ref ref;
	struct mqueue *q;
	int64_t until = 0;
	long result = fetch_instant(timeout, &until);

	if (result)
		return result;
	result = get_queue(fd, FILE_READ, &ref, &q);
	if (result)
		return result;
	if (length < (size_t)q->message_size)
		result = -EMSGSIZE;
	else
		result = mqueue_receive(q, is_nonblocking(&ref), timeout.addr ? &until : NULL, &m);
	if (!result) {
		inode_touch(ref.file->inode, TOUCH_ATIME | TOUCH_MTIME | TOUCH_CTIME);
		result = deliver(m, text, priority);
	}
	fd_put(&ref);
	return result;
}

/*
 * SIGEV_THREAD sends a cookie through a netlink socket, of which there are none: the errors are those of a descriptor that
 * is no such socket.
 */
static int refuse_thread(const struct sigevent *e)
{
	char cookie[COOKIE_SIZE];
	struct fd_ref ref;
	int error;

	if (copy_from_user(cookie, (uintptr_t)e->sigev_value.sival_ptr, sizeof(cookie)))
		return -EFAULT;
	error = fd_get(e->sigev_signo, &ref);
	if (error)
		return error;
	error = S_ISSOCK(ref.file->inode->mode) ? -EINVAL : -ENOTSOCK;
	fd_put(&ref);
	return error;
}

static int check_event(const struct sigevent *e)
{
	switch (e->sigev_notify) {
	case SIGEV_NONE: return 0;
	case SIGEV_SIGNAL: return e->sigev_signo < 0 || e->sigev_signo > SIGNALS ? -EINVAL : 0;
	case SIGEV_THREAD: return refuse_thread(e);
	default: return -EINVAL;
	}
}

long sys_mq_notify(int32_t fd, struct uin_sigevent event)
{
	struct sigevent e;
	struct fd_ref ref;
	struct mqueue *q;
	bool changed;
	int error = 0;

	if (event.addr)
		error = copy_in_sigevent(&e, event) ? -EFAULT : check_event(&e);
	if (!error)
		error = get_queue(fd, 0, &ref, &q);
	if (error)
		return error;
	if (event.addr)
		error = mqueue_register(q, &e);
	changed = event.addr ? !error : mqueue_unregister(q);
	if (changed)
		inode_touch(ref.file->inode, TOUCH_ATIME | TOUCH_CTIME);
	fd_put(&ref);
	return error;
}

static void set_nonblocking(struct file *f, bool on)
{
	spin_lock(&f->lock);
	WRITE_ONCE(f->flags, on ? f->flags | O_NONBLOCK : f->flags & ~(unsigned int)O_NONBLOCK);
	spin_unlock(&f->lock);
	inode_touch(f->inode, TOUCH_ATIME | TOUCH_CTIME);
}

long sys_mq_getsetattr(int32_t fd, struct uin_mq_attr new, struct uout_mq_attr old)
{
	struct mq_attr wanted, had;
	struct fd_ref ref;
	struct mqueue *q;
	int error;

	if (new.addr && copy_in_mq_attr(&wanted, new))
		return -EFAULT;
	if (new.addr && (wanted.mq_flags & ~(long)O_NONBLOCK))
		return -EINVAL;
	error = get_queue(fd, 0, &ref, &q);
	if (error)
		return error;
	memset(&had, 0, sizeof(had));
	had.mq_flags = is_nonblocking(&ref) ? O_NONBLOCK : 0;
	had.mq_maxmsg = q->max;
	had.mq_msgsize = q->message_size;
	had.mq_curmsgs = READ_ONCE(q->count);
	if (new.addr)
		set_nonblocking(ref.file, wanted.mq_flags & O_NONBLOCK);
	fd_put(&ref);
	return old.addr ? copy_out_mq_attr(old, &had) : 0;
}
