/*
 * Threads. A thread has a kernel stack, maybe an address space, the port's saved state, and slots of module data.
 * What a process, a signal or a pid is, the core does not know: the personality module keeps that in its slot.
 */
#pragma once

#include <arch/thread.h>

#include "core/lib/list.h"
#include "core/lib/rbtree.h"
#include "core/lib/refcount.h"
#include "core/lib/bits.h"
#include "core/sync/spinlock.h"
#include "core/sync/rcu.h"
#include "core/time/timer.h"

struct aspace;
struct trap_frame;
struct thread;

#define THREAD_DATA_SLOTS 16
#define THREAD_NAME_SIZE  16
#define KERNEL_STACK_SIZE (16 * 1024ul)

/* Work to be done before the thread returns to user mode; bits of thread.work, set by anyone, atomically. */
#define WORK_SIGNAL  0x01u	/* the personality has a signal to look at */
#define WORK_KILL    0x02u	/* ... a fatal one: ends killable sleeps */
#define WORK_NOTIFY  0x04u	/* switched out, migrated: modules want to know before user mode (rseq) */
#define WORK_KICK    0x08u	/* leave the module that is being replaced */
#define WORK_TASK    0x10u	/* a module queued something to be done in this thread's context */
#define WORK_TRACE   0x20u	/* call the system-call trace hooks */
#define WORK_SINGLESTEP 0x40u
#define WORK_SETTLE  0x80u	/* was kicked, and has not come to rest again: see core/module/gate.h */
#define WORK_HURRY   0x100u	/* runs above ordinary threads until it is here */

enum thread_state {
	THREAD_RUNNING,			/* on a run queue or on a CPU */
	THREAD_SLEEPING,		/* see wait_mode */
	THREAD_DEAD,
};

enum sched_class { SCHED_CLASS_IDLE, SCHED_CLASS_FAIR, SCHED_CLASS_RT };

/* CPU time as it was told last: neither part may be less the next time. */
struct cpu_split {
	uint64_t user, system;
};

/* What the scheduler keeps in a thread. Protected by the lock of the run queue it is on. */
struct sched_entity {
	enum sched_class class;
	bool round_robin;		/* RT: by time slice among equals */
	bool queued;			/* runnable on a queue, running included */
	bool incoming;			/* in none, but somebody is about to queue it */
	bool fresh;			/* has never run */
	bool movable;			/* RT, waiting: its set has other CPUs too */
	bool yielded;			/* RT: goes behind its equals at the next switch */
	int priority;			/* effective: RT 1..99 */
	int base_priority;		/* without boost */
	int boost;			/* lent by a priority-inheriting mutex; 0: none */
	bool hurry;			/* runs above ordinary threads: others wait for it to leave a module */
	enum sched_class base_class;
	int nice;			/* -20..19 */
	unsigned int weight;
	unsigned int policy;		/* the personality's number, kept for it: SCHED_OTHER... */
	bool reset_on_fork;
	uint64_t vruntime;		/* fair: weighted ns */
	uint64_t deadline;		/* fair: virtual deadline, the order of the queue */
	uint64_t slice_left;		/* ns */
	uint64_t started;		/* when it was last put on the CPU, ns */
	uint64_t runtime;		/* total ns on a CPU */
	struct rb_node node;
	struct list rt_link;
};

struct thread {
	struct arch_thread arch;	/* first: the port's assembly addresses it */
	unsigned int work;		/* WORK_* */
	unsigned int state;		/* enum thread_state */
	unsigned int wait_mode;		/* enum wait_mode while sleeping or about to */
	unsigned int on_cpu;		/* 1 while a CPU runs on its stack */
	unsigned int cpu;		/* the CPU whose queue it is on or was on last */
	struct refcount refs;
	uintptr_t stack_base;		/* kernel stack: KERNEL_STACK_SIZE bytes */
	struct aspace *aspace;		/* null: kernel thread; changed by the thread itself under aspace_lock */
	struct spinlock aspace_lock;
	struct sched_entity sched;
	struct cpu_set affinity;
	struct trap_frame *frame;	/* the user registers, at the top of the kernel stack; null: kernel thread */
	char name[THREAD_NAME_SIZE];
	void *data[THREAD_DATA_SLOTS];	/* per-module data, see thread_data() */

	uint64_t user_ns;		/* time found by interrupts in user mode and in the kernel */
	uint64_t system_ns;
	uint64_t account_stamp;		/* running time when it was last charged */
	struct cpu_split told;		/* under the lock of its run queue, */
	uint64_t told_runtime;		/* as well */
	uint64_t start_ns;
	uint64_t switches_voluntary;
	uint64_t switches_forced;
	uint64_t faults_minor;
	uint64_t faults_major;
	uint64_t read_bytes, write_bytes, read_calls, write_calls;	/* through files */

	uint64_t restart_deadline;	/* deadline kept over a module's replacement; 0: none */
	struct timer sleep_timer;
	unsigned int timed_out;
	unsigned int fault_disabled;	/* user_fault_disable() depth */
	bool leaving;			/* preempted on the way to user mode: no kernel code of it goes on but the exit work */
	struct rb_root pi_held;		/* core/sync/pi_mutex.c: contended mutexes that it owns */
	struct pi_waiter *pi_blocked_on;
	bool pi_exited;			/* nobody may begin to wait for it */
	const void *wait_site;		/* debug: where it sleeps */
	struct thread *wake_next;	/* core/sync/wake_list.h */
	struct list all_link;		/* the list of all threads */
	struct rcu_head rcu;
	void (*kernel_fn)(void *);
	void *kernel_arg;
#ifdef CONFIG_DEBUG
	struct { const void *key; const void *lock; } held[16];
	int held_count;
#endif
};

/* The data of a module for a thread; `slot` is the variable that the loader filled in. */
static inline void *thread_data(const struct thread *t, int slot) { return READ_ONCE(t->data[slot]); }
static inline void thread_set_data(struct thread *t, int slot, void *p) { WRITE_ONCE(t->data[slot], p); }

/* Creates and starts a kernel thread. May sleep. It ends when fn returns. */
int thread_start_kernel(const char *name, void (*fn)(void *), void *arg);

/*
 * Creates a user thread as a copy of `parent`'s registers; it is not started. `as` is the address space it will have
 * (a reference is taken). Runs the thread_create hooks with `request`, which the core does not look at. On error all is undone.
 */
struct clone_request;
int thread_create(struct thread *parent, struct aspace *as, struct clone_request *request,
		  struct thread **out);
/* Puts a created thread on a run queue. */
void thread_start(struct thread *t);
/* Drops a created thread that was never started; runs the thread_exit hooks on it. */
void thread_abandon(struct thread *t);
/* Ends the calling thread: thread_exit hooks, address space released, last switch. */
void thread_exit(void) __noreturn;
/* Changes the calling thread's address space (exec); the reference passes to the thread; the old one is released. */
void thread_switch_aspace(struct aspace *as);

/* The address space of another thread, with a reference; null if it has none (any more). */
struct aspace *thread_get_aspace(struct thread *t);

static inline void thread_get(struct thread *t) { refcount_get(&t->refs); }
void thread_put(struct thread *t);
void thread_set_name(struct thread *t, const char *name);

/* Makes a sleeping thread run. Any context. Full barrier before its state is read. True if it was asleep. */
bool thread_wake(struct thread *t);
/* Sets work bits, and if the thread runs on another CPU makes it enter the kernel, and if its sleep may be ended by them, ends it. */
void thread_set_work(struct thread *t, unsigned int bits);
static inline void thread_clear_work(unsigned int bits)
{
	__atomic_fetch_and(&current->work, ~bits, __ATOMIC_SEQ_CST);
}
static inline bool thread_has_work(const struct thread *t, unsigned int bits)
{
	return (READ_ONCE(t->work) & bits) != 0;
}

/* Calls fn for every thread, under a lock: fn must not sleep. Stops when fn returns true. */
void thread_for_each(bool (*fn)(struct thread *t, void *arg), void *arg);
unsigned int thread_count(void);
/* Threads made since the start. */
uint64_t thread_made(void);
/* Charges the time since the last stamp to user or system time of the current thread. Interrupts off. */
void thread_account(bool was_user);
/* Running time so far: exact, never less than before. Also under spinlocks other than run queues'. */
uint64_t thread_runtime(struct thread *t);
/* The same in two parts, of which neither gets less, either. */
void thread_times(struct thread *t, uint64_t *user_ns, uint64_t *system_ns);
/* Splits `total` in the ratio of samples, but no part gets less than told last. The caller's lock guards *told. */
void cpu_split_adjust(struct cpu_split *told, uint64_t total, uint64_t user, uint64_t system);
/* Prints all threads with their states and backtraces (debug key, panic of a hang). */
void thread_dump_all(void);
