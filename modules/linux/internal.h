/*
 * Private to modules/linux.
 */
#pragma once

#include <asm/errno.h>
#include <linux/sched.h>

#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/aspace.h"
#include "core/mem/slab.h"
#include "core/time/clock.h"
#include "core/module/export.h"
#include "core/module/services.h"
#include "modules/linux/process.h"
#include "modules/linux/session.h"
#include "modules/linux/signal.h"
#include "modules/linux/user.h"

/* pid.c */
int pid_start(void);

/* process.c */
extern struct kmem_cache *process_cache, *task_cache;
struct process *process_create(struct process *parent, const struct linux_clone *request);
/* Takes over the caller's reference to `user`, also when it fails. */
struct task *task_create(struct thread *thread, struct process *p, struct user *user);
/* A thread joins its process: lists and numbers. tree_lock and process.lock held. */
void task_attach_locked(struct task *t);
/* A new process joins its parent, group and session. tree_lock held. */
void process_attach_locked(struct process *p, struct process *parent, struct task *parent_task);
/* The group's list: the living before the dead. tree_lock held. */
void process_join_list_locked(struct process *p, struct pid *group);
/* Takes a zombie out of everything; the caller drops the tree's reference afterwards. tree_lock held. */
void process_detach_locked(struct process *p);
/* The first thread, which has ended, counts no longer against its user's limit. tree_lock held. */
void process_uncharge_leader_locked(struct process *p);
/* Adds what a thread used to the sums of its process. */
void process_add_thread_times(struct process *p, struct thread *t);
/* process_cpu_times with p->lock held. */
void process_cpu_times_locked(struct process *p, struct cpu_times *out);

/* children.c; tree_lock held for all. */
enum { CHILD_QUIET = 2, CHILD_ENDED = 4, CHILD_STOPPED = 6, CHILD_CONTINUED = 8 };
/* One that wait finds with __WCLONE only: its end is not told by SIGCHLD. */
static inline bool child_is_clone(const struct process *c) { return c->exit_signal != SIGCHLD; }
void child_add_locked(struct process *c, struct process *parent, struct task *parent_task);
void child_remove_locked(struct process *c);
/* Its parent's thread has ended. */
void child_leave_task_locked(struct process *c);
/* After a change of what it has to report, of its group or of its kind. */
void child_note_locked(struct process *c);
/* The first of the children with this event (CHILD_*, + 1 for clone children); null: there is none. */
struct process *child_with_event_locked(struct process *parent, unsigned int event);
struct process *child_of_group_with_event_locked(struct process *parent, const struct pid *group, unsigned int event);
/* Is one of these kinds alive? */
bool child_of_group_lives_locked(struct process *parent, const struct pid *group, bool clones, bool others);

/* clone.c */
long linux_clone_thread(struct linux_clone *request, struct trap_frame *frame);
/* clone(2)'s last two arguments, whose order is the port's. modules/linux/arch/<a>/. */
void arch_clone_arguments(uintptr_t fourth, uintptr_t fifth, uintptr_t *child_tid, uintptr_t *tls);

/* exec.c */
struct exec_strings;
/*
 * Runs a program in the calling process; kernel strings. For init. `missing` receives the name of the interpreter (of a script or of an ELF program)
 * that was not found, or "".
 */
int exec_kernel(const char *path, const char *const *argv, const char *const *envp, char *missing, size_t size);

/* exit.c */
void task_release_user_state(struct task *t);
/* The child of a vfork lets its parent go on. */
void task_finish_vfork(struct task *t);

/* wait.c */
void process_reap_children_of(struct process *p);

/* stop.c */
/* The thread stops here if its process is stopping. True if it did. */
bool signal_take_part_in_stop(void);
/*
 * A thread has stopped, or ends: the last one that process.stop_left counts completes the stop, which
 * the parent is told of. tree_lock and process.lock held.
 */
void signal_stop_count_locked(struct task *t);
/* Nobody is stopped or about to stop any more. process.lock held. */
void signal_end_stop_locked(struct process *p);

/*
 * limits.c: runs fn for the thread, the threads of a group, or those of a user (PRIO_*; 0: the caller's). Returns how many; stops at
 * nothing. May sleep.
 */
int task_for_targets(int which, int who, int (*fn)(struct task *t, void *arg), void *arg);

/* times.c */
void rusage_from_times(const struct cpu_times *t, struct rusage *out);
static inline void cpu_times_add(struct cpu_times *to, const struct cpu_times *from)
{
	to->user_ns += from->user_ns;
	to->system_ns += from->system_ns;
	to->faults_minor += from->faults_minor;
	to->faults_major += from->faults_major;
	to->switches_voluntary += from->switches_voluntary;
	to->switches_forced += from->switches_forced;
	if (to->peak_pages < from->peak_pages)
		to->peak_pages = from->peak_pages;
}

/* CAP_* */
#include <linux/capability.h>
static inline bool capable(int cap) { return service(authority)->capable(cap); }

/* pidfd.c */
int pidfd_create(struct pid *pid, unsigned int flags, struct file **out);
/* The pid of a pidfd; null if the file is not one. No reference. */
struct pid *pidfd_pid(struct file *f);
/* The process behind a pidfd, or behind a directory of /proc if those are taken; with a reference. -EBADF, -ESRCH. */
int pidfd_process(int fd, bool directories, struct process **out);

/* namespaces.c: may the caller have those of its name spaces anew that CLONE_NEW* flags say? -EPERM, -EINVAL for kinds that there are not. */
int namespaces_check(uint64_t flags);

/* oom.c */
bool oom_kill_one(void);
