/*
 * /proc/<pid> and /proc/<pid>/task: the directories, and how their fixed names (entries.c) become files and links.
 */
#include "modules/procfs/internal.h"

static bool names_match(const struct dentry *d, const char *name)
{
	return strlen(name) == d->name_length && !memcmp(d->name, name, d->name_length);
}

int proc_inspect_begin(const struct proc_target *who)
{
	int error = process_inspect_begin(who->process, who->task, INSPECT_FS_IDS);

	return error == -EPERM || error == -ESRCH ? -EACCES : error;
}

static int entry_open(struct inode *inode, struct file *f)
{
	struct proc_target *who = proc_target_of(inode);
	struct proc_memory *m;
	int error;

	if (!who->entry->memory)
		return text_file_open(f, &who->entry->text, who, false);
	error = proc_memory_open(who, &m);
	if (error)
		return error;
	error = text_file_open(f, &who->entry->text, m, false);
	if (error)
		proc_memory_close(m);
	return error;
}

static const struct file_ops entry_file_ops = { .open = entry_open };

static int entry_follow(struct dentry *d, struct path *out)
{
	struct proc_target *who = proc_target_of(d->inode);
	int error = proc_inspect_begin(who);

	if (!error) {
		error = who->entry->follow(who, out);
		process_inspect_end(who->process);
	}
	return error;
}

static long entry_readlink(struct dentry *d, char *buf, size_t size)
{
	struct path p;
	long n = entry_follow(d, &p);

	return n ? n : proc_path_readlink(&p, buf, size);
}

static int ignore_setattr(struct inode *inode, const struct attr_change *c)
{
	return c->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

static const struct inode_ops link_ops = {
	.follow = entry_follow, .readlink = entry_readlink, .getattr = proc_getattr,
};
static const struct inode_ops file_inode_ops = { .setattr = ignore_setattr, .getattr = proc_getattr };

static int pid_lookup(struct inode *dir, struct dentry *d)
{
	struct proc_target who = *proc_target_of(dir);
	const struct proc_entry *e = NULL;
	struct inode *inode;

	for (unsigned int i = 0; i < proc_entry_count && !e; i++) {
		if (names_match(d, proc_entries[i].name) && proc_entry_is_in(&proc_entries[i], &who))
			e = &proc_entries[i];
	}
	if (!e)
		return 0;
	who.entry = e;
	inode = proc_inode_create(dir, e->mode, &who);
	if (!inode)
		return -ENOMEM;
	inode->ops = S_ISDIR(e->mode) ? e->dir_ops : S_ISLNK(e->mode) ? &link_ops : &file_inode_ops;
	inode->file_ops = e->file_ops ? e->file_ops : &entry_file_ops;
	dentry_attach(d, inode);
	return 0;
}

/* Names stay as long as the process is not reaped and the thread not gone; owners follow the process. */
static bool pid_revalidate(struct inode *dir, struct dentry *d)
{
	struct proc_target *who = proc_target_of(dir);

	if (proc_target_gone(who))
		return false;
	if (d->inode)
		proc_inode_set_owner(d->inode);
	return true;
}

static int pid_getattr(struct inode *inode, struct kstat *out)
{
	int error = proc_getattr(inode, out);

	for (unsigned int i = 0; !error && i < proc_entry_count; i++)
		if (S_ISDIR(proc_entries[i].mode) && proc_entry_is_in(&proc_entries[i], proc_target_of(inode)))
			out->nlink++;
	return error;
}

const struct inode_ops proc_pid_ops = {
	.lookup = pid_lookup,
	.revalidate = pid_revalidate,
	.permission = proc_permission,
	.getattr = pid_getattr,
	.no_negative = true,
};

static int pid_readdir(struct file *f, struct dir_context *c)
{
	struct proc_target *who = proc_target_of(f->inode);

	if (proc_target_gone(who))
		return -ENOENT;
	if (!dir_emit_dots(f, c))
		return 0;
	for (; c->pos - 2 < (int64_t)proc_entry_count; c->pos++) {
		const struct proc_entry *e = &proc_entries[c->pos - 2];

		if (!proc_entry_is_in(e, who))
			continue;
		if (!c->emit(c, e->name, strlen(e->name), f->inode->ino * 100 + (uint64_t)c->pos, dirent_type(e->mode)))
			return 0;
	}
	return 0;
}

const struct file_ops proc_pid_file_ops = { .readdir = pid_readdir };

struct process *proc_directory_process(struct file *f)
{
	struct proc_target *who;

	if (f->ops != &proc_pid_file_ops)
		return NULL;
	who = proc_target_of(f->inode);
	if (who->thread_only)
		return NULL;
	process_get(who->process);
	return who->process;
}

/* ---- task ---- */

static int tasks_lookup(struct inode *dir, struct dentry *d)
{
	struct proc_target who = *proc_target_of(dir);
	int nr = proc_parse_number(d);
	struct inode *inode;

	if (nr < 0)
		return 0;
	who.entry = NULL;
	who.thread_only = true;
	who.task = task_find(nr);
	if (!who.task)
		return 0;
	if (who.task->process != who.process) {
		task_put(who.task);
		return 0;
	}
	inode = proc_inode_create(dir, S_IFDIR | 0555, &who);
	task_put(who.task);
	if (!inode)
		return -ENOMEM;
	inode->ops = &proc_pid_ops;
	inode->file_ops = &proc_pid_file_ops;
	dentry_attach(d, inode);
	return 0;
}

static bool tasks_revalidate(struct inode *dir, struct dentry *d)
{
	struct proc_target *who = d->inode ? proc_target_of(d->inode) : NULL;

	return who && !proc_target_gone(who);
}

static int tasks_getattr(struct inode *inode, struct kstat *out)
{
	int error = proc_getattr(inode, out);

	if (!error)
		out->nlink += proc_thread_count(proc_target_of(inode)->process);
	return error;
}

const struct inode_ops proc_tasks_ops = {
	.lookup = tasks_lookup,
	.revalidate = tasks_revalidate,
	.permission = proc_permission,
	.getattr = tasks_getattr,
	.no_negative = true,
};

static int tasks_readdir(struct file *f, struct dir_context *c)
{
	struct proc_target *who = proc_target_of(f->inode);

	if (proc_target_gone(who))
		return -ENOENT;
	if (!dir_emit_dots(f, c))
		return 0;
	for (;;) {
		struct task *t = process_next_task(who->process, (int)(c->pos - 2));
		char name[12];
		int n, nr;

		if (!t)
			return 0;
		nr = t->pid->nr;
		task_put(t);
		c->pos = nr + 1;
		n = snprintf(name, sizeof(name), "%d", nr);
		if (!c->emit(c, name, (size_t)n, (uint64_t)nr + 200000, dirent_type(S_IFDIR)))
			return 0;
		c->pos = nr + 2;
	}
}

const struct file_ops proc_tasks_file_ops = { .readdir = tasks_readdir };
