/*
 * /proc/<pid>/ns: a link for each kind of name space there is, whose text names the one in which the process is and which leads to a file
 * that stands for it.
 */
#include "modules/procfs/internal.h"

static const char ns_name[] = "mnt";

static int ns_follow(struct dentry *d, struct path *out)
{
	struct proc_target *who = proc_target_of(d->inode);
	struct mount_ns *ns = NULL;
	struct thread *t;
	int error;

	error = proc_inspect_begin(who);
	if (error)
		return error;
	t = proc_thread(who);
	if (t) {
		ns = thread_mount_ns(t);
		thread_put(t);
	}
	process_inspect_end(who->process);
	if (!ns)
		return -ENOENT;
	error = mount_ns_path(ns, out);
	mount_ns_put(ns);
	return error;
}

static long ns_readlink(struct dentry *d, char *buf, size_t size)
{
	struct path p;
	int error = ns_follow(d, &p);

	return error ? error : proc_path_readlink(&p, buf, size);
}

static const struct inode_ops ns_link_ops = { .readlink = ns_readlink, .follow = ns_follow };

static int ns_lookup(struct inode *dir, struct dentry *d)
{
	struct proc_target who = *proc_target_of(dir);
	struct inode *inode;

	who.entry = NULL;
	if (d->name_length != sizeof(ns_name) - 1 || memcmp(d->name, ns_name, sizeof(ns_name) - 1))
		return 0;
	inode = proc_inode_create(dir, S_IFLNK | 0777, &who);
	if (!inode)
		return -ENOMEM;
	inode->ops = &ns_link_ops;
	dentry_attach(d, inode);
	return 0;
}

static bool ns_revalidate(struct inode *dir, struct dentry *d)
{
	return proc_pid_ops.revalidate(dir, d);
}

const struct inode_ops proc_ns_ops = { .lookup = ns_lookup, .revalidate = ns_revalidate, .no_negative = true };

static int ns_readdir(struct file *f, struct dir_context *c)
{
	if (!dir_emit_dots(f, c))
		return 0;
	if (c->pos == 2 && c->emit(c, ns_name, sizeof(ns_name) - 1, f->inode->ino * 100 + 2, dirent_type(S_IFLNK)))
		c->pos++;
	return 0;
}

const struct file_ops proc_ns_file_ops = { .readdir = ns_readdir };
