/*
 * Services: named tables of operations with a default in the core (services.c) that serves while no module provides them.
 * Use: service(authority)->capable(CAP_SYS_ADMIN).
 */
#pragma once

#include "core/lib/types.h"

struct thread;
struct wait_queue;

/* Who somebody is, for permission questions and for stat, /proc and siginfo. */
struct identity {
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
};

/* The file that exec runs, as authority needs it. */
struct exec_file {
	uint32_t uid, gid, mode;
	bool nosuid;			/* mount flag, or a tracer without privilege */
	bool shared;			/* another process shares the caller's root and working directory */
	const void *file_caps;		/* value of security.capability, or null */
	size_t file_caps_size;
};

/* What exec makes of the caller. */
struct exec_change {
	struct identity id;
	bool secure;			/* AT_SECURE: the program runs with other rights than its caller's */
	bool dumpable_reset;		/* others may not inspect it */
};

/* Answers permission questions. Provided by cred. None of these sleeps, but exec_commit and thread-related ones run in process context. */
struct authority_ops {
	/* The calling thread. */
	uint32_t (*fsuid)(void);
	uint32_t (*fsgid)(void);
	bool (*in_group)(uint32_t gid);			/* fsgid or supplementary */
	bool (*capable)(int cap);			/* CAP_* of linux/capability.h */
	/* access(2): ids are the real ones, capabilities as if exec'd by them, until undone. */
	void (*use_real_ids)(bool on);
	/* Another thread, or the caller itself. */
	void (*identity)(struct thread *t, struct identity *out);
	bool (*thread_capable)(struct thread *t, int cap);
	/* 0 or -EPERM: may the caller signal / trace or inspect / reschedule t? */
	int (*may_signal)(struct thread *t);
	int (*may_trace)(struct thread *t, bool attach);
	int (*may_schedule)(struct thread *t);
	/* exec: computes the new identity. -EPERM, -EINVAL, -ENOMEM. Commit happens in the exec hook. */
	int (*exec_prepare)(const struct exec_file *f, struct exec_change *out);
	/* Supplementary groups of t: number of them, copies up to max. */
	int (*groups)(struct thread *t, uint32_t *out, int max);
	/* Capability sets of t: inheritable, permitted, effective, bounding, ambient. */
	void (*capabilities)(struct thread *t, uint64_t sets[5]);
	/* PR_* of prctl(2) that concern credentials (capbset, securebits, ambient, keepcaps): -EINVAL if not one of them. */
	long (*prctl)(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5);
	/* no_new_privs of the calling thread: the personality sets it. */
	bool (*no_new_privs)(void);
	void (*set_no_new_privs)(void);
};

/* What files need to know of processes. Provided by linux. */
struct process_ops {
	int (*pid)(void);				/* of the calling process; 0 without a personality */
	int (*tid)(void);
	int (*thread_pid)(struct thread *t);
	int (*thread_tid)(struct thread *t);
	/*
	 * The thread with this number, with a reference; null if there is none. A process's first is found until that is reaped, also when it has
	 * ended. Any thread context, also under spinlocks.
	 */
	struct thread *(*thread_find)(int tid);
	/*
	 * The caller's effective ids or capabilities are about to change: from now on others may not
	 * dump or inspect it as before.
	 */
	void (*identity_changes)(void);
	/*
	 * Calls fn for the thread with this number, ended or not, if the caller may look at it as ptrace(2) describes; it does not execute another
	 * program meanwhile. -EPERM, -ESRCH, -EINTR. Sleeps.
	 */
	int (*inspect)(int tid, void (*fn)(struct thread *t, void *arg), void *arg);
	/* The caller is about to get this real user id: limits by user count it there. -EAGAIN when out of memory. */
	int (*user_change)(uint32_t uid);
	uint64_t (*rlimit)(unsigned int resource);	/* of the caller, UINT64_MAX: none */
	void (*signal_current)(int sig);		/* SIGPIPE, SIGXFSZ to the calling thread */
	/* F_SETOWN: is there such an owner? type 0 thread, 1 process, 2 process group. */
	bool (*owner_exists)(int type, int id);
	/* Sends with si_code and fd as SIGIO does. Any thread context. */
	void (*signal_owner)(int type, int id, uint32_t uid, uint32_t euid, int sig, int fd, long band);
};

/* Waking user words. Provided by futex. */
struct futex_ops {
	/* Wakes up to n private or shared waiters of the word in the caller's address space. */
	int (*wake)(uintptr_t uaddr, bool private_key, int n);
};

/*
 * The signal mask that ppoll, pselect6, epoll_pwait and the like exchange for the length of a call. Provided by linux.
 * The default knows no signals: swap_user gives -ENOSYS. Callers with a null set call neither function.
 */
struct signal_mask_ops {
	/* Saves the caller's mask and sets the one at `sigset` (KILL and STOP stay unblocked). -EINVAL if size is not 8, -EFAULT. */
	int (*swap_user)(uintptr_t sigset, size_t size);
	/*
	 * Once after each successful swap_user. Not interrupted: the saved mask comes back at once, so a signal that only the
	 * exchanged mask let through stays pending. Interrupted (the call is about to return -EINTR or a restart code): the
	 * exchanged mask stays until signals are looked at before the return to user mode; a handler's frame gets the
	 * saved mask as the one to return to, and without a handler the saved mask comes back then.
	 */
	void (*restore)(bool interrupted);
};

/* System V IPC as /proc shows it. Provided by sysvipc; the default has nothing to show (-ENOSYS). May sleep. */
enum sysvipc_kind { SYSVIPC_SHM, SYSVIPC_SEM, SYSVIPC_MSG };
enum sysvipc_limit {
	SYSVIPC_SHMMAX, SYSVIPC_SHMALL, SYSVIPC_SHMMNI,
	SYSVIPC_SEMMSL, SYSVIPC_SEMMNS, SYSVIPC_SEMOPM, SYSVIPC_SEMMNI,
	SYSVIPC_MSGMAX, SYSVIPC_MSGMNB, SYSVIPC_MSGMNI,
	SYSVIPC_LIMITS,
};
struct text_out;
struct sysvipc_ops {
	/* All objects, a line each, under a line of titles. */
	int (*show)(enum sysvipc_kind kind, struct text_out *t);
	int (*limit_get)(enum sysvipc_limit which, uint64_t *out);
	int (*limit_set)(enum sysvipc_limit which, uint64_t value);	/* -EINVAL: too large */
};

/* The limits of POSIX message queues as /proc/sys/fs/mqueue shows them. Provided by mqueue; the default has none (-ENOSYS). */
enum mqueue_limit {
	MQUEUE_QUEUES_MAX, MQUEUE_MSG_MAX, MQUEUE_MSGSIZE_MAX, MQUEUE_MSG_DEFAULT, MQUEUE_MSGSIZE_DEFAULT,
	MQUEUE_LIMITS,
};
struct mqueue_ops {
	int (*limit_get)(enum mqueue_limit which, int64_t *out);
	int (*limit_set)(enum mqueue_limit which, int64_t value);	/* -EINVAL: out of range */
};

/* One format of compressed archives. Provided by the decoder that is loaded; the default knows none (-ENOSYS). */
struct unpack_ops {
	/*
	 * Unpacks one stream at the head of `size` bytes; *used becomes its length. push gets the plain bytes in order, and ends
	 * everything by an error, which is returned. -EINVAL and the like: *why says in words what is wrong. May sleep.
	 */
	int (*run)(const void *data, size_t size, size_t *used, int (*push)(void *arg, const void *data, size_t n),
		   void *arg, const char **why);
};

/* One field a service; null fields of a module are not provided by it. */
/* POSIX timers of a process as /proc shows them. Provided by posix_timers; the default has none. */
struct timer_view {
	int id, clock, signal, notify;	/* notify: SIGEV_* */
	int target;			/* number of the process or thread that gets the signal */
	uintptr_t value;
};
struct timers_ops {
	/* The timer with the lowest number above `after`. `process` is the owner's struct process. Any thread context. */
	bool (*next)(void *process, int after, struct timer_view *out);
};

struct module_services {
	const struct authority_ops *authority;
	const struct process_ops *process;
	const struct futex_ops *futex;
	const struct signal_mask_ops *signal_mask;
	const struct sysvipc_ops *sysvipc;
	const struct mqueue_ops *mqueue;
	const struct timers_ops *timers;
	const struct unpack_ops *unpack;
};

extern struct module_services services_active;
extern const struct module_services services_default;
#define service(name) READ_ONCE(services_active.name)
