/*
 * Private to modules/posix_timers.
 */
#pragma once

#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/timex.h>

#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/uaccess.h"
#include "core/module/services.h"
#include "core/sync/rcu.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"
#include "core/time/timer.h"
#include "modules/linux/process.h"
#include "modules/linux/signal.h"

#define TIME_MAX INT64_MAX

/* Timespecs to ns, saturating; valid ones have 0 <= tv_nsec < 1e9 and tv_sec >= 0. */
static inline bool timespec_valid(const struct __kernel_timespec *t)
{
	return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < (long)NSEC_PER_SEC;
}
static inline int64_t timespec_ns(const struct __kernel_timespec *t)
{
	return t->tv_sec >= TIME_MAX / (int64_t)NSEC_PER_SEC ? TIME_MAX : t->tv_sec * (int64_t)NSEC_PER_SEC + t->tv_nsec;
}
static inline struct __kernel_timespec ns_timespec(int64_t ns)
{
	return (struct __kernel_timespec){ ns / (int64_t)NSEC_PER_SEC, ns % (int64_t)NSEC_PER_SEC };
}

/* clocks.c. A CPU clock's id names a process or thread, as clock_getcpuclockid(3) makes it. */
bool clock_is_cpu(int clock);
/* Clocks that timers and sleeps may use besides CPU clocks: 0 or -EINVAL, -EOPNOTSUPP. */
int clock_check_timer(int clock, bool alarm_allowed);
/* Now, in ns of that clock. -EINVAL, -ESRCH. */
int clock_now(int clock, int64_t *ns);
bool clock_is_realtime(int clock);
/* What a sleep until an absolute time on a (not CPU) clock takes; TIME_MAX: for ever. */
struct wait_limit clock_limit(int clock, int64_t ns);
/* Arms a timer for such a time. */
void clock_arm(struct timer *timer, int clock, int64_t ns);

/* A CPU clock's owner. */
struct cpu_clock {
	struct process *process;	/* with a reference; of the thread, too */
	struct task *task;		/* with a reference; null: the process's clock */
	int kind;			/* CPUCLOCK_PROF 0, VIRT 1, SCHED 2 */
};
int cpu_clock_find(int clock, struct cpu_clock *out);
void cpu_clock_put(struct cpu_clock *c);
/* CPU time used so far in ns. */
int64_t cpu_clock_read(struct process *p, struct task *t, int kind);

/* What a process has: its timers and interval timers. */
struct timer_group {
	struct spinlock lock;		/* irq-safe */
	struct list link;		/* on the list of all, groups_lock */
	struct process *process;
	struct rb_root timers;		/* of posix_timer by id */
	unsigned int timer_count;
	int next_id;
	struct list cpu_timers;		/* armed ones on CPU clocks */
	unsigned int cpu_armed;		/* number of them and of armed CPU interval timers and limits; read by the tick */
	struct timer real;		/* ITIMER_REAL */
	uint64_t real_deadline, real_interval;
	struct { int64_t expires, interval; } cpu_interval[2];	/* ITIMER_VIRTUAL, ITIMER_PROF, in CPU ns; 0: off */
	struct rcu_head rcu;
};
/* The caller's process's, made when it is first needed. Null when out of memory. */
struct timer_group *timer_group_own(void);
static inline struct timer_group *timer_group_of(struct process *p) { return READ_ONCE(p->timers); }

enum notify_kind { NOTIFY_NONE, NOTIFY_PROCESS, NOTIFY_THREAD };

struct posix_timer {
	struct rb_node node;
	int id;
	int clock;
	struct refcount refs;		/* group, and whoever works on it */
	struct timer_group *group;
	struct timer timer;		/* armed for clocks that run with time */
	struct signal_entry entry;
	struct task *target;		/* whose queue; with a reference */
	enum notify_kind notify;
	int kind;			/* of NOTIFY_PROCESS: SIGEV_SIGNAL or SIGEV_THREAD, which the C library asks for */
	int64_t expires;		/* next expiry in ns of its clock; 0: disarmed */
	int64_t interval;
	int64_t overrun;		/* since the last signal was delivered */
	int64_t last_overrun;
	bool absolute;
	bool deleted;
	bool pending;			/* its signal is queued: re-armed when that is taken */
	struct cpu_clock cpu;		/* CPU clocks */
	struct list cpu_link;
	struct rcu_head rcu;
};

/* posix.c: group->lock held. */
void timer_expired_locked(struct posix_timer *t);
void posix_timers_delete_all(struct timer_group *g);
/* Makes a group's timers call this build of the module. */
void posix_timers_adopt(struct timer_group *g);
/* Lists of all timerfds, and of those of them that are told when the clock is set; for handing over. */
struct list *timerfd_all(void);
struct list *timerfd_watching(void);
void timerfd_adopt(void);

/* itimer.c */
void itimer_real_expired(struct timer *t);

/* timerfd.c */
void timerfd_clock_set(void);

/* cpu.c */
void cpu_timer_arm_locked(struct posix_timer *t);
void cpu_timer_disarm_locked(struct posix_timer *t);
void cpu_armed_changed(struct timer_group *g, int by);

/* Bits of adjtimex's modes that its header does not name for users: adjtime(3), and only asking what is left of it. */
#define MODE_ADJTIME		0x8000
#define MODE_ADJTIME_READ	0x2000

/* ntp.c: what steers the clock; "scaled" is by 2^32. */
struct ntp_state {
	int64_t frequency;		/* ns per second, scaled */
	int64_t max_error, est_error;	/* us */
	uint64_t error_since;		/* max_error is of this monotonic time, ns */
	int64_t constant, tick;		/* of the loop; us */
	int status;			/* STA_ bits */
	int64_t reference;		/* real time of the last offset, s */
	int64_t offset;			/* left for the loop, ns, scaled */
	int64_t single;			/* left for adjtime, ns */
	int64_t offset_rate, single_rate;	/* what this second does, ns per second, scaled */
	uint64_t since;			/* when it began, monotonic ns */
	struct timer second;		/* its end */
};
/* Does what the modes say, ADJ_SETOFFSET excepted, and fills in what the discipline knows. Checked arguments; any context. */
void ntp_adjust(struct __kernel_timex *t);
/* STA_ bits as they were last. */
int ntp_status(void);
/* The clock was set: nothing is left to be worked off, and nobody knows how right it is. */
void ntp_clear(void);
struct ntp_state *ntp_state(void);
/* Goes on with what another build of the module left. The machine is stopped. */
void ntp_adopt(struct ntp_state *old);

/* adjust.c: the leap second that the status asks for: as Linux's state of the clock, which adjtimex returns. */
struct leap_state {
	enum { LEAP_NONE, LEAP_SET, LEAP_TAKEN } state;
	int kind;			/* STA_INS or STA_DEL */
	int64_t midnight;
	unsigned int taken;		/* leaps before this one */
	int64_t at;			/* real time of the jump */
	struct timer watch;		/* tells those who wait for the clock to be set */
};
struct leap_state *leap_state(void);
/* Goes on with what another build of the module left. The machine is stopped. */
void leap_adopt(struct leap_state *old);

/* clocks.c: sets the real-time clock, with all that follows from it. -EINVAL: not between the time since boot and the year 2232. */
int clock_change(int64_t ns);
/* clocks.c: what settimeofday keeps of the time zone. */
struct timezone *clock_time_zone(void);

/* Everything that depends on the setting of the real-time clock. */
void clock_was_set(void);
