/*
 * /proc/<pid>/fd and fdinfo. A descriptor's link leads to the very file's place (its path), whatever its name has become.
 */
#include "modules/procfs/internal.h"

static struct file *target_file(const struct proc_target *who)
{
	struct thread *t = proc_thread(who);
	struct file *f = NULL;

	if (!t)
		return NULL;
	if (thread_fd_file(t, who->fd, &f))
		f = NULL;
	thread_put(t);
	return f;
}

/* The same, if the caller may look at the process; exec does not come in between. */
static int take_file(const struct proc_target *who, struct file **out)
{
	int error = process_take_file(who->process, who->task, INSPECT_FS_IDS, who->fd, out);

	return error == -EBADF || error == -ESRCH ? -ENOENT : error == -EPERM ? -EACCES : error;
}

static int fd_follow(struct dentry *d, struct path *out)
{
	struct file *f;
	int error = take_file(proc_target_of(d->inode), &f);

	return error ? error : proc_file_follow(f, out);
}

static long fd_readlink(struct dentry *d, char *buf, size_t size)
{
	struct file *f;
	int error = take_file(proc_target_of(d->inode), &f);

	return error ? error : proc_file_readlink(f, buf, size);
}

static const struct inode_ops fd_link_ops = { .follow = fd_follow, .readlink = fd_readlink };

static int show_fdinfo(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	struct thread *thread;
	struct file *f;
	const void *table = NULL;
	unsigned int flags;
	char *extra;
	int error = take_file(who, &f);

	/* Asked at each read: the program may be another than the one that was opened. */
	if (error)
		return error;
	flags = READ_ONCE(f->flags);
	thread = proc_thread(who);
	if (thread && thread_fd_cloexec(thread, who->fd))
		flags |= O_CLOEXEC;
	if (thread) {
		table = thread_fd_table(thread);
		thread_put(thread);
	}
	text_printf(t, "pos:\t%lli\nflags:\t0%o\nmnt_id:\t%i\nino:\t%llu\n", (long long)f->pos, flags,
		    f->path.mount->id, (unsigned long long)f->inode->ino);
	locks_show_file(t, f, table);
	extra = f->ops->describe && !(f->mode & FILE_PATH) ? kmalloc(PAGE_SIZE, 0) : NULL;
	if (extra) {
		int n = f->ops->describe(f, extra, PAGE_SIZE);

		text_add(t, extra, MIN((size_t)n, PAGE_SIZE - 1));
		kfree(extra);
	}
	file_put(f);
	return 0;
}

static const struct text_file_type fdinfo_type = { .show = show_fdinfo };

static int fdinfo_open(struct inode *inode, struct file *f)
{
	struct proc_target *who = proc_target_of(inode);

	if (process_may_inspect(who->process))
		return -EACCES;
	return text_file_open(f, &fdinfo_type, who, false);
}

static const struct inode_ops fdinfo_inode_ops;
static const struct file_ops fdinfo_ops = { .open = fdinfo_open };

/* Mode of the link: what the descriptor may do. */
static uint32_t link_mode(const struct file *f)
{
	uint32_t mode = S_IFLNK;

	if (f->mode & FILE_READ)
		mode |= 0500;
	if (f->mode & FILE_WRITE)
		mode |= 0300;
	return mode;
}

static int lookup(struct inode *dir, struct dentry *d, bool link)
{
	struct proc_target who = *proc_target_of(dir);
	struct inode *inode;
	struct file *f;

	who.entry = NULL;
	who.fd = proc_parse_number(d);
	if (who.fd < 0)
		return 0;
	f = target_file(&who);
	if (!f)
		return 0;
	inode = proc_inode_create(dir, link ? link_mode(f) : S_IFREG | 0444, &who);
	file_put(f);
	if (!inode)
		return -ENOMEM;
	inode->ops = link ? &fd_link_ops : &fdinfo_inode_ops;
	inode->file_ops = &fdinfo_ops;
	inode->size = 64;
	dentry_attach(d, inode);
	return 0;
}

static int fds_lookup(struct inode *dir, struct dentry *d)
{
	return lookup(dir, d, true);
}

static int fdinfos_lookup(struct inode *dir, struct dentry *d)
{
	return lookup(dir, d, false);
}

static bool fd_revalidate(struct inode *dir, struct dentry *d)
{
	struct file *f = d->inode ? target_file(proc_target_of(d->inode)) : NULL;

	if (!f)
		return false;
	if (inode_is_link(d->inode))
		d->inode->mode = link_mode(f);
	proc_inode_set_owner(d->inode);
	file_put(f);
	return true;
}

/* Only who may inspect the process looks into fd, whatever the mode says: a process that is not dumpable belongs to root. */
static int fds_permission(struct inode *inode, int mask)
{
	struct proc_target *who = proc_target_of(inode);

	if (who->process == current_process)
		return mask & MAY_WRITE ? -EACCES : 0;
	return process_may_inspect(who->process) || (mask & MAY_WRITE) ? -EACCES : 0;
}

const struct inode_ops proc_fds_ops = {
	.lookup = fds_lookup, .revalidate = fd_revalidate, .permission = fds_permission, .no_negative = true,
};
const struct inode_ops proc_fdinfos_ops = {
	.lookup = fdinfos_lookup, .revalidate = fd_revalidate, .permission = fds_permission, .no_negative = true,
};

static int fds_list(struct file *f, struct dir_context *c, unsigned int type)
{
	struct thread *t;
	int fd;

	if (!dir_emit_dots(f, c))
		return 0;
	t = proc_thread(proc_target_of(f->inode));
	if (!t)
		return -ENOENT;
	for (; (fd = thread_fd_next(t, (int)c->pos - 2)) >= 0; c->pos++) {
		char name[12];
		int n = snprintf(name, sizeof(name), "%d", fd);

		c->pos = fd + 2;
		if (!c->emit(c, name, (size_t)n, f->inode->ino * 1000 + (uint64_t)fd, type))
			break;
	}
	thread_put(t);
	return 0;
}

static int fds_readdir(struct file *f, struct dir_context *c)
{
	return fds_list(f, c, dirent_type(S_IFLNK));
}

static int fdinfos_readdir(struct file *f, struct dir_context *c)
{
	return fds_list(f, c, dirent_type(S_IFREG));
}

const struct file_ops proc_fds_file_ops = { .readdir = fds_readdir };
const struct file_ops proc_fdinfos_file_ops = { .readdir = fdinfos_readdir };
