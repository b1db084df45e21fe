/*
 * Processes and their threads, as Linux programs see them.
 *
 * struct task is what this module keeps for a core thread (its data slot); struct process is shared by the threads of one thread group.
 *
 * Locking, outermost first, all with interrupts off, since timers send signals from interrupts:
 *   tree_lock        parents, children, groups, sessions, what numbers name, lists of threads, exit states
 *   process.lock     pending signals of the process and its tasks, blocked masks of others' view, stop state, limits
 *   sighand.lock     the actions
 * A task's own blocked mask is written by itself alone, under process.lock. A process stays while one of: a thread of it lives, its parent
 * has not reaped it, somebody holds a reference.
 */
#pragma once

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/signal.h>
#include <linux/resource.h>

#include "core/lib/list.h"
#include "core/lib/rbtree.h"
#include "core/lib/refcount.h"
#include "core/sched/clone.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/wait.h"
#include "modules/linux/pid.h"

struct file;
struct process;
struct tty;

#define SIGNALS 64			/* numbers 1..64 */
#define SIGNAL_BIT(sig) (1ull << ((sig) - 1))

/* linux/signal.h's names that the kernel needs and user headers spell otherwise. */
#define SIG_KILL_STOP (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
#define SIG_STOPS (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | \
		   SIGNAL_BIT(SIGTTOU))

struct signal_action {
	uintptr_t handler;		/* SIG_DFL, SIG_IGN or an address */
	uint64_t flags;			/* SA_* */
	uintptr_t restorer;
	uint64_t mask;
};

/* Actions, shared by CLONE_SIGHAND. */
struct sighand {
	struct refcount refs;
	struct spinlock lock;
	struct signal_action action[SIGNALS];
};

/* One queued signal with its information. */
struct signal_entry {
	struct list link;
	struct siginfo info;
	void *owner;			/* posix timer: its record stays queued while pending; see signal_timer_* */
	/* Called without locks when it was taken, to complete what the taker gets, or flushed (`taken` null). Null: the entry is freed. */
	void (*dequeued)(struct signal_entry *e, struct siginfo *taken);
	struct user *user;		/* whose RLIMIT_SIGPENDING it counts against; null: nobody's */
};

struct signal_pending {
	uint64_t set;
	struct list queue;
};

/* What restart_syscall(2) goes on with. */
struct restart_block {
	long (*fn)(struct restart_block *r);
	uint64_t deadline;		/* ns on the clock meant */
	uintptr_t user;
	uint64_t word[4];
};

struct task {
	struct thread *thread;
	struct process *process;
	struct pid *pid;
	struct list link;		/* process.tasks; tree_lock and process.lock to change */
	struct list children;		/* processes that it made and that are its process's children; tree_lock */
	struct refcount refs;

	uint64_t blocked;		/* signals held back */
	uint64_t saved_blocked;		/* what sigsuspend and ppoll bring back */
	bool restore_blocked;
	uint64_t forced;		/* synchronous faults that nothing may hold back */
	uint64_t waiting_for;		/* sigtimedwait: signals that wake although blocked */
	struct signal_pending pending;
	uintptr_t altstack_base;
	size_t altstack_size;
	int altstack_flags;
	struct restart_block restart;
	unsigned long fault_number, fault_error, fault_address;	/* of the last fault, for signal frames */

	uintptr_t clear_child_tid;
	bool exiting;
	bool ended;			/* left its process; tree_lock to change */
	bool counted;			/* what it used is in dead_threads; process.lock */
	bool stopped;			/* waits in a job-control stop */
	bool stop_taken;		/* took a stop signal that no SIGCONT has cancelled; process.lock */
	bool stop_counted;		/* is one of process.stop_left; process.lock */
	int exit_code;			/* as wait(2) sees it */
	int parent_death_signal;
	struct wait_queue *vfork_wait;	/* the parent waits in vfork; done when null */
	struct wait_queue stop_wait;
	uint64_t timer_slack_ns;
	unsigned int memory_policy;	/* mempolicy.c; 0: none; written by the thread itself */
	int io_priority;		/* IOPRIO_PRIO_VALUE; 0: follows nice */
	uint64_t timer_slack_default_ns;	/* what the creator had */
	struct user *user;		/* of the real user id; changed under process.lock */
	uint32_t login_uid;		/* NO_LOGIN_ID: not set; written by the thread itself alone */
	uint32_t login_session;		/* of the login that set it */
	struct sem_undo_share *sem_undo;	/* sem_undo.h; null until it is needed */
	bool over_task_limit;		/* the user had too many tasks when this one came to it */
	struct rcu_head rcu;
};

#define NO_LOGIN_ID UINT32_MAX

enum process_state { PROCESS_ALIVE, PROCESS_ZOMBIE, PROCESS_REAPED };

/* What threads used. As process_cpu_times gives it, user and system time are parts of run_ns; in sums of threads they are samples. */
struct cpu_times {
	uint64_t run_ns;
	uint64_t user_ns, system_ns;
	uint64_t faults_minor, faults_major;
	uint64_t switches_voluntary, switches_forced;
	uint64_t read_bytes, write_bytes, read_calls, write_calls;
	uint64_t peak_pages;
};

/* What `dumpable` becomes when a process gets other rights (proc_sys_fs(5)). */
extern int suid_dumpable;

struct process {
	struct refcount refs;
	struct pid *pid;
	struct spinlock lock;
	enum process_state state;

	/* tree_lock */
	struct process *parent;
	struct task *parent_task;	/* for __WNOTHREAD and pdeath signals; null once it ended */
	struct list children, sibling;
	struct list own_sibling;	/* parent_task->children */
	struct rb_root events, group_events;	/* children with something to report: children.c */
	unsigned int living_children[2];	/* ordinary ones, clone children */
	uint64_t birth;			/* order among the children of its parent */
	unsigned int event;		/* CHILD_*, + 1 for a clone child: as its parent knows it */
	uintptr_t event_group;
	struct rb_node event_node, group_event_node;
	struct list tasks;		/* those that live, leader first */
	unsigned int task_count;	/* alive */
	struct task *leader;		/* also when it has ended, then with a reference, until the process is reaped; null then */
	struct pid *group, *session;
	struct list group_link, session_link;
	bool session_leader;
	struct tty *tty;		/* controlling terminal, the same for the whole session; session's tty lock: tree_lock */
	struct pid *tty_old_group;	/* of a leader: in the foreground when the terminal hung up; a reference, or null */
	bool subreaper, has_subreaper_above;
	bool did_exec;			/* setpgid of a child refuses after it */
	int exit_signal;		/* sent to the parent, if it is a signal; 0...255 */
	uint64_t parent_exec_id;	/* the creator's exec_id: after its next exec it gets SIGCHLD */
	bool autoreap;
	int exit_code;			/* as wait(2) sees it */

	/* lock */
	struct sighand *sighand;
	struct signal_pending pending;	/* of the whole process */
	uint64_t task_pending;		/* signals that may be pending for single threads */
	uint64_t none_takes;		/* signals that no thread would take, as far as is known */
	struct task *last_taker;	/* the thread other than the leader that took one; null: nobody */
	bool stop_taken;		/* some thread's stop_taken may be set */
	bool group_exit;
	int group_exit_code;
	struct task *group_exec;	/* the thread that execs and waits for the others to go */
	unsigned int stop_left;		/* threads that have not stopped yet: those with stop_counted */
	int stop_signal;		/* 0: not stopping or stopped */
	bool stopped;			/* completely */
	int stop_code;			/* not yet reported by wait: signal, or 0 */
	bool continued;			/* not yet reported by wait */
	struct rlimit64 limits[RLIM_NLIMITS];

	struct wait_queue child_wait;	/* wait4 of this process */
	struct wait_queue exec_wait;	/* group_exec waits for task_count 1 */
	struct wait_queue signalfd_wait;	/* a signal became pending */

	/* Written by the process itself, read by /proc. */
	struct mutex exec_lock;		/* held over exec's change of image, identity and files: inspect.c */
	struct file *exe;		/* under exec_lock */
	int dumpable;			/* 0, 1, 2 */
	int oom_score_adj;
	int nice_limit;
	unsigned long personality;
	bool membarrier_registered[4];
	bool huge_pages_disabled;	/* remembered for PR_GET_THP_DISABLE: there are none */
	struct cpu_times dead_threads;	/* process.lock; run_ns exact, user and system as interrupts found them */
	struct cpu_split told;		/* process.lock: user and system time as they were told last */
	struct cpu_times children_times;	/* of reaped descendants; process.lock */
	uint64_t start_ns;
	struct user *user;		/* of the first thread, once that has ended: counted until the process is reaped; tree_lock */
	uint32_t last_uid;		/* of the last thread, for wait when nobody is left to ask */
	char last_name[16];		/* its name, for /proc of a zombie */
	uint64_t exec_id;		/* counts execs; 64 bits, never wraps */
	void *timers;			/* posix_timers': its group of timers; null until the first */
};

extern struct spinlock tree_lock;
extern struct process *init_process;
extern int linux_slot;

/* The task of a thread, null for kernel threads; and of the caller. */
static inline struct task *task_of(const struct thread *t) { return thread_data(t, linux_slot); }
#define current_task    task_of(current)
#define current_process (current_task->process)

static inline void process_get(struct process *p) { refcount_get(&p->refs); }
void process_put(struct process *p);
static inline void task_get(struct task *t) { refcount_get(&t->refs); }
void task_put(struct task *t);

/* By number, with a reference; null if there is none. A zombie process is found until it is reaped, and so is a leader that has ended. */
struct process *process_find(int pid);
struct task *task_find(int tid);
/* The process that a thread with this number belongs to, as most calls take it. */
struct process *process_find_any(int tid);
/* The first thread, ended or not, with a reference; null when the process has been reaped. */
struct task *process_leader(struct process *p);
/* Has the thread ended, and is its number no process's? */
static inline bool task_is_gone(const struct task *t)
{
	return READ_ONCE(t->ended) && READ_ONCE(t->process->leader) != t;
}
/* The process with the lowest number >= nr that is not reaped (for /proc), with a reference; null at the end. */
struct process *process_next(int nr);
/* The thread with the lowest number > tid in p, with a reference; null at the end. An ended leader is among them. */
struct task *process_next_task(struct process *p, int tid);

/* Sums over living and dead threads. No time is less than in an earlier call. */
void process_cpu_times(struct process *p, struct cpu_times *out);
/* Running time alone, exact. */
uint64_t process_runtime(struct process *p);
/* What its reaped children used, and theirs. */
void process_children_times(struct process *p, struct cpu_times *out);

/* A limit's soft value. */
static inline uint64_t process_limit(const struct process *p, unsigned int which)
{
	return READ_ONCE(p->limits[which].rlim_cur);
}

/* RLIMIT_DATA as it counts for mappings: a soft limit of 0 leaves the hard one in force, as on Linux. */
static inline uint64_t process_data_limit(const struct process *p)
{
	uint64_t limit = process_limit(p, RLIMIT_DATA);

	return limit ? limit : READ_ONCE(p->limits[RLIMIT_DATA].rlim_max);
}

/*
 * May the caller look at the process (its thread `t`; null: any), as ptrace(2) describes? 0 and exec_lock
 * held, so that it stays true, until process_inspect_end(); -EPERM, -ESRCH without a thread, -EINTR.
 */
enum inspect_ids { INSPECT_FS_IDS, INSPECT_REAL_IDS };
int process_inspect_begin(struct process *p, struct task *t, enum inspect_ids ids);
void process_inspect_end(struct process *p);
/* The same of two, which may be one. */
int process_inspect_begin_two(struct process *a, struct process *b, enum inspect_ids ids);
void process_inspect_end_two(struct process *a, struct process *b);
/* Checks, and takes the address space (-ESRCH if it has gone) or a descriptor's file, with a reference. */
int process_take_aspace(struct process *p, struct task *t, enum inspect_ids ids, struct aspace **out);
int process_take_file(struct process *p, struct task *t, enum inspect_ids ids, int fd, struct file **out);
/* Without the lock: for what is shown or hidden, not for what is taken. */
int process_may_inspect(struct process *p);

/*
 * Writes the caller's login uid, as PAM does at a login: a number gives it a login session of its own, NO_LOGIN_ID takes both away.
 * Unset, anybody may set it; set, it takes CAP_AUDIT_CONTROL: -EPERM. Children inherit both.
 */
int task_set_login(uint32_t uid);

/* Registered by procfs: the process whose directory of /proc an open file is, with a reference; null: it is none. */
extern struct process *(*process_of_directory)(struct file *f);

/* clone(2)'s request as it goes through the thread_create hooks. */
struct linux_clone {
	struct clone_request head;	/* flags */
	int exit_signal;
	uintptr_t stack, tls;
	uintptr_t child_tid, parent_tid, pidfd;
	int set_tid[1];
	unsigned int set_tid_count;
	struct file *pidfd_file;
	int pidfd_number;
	struct wait_queue *vfork_wait;
	struct task *child;		/* out */
};

/* Ends the calling thread (code as wait(2) sees it) or its whole process. */
void task_exit(int code) __attribute__((noreturn));
void process_exit_group(int code) __attribute__((noreturn));
/* Kills the other threads of the process and waits until they are gone, for exec. -EAGAIN if somebody else does so. */
int process_kill_others(void);

/* What init is: set by the boot code of the module; see init.c */
void linux_start_init(void);
