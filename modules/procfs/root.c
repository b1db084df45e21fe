/*
 * The root of /proc: fixed files, self, and the processes; whom an inode below a process is about.
 *
 * Dentries are not pinned: revalidate drops those of a process when it was reaped, and the LRU list when nobody looks.
 */
#include "modules/procfs/internal.h"

#define PID_POSITION (1ll << 40)	/* readdir positions of processes begin here, above all cursors */

struct thread *proc_thread(const struct proc_target *who)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct task *task = who->task ? who->task : who->process->leader;
	struct thread *t = NULL;

	if (task && !task_is_gone(task)) {
		t = task->thread;
		thread_get(t);
	}
	spin_unlock_irqrestore(&tree_lock, flags);
	return t;
}

unsigned int proc_thread_count(const struct process *p)
{
	const struct task *leader;
	unsigned int n;

	rcu_read_lock();
	leader = READ_ONCE(p->leader);
	n = READ_ONCE(p->task_count) + (leader && READ_ONCE(leader->ended));
	rcu_read_unlock();
	return n;
}

bool proc_target_gone(const struct proc_target *who)
{
	return READ_ONCE(who->process->state) == PROCESS_REAPED || (who->task && task_is_gone(who->task));
}

struct aspace *proc_aspace(const struct proc_target *who)
{
	struct thread *t = proc_thread(who);
	struct aspace *as;

	if (!t)
		return NULL;
	as = thread_get_aspace(t);
	thread_put(t);
	return as;
}

int proc_number(const struct proc_target *who)
{
	return who->task ? who->task->pid->nr : who->process->pid->nr;
}

int proc_parse_number(const struct dentry *d)
{
	uint64_t n;

	if (d->name[0] == '0' && d->name[1])
		return -1;
	if (str_to_u64(d->name, d->name + d->name_length, 10, &n) || n > INT32_MAX)
		return -1;
	return (int)n;
}

void proc_inode_set_owner(struct inode *inode)
{
	struct proc_target *who = proc_target_of(inode);
	struct thread *t = proc_thread(who);
	struct identity id = { 0 };

	/* The directories of processes and threads are theirs always; what else there is of one that nobody may look into, root's. */
	if (t) {
		if (inode->mode == (S_IFDIR | 0555) || (READ_ONCE(who->process->dumpable) == 1 && READ_ONCE(t->aspace)))
			service(authority)->identity(t, &id);
		thread_put(t);
	}
	inode->uid = id.euid;
	inode->gid = id.egid;
}

struct inode *proc_inode_create(const struct inode *dir, uint32_t mode, const struct proc_target *who)
{
	struct proc_target *copy = kmemdup(who, sizeof(*who), 0);
	struct inode *inode = copy ? inode_create(dir->super, mode) : NULL;

	if (!inode) {
		kfree(copy);
		return NULL;
	}
	process_get(copy->process);
	if (copy->task)
		task_get(copy->task);
	inode->private = copy;
	if (S_ISDIR(mode))
		inode->nlink = 2;
	proc_inode_set_owner(inode);
	return inode;
}

static int root_lookup(struct inode *dir, struct dentry *d)
{
	const struct proc_fs *fs = proc_fs_of(dir);
	int nr = proc_parse_number(d), error = 0;
	struct proc_target who = { .fd = -1 };
	struct inode *inode;

	if (nr < 0)
		return proc_node_lookup(dir, d, READ_ONCE(fs->pid_only));
	who.process = process_find_any(nr);
	if (!who.process)
		return 0;
	if (who.process->pid->nr != nr)
		who.task = task_find(nr);	/* a thread's number names its process, too, without being listed */
	if (READ_ONCE(fs->hide) != PROC_HIDE_UNTRACEABLE || proc_may_see(fs, who.process, PROC_HIDE_CONTENTS)) {
		inode = proc_inode_create(dir, S_IFDIR | 0555, &who);
		if (inode) {
			inode->ops = &proc_pid_ops;
			inode->file_ops = &proc_pid_file_ops;
			dentry_attach(d, inode);
		} else {
			error = -ENOMEM;
		}
	}
	if (who.task)
		task_put(who.task);
	process_put(who.process);
	return error;
}

static bool root_revalidate(struct inode *dir, struct dentry *d)
{
	struct proc_target *who;

	if (!d->inode)
		return true;
	if (d->inode->ops != &proc_pid_ops)
		return proc_node_is_valid(d->inode, READ_ONCE(proc_fs_of(dir)->pid_only));
	who = proc_target_of(d->inode);
	if (proc_target_gone(who))
		return false;
	proc_inode_set_owner(d->inode);
	return true;
}

const struct inode_ops proc_root_ops = {
	.lookup = root_lookup,
	.revalidate = root_revalidate,
	.getattr = proc_node_getattr,
	.no_negative = true,
};

/* The fixed entries, then the processes by number, as far as the reader may know of them. */
static int root_readdir(struct file *f, struct dir_context *c)
{
	const struct proc_fs *fs = proc_fs_of(f->inode);

	if (c->pos < PID_POSITION) {
		if (!proc_node_readdir(f, c, READ_ONCE(fs->pid_only)))
			return 0;
		c->pos = PID_POSITION;
	}
	for (;;) {
		struct process *p = process_next((int)(c->pos - PID_POSITION));
		char name[12];
		bool visible;
		int n, nr;

		if (!p)
			return 0;
		nr = p->pid->nr;
		visible = proc_may_see(fs, p, PROC_HIDE_NAMES);
		process_put(p);
		c->pos = PID_POSITION + nr;
		n = snprintf(name, sizeof(name), "%d", nr);
		if (visible && !c->emit(c, name, (size_t)n, (uint64_t)nr + 100000, dirent_type(S_IFDIR)))
			return 0;
		c->pos++;
	}
}

const struct file_ops proc_root_file_ops = { .readdir = root_readdir };

static long self_readlink(struct dentry *d, char *buf, size_t size)
{
	char text[40];
	int pid = service(process)->pid(), n;

	if (!pid)
		return -ENOENT;
	if (d->name[0] == 's')
		n = snprintf(text, sizeof(text), "%d", pid);
	else
		n = snprintf(text, sizeof(text), "%d/task/%d", pid, service(process)->tid());
	memcpy(buf, text, MIN((size_t)n, size));
	return (long)MIN((size_t)n, size);
}

const struct inode_ops proc_self_ops = { .readlink = self_readlink };
