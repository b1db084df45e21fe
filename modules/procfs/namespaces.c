/*
 * /proc/<pid>/ns: a link for each kind of name space there is, whose text names the one in which the process is and which leads to a file
 * that stands for it.
 */
#include "modules/procfs/internal.h"

#include <linux/sched.h>

static const struct ns_link {
	const char *name;
	uint32_t type;			/* CLONE_NEW* */
} links[] = {
	{ "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC }, { "mnt", CLONE_NEWNS }, { "net", CLONE_NEWNET },
	{ "pid", CLONE_NEWPID }, { "pid_for_children", CLONE_NEWPID }, { "time", CLONE_NEWTIME },
	{ "time_for_children", CLONE_NEWTIME }, { "user", CLONE_NEWUSER }, { "uts", CLONE_NEWUTS },
};

static int ns_follow(struct dentry *d, struct path *out)
{
	struct proc_target *who = proc_target_of(d->inode);
	uint32_t type = links[who->fd].type;
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
	error = type == CLONE_NEWNS ? mount_ns_path(ns, out) : ns_global_path(type, out);
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
	who.fd = -1;
	for (unsigned int i = 0; i < ARRAY_SIZE(links); i++)
		if (strlen(links[i].name) == d->name_length && !memcmp(d->name, links[i].name, d->name_length))
			who.fd = (int)i;
	if (who.fd < 0)
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
	for (; c->pos - 2 < (int64_t)ARRAY_SIZE(links); c->pos++) {
		const char *name = links[c->pos - 2].name;

		if (!c->emit(c, name, strlen(name), f->inode->ino * 100 + (uint64_t)c->pos, dirent_type(S_IFLNK)))
			break;
	}
	return 0;
}

const struct file_ops proc_ns_file_ops = { .readdir = ns_readdir };
