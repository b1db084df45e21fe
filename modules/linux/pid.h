/*
 * Numbers of threads, processes, groups and sessions: one space, one struct for each number in use.
 *
 * A struct pid outlives what it named: pidfds, timers and SIGIO owners hold it and find out that nobody is there any more. What it
 * names changes under tree_lock.
 */
#pragma once

#include "core/lib/list.h"
#include "core/lib/refcount.h"
#include "core/sync/rcu.h"
#include "core/sync/wait.h"

struct task;
struct process;

#define PID_MAX 32768
#define PID_RESERVED 300		/* numbers given out after a wrap begin here */

struct pid {
	struct refcount refs;
	int nr;
	struct task *task;		/* the thread with this number, a leader also when it has ended; null: none */
	struct process *process;	/* the process whose leader's number it is, until it is reaped */
	struct list group;		/* process.group_link of its process group */
	struct list session;		/* process.session_link of its session */
	struct wait_queue wait;		/* pidfd: the process has ended */
	unsigned int uses;		/* as thread, process, group, session: the number is free again at 0; tree_lock */
	struct pid *hash_next;
	struct rcu_head rcu;
};

/*
 * Number 0: the group and the session of init, and of what it starts, until they make their own. It is in no hash: no call can name
 * it, and nothing joins it but by fork.
 */
extern struct pid pid_none;

/* A new number. *out has one reference and one use. -EAGAIN when all are taken, -ENOMEM. `wanted`: 0 or an exact number (-EEXIST, -EINVAL). */
int pid_allocate(int wanted, struct pid **out);
static inline void pid_get(struct pid *p) { refcount_get(&p->refs); }
void pid_put(struct pid *p);
/* tree_lock held. */
void pid_use_locked(struct pid *p);
void pid_unuse_locked(struct pid *p);
struct pid *pid_find_locked(int nr);
/* The next number in use at or above nr; null at the end. */
struct pid *pid_next_locked(int nr);
/* The number given out last: the next one is looked for behind it. Below PID_MAX; may be written at any time. */
extern int pid_last;
/* With a reference; null if the number is not in use. */
struct pid *pid_find(int nr);
/* The next number in use at or above nr, with a reference; null at the end. */
struct pid *pid_next(int nr);
