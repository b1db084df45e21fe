/*
 * Mounts of /proc: each has a super block and options of its own; start and end of the module.
 *
 * hidepid= says what of other users' processes is shown; gid= whose members see everything all the same; subset=pid leaves out what is not about
 * processes. The list of mounts is for processes that end: it is guarded by mounts_lock, and who goes through it holds a reference to
 * the super block it stands on.
 */
#include <linux/capability.h>
#include <linux/magic.h>

#include "modules/procfs/internal.h"

static struct spinlock mounts_lock = SPINLOCK_INIT(mounts_lock);
static struct list mounts = LIST_INIT(mounts);

static const char *const hide_names[] = {
	[PROC_HIDE_NOTHING] = "off",
	[PROC_HIDE_CONTENTS] = "noaccess",
	[PROC_HIDE_NAMES] = "invisible",
	[PROC_HIDE_UNTRACEABLE] = "ptraceable",
};

bool proc_may_see(const struct proc_fs *fs, struct process *p, enum proc_hide least)
{
	enum proc_hide hide = READ_ONCE(fs->hide);
	int error;

	if (hide != PROC_HIDE_UNTRACEABLE) {
		if (hide < least || service(authority)->in_group(READ_ONCE(fs->gid)))
			return true;
	}
	error = process_may_inspect(p);
	/* A zombie has no thread left to ask for. */
	if (error == -ESRCH)
		return service(authority)->fsuid() == READ_ONCE(p->last_uid) ||
		       service(authority)->capable(CAP_SYS_PTRACE);
	return !error;
}

int proc_getattr(struct inode *inode, struct kstat *out)
{
	if (!proc_may_see(proc_fs_of(inode), proc_target_of(inode)->process, PROC_HIDE_NAMES))
		return -ENOENT;
	inode_fill_stat(inode, out);
	return 0;
}

/* Without the right to look into a process, its directory is barred, or looks as if it were not there. */
int proc_permission(struct inode *inode, int mask)
{
	const struct proc_target *who = proc_target_of(inode);
	const struct proc_fs *fs = proc_fs_of(inode);

	if (proc_target_gone(who))
		return -ESRCH;
	if (!who->thread_only && !proc_may_see(fs, who->process, PROC_HIDE_CONTENTS))
		return READ_ONCE(fs->hide) == PROC_HIDE_NAMES ? -ENOENT : -EPERM;
	return inode_mode_permission(inode, mask);
}

struct options {
	enum proc_hide hide;
	uint32_t gid;
	bool pid_only;
};

static int parse_hide(const char *value, const char *end, enum proc_hide *out)
{
	uint64_t number;

	for (unsigned int i = 0; i < ARRAY_SIZE(hide_names); i++) {
		const char *name = hide_names[i];

		if (name && strlen(name) == (size_t)(end - value) && !memcmp(name, value, strlen(name))) {
			*out = i;
			return 0;
		}
	}
	if (str_to_u64(value, end, 0, &number) || number >= ARRAY_SIZE(hide_names) || !hide_names[number])
		return -EINVAL;
	*out = (enum proc_hide)number;
	return 0;
}

static bool starts_with(const char *text, const char *end, const char *key, const char **value)
{
	size_t n = strlen(key);

	if ((size_t)(end - text) <= n || memcmp(text, key, n))
		return false;
	*value = text + n;
	return true;
}

static int parse_option(const char *text, const char *end, struct options *o)
{
	const char *value;
	uint64_t number;

	if (starts_with(text, end, "hidepid=", &value))
		return parse_hide(value, end, &o->hide);
	if (starts_with(text, end, "gid=", &value)) {
		if (str_to_u64(value, end, 0, &number) || number >= UINT32_MAX)
			return -EINVAL;
		o->gid = (uint32_t)number;
		return 0;
	}
	if (starts_with(text, end, "subset=", &value) && end - value == 3 && !memcmp(value, "pid", 3)) {
		o->pid_only = true;
		return 0;
	}
	return -EINVAL;
}

static int parse_options(const char *text, struct options *o)
{
	while (*text) {
		const char *end = strchr(text, ',');
		int error = 0;

		if (!end)
			end = text + strlen(text);
		if (end != text)
			error = parse_option(text, end, o);
		if (error)
			return error;
		text = *end ? end + 1 : end;
	}
	return 0;
}

static void apply_options(struct proc_fs *fs, const struct options *o)
{
	WRITE_ONCE(fs->gid, o->gid);
	WRITE_ONCE(fs->hide, o->hide);
	WRITE_ONCE(fs->pid_only, o->pid_only);
}

/* What is not named stays. */
static int proc_remount(struct super *s, const char *text)
{
	struct proc_fs *fs = s->private;
	struct options o = { fs->hide, fs->gid, fs->pid_only };
	int error = parse_options(text, &o);

	if (!error)
		apply_options(fs, &o);
	return error;
}

static int proc_check_options(const char *text)
{
	struct options o = { 0 };

	return parse_options(text, &o);
}

static int proc_show_options(struct super *s, char *buf, size_t size)
{
	const struct proc_fs *fs = s->private;
	int n = 0;

	if (size)
		buf[0] = 0;
	if (fs->gid)
		n += snprintf(buf, size, ",gid=%u", fs->gid);
	if (fs->hide != PROC_HIDE_NOTHING)
		n += snprintf(buf + MIN((size_t)n, size), size - MIN((size_t)n, size), ",hidepid=%s", hide_names[fs->hide]);
	if (fs->pid_only)
		n += snprintf(buf + MIN((size_t)n, size), size - MIN((size_t)n, size), ",subset=pid");
	return n;
}

static void proc_evict(struct inode *inode)
{
	struct proc_target *who = inode->private;

	if (proc_node_is(inode)) {
		proc_node_evict(inode);
	} else if (who) {
		if (who->task)
			task_put(who->task);
		process_put(who->process);
		kfree(who);
	}
}

static void proc_release(struct super *s)
{
	struct proc_fs *fs = s->private;

	if (!fs)
		return;
	spin_lock(&mounts_lock);
	list_remove(&fs->link);
	spin_unlock(&mounts_lock);
}

static const struct super_ops proc_super_ops = {
	.evict = proc_evict,
	.show_options = proc_show_options,
	.remount = proc_remount,
	.release = proc_release,
};

static int proc_mount(const struct fs_type *type, const char *source, unsigned int flags, const char *text,
		      struct super **out)
{
	struct options o = { 0 };
	int error = parse_options(text, &o);
	struct proc_fs *fs;
	struct inode *root;
	struct super *s;

	if (error)
		return error;
	s = super_create(type, &proc_super_ops, PROC_SUPER_MAGIC);
	if (s)
		s->block_size = 1024;
	fs = s ? kzalloc(sizeof(*fs), 0) : NULL;
	if (!fs)
		goto undo_super;
	apply_options(fs, &o);
	s->next_ino = 1;		/* the root's */
	list_init(&fs->link);
	fs->super = s;
	s->private = fs;
	s->flags |= flags;
	root = proc_node_root(s);
	s->root = root ? dentry_create_root(root) : NULL;
	if (!s->root)
		goto undo_super;
	spin_lock(&mounts_lock);
	list_add_tail(&mounts, &fs->link);
	spin_unlock(&mounts_lock);
	*out = s;
	return 0;
undo_super:
	if (s)
		super_put(s);
	return -ENOMEM;
}

static struct fs_type proc_type = {
	.name = "proc", .nodev = true, .mount = proc_mount, .check_options = proc_check_options,
};

/* What the cache knows of an ended process would keep its memory until the cache is short of room. */
void procfs_process_gone(void *group)
{
	struct process *p = group;
	struct super *previous = NULL;
	struct proc_fs *fs;
	char name[12];
	int n = snprintf(name, sizeof(name), "%d", p->pid->nr);

	spin_lock(&mounts_lock);
	list_for_each(fs, &mounts, link) {
		struct super *s = fs->super;

		/* One that is going away forgets everything. */
		if (!refcount_get_unless_zero(&s->refs))
			continue;
		spin_unlock(&mounts_lock);
		if (previous)
			super_put(previous);
		dentry_forget_child(s->root, name, (size_t)n);
		previous = s;
		spin_lock(&mounts_lock);
	}
	spin_unlock(&mounts_lock);
	if (previous)
		super_put(previous);
}

int procfs_init(void)
{
	int error = proc_node_add_self("self");

	if (!error)
		error = proc_node_add_self("thread-self");
	if (!error)
		error = proc_system_init();
	if (!error)
		error = proc_sys_init();
	if (!error)
		error = proc_sysvipc_init();
	if (!error)
		error = proc_mqueue_init();
	if (!error)
		error = fs_type_register(&proc_type);
	if (error)
		proc_nodes_free();
	else
		process_of_directory = proc_directory_process;
	return error;
}

void procfs_exit(void)
{
	process_of_directory = NULL;
	fs_type_unregister(&proc_type);
	proc_nodes_free();
}
