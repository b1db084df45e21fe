/*
 * nanosleep(2) and clock_nanosleep(2).
 *
 * A relative sleep that is interrupted without a handler goes on to its first deadline, which the thread keeps; with a handler it fails with
 * EINTR and tells what is left. An absolute sleep follows its clock when that is set.
 */
#include "internal.h"

#include <gen/posix_timers.h>

static int sleep_until(struct wait_limit limit)
{
	int error;

	do {
		wait_prepare(WAIT_INTERRUPTIBLE);
		error = wait_sleep_until(limit);
	} while (!error);
	wait_finish();
	return error;
}

static long write_remaining(struct uout_timespec out, uint64_t deadline)
{
	uint64_t now = clock_monotonic();
	struct __kernel_timespec ts = ns_timespec(deadline > now ? (int64_t)(deadline - now) : 0);

	return out.addr ? copy_out_timespec(out, &ts) : 0;
}

static long relative_sleep(int64_t ns, struct uout_timespec remaining)
{
	uint64_t deadline = current->restart_deadline, now = clock_monotonic();
	int error;

	current->restart_deadline = 0;
	if (!deadline)
		deadline = (uint64_t)ns >= TIME_NEVER - now ? TIME_NEVER : now + (uint64_t)ns;
	error = sleep_until((struct wait_limit){ deadline, TIMER_MONOTONIC });
	if (error == -ETIMEDOUT)
		return 0;
	if (error == -EINTR && write_remaining(remaining, deadline))
		return -EFAULT;
	current->restart_deadline = deadline;
	return error == -EINTR ? -ERESTARTNOHAND : error;
}

/* Sleeping on CPU time: looks again after as much time as is missing at least. */
static long cpu_sleep(int clock, int64_t ns, bool absolute)
{
	struct cpu_clock cpu;
	uint64_t kept = current->restart_deadline;	/* here in ns of the CPU clock */
	int64_t until, now;
	int error = cpu_clock_find(clock, &cpu);

	current->restart_deadline = 0;
	if (error)
		return error;
	if (cpu.task == current_task) {
		cpu_clock_put(&cpu);
		return -EINVAL;		/* would sleep for ever */
	}
	now = cpu_clock_read(cpu.process, cpu.task, cpu.kind);
	until = absolute ? ns : kept ? (int64_t)kept : ns >= TIME_MAX - now ? TIME_MAX : now + ns;
	do {
		now = cpu_clock_read(cpu.process, cpu.task, cpu.kind);
		if (now >= until)
			break;
		wait_prepare(WAIT_INTERRUPTIBLE);
		error = wait_sleep(clock_monotonic() + MAX((uint64_t)(until - now), NSEC_PER_MSEC));
		wait_finish();
	} while (!error || error == -ETIMEDOUT);
	cpu_clock_put(&cpu);
	if (error == -ERESTART_MODULE && !absolute && now < until)
		current->restart_deadline = (uint64_t)until;
	return now >= until ? 0 : error == -EINTR ? (absolute ? -ERESTARTNOHAND : -EINTR) : error;
}

long sys_clock_nanosleep(int32_t clock, int32_t flags, struct uin_timespec request, struct uout_timespec remaining)
{
	struct __kernel_timespec ts;
	int64_t ns;
	int error;

	if (clock == CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;	/* would sleep for ever */
	if (!clock_is_cpu(clock)) {
		error = clock_check_timer(clock, true);
		if (error)
			return error;
	}
	if (copy_in_timespec(&ts, request))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	ns = timespec_ns(&ts);
	if (clock_is_cpu(clock))
		return cpu_sleep(clock, ns, flags & TIMER_ABSTIME);
	if (!(flags & TIMER_ABSTIME))
		return relative_sleep(ns, remaining);
	error = sleep_until(clock_limit(clock, ns));
	return error == -ETIMEDOUT ? 0 : error == -EINTR ? -ERESTARTNOHAND : error;
}

long sys_nanosleep(struct uin_timespec request, struct uout_timespec remaining)
{
	struct __kernel_timespec ts;

	if (copy_in_timespec(&ts, request))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	return relative_sleep(timespec_ns(&ts), remaining);
}
