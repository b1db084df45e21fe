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
/* Takes a zombie out of everything; the caller drops the tree's reference afterwards. tree_lock held. */
void process_detach_locked(struct process *p);
/* The first thread, which has ended, counts no longer against its user's limit. tree_lock held. */
void process_uncharge_leader_locked(struct process *p);
/* Adds what a thread used to the sums of its process. */
void process_add_thread_times(struct process *p, struct thread *t);
/* process_cpu_times with p->lock held. */
void process_cpu_times_locked(struct process *p, struct cpu_times *out);

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

/* namespaces.c: may the caller have those of its name spaces anew that CLONE_NEW* flags say? -EPERM, -EINVAL for kinds that there are not. */
int namespaces_check(uint64_t flags);

/* oom.c */
bool oom_kill_one(void);
