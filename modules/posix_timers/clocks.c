/*
 * Clocks: reading, resolution, setting.
 */
#include "internal.h"

#include <gen/posix_timers.h>
#include <linux/timex.h>

#include "core/sched/sched.h"

#define CPUCLOCK_PERTHREAD 4
#define CPUCLOCK_SCHED 2

bool clock_is_cpu(int clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

bool clock_is_realtime(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

int clock_check_timer(int clock, bool alarm_allowed)
{
	switch (clock) {
	case CLOCK_REALTIME: case CLOCK_MONOTONIC: case CLOCK_BOOTTIME: case CLOCK_TAI:
		return 0;
	case CLOCK_REALTIME_ALARM: case CLOCK_BOOTTIME_ALARM:
		if (!alarm_allowed)
			return -EINVAL;
		return service(authority)->capable(CAP_WAKE_ALARM) ? 0 : -EPERM;
	case CLOCK_MONOTONIC_RAW: case CLOCK_REALTIME_COARSE: case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	}
	return -EINVAL;
}

int64_t cpu_clock_read(struct process *p, struct task *t, int kind)
{
	struct cpu_times times = { 0 };

	if (t && !t->thread)
		return 0;
	if (kind != 1)
		return (int64_t)(t ? thread_runtime(t->thread) : process_runtime(p));
	if (t)
		thread_times(t->thread, &times.user_ns, &times.system_ns);
	else
		process_cpu_times(p, &times);
	return (int64_t)times.user_ns;
}

int cpu_clock_find(int clock, struct cpu_clock *out)
{
	int nr = clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID ? 0 : ~(clock >> 3);
	bool thread = clock == CLOCK_THREAD_CPUTIME_ID || (clock < 0 && (clock & CPUCLOCK_PERTHREAD));

	memset(out, 0, sizeof(*out));
	out->kind = clock < 0 ? clock & 3 : CPUCLOCK_SCHED;
	if (out->kind == 3)
		return -EINVAL;
	if (thread) {
		out->task = nr ? task_find(nr) : current_task;
		if (!nr)
			task_get(current_task);
		/* Only threads of the caller's own process may be named. */
		if (!out->task || out->task->process != current_process) {
			if (out->task)
				task_put(out->task);
			return -EINVAL;
		}
		out->process = out->task->process;
		process_get(out->process);
		return 0;
	}
	out->process = nr ? process_find(nr) : current_process;
	if (!nr)
		process_get(out->process);
	return out->process ? 0 : -EINVAL;
}

void cpu_clock_put(struct cpu_clock *c)
{
	if (c->task)
		task_put(c->task);
	if (c->process)
		process_put(c->process);
	c->task = NULL;
	c->process = NULL;
}

int clock_now(int clock, int64_t *ns)
{
	struct cpu_clock cpu;
	int error;

	switch (clock) {
	case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: case CLOCK_REALTIME_ALARM:
		*ns = clock_realtime();
		return 0;
	case CLOCK_TAI:
		*ns = clock_tai();
		return 0;
	case CLOCK_MONOTONIC_RAW:
		*ns = (int64_t)clock_raw();
		return 0;
	case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_COARSE: case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ns = (int64_t)clock_monotonic();
		return 0;
	}
	if (!clock_is_cpu(clock))
		return -EINVAL;
	error = cpu_clock_find(clock, &cpu);
	if (error)
		return error;
	*ns = cpu_clock_read(cpu.process, cpu.task, cpu.kind);
	cpu_clock_put(&cpu);
	return 0;
}

struct wait_limit clock_limit(int clock, int64_t ns)
{
	return (struct wait_limit){
		.deadline = ns == TIME_MAX ? TIME_NEVER : (uint64_t)MAX(ns, (int64_t)0),
		.base = clock == CLOCK_TAI ? TIMER_TAI : clock_is_realtime(clock) ? TIMER_REALTIME : TIMER_MONOTONIC,
	};
}

void clock_arm(struct timer *timer, int clock, int64_t ns)
{
	struct wait_limit limit = clock_limit(clock, ns);

	timer_arm_on(timer, limit.base, limit.deadline);
}

long sys_clock_gettime(int32_t clock, struct uout_timespec out)
{
	struct __kernel_timespec ts;
	int64_t ns;
	int error = clock_now(clock, &ns);

	if (error)
		return error;
	ts = ns_timespec(ns);
	return copy_out_timespec(out, &ts);
}

long sys_clock_getres(int32_t clock, struct uout_timespec out)
{
	struct __kernel_timespec ts = { 0, 1 };
	int64_t ns;
	int error = clock_now(clock, &ns);

	if (error)
		return error;
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
		ts.tv_nsec = 1;
	return out.addr ? copy_out_timespec(out, &ts) : 0;
}

void clock_was_set(void)
{
	timerfd_clock_set();
}

/* As Linux's: what leaves no 30 years until the end of 64-bit ns. */
#define SECONDS_MAX (INT64_MAX / (int64_t)NSEC_PER_SEC - 30ll * 365 * 24 * 3600)

int clock_change(int64_t ns)
{
	/* Real time may not go below what monotonic time has run already. */
	if (ns < (int64_t)clock_monotonic() || ns / (int64_t)NSEC_PER_SEC >= SECONDS_MAX)
		return -EINVAL;
	clock_set_realtime(ns);
	ntp_clear();
	clock_was_set();
	return 0;
}

long sys_clock_settime(int32_t clock, struct uin_timespec in)
{
	struct __kernel_timespec ts;
	int64_t ns;

	if (clock != CLOCK_REALTIME) {
		int error = clock_now(clock, &ns);

		return error ? error : -EINVAL;
	}
	if (copy_in_timespec(&ts, in))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	if (!service(authority)->capable(CAP_SYS_TIME))
		return -EPERM;
	return clock_change(timespec_ns(&ts));
}

static struct timezone time_zone;

struct timezone *clock_time_zone(void)
{
	return &time_zone;
}

long sys_gettimeofday(struct uout_timeval out, struct uout_timezone zone)
{
	if (out.addr) {
		int64_t ns = clock_realtime();
		struct __kernel_old_timeval tv = { ns / (int64_t)NSEC_PER_SEC, ns % (int64_t)NSEC_PER_SEC / 1000 };

		if (copy_out_timeval(out, &tv))
			return -EFAULT;
	}
	return zone.addr ? copy_out_timezone(zone, &time_zone) : 0;
}

long sys_settimeofday(struct uin_timeval in, struct uin_timezone zone)
{
	struct __kernel_old_timeval tv;
	struct timezone tz;

	if (in.addr) {
		if (copy_in_timeval(&tv, in))
			return -EFAULT;
		if (tv.tv_usec < 0 || tv.tv_usec >= 1000000 || tv.tv_sec < 0)
			return -EINVAL;
	}
	if (zone.addr && copy_in_timezone(&tz, zone))
		return -EFAULT;
	if (!service(authority)->capable(CAP_SYS_TIME))
		return -EPERM;
	if (zone.addr) {
		if (tz.tz_minuteswest > 15 * 60 || tz.tz_minuteswest < -15 * 60)
			return -EINVAL;
		time_zone = tz;
	}
	if (!in.addr)
		return 0;
	return clock_change(tv.tv_sec > TIME_MAX / (int64_t)NSEC_PER_SEC ? TIME_MAX :
			    tv.tv_sec * (int64_t)NSEC_PER_SEC + tv.tv_usec * 1000);
}

long sys_time(struct uout_i64 out)
{
	int64_t seconds = clock_realtime() / (int64_t)NSEC_PER_SEC;

	if (out.addr && user_store_u64(out.addr, (uint64_t)seconds))
		return -EFAULT;
	return seconds;
}
