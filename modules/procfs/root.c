/*
 * The root of /proc: fixed files, self, and the processes; mounting, start and end of the module.
 *
 * All mounts show one super block. Dentries of processes are not pinned: revalidate drops them when the process was
 * reaped, and the LRU list when nobody looks.
 */
#include <linux/magic.h>

#include "modules/procfs/internal.h"

#define PID_POSITION (1ll << 40)	/* readdir positions of processes begin here, above all cursors */

struct super *proc_super;

struct thread *proc_thread(const struct proc_target *who)
{
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct thread *t = NULL;
	struct task *each;

	list_for_each(each, &who->process->tasks, link) {
		if (who->task ? each == who->task : true) {
			t = each->thread;
			if (t)
				thread_get(t);
			break;
		}
	}
	spin_unlock_irqrestore(&tree_lock, flags);
	return t;
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

	if (t) {
		if (who->process->dumpable == 1)
			service(authority)->identity(t, &id);
		thread_put(t);
	}
	inode->uid = id.euid;
	inode->gid = id.egid;
}

struct inode *proc_inode_create(uint32_t mode, const struct proc_target *who)
{
	struct proc_target *copy = kmemdup(who, sizeof(*who), 0);
	struct inode *inode = copy ? inode_create(proc_super, mode) : NULL;

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

static void proc_evict(struct inode *inode)
{
	struct proc_target *who = inode->private;

	if (text_tree_is_node(inode)) {
		text_tree_evict(inode);
		return;
	}
	if (!who || inode->ops == &proc_root_ops)
		return;
	if (who->task)
		task_put(who->task);
	process_put(who->process);
	kfree(who);
}

static int root_lookup(struct inode *dir, struct dentry *d)
{
	int nr = proc_parse_number(d);
	struct proc_target who = { .fd = -1 };
	struct inode *inode;

	if (nr < 0)
		return 0;
	who.process = process_find(nr);
	if (!who.process)
		return 0;
	inode = proc_inode_create(S_IFDIR | 0555, &who);
	process_put(who.process);
	if (!inode)
		return -ENOMEM;
	inode->ops = &proc_pid_ops;
	inode->file_ops = &proc_pid_file_ops;
	dentry_attach(d, inode);
	return 0;
}

static bool root_revalidate(struct inode *dir, struct dentry *d)
{
	struct proc_target *who;

	if (!d->inode || d->inode->ops != &proc_pid_ops)
		return true;
	who = proc_target_of(d->inode);
	if (READ_ONCE(who->process->state) == PROCESS_REAPED)
		return false;
	proc_inode_set_owner(d->inode);
	return true;
}

const struct inode_ops proc_root_ops = {
	.lookup = root_lookup,
	.revalidate = root_revalidate,
	.no_negative = true,
};

/* Passes entries on and notes whether the reader's buffer is full. */
struct root_context {
	struct dir_context context;
	struct dir_context *outer;
	bool full;
};

/* The fixed entries only: cached processes are among the children, too, and come later in their order. */
static bool emit_fixed(struct dir_context *c, const char *name, size_t n, uint64_t ino, unsigned int type)
{
	struct root_context *r = container_of(c, struct root_context, context);

	if (name[0] >= '0' && name[0] <= '9')
		return true;
	r->outer->pos = c->pos;
	r->full = !r->outer->emit(r->outer, name, n, ino, type);
	return !r->full;
}

static int root_readdir(struct file *f, struct dir_context *c)
{
	struct root_context r = { .context = { c->pos, emit_fixed }, .outer = c };

	if (c->pos < PID_POSITION) {
		pinned_dir_ops.readdir(f, &r.context);
		if (r.full)
			return 0;
		c->pos = PID_POSITION;
	}
	for (;;) {
		struct process *p = process_next((int)(c->pos - PID_POSITION));
		char name[12];
		int n, nr;

		if (!p)
			return 0;
		nr = p->pid->nr;
		process_put(p);
		c->pos = PID_POSITION + nr;
		n = snprintf(name, sizeof(name), "%d", nr);
		if (!c->emit(c, name, (size_t)n, (uint64_t)nr + 100000, dirent_type(S_IFDIR)))
			return 0;
		c->pos++;
	}
}

static int64_t root_seek(struct file *f, int64_t offset, int whence)
{
	return pinned_dir_ops.seek(f, offset, whence);
}

static void root_release(struct file *f)
{
	pinned_dir_ops.release(f);
}

const struct file_ops proc_root_file_ops = {
	.readdir = root_readdir,
	.seek = root_seek,
	.release = root_release,
};

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

static const struct inode_ops self_ops = { .readlink = self_readlink };

static int add_self(const char *name)
{
	struct dentry *root = proc_super->root, *d;
	struct inode *inode = inode_create(proc_super, S_IFLNK | 0777);
	int error;

	if (!inode)
		return -ENOMEM;
	inode->ops = &self_ops;
	mutex_lock(&root->inode->lock);
	error = dentry_child(root, name, strlen(name), &d);
	if (!error) {
		dentry_pin(d);
		dentry_attach(d, inode);
		dentry_put(d);
	}
	mutex_unlock(&root->inode->lock);
	if (error)
		inode_put(inode);
	return error;
}

int procfs_add(const char *path, uint32_t mode, const struct text_file_type *type, void *arg)
{
	return text_tree_add(proc_super, path, mode, type, arg);
}
MODAPI(procfs_add);

void procfs_remove(const char *path)
{
	text_tree_remove(proc_super, path);
}
MODAPI(procfs_remove);

static void proc_release(struct super *s)
{
	if (s->root)
		dentry_unpin_tree(s->root);
}

static const struct super_ops proc_super_ops = { .evict = proc_evict, .release = proc_release };

static int proc_mount_type(const struct fs_type *type, const char *source, unsigned int flags,
			   const char *options, struct super **out)
{
	super_get(proc_super);
	*out = proc_super;
	return 0;
}

static struct fs_type proc_type = { .name = "proc", .nodev = true, .mount = proc_mount_type };

int procfs_init(void)
{
	struct inode *root;
	int error;

	proc_super = super_create(&proc_type, &proc_super_ops, PROC_SUPER_MAGIC);
	root = proc_super ? text_tree_root(proc_super) : NULL;
	if (!root)
		return -ENOMEM;
	root->ops = &proc_root_ops;
	root->file_ops = &proc_root_file_ops;
	proc_super->root = dentry_create_root(root);
	if (!proc_super->root)
		return -ENOMEM;
	error = add_self("self");
	if (!error)
		error = add_self("thread-self");
	if (!error)
		error = proc_system_init();
	if (!error)
		error = proc_sys_init();
	if (!error)
		error = proc_sysvipc_init();
	if (!error)
		error = fs_type_register(&proc_type);
	return error;
}

void procfs_exit(void)
{
	fs_type_unregister(&proc_type);
	super_put(proc_super);
}

/* What the cache knows of an ended process would keep its memory until the cache is short of room. */
void procfs_process_gone(void *group)
{
	struct process *p = group;
	char name[12];
	int n = snprintf(name, sizeof(name), "%d", p->pid->nr);

	dentry_forget_child(proc_super->root, name, (size_t)n);
}
