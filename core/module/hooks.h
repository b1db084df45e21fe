/*
 * The moments of a thread's and an address space's life at which modules may act. A module names its functions in
 * module.lua; the loader installs and removes them. Absent hooks cost nothing, or one test of a word.
 *
 * Order: thread_create, exec and user_redirect run in the order of loading, thread_exit and thread_free in the reverse.
 */
#pragma once

#include "core/lib/types.h"

struct thread;
struct aspace;
struct trap_frame;
struct trap_info;
struct clone_request;

struct module_hooks {
	/*
	 * `child` is a copy of `parent` with empty data slots, not started. May sleep. An error stops the creation; thread_exit hooks of those
	 * that ran already are called on the child (with current != child).
	 */
	int (*thread_create)(struct thread *child, struct thread *parent, struct clone_request *request);
	/* In the context of the ending thread, with its address space still there; may sleep. Also for a child whose creation failed. */
	void (*thread_exit)(struct thread *t);
	/* After all thread_exit hooks and the release of the address space: whoever waits for the thread may be told. May sleep. */
	void (*thread_gone)(struct thread *t);
	/* The last reference to the thread is gone; must not sleep. */
	void (*thread_free)(struct thread *t);
	/* exec is past the point of no return, the other threads are gone; the old address space is still there for a last time. May sleep. */
	void (*exec_release)(struct thread *t);
	/* The current thread got a new address space and image (point of no return is behind). May sleep. */
	void (*exec)(struct thread *t);
	/* WORK_SIGNAL or WORK_KILL is set: before return to user mode, interrupts on; may sleep; may change the frame. Clears the bits as it sees fit. */
	void (*signal_work)(struct trap_frame *frame);
	/* WORK_NOTIFY was set (and is cleared): the thread was switched out since it was last in user mode. Interrupts on; may sleep. */
	void (*notify_work)(struct trap_frame *frame);
	/* WORK_TASK was set (and is cleared). Interrupts on; may sleep. */
	void (*task_work)(struct thread *t);
	/* The user context is about to be redirected (signal frame). May sleep. */
	void (*user_redirect)(struct trap_frame *frame);
	/* A fault of user code that the core could not resolve. Interrupts on; may sleep. */
	void (*user_fault)(struct trap_frame *frame, const struct trap_info *info);
	/* The current thread is switched out / was switched in; run queue lock held, interrupts off. */
	void (*switch_out)(struct thread *t);
	void (*switch_in)(struct thread *t);
	/* One tick of CPU time was charged to the current thread; interrupts off. */
	void (*cpu_time)(struct thread *t, bool user);
	/* WORK_TRACE: around each system call. */
	void (*syscall_enter)(struct trap_frame *frame);
	void (*syscall_exit)(struct trap_frame *frame);
	/* The last thread of a group is gone; `group` is the personality's object, still valid. May sleep. */
	void (*group_gone)(void *group);
	/* Address spaces. fork: `child` copied from `parent`; may sleep. */
	int (*aspace_fork)(struct aspace *child, struct aspace *parent);
	void (*aspace_free)(struct aspace *as);
};

#define HOOK_LIMIT 8

/* Installed functions of one kind, read without a lock under RCU by those that cannot sleep; see hook_call. */
struct hook_list {
	unsigned int count;
	void *fn[HOOK_LIMIT];
};

/* One list a field of module_hooks, in the same order. */
struct hook_table {
	struct hook_list list[sizeof(struct module_hooks) / sizeof(void *)];
};
extern struct hook_table hook_table;

#define HOOK_INDEX(hook) (offsetof(struct module_hooks, hook) / sizeof(void *))
#define HOOK_LIST(hook) (&hook_table.list[HOOK_INDEX(hook)])
#define HOOK_TYPE(hook) __typeof__(((struct module_hooks *)0)->hook)
static inline bool hook_list_empty(const struct hook_list *l) { return READ_ONCE(l->count) == 0; }

/* Calls all functions of a hook that returns nothing. */
#define hook_call(hook, ...)                                                                       \
	do {                                                                                       \
		const struct hook_list *hook_l = HOOK_LIST(hook);                                  \
		for (unsigned int hook_i = 0; hook_i < READ_ONCE(hook_l->count); hook_i++) {       \
			HOOK_TYPE(hook) hook_f = READ_ONCE(hook_l->fn[hook_i]);                    \
			if (hook_f)                                                                \
				hook_f(__VA_ARGS__);                                               \
		}                                                                                  \
	} while (0)
/* The same in reverse order. */
#define hook_call_reverse(hook, ...)                                                               \
	do {                                                                                       \
		const struct hook_list *hook_l = HOOK_LIST(hook);                                  \
		for (unsigned int hook_i = READ_ONCE(hook_l->count); hook_i-- > 0;) {              \
			HOOK_TYPE(hook) hook_f = READ_ONCE(hook_l->fn[hook_i]);                    \
			if (hook_f)                                                                \
				hook_f(__VA_ARGS__);                                               \
		}                                                                                  \
	} while (0)
