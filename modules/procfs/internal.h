/*
 * What the files of procfs share.
 *
 * The fixed files are a tree of nodes that every mount shows (node.c); processes come and go under the root, looked up by number. Dentries of both
 * are checked by revalidate each time they are used.
 */
#pragma once

#include <asm/errno.h>

#include "core/lib/string.h"
#include "core/mem/aspace.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/module/services.h"
#include "modules/linux/process.h"
#include "modules/procfs/procfs.h"
#include "modules/vfs/text_file.h"
#include "modules/vfs/vfs.h"

struct proc_entry;

/* hidepid=: what is kept from those who may not trace a process. Numbers as in the option. */
enum proc_hide {
	PROC_HIDE_NOTHING = 0,
	PROC_HIDE_CONTENTS = 1,		/* what is in its directory */
	PROC_HIDE_NAMES = 2,		/* that it is there, too */
	PROC_HIDE_UNTRACEABLE = 4,	/* the same, also from the members of gid= */
};

/* One mount's super block; super->private. Options change by a remount at any time. */
struct proc_fs {
	struct super *super;
	struct list link;
	enum proc_hide hide;
	uint32_t gid;			/* whose members see everything */
	bool pid_only;			/* subset=pid */
};
static inline struct proc_fs *proc_fs_of(const struct inode *inode) { return inode->super->private; }
/* super.c: may the caller see what `least` and all above keep from strangers? */
bool proc_may_see(const struct proc_fs *fs, struct process *p, enum proc_hide least);
/* For inodes about a process: getattr, and permission of its directory. */
int proc_getattr(struct inode *inode, struct kstat *out);
int proc_permission(struct inode *inode, int mask);

/* Whom an inode below /proc/<pid> is about; inode->private. */
struct proc_target {
	struct process *process;	/* a reference */
	struct task *task;		/* with a reference: of task/<tid>, or /proc/<tid> of a thread; null: the process */
	bool thread_only;		/* below task/<tid> */
	const struct proc_entry *entry;	/* null: the directory itself, or a descriptor */
	int fd;				/* or which link below ns */
	uintptr_t start, end;		/* bounds of a mapping, below map_files */
};

/* A name below /proc/<pid> and /proc/<pid>/task/<tid>. */
struct proc_entry {
	const char *name;
	uint32_t mode;
	bool process_only;		/* not below task/<tid> */
	bool thread_only;		/* only there */
	bool memory;			/* about the memory of the moment of opening; text's arg: struct proc_memory */
	struct text_file_type text;	/* arg: struct proc_target; of most the one that calls the two below */
	int (*show)(struct text_out *t, void *who);
	long (*store)(const char *text, size_t n, void *who);
	int (*follow)(const struct proc_target *who, struct path *out);	/* links */
	const struct inode_ops *dir_ops;
	const struct file_ops *file_ops;	/* directories, and files that are no text */
};
static inline bool proc_entry_is_in(const struct proc_entry *e, const struct proc_target *dir)
{
	return !(dir->thread_only ? e->process_only : e->thread_only);
}

/*
 * The address space that a descriptor was opened for: what the process has become since, by exec, is
 * not shown. The structure is kept, the memory is not: aspace_use() tells if it is there still.
 */
struct proc_memory {
	struct aspace *as;		/* null: the process had none any more */
	struct process *process;	/* the inode's: it stays while the file is open */
};
/* Checks the right to look, and takes it. -EACCES, -ESRCH, -EINTR, -ENOMEM. */
int proc_memory_open(const struct proc_target *who, struct proc_memory **out);
void proc_memory_close(void *memory);
void proc_memory_file_release(struct file *f);	/* f->private is one */

/* process_inspect_begin() for the target; -EACCES if the caller may not. Then process_inspect_end(). */
int proc_inspect_begin(const struct proc_target *who);

/* Threads, an ended first one among them, as the directories and files show it. */
unsigned int proc_thread_count(const struct process *p);
/* For process_of_directory. */
struct process *proc_directory_process(struct file *f);
/* Has whom it is about gone? A zombie has not. */
bool proc_target_gone(const struct proc_target *who);
/* The target's thread, a process's first, ended or not, with a reference; null if it has gone. */
struct thread *proc_thread(const struct proc_target *who);
/* Its address space with a reference; null if none. */
struct aspace *proc_aspace(const struct proc_target *who);
/* Its number as /proc shows it. */
int proc_number(const struct proc_target *who);
/* An inode about a target (references are taken) in the super block of `dir`. Null when out. */
struct inode *proc_inode_create(const struct inode *dir, uint32_t mode, const struct proc_target *who);
void proc_inode_set_owner(struct inode *inode);
static inline struct proc_target *proc_target_of(const struct inode *inode) { return inode->private; }
/* A decimal name. -1 if it is none. */
int proc_parse_number(const struct dentry *d);

/* A region as maps shows it. */
struct region_copy {
	uintptr_t start, end;
	unsigned int flags;
	uint64_t offset, dev, ino;
	uint64_t object_pages;
	const char *label;
	bool file;
};

/* maps.c: calls fn for each region of a process; its file's name in path. Its line of maps. */
int proc_each_region(struct proc_memory *m, struct text_out *t,
		     void (*fn)(struct text_out *t, struct aspace *as, const struct region_copy *r, const char *path));
void proc_show_region(struct text_out *t, const struct aspace *as, const struct region_copy *r, const char *path);

/* Positions in a memory: any address. */
int64_t proc_memory_seek(struct file *f, int64_t offset, int whence);

/* link.c: follow and readlink of a link to a file (null: -ENOENT) or a place. They take the reference over. */
int proc_file_follow(struct file *f, struct path *out);
long proc_file_readlink(struct file *f, char *buf, size_t size);
long proc_path_readlink(struct path *p, char *buf, size_t size);

extern const struct inode_ops proc_root_ops, proc_self_ops, proc_pid_ops, proc_tasks_ops, proc_fds_ops, proc_fdinfos_ops,
	proc_map_files_ops, proc_ns_ops;
extern const struct file_ops proc_root_file_ops, proc_pid_file_ops, proc_tasks_file_ops, proc_fds_file_ops,
	proc_fdinfos_file_ops, proc_map_files_file_ops, proc_ns_file_ops, proc_mem_ops, proc_pagemap_ops;
extern const struct proc_entry proc_entries[];
extern const unsigned int proc_entry_count;

/* sys.c: a number of the user's text, which may end in a newline. 0 or -EINVAL. settings.c: what can be changed. */
int proc_parse_setting(const char *text, size_t n, int64_t *out);
int proc_settings_init(void);

/* pid_stat.c */
int proc_show_stat(struct text_out *t, void *arg);
int proc_show_statm(struct text_out *t, void *arg);
int proc_show_status(struct text_out *t, void *arg);
int proc_show_limits(struct text_out *t, void *arg);
int proc_show_io(struct text_out *t, void *arg);
int proc_show_schedstat(struct text_out *t, void *arg);
int proc_show_syscall(struct text_out *t, void *arg);
/* settings_pid.c */
int proc_show_timers(struct text_out *t, void *who);
int proc_show_timerslack(struct text_out *t, void *who);
long proc_store_timerslack(const char *text, size_t n, void *who);
int proc_show_oom_adj(struct text_out *t, void *who);
long proc_store_oom_adj(const char *text, size_t n, void *who);
int proc_show_sched(struct text_out *t, void *who);
int proc_show_autogroup(struct text_out *t, void *who);
long proc_store_clear_refs(const char *text, size_t n, void *who);
int proc_show_cpuset(struct text_out *t, void *who);
int proc_show_projid_map(struct text_out *t, void *who);
int proc_show_timens_offsets(struct text_out *t, void *who);
/* children.c */
int proc_show_children(struct text_out *t, void *who);
/* pid_maps.c */
int proc_show_maps(struct text_out *t, void *arg);
int proc_show_smaps(struct text_out *t, void *arg);
int proc_show_smaps_rollup(struct text_out *t, void *arg);
int proc_show_numa_maps(struct text_out *t, void *arg);
int proc_show_cmdline(struct text_out *t, void *arg);
int proc_show_environ(struct text_out *t, void *arg);
int proc_show_auxv(struct text_out *t, void *arg);

/*
 * node.c: the fixed files. lookup, revalidate (is_valid) and readdir of a directory of them; `only_always` leaves out all but self and thread-self.
 * lookup: 0 (d may stay negative) or -ENOMEM. readdir: false when the reader's buffer is full.
 */
int proc_node_add_self(const char *name);
struct inode *proc_node_root(struct super *s);
int proc_node_lookup(struct inode *dir, struct dentry *d, bool only_always);
bool proc_node_is_valid(struct inode *inode, bool only_always);
bool proc_node_readdir(struct file *f, struct dir_context *c, bool only_always);
int proc_node_getattr(struct inode *inode, struct kstat *out);
bool proc_node_is(const struct inode *inode);
void proc_node_evict(struct inode *inode);
void proc_nodes_free(void);

/* interrupts.c */
int proc_show_interrupts(struct text_out *t, void *arg);
int proc_show_softirqs(struct text_out *t, void *arg);
/* The line "intr" of /proc/stat. -ENOMEM. */
int proc_add_interrupts(struct text_out *t);

/* Fixed files. */
int proc_system_init(void);
int proc_sys_init(void);
/* sys_kernel.c: the part of it that is whole numbers and the version; called by proc_sys_init. */
int proc_sys_kernel_init(void);
/* names.c */
int proc_names_init(void);
int proc_sysvipc_init(void);
int proc_mqueue_init(void);
