/*
 * execve: opening the program (through scripts to their interpreters), building the new address space, and the change-over.
 *
 * Up to process_kill_others() everything can fail and leaves the caller as it was. From then on the old program is gone: a failure
 * kills the process.
 */
#include "exec.h"

#include <gen/linux.h>
#include <linux/personality.h>
#include <linux/securebits.h>

#include "core/arch/thread.h"
#include "core/boot/boot.h"
#include "core/mem/uaccess.h"
#include "core/module/hooks.h"
#include "modules/vfs/fd.h"

/* What a caller may not impose on a program with more rights. */
#define PERSONALITY_UNSAFE (READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO)

static int read_head(struct exec *x)
{
	int64_t pos = 0;
	long n;

	memset(x->head, 0, sizeof(x->head));
	n = file_read_kernel(x->file, x->head, sizeof(x->head), &pos);
	return n < 0 ? (int)n : 0;
}

/*
 * The interpreter line of a script: `#! path [argument]`. Cuts x->head up. -ENOEXEC. Without a newline it ends with the file or the head,
 * which is zeroes behind the file; then a path that does not end within the head may be cut off.
 */
static int parse_script(char *line, const char **path, const char **argument)
{
	char *limit = line + EXEC_HEAD, *end = memchr(line, '\n', EXEC_HEAD), *at = line + 2;
	bool open = !end;

	while (at < limit && (*at == ' ' || *at == '\t'))
		at++;
	if (open) {
		for (end = at; end < limit && *end && *end != ' ' && *end != '\t'; end++)
			;
		if (end == limit)
			return -ENOEXEC;
		end = limit - 1;
	}
	while (end > line + 2 && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	if (at >= end && !open)
		return -ENOEXEC;
	*path = at;
	while (*at && *at != ' ' && *at != '\t')
		at++;
	*argument = NULL;
	if (*at) {
		*at++ = '\0';
		while (*at == ' ' || *at == '\t')
			at++;
		if (*at || (open && at < end))
			*argument = at;
	}
	/* A name that is empty is that of the current directory. */
	return **path ? 0 : -EACCES;
}

int exec_open_interpreter(struct exec *x, const char *path, struct file **out)
{
	int error = file_for_exec(AT_FDCWD, path, 0, out);

	if (error == -ENOENT && !x->missing)
		x->missing = kstrdup(path, 0);
	return error;
}

/* Replaces a script by its interpreter. */
static int enter_interpreter(struct exec *x, const char *script_name)
{
	const char *path, *argument, *words[3];
	unsigned int count = 0;
	struct file *f;
	int error = parse_script(x->head, &path, &argument);

	if (error)
		return error;
	words[count++] = path;
	if (argument)
		words[count++] = argument;
	words[count++] = script_name;
	error = exec_strings_prepend(&x->strings, words, count);
	if (!error)
		error = exec_open_interpreter(x, path, &f);
	if (error)
		return error;
	kfree(x->interpreter_name);
	x->interpreter_name = kstrdup(path, 0);
	file_exec_put(x->file);
	x->file = f;
	return x->interpreter_name ? read_head(x) : -ENOMEM;
}

static int find_program(struct exec *x)
{
	int error = read_head(x);

	for (int depth = 0; !error && x->head[0] == '#' && x->head[1] == '!'; depth++) {
		if (depth == EXEC_INTERPRETERS)
			return -ELOOP;
		if (x->closes_script)
			return -ENOENT;		/* the interpreter could not open it */
		error = enter_interpreter(x, x->interpreter_name ? x->interpreter_name : x->name);
	}
	return error;
}

/* Could another process change the directories under a program with more rights? */
static bool shares_directories(void)
{
	const void *mine = thread_fs_context(current);
	unsigned int own = 0;
	struct task *t;

	if (!current_task || fs_context_users() == 1)
		return false;
	for (int tid = 0; (t = process_next_task(current_process, tid)); task_put(t)) {
		tid = t->pid->nr;
		own += thread_fs_context(t->thread) == mine;
	}
	return fs_context_users() > own;
}

static int ask_authority(struct exec *x)
{
	struct vfs_ns_cap_data caps;
	struct exec_file f;
	struct kstat st;
	long n = file_exec_attributes(x->file, &st, &caps, sizeof(caps));
	int error;

	if (n < 0 && n != -ENODATA)
		return (int)n;
	f = (struct exec_file){ .uid = st.uid, .gid = st.gid, .mode = st.mode, .nosuid = file_nosuid(x->file),
				.shared = shares_directories(), .file_caps = n < 0 ? NULL : &caps,
				.file_caps_size = n < 0 ? 0 : (size_t)n };
	error = service(authority)->exec_prepare(&f, &x->change);
	/* A program that the caller may run but not read must not be read out of its memory. */
	if (!error && inode_permission(x->file->inode, MAY_READ))
		x->change.dumpable_reset = true;
	return error;
}

/* Another thread's number passes to the one that stays, if that one is not the leader. */
static void become_leader(struct task *t)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irqsave(&tree_lock);
	struct pid *old = NULL;
	struct task *before = p->leader;

	if (t->pid != p->pid) {
		old = t->pid;
		old->task = NULL;
		pid_unuse_locked(old);
		t->pid = p->pid;
		pid_get(t->pid);
		pid_use_locked(t->pid);
		t->pid->task = t;
	}
	spin_lock_raw(&p->lock);
	WRITE_ONCE(p->leader, t);
	spin_unlock_raw(&p->lock);
	process_uncharge_leader_locked(p);
	p->exit_signal = SIGCHLD;
	child_note_locked(p);
	p->did_exec = true;
	spin_unlock_irqrestore(&tree_lock, flags);
	if (before && before != t)
		task_put(before);
	pid_put(old);
}

static void set_name(struct exec *x)
{
	const char *slash = strrchr(x->name, '/');

	thread_set_name(current, slash ? slash + 1 : x->name);
}

/* exec_lock is held. Returns the old program. */
static struct file *change_image(struct exec *x)
{
	struct process *p = current_process;
	struct file *old_exe = p->exe;

	p->exe = x->file;
	x->file = NULL;
	WRITE_ONCE(p->exec_id, p->exec_id + 1);
	WRITE_ONCE(p->dumpable, x->change.dumpable_reset ? READ_ONCE(suid_dumpable) : 1);
	memset(p->membarrier_registered, 0, sizeof(p->membarrier_registered));
	thread_switch_aspace(x->as);
	x->as = NULL;
	return old_exe;
}

/* The program has more rights than who started it: what that one chose must not work against it. */
static void protect_from_caller(struct task *t)
{
	struct rlimit64 *stack = &t->process->limits[RLIMIT_STACK];
	unsigned long flags = spin_lock_irqsave(&t->process->lock);

	t->parent_death_signal = 0;
	t->process->personality &= ~(unsigned long)PERSONALITY_UNSAFE;
	stack->rlim_cur = MIN(stack->rlim_cur, 8ul << 20);
	spin_unlock_irqrestore(&t->process->lock, flags);
}

/*
 * The lock is held over everything that another process may look at or take: the image, `dumpable`,
 * the credentials and the descriptors (by the hooks).
 */
static int change_over(struct exec *x)
{
	struct task *t = current_task;
	struct process *p = t->process;
	struct file *old_exe;
	int error = process_kill_others();

	if (error)
		return error;
	hook_call_reverse(exec_release, current);
	task_release_user_state(t);
	become_leader(t);
	mutex_lock(&p->exec_lock);
	old_exe = change_image(x);
	if (x->change.secure)
		protect_from_caller(t);
	hook_call(exec, current);
	mutex_unlock(&p->exec_lock);
	task_finish_vfork(t);
	if (old_exe)
		file_exec_put(old_exe);
	signal_exec();
	t->altstack_flags = SS_DISABLE;
	t->altstack_base = t->altstack_size = 0;
	set_name(x);
	arch_thread_reset_user(current->frame, x->image.start, x->stack_pointer);
	return 0;
}

static int build(struct exec *x)
{
	int error = find_program(x);

	if (error)
		return error;
	error = ask_authority(x);
	if (error)
		return error;
	error = aspace_create(&x->as);
	if (error)
		return error;
	x->no_random = cmdline_value("norandmaps") ||
		       (!x->change.secure && (current_process->personality & ADDR_NO_RANDOMIZE));
	error = exec_layout(x);
	if (!error)
		error = exec_load_elf(x);
	if (!error)
		error = exec_build_stack(x);
	return error;
}

static void release(struct exec *x)
{
	if (x->as)
		aspace_put(x->as);
	if (x->file)
		file_exec_put(x->file);
	exec_strings_free(&x->strings);
	kfree(x->interpreter_name);
	kfree(x->missing);
	kfree(x->name);
	kfree(x);
}

static struct exec *exec_allocate(void)
{
	struct exec *x = kzalloc(sizeof(*x), 0);

	if (x && exec_strings_init(&x->strings)) {
		kfree(x);
		x = NULL;
	}
	return x;
}

/* x has its file, name and strings. */
static long run(struct exec *x)
{
	int error = build(x);

	if (!error)
		error = change_over(x);
	release(x);
	return error;
}

/* The name that the program is known by: the path, or /dev/fd/N of execveat. */
static int name_of(struct exec *x, int dirfd, const char *path)
{
	char buf[40];

	if (path[0] == '/' || dirfd == AT_FDCWD) {
		x->name = kstrdup(path, 0);
		return x->name ? 0 : -ENOMEM;
	}
	x->closes_script = thread_fd_cloexec(current, dirfd);
	if (!path[0]) {
		snprintf(buf, sizeof(buf), "/dev/fd/%d", dirfd);
		x->name = kstrdup(buf, 0);
	} else {
		size_t size = strlen(path) + sizeof(buf);

		x->name = kmalloc(size, 0);
		if (x->name)
			snprintf(x->name, size, "/dev/fd/%d/%s", dirfd, path);
	}
	return x->name ? 0 : -ENOMEM;
}

static long exec_user(int dirfd, struct ustr path, uintptr_t argv, uintptr_t envp, int flags)
{
	struct exec *x;
	char *name;
	long n;
	int error;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	error = user_check_exec();
	if (error)
		return error;
	name = kmalloc(PATH_SIZE_MAX, 0);
	x = exec_allocate();
	error = -ENOMEM;
	if (!name || !x)
		goto out;
	n = copy_string_from_user(name, path, PATH_SIZE_MAX);
	error = (int)n;
	if (n < 0)
		goto out;
	error = n == 0 && !(flags & AT_EMPTY_PATH) ? -ENOENT : 0;
	if (!error)
		error = name_of(x, dirfd, name);
	if (!error)
		error = file_for_exec(dirfd, name, flags, &x->file);
	if (!error)
		error = exec_strings_user(&x->strings, argv, envp);
	if (!error) {
		kfree(name);
		return run(x);
	}
out:
	kfree(name);
	if (x)
		release(x);
	return error;
}

long sys_execve(struct trap_frame *frame, struct ustr path, uintptr_t argv, uintptr_t envp)
{
	(void)frame;
	return exec_user(AT_FDCWD, path, argv, envp, 0);
}

long sys_execveat(struct trap_frame *frame, int32_t dirfd, struct ustr path, uintptr_t argv, uintptr_t envp, int32_t flags)
{
	(void)frame;
	return exec_user(dirfd, path, argv, envp, flags);
}

int exec_kernel(const char *path, const char *const *argv, const char *const *envp, char *missing, size_t size)
{
	struct exec *x = exec_allocate();
	int error;

	*missing = '\0';
	if (!x)
		return -ENOMEM;
	error = name_of(x, AT_FDCWD, path);
	if (!error)
		error = file_for_exec(AT_FDCWD, path, 0, &x->file);
	if (!error)
		error = exec_strings_kernel(&x->strings, argv, envp);
	if (!error)
		error = build(x);
	if (x->missing)
		str_copy(missing, x->missing, size);
	if (!error)
		error = change_over(x);
	release(x);
	return error;
}
