/*
 * fcntl, flock and the ioctls that every file understands, with SIGIO's owner.
 */
#include <gen/vfs.h>

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fs.h>

#include "modules/vfs/file_flags.h"
#include "modules/vfs/lock.h"
#include "modules/vfs/pipe.h"

#define SETTABLE_FLAGS (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC)

/* Makes sure that the file has an owner record. */
static int make_owner(struct file *f)
{
	struct file_owner *o;

	if (READ_ONCE(f->owner))
		return 0;
	o = kzalloc(sizeof(*o), 0);
	if (!o)
		return -ENOMEM;
	spin_lock(&f->lock);
	if (!f->owner) {
		f->owner = o;
		o = NULL;
	}
	spin_unlock(&f->lock);
	kfree(o);
	return 0;
}

static int set_flags(struct file *f, int fd, unsigned int flags)
{
	unsigned int old = f->flags;
	int error;

	if ((old & O_APPEND) && !(flags & O_APPEND) && (f->inode->flags & INODE_APPEND))
		return -EPERM;
	if ((flags & O_NOATIME) && !(old & O_NOATIME) && !inode_owner_or_capable(f->inode))
		return -EPERM;
	if ((flags & ~old & O_DIRECT) && !file_pipe(f))
		return -EINVAL;
	/* Files that announce nothing do not take O_ASYNC. */
	if (!f->ops->set_flags)
		flags &= ~(unsigned int)FASYNC;
	if (flags & ~old & FASYNC) {
		error = make_owner(f);
		if (error)
			return error;
	}
	if (f->ops->set_flags) {
		error = f->ops->set_flags(f, flags);
		if (error)
			return error;
	}
	spin_lock(&f->lock);
	/* The descriptor by which it was switched on is what signals tell. */
	if (flags & ~f->flags & FASYNC)
		f->owner->fd = fd;
	WRITE_ONCE(f->flags, (f->flags & ~(unsigned int)SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS));
	spin_unlock(&f->lock);
	return 0;
}

static int set_owner(struct file *f, int type, int id)
{
	struct identity me;
	int error;

	if (id && !service(process)->owner_exists(type, id))
		return -ESRCH;
	error = make_owner(f);
	if (error)
		return error;
	service(authority)->identity(current, &me);
	spin_lock(&f->lock);
	f->owner->type = type;
	f->owner->id = id;
	f->owner->uid = me.uid;
	f->owner->euid = me.euid;
	spin_unlock(&f->lock);
	return 0;
}

static struct file_owner get_owner(struct file *f)
{
	struct file_owner o = { .type = F_OWNER_PID };

	spin_lock(&f->lock);
	if (f->owner)
		o = *f->owner;
	spin_unlock(&f->lock);
	return o;
}

void file_async_init(struct file_async_list *l)
{
	spin_init(&l->lock);
	list_init(&l->files);
}
MODAPI(file_async_init);

void file_async_set(struct file_async_list *l, struct file *f, unsigned int flags)
{
	bool on = flags & FASYNC;

	spin_lock(&l->lock);
	if (on && list_empty(&f->async_link))
		list_add_tail(&l->files, &f->async_link);
	else if (!on && !list_empty(&f->async_link))
		list_remove(&f->async_link);
	spin_unlock(&l->lock);
}
MODAPI(file_async_set);

int file_owner_default(struct file *f)
{
	int error = make_owner(f);

	return error || get_owner(f).id ? error : set_owner(f, F_OWNER_PID, service(process)->pid());
}

void file_owner_signal(struct file *f, int fd, long band)
{
	struct file_owner o = get_owner(f);

	if (o.id)
		service(process)->signal_owner(o.type, o.id, o.uid, o.euid, o.signal, fd, band);
}

#define ASYNC_OWNERS 8		/* told at most; more on one object is not a thing that programs do */

void file_async_notify(struct file_async_list *l, unsigned int mode, long band)
{
	struct file_owner owners[ASYNC_OWNERS];
	unsigned int n = 0;
	struct file *f;

	if (likely(list_empty(&l->files)))
		return;
	spin_lock(&l->lock);
	list_for_each(f, &l->files, async_link) {
		if ((f->mode & mode) && n < ASYNC_OWNERS)
			owners[n++] = get_owner(f);
	}
	spin_unlock(&l->lock);
	while (n--) {
		struct file_owner *o = &owners[n];

		if (o->id)
			service(process)->signal_owner(o->type, o->id, o->uid, o->euid, o->signal, o->fd, band);
	}
}
MODAPI(file_async_notify);

static long owner_command(struct file *f, uint32_t command, uintptr_t argument)
{
	struct file_owner o = get_owner(f);
	struct f_owner_ex ex;
	int id = (int)argument;

	switch (command) {
	case F_GETOWN:
		return o.type == F_OWNER_PGRP ? -o.id : o.id;
	case F_SETOWN:
		if (id == INT32_MIN)
			return -EINVAL;
		return id < 0 ? set_owner(f, F_OWNER_PGRP, -id) : set_owner(f, F_OWNER_PID, id);
	case F_GETOWN_EX:
		ex.type = o.type;
		ex.pid = o.id;
		return copy_to_user(argument, &ex, sizeof(ex));
	case F_SETOWN_EX:
		if (copy_from_user(&ex, argument, sizeof(ex)))
			return -EFAULT;
		if (ex.type < F_OWNER_TID || ex.type > F_OWNER_PGRP)
			return -EINVAL;
		return set_owner(f, ex.type, ex.pid);
	case F_GETSIG:
		return o.signal;
	default: /* F_SETSIG */
		if (argument > 64)
			return -EINVAL;
		id = make_owner(f);
		if (!id)
			f->owner->signal = (int)argument;
		return id;
	}
}

/* struct flock to a lock. */
static int load_lock(struct file *f, const struct flock *u, struct file_lock *l)
{
	int64_t base = 0, start;

	if (u->l_whence == SEEK_CUR)
		base = f->pos;
	else if (u->l_whence == SEEK_END)
		base = (int64_t)inode_size(f->inode);
	else if (u->l_whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(base, (int64_t)u->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	l->start = start;
	l->end = INT64_MAX;
	if (u->l_len > 0) {
		if (u->l_len - 1 > INT64_MAX - start)
			return -EOVERFLOW;
		l->end = start + u->l_len - 1;
	} else if (u->l_len < 0) {
		if (start + u->l_len < 0)
			return -EINVAL;
		l->end = start - 1;
		l->start = start + u->l_len;
	}
	if (u->l_type != F_RDLCK && u->l_type != F_WRLCK && u->l_type != F_UNLCK)
		return -EINVAL;
	l->type = u->l_type;
	return 0;
}

static long lock_command(struct file *f, int fd, uint32_t command, uintptr_t argument)
{
	bool ofd = command >= F_OFD_GETLK;
	struct vfs_thread *vt = vfs_thread_self();
	struct file_lock l = { .kind = ofd ? LOCK_OFD : LOCK_POSIX };
	struct fd_ref again;
	struct flock u;
	int error;

	if (copy_from_user(&u, argument, sizeof(u)))
		return -EFAULT;
	if (ofd && u.l_pid)
		return -EINVAL;
	error = load_lock(f, &u, &l);
	if (error)
		return error;
	l.owner = ofd ? (const void *)f : vt->files;
	l.file = f;
	l.pid = ofd ? -1 : service(process)->pid();
	if (command == F_GETLK || command == F_OFD_GETLK) {
		if (l.type == F_UNLCK)
			return -EINVAL;
		lock_test(f->inode, &l);
		u.l_type = l.type;
		if (l.type != F_UNLCK) {
			u.l_whence = SEEK_SET;
			u.l_start = l.start;
			u.l_len = l.end == INT64_MAX ? 0 : l.end - l.start + 1;
			u.l_pid = l.pid;
		}
		return copy_to_user(argument, &u, sizeof(u));
	}
	if ((l.type == F_RDLCK && !(f->mode & FILE_READ)) || (l.type == F_WRLCK && !(f->mode & FILE_WRITE)))
		return -EBADF;
	error = lock_set(f->inode, &l, command == F_SETLKW || command == F_OFD_SETLKW);
	/* Another thread closed the descriptor meanwhile, and with it the locks: this one must not stay. */
	if (!error && !ofd && l.type != F_UNLCK) {
		bool gone = fd_get(fd, &again);

		if (!gone) {
			gone = again.file != f;
			fd_put(&again);
		}
		if (gone) {
			l.type = F_UNLCK;
			lock_set(f->inode, &l, false);
			error = -EBADF;
		}
	}
	return error;
}

static long duplicate(struct file *f, uintptr_t from, unsigned int flags)
{
	int fd;

	if (from >= fd_limit())
		return -EINVAL;
	file_get(f);
	fd = fd_install_from(f, (unsigned int)from, flags);
	if (fd < 0)
		file_put(f);
	return fd;
}

static long seals_command(struct file *f, uint32_t command, uintptr_t argument)
{
	if (!f->ops->seals)
		return -EINVAL;
	if (command == F_GET_SEALS)
		return f->ops->seals(f, false, 0);
	if (!(f->mode & FILE_WRITE))
		return -EPERM;
	return f->ops->seals(f, true, (unsigned int)argument);
}

static long file_command(struct file *f, int fd, uint32_t command, uintptr_t argument)
{
	struct pipe *p;

	switch (command) {
	case F_SETFL:
		return set_flags(f, fd, (unsigned int)argument);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_command(f, fd, command, argument);
	case F_GETOWN:
	case F_SETOWN:
	case F_GETOWN_EX:
	case F_SETOWN_EX:
	case F_GETSIG:
	case F_SETSIG:
		return owner_command(f, command, argument);
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		p = file_pipe(f);
		if (!p)
			return -EBADF;
		return command == F_SETPIPE_SZ ? pipe_resize(p, (unsigned int)argument)
					       : (long)(p->slots * PAGE_SIZE);
	case F_ADD_SEALS:
	case F_GET_SEALS:
		return seals_command(f, command, argument);
	case F_GETLEASE:
		return lease_get(f);
	case F_SETLEASE:
		return lease_set(f, fd, (int)argument);
	case F_GET_RW_HINT:
	case F_SET_RW_HINT:
		return file_hint_command(f, command == F_SET_RW_HINT, argument);
	default:
		return -EINVAL;
	}
}

long sys_fcntl(int32_t fd, uint32_t command, uintptr_t argument)
{
	struct fd_ref r;
	long result = fd_get_raw(fd, &r);

	if (result)
		return result;
	switch (command) {
	case F_DUPFD:
		result = duplicate(r.file, argument, 0);
		break;
	case F_DUPFD_CLOEXEC:
		result = duplicate(r.file, argument, O_CLOEXEC);
		break;
	case F_GETFD:
		result = fd_get_cloexec(fd) > 0 ? FD_CLOEXEC : 0;
		break;
	case F_SETFD:
		result = fd_set_cloexec(fd, argument & FD_CLOEXEC);
		break;
	case F_GETFL:
		result = (long)READ_ONCE(r.file->flags);
		break;
	default:
		if (r.file->mode & FILE_PATH)
			result = -EBADF;
		else
			result = file_command(r.file, fd, command, argument);
		break;
	}
	fd_put(&r);
	return result;
}

long sys_flock(int32_t fd, uint32_t operation)
{
	struct file_lock l = { .kind = LOCK_FLOCK, .start = 0, .end = INT64_MAX };
	bool wait = !(operation & LOCK_NB);
	struct fd_ref r;
	long error;

	/* Mandatory locks never had an effect; asking for them is no error. */
	if (operation & LOCK_MAND)
		return 0;
	operation &= ~(uint32_t)LOCK_NB;
	if (operation == LOCK_SH)
		l.type = F_RDLCK;
	else if (operation == LOCK_EX)
		l.type = F_WRLCK;
	else if (operation == LOCK_UN)
		l.type = F_UNLCK;
	else
		return -EINVAL;
	error = fd_get(fd, &r);
	if (error)
		return error;
	l.owner = l.file = r.file;
	l.pid = service(process)->pid();
	error = lock_set(r.file->inode, &l, wait);
	fd_put(&r);
	return error;
}

static long change_flag(struct file *f, int fd, unsigned int flag, uintptr_t argument)
{
	uint32_t on;
	unsigned int flags;

	if (user_load_u32(argument, &on))
		return -EFAULT;
	flags = on ? f->flags | flag : f->flags & ~flag;
	if (((flags ^ f->flags) & FASYNC) && !f->ops->set_flags)
		return -ENOTTY;
	return set_flags(f, fd, flags);
}

static long generic_ioctl(struct file *f, int fd, uint32_t request, uintptr_t argument)
{
	int64_t left;
	long result;

	switch (request) {
	case FIOCLEX:
		return fd_set_cloexec(fd, true);
	case FIONCLEX:
		return fd_set_cloexec(fd, false);
	case FIONBIO:
		return change_flag(f, fd, O_NONBLOCK, argument);
	case FIOASYNC:
		return change_flag(f, fd, FASYNC, argument);
	case FIONREAD:
		if (!inode_is_regular(f->inode))
			break;
		left = (int64_t)inode_size(f->inode) - f->pos;
		return user_store_u32(argument, (uint32_t)left);
	case FIOQSIZE: {
		uint64_t size = inode_size(f->inode);

		if (!inode_is_regular(f->inode) && !inode_is_dir(f->inode) && !inode_is_link(f->inode))
			break;
		return copy_to_user(argument, &size, sizeof(size));
	}
	case FIGETBSZ:
		return user_store_u32(argument, f->inode->super->block_size);
	default:
		if (file_flags_ioctl(f, request, argument, &result))
			return result;
		break;
	}
	return f->ops->ioctl ? f->ops->ioctl(f, request, argument) : -ENOTTY;
}

long sys_ioctl(int32_t fd, uint32_t request, uintptr_t argument)
{
	struct fd_ref r;
	long result = fd_get(fd, &r);

	if (result)
		return result;
	result = generic_ioctl(r.file, fd, request, argument);
	fd_put(&r);
	return result;
}
