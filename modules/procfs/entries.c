/*
 * The names below /proc/<pid> and /proc/<pid>/task/<tid>: the links to files and directories of a process, small files, and the table of all.
 */
#include <linux/capability.h>

#include "modules/procfs/internal.h"

/* exec_lock is held. */
static int follow_exe(const struct proc_target *who, struct path *out)
{
	struct file *exe = who->process->exe;
	struct aspace *as = proc_aspace(who);	/* the program of who has memory */

	if (as)
		aspace_put(as);
	if (!exe || !as)
		return -ENOENT;
	*out = exe->path;
	path_get(out);
	return 0;
}

static int follow_cwd(const struct proc_target *who, struct path *out)
{
	struct thread *t = proc_thread(who);
	int error = t ? thread_get_cwd(t, out) : -ENOENT;

	if (t)
		thread_put(t);
	return error;
}

static int follow_root(const struct proc_target *who, struct path *out)
{
	struct thread *t = proc_thread(who);
	int error = t ? thread_get_root(t, out) : -ENOENT;

	if (t)
		thread_put(t);
	return error;
}

static int show_comm(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	struct thread *thread = proc_thread(who);

	text_printf(t, "%s\n", thread ? thread->name : who->process->last_name);
	if (thread)
		thread_put(thread);
	return 0;
}

static long store_comm(const char *text, size_t n, void *arg)
{
	struct proc_target *who = arg;
	struct thread *thread;
	char name[THREAD_NAME_SIZE];
	size_t length = n && text[n - 1] == '\n' ? n - 1 : n;

	if (who->process != current_process)
		return -EINVAL;
	thread = proc_thread(who);
	if (!thread)
		return -ESRCH;
	length = MIN(length, sizeof(name) - 1);
	memcpy(name, text, length);
	name[length] = 0;
	thread_set_name(thread, name);
	thread_put(thread);
	return (long)n;
}

static int show_oom_adj(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;

	text_printf(t, "%d\n", who->process->oom_score_adj);
	return 0;
}

static long store_oom_adj(const char *text, size_t n, void *arg)
{
	struct proc_target *who = arg;
	size_t length = n;
	int64_t value;

	while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
		length--;
	if (str_to_i64(text, text + length, 0, &value) || value < -1000 || value > 1000)
		return -EINVAL;
	if (value < who->process->oom_score_adj && !service(authority)->capable(CAP_SYS_RESOURCE))
		return -EACCES;
	WRITE_ONCE(who->process->oom_score_adj, (int)value);
	return (long)n;
}

static int show_oom_score(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	struct aspace *as = proc_aspace(who);
	int64_t score = who->process->oom_score_adj;

	if (as) {
		score += (int64_t)((as->resident_anon + as->resident_file) * 1000 / MAX(page_total(), 1ul));
		aspace_put(as);
	}
	score = 667 + score * 2 / 3;
	text_printf(t, "%lld\n", (long long)MAX(score, 0ll));
	return 0;
}

static int show_personality(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;
	int error = process_inspect_begin(who->process, who->task, INSPECT_FS_IDS);

	if (error)
		return error;
	text_printf(t, "%08lx\n", who->process->personality);
	process_inspect_end(who->process);
	return 0;
}

static int show_zero(struct text_out *t, void *arg)
{
	text_printf(t, "0");
	return 0;
}

/* The thread's, or the leader's, with a reference; null: reaped. */
static struct task *login_task(const struct proc_target *who)
{
	if (!who->task)
		return process_leader(who->process);
	task_get(who->task);
	return who->task;
}

static int show_login(struct text_out *t, const struct proc_target *who, bool session)
{
	struct task *task = login_task(who);

	if (!task)
		return -ESRCH;
	text_printf(t, "%u", READ_ONCE(*(session ? &task->login_session : &task->login_uid)));
	task_put(task);
	return 0;
}

static int show_login_uid(struct text_out *t, void *arg)
{
	return show_login(t, arg, false);
}

static int show_login_session(struct text_out *t, void *arg)
{
	return show_login(t, arg, true);
}

/* A thread writes its own alone: nobody else's fork can run beside it. */
static long store_login_uid(const char *text, size_t n, void *arg)
{
	const char *end = text + n - (n && text[n - 1] == '\n');
	struct task *task = login_task(arg);
	uint64_t value;
	int error;

	if (task)
		task_put(task);
	if (task != current_task)		/* compared only */
		return -EPERM;
	error = str_to_u64(text + (*text == '+'), end, 10, &value);
	if (!error && value > UINT32_MAX)
		error = -ERANGE;
	if (!error)
		error = task_set_login((uint32_t)value);
	return error ? error : (long)n;
}

static int show_id_map(struct text_out *t, void *arg)
{
	text_printf(t, "%10u %10u %10u\n", 0u, 0u, ~0u);
	return 0;
}

static int show_setgroups(struct text_out *t, void *arg)
{
	text_printf(t, "allow\n");
	return 0;
}

static int show_filter(struct text_out *t, void *arg)
{
	text_printf(t, "00000033\n");
	return 0;
}

static int show_cgroup(struct text_out *t, void *arg)
{
	text_printf(t, "0::/\n");
	return 0;
}

static bool add_line(const char *line, size_t n, void *arg)
{
	text_add(arg, line, n);
	return true;
}

static int show_mounts_format(struct text_out *t, struct proc_target *who, int format)
{
	struct path root;
	int error = follow_root(who, &root);

	if (error)
		return error == -ENOENT ? -EINVAL : error;
	error = mount_for_each(&root, format, add_line, t);
	path_put(&root);
	return error;
}

static int show_mounts(struct text_out *t, void *arg) { return show_mounts_format(t, arg, 0); }
static int show_mountinfo(struct text_out *t, void *arg) { return show_mounts_format(t, arg, 1); }
static int show_mountstats(struct text_out *t, void *arg) { return show_mounts_format(t, arg, 2); }

/* What is read or written of somebody who has gone is nobody's. */
static int proc_entry_show(struct text_out *t, void *arg)
{
	struct proc_target *who = arg;

	return proc_target_gone(who) ? -ESRCH : who->entry->show(t, who);
}

static long proc_entry_store(const char *text, size_t n, void *arg)
{
	struct proc_target *who = arg;

	return proc_target_gone(who) ? -ESRCH : who->entry->store(text, n, who);
}

#define MEMORY_ENTRY(n, m, fn) \
	{ .name = n, .mode = S_IFREG | (m), .memory = true, .text = { .show = fn, .close = proc_memory_close } }
#define FILE_ENTRY(n, m, fn) { .name = n, .mode = S_IFREG | (m), .text = { .show = proc_entry_show }, .show = fn }
#define SETTING_ENTRY(n, m, fn, set) \
	{ .name = n, .mode = S_IFREG | (m), .text = { .show = proc_entry_show, .store = proc_entry_store }, .show = fn, .store = set }

const struct proc_entry proc_entries[] = {
	{ .name = "task", .mode = S_IFDIR | 0555, .process_only = true, .dir_ops = &proc_tasks_ops,
	  .file_ops = &proc_tasks_file_ops },
	{ .name = "fd", .mode = S_IFDIR | 0500, .dir_ops = &proc_fds_ops, .file_ops = &proc_fds_file_ops },
	{ .name = "fdinfo", .mode = S_IFDIR | 0555, .dir_ops = &proc_fdinfos_ops, .file_ops = &proc_fdinfos_file_ops },
	{ .name = "map_files", .mode = S_IFDIR | 0500, .process_only = true, .dir_ops = &proc_map_files_ops,
	  .file_ops = &proc_map_files_file_ops },
	{ .name = "ns", .mode = S_IFDIR | 0511, .dir_ops = &proc_ns_ops, .file_ops = &proc_ns_file_ops },
	{ .name = "exe", .mode = S_IFLNK | 0777, .follow = follow_exe },
	{ .name = "cwd", .mode = S_IFLNK | 0777, .follow = follow_cwd },
	{ .name = "root", .mode = S_IFLNK | 0777, .follow = follow_root },
	FILE_ENTRY("stat", 0444, proc_show_stat),
	FILE_ENTRY("statm", 0444, proc_show_statm),
	FILE_ENTRY("status", 0444, proc_show_status),
	FILE_ENTRY("cmdline", 0444, proc_show_cmdline),
	SETTING_ENTRY("comm", 0644, show_comm, store_comm),
	MEMORY_ENTRY("environ", 0400, proc_show_environ),
	MEMORY_ENTRY("auxv", 0400, proc_show_auxv),
	MEMORY_ENTRY("maps", 0444, proc_show_maps),
	{ .name = "pagemap", .mode = S_IFREG | 0400, .file_ops = &proc_pagemap_ops },
	MEMORY_ENTRY("smaps", 0444, proc_show_smaps),
	MEMORY_ENTRY("smaps_rollup", 0444, proc_show_smaps_rollup),
	{ .name = "mem", .mode = S_IFREG | 0600, .file_ops = &proc_mem_ops },
	MEMORY_ENTRY("numa_maps", 0444, proc_show_numa_maps),
	FILE_ENTRY("limits", 0444, proc_show_limits),
	{ .name = "timers", .mode = S_IFREG | 0444, .process_only = true, .text = { .show = proc_entry_show }, .show = proc_show_timers },
	{ .name = "timerslack_ns", .mode = S_IFREG | 0666, .process_only = true,
	  .text = { .show = proc_entry_show, .store = proc_entry_store }, .show = proc_show_timerslack, .store = proc_store_timerslack },
	SETTING_ENTRY("oom_adj", 0644, proc_show_oom_adj, proc_store_oom_adj),
	FILE_ENTRY("sched", 0444, proc_show_sched),
	{ .name = "autogroup", .mode = S_IFREG | 0444, .process_only = true, .text = { .show = proc_entry_show }, .show = proc_show_autogroup },
	{ .name = "clear_refs", .mode = S_IFREG | 0200, .text = { .store = proc_entry_store }, .store = proc_store_clear_refs },
	FILE_ENTRY("cpuset", 0444, proc_show_cpuset),
	FILE_ENTRY("projid_map", 0444, proc_show_projid_map),
	{ .name = "timens_offsets", .mode = S_IFREG | 0444, .process_only = true, .text = { .show = proc_entry_show },
	  .show = proc_show_timens_offsets },
	FILE_ENTRY("io", 0400, proc_show_io),
	FILE_ENTRY("schedstat", 0444, proc_show_schedstat),
	{ .name = "children", .mode = S_IFREG | 0444, .thread_only = true, .text = { .show = proc_entry_show }, .show = proc_show_children },
	{ .name = "mounts", .mode = S_IFREG | 0444, .text = { .show = show_mounts, .wait = &mount_wait, .generation = mount_generation } },
	{ .name = "mountinfo", .mode = S_IFREG | 0444, .text = { .show = show_mountinfo, .wait = &mount_wait, .generation = mount_generation } },
	FILE_ENTRY("mountstats", 0400, show_mountstats),
	SETTING_ENTRY("oom_score_adj", 0644, show_oom_adj, store_oom_adj),
	FILE_ENTRY("oom_score", 0444, show_oom_score),
	FILE_ENTRY("personality", 0400, show_personality),
	FILE_ENTRY("syscall", 0400, proc_show_syscall),
	FILE_ENTRY("wchan", 0444, show_zero),
	SETTING_ENTRY("loginuid", 0644, show_login_uid, store_login_uid),
	FILE_ENTRY("sessionid", 0444, show_login_session),
	FILE_ENTRY("uid_map", 0444, show_id_map),
	FILE_ENTRY("gid_map", 0444, show_id_map),
	FILE_ENTRY("setgroups", 0444, show_setgroups),
	FILE_ENTRY("coredump_filter", 0444, show_filter),
	FILE_ENTRY("cgroup", 0444, show_cgroup),
};
const unsigned int proc_entry_count = ARRAY_SIZE(proc_entries);
