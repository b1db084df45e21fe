/*
 * Private to core/sched: the run queue and its parts.
 */
#pragma once

#include "core/sched/sched.h"

#define RT_PRIORITIES 100
#define NICE_0_WEIGHT 1024
#define FAIR_SLICE_NS (3 * 1000000ull)
#define RR_SLICE_NS   (100 * 1000000ull)
#define TICK_NS       (4 * 1000000ull)
#define BALANCE_TICKS 16u		/* so many ticks between looks at other queues' lengths */
#define RANK_IDLE (-1)
#define RANK_FAIR 0
/* Real-time threads get so much of each period while fair threads wait (sched_rt_runtime_us of Linux). */
#define RT_PERIOD_NS  (1000 * 1000000ull)
#define RT_SHARE_NS   (950 * 1000000ull)

/*
 * Runnable threads of one CPU, the running one included (it is counted but in no tree or list). `lock` is taken with
 * interrupts off; two at once only in the order of CPU numbers.
 */
struct run_queue {
	struct spinlock lock;
	unsigned int cpu;
	unsigned int count;		/* runnable, with the running one, without idle */
	unsigned int fair_count;	/* waiting in the tree */
	struct thread *running;
	struct thread *idle;
	int rank;			/* priority of `running`: RANK_IDLE, RANK_FAIR or a real-time one; others read it without the lock */
	struct thread *evicted;		/* switched out and to be queued on a CPU of its set */
	struct rb_root fair;		/* by virtual deadline */
	struct rb_node *fair_first;
	uint64_t fair_clock;		/* smallest vruntime seen: newcomers start here */
	unsigned long rt_map[BITMAP_LONGS(RT_PRIORITIES)];
	struct list rt[RT_PRIORITIES];
	unsigned int rt_count;
	unsigned int rt_movable;	/* those of them that may run elsewhere */
	uint64_t rt_period;		/* start of the current accounting period, ns */
	uint64_t rt_used;		/* real-time CPU time in it */
	struct timer tick;
	unsigned int ticks;
	uint64_t switches;
	uint64_t idle_since;
	struct cpu_split told;		/* times.c: of this CPU's busy time, and its idle time */
	uint64_t told_idle;
};

static inline struct run_queue *rq_of(unsigned int cpu) { return cpus[cpu]->run_queue; }
static inline struct run_queue *rq_self(void) { return arch_cpu_self()->run_queue; }

/* All of these: rq->lock held, interrupts off. */
void rq_init(struct run_queue *rq, unsigned int cpu);
/* Makes `t` wait in its class's queue. `head`: before its equals (preempted real-time threads). */
void rq_insert(struct run_queue *rq, struct thread *t, bool head);
void rq_take_out(struct run_queue *rq, struct thread *t);
/* Takes the best waiting thread out; null if there is none. */
struct thread *rq_pick(struct run_queue *rq);
/* Would `t`, waiting, displace the running thread now? */
bool rq_preempts(const struct run_queue *rq, const struct thread *t);
/* Charges the running thread for the time since it was put on the CPU. */
void rq_charge(struct run_queue *rq, uint64_t now);
/* Notes who runs now. The priority of idle threads is RANK_IDLE, that of fair ones RANK_FAIR. */
static inline void rq_set_running(struct run_queue *rq, struct thread *t)
{
	rq->running = t;
	WRITE_ONCE(rq->rank, t->sched.priority);
}
/* The highest priority of a waiting real-time thread; 0: none waits. Without the lock it is a guess. */
int rq_rt_highest(const struct run_queue *rq);
/* Must real-time threads let fair ones run for the rest of the period? */
bool rq_rt_throttled(const struct run_queue *rq);
/* CPUs on which real-time threads wait that may run elsewhere, to be read without a lock. */
extern unsigned long rq_rt_movable;
/* `t`, a waiting real-time thread, may run on other CPUs than before. */
void rq_note_affinity(struct run_queue *rq, struct thread *t);
/* Starts a thread's virtual time on this queue. */
void rq_place(struct run_queue *rq, struct thread *t, bool woken);
/* The first waiting real-time thread of a priority above `above` that may run on `cpu`, taken out; null if none. */
struct thread *rq_steal_rt(struct run_queue *rq, unsigned int cpu, int above);
/* The last waiting fair one, likewise. */
struct thread *rq_steal_fair(struct run_queue *rq, unsigned int cpu);

unsigned int sched_nice_weight(int nice);

/* Locks the run queue of a thread, whatever CPU it moves to meanwhile. */
struct run_queue *rq_lock_thread(struct thread *t, unsigned long *flags);

/* balance.c */
unsigned int sched_select_cpu(struct thread *t);
/* All with rq->lock held, of this CPU's queue. It would idle: takes a thread over; true if something can run now. */
bool sched_pull(struct run_queue *rq);
/* Takes over real-time threads that wait elsewhere and are above all that wait here. */
void sched_pull_rt(struct run_queue *rq);
/* Takes a fair thread over if another queue has clearly more. */
void sched_catch_up(struct run_queue *rq);
/* Fair threads wait here: wakes an idle CPU that may run one of them. A request that is lost is made again with the next offer. */
void sched_offer(const struct run_queue *rq);
/* Of any CPU: asks a CPU that runs something lower to take over the highest waiting real-time thread that may run there. */
void sched_push(struct run_queue *rq);

/* thread.c: an idle thread; `with_stack` false: for the boot CPU, whose stack exists. Null when out of memory. */
struct thread *thread_make_idle(unsigned int cpu, bool with_stack);

/* sched.c: the second half of a wake-up: queues a thread whose state says that it is to run, unless that has been done. Any context. */
void sched_queue_woken(struct thread *t);

/* sched.c: the busy tick's timer. */
void sched_tick_expired(struct timer *t);
