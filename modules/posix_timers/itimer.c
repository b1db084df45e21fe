/*
 * Interval timers: getitimer(2), setitimer(2), alarm(2).
 *
 * ITIMER_REAL is a core timer of the process; the other two count CPU time and are looked at by cpu.c.
 */
#include "internal.h"

#include <gen/posix_timers.h>
#include <linux/resource.h>

#define REAL_PAUSE_NS (50 * NSEC_PER_USEC)

void itimer_real_expired(struct timer *timer)
{
	struct timer_group *g = container_of(timer, struct timer_group, real);
	unsigned long flags = spin_lock_irqsave(&g->lock);

	/* Armed: it was set anew while this waited for the lock. */
	if (timer_armed(timer)) {
		spin_unlock_irqrestore(&g->lock, flags);
		return;
	}
	if (g->real_deadline && g->real_interval) {
		/* Signals that come faster than that are merged anyway; the interrupt must not fill the CPU. */
		uint64_t now = clock_monotonic() + REAL_PAUSE_NS, late = now - g->real_deadline;

		g->real_deadline += (late / g->real_interval + 1) * g->real_interval;
		timer_arm(timer, g->real_deadline);
	} else {
		g->real_deadline = 0;
	}
	spin_unlock_irqrestore(&g->lock, flags);
	signal_send_process(g->process, SIGALRM, SIGINFO_KERNEL);
}

static int64_t timeval_ns(const struct __kernel_old_timeval *t)
{
	return t->tv_sec >= TIME_MAX / (int64_t)NSEC_PER_SEC ? TIME_MAX :
							       t->tv_sec * (int64_t)NSEC_PER_SEC + t->tv_usec * 1000;
}

static struct __kernel_old_timeval ns_timeval(uint64_t ns)
{
	return (struct __kernel_old_timeval){ (long)(ns / NSEC_PER_SEC), (long)(ns % NSEC_PER_SEC / 1000) };
}

static bool timeval_valid(const struct __kernel_old_timeval *t)
{
	return t->tv_sec >= 0 && t->tv_usec >= 0 && t->tv_usec < 1000000;
}

/* What is left and the interval; an armed timer never shows 0 left. lock held. */
static void get_locked(struct timer_group *g, int which, uint64_t *left, uint64_t *interval)
{
	if (which == ITIMER_REAL) {
		uint64_t now = clock_monotonic();

		*interval = g->real_interval;
		*left = !g->real_deadline ? 0 : g->real_deadline > now ? MAX(g->real_deadline - now, 1000ull) : 1000;
	} else {
		int64_t expires = g->cpu_interval[which - 1].expires;
		int64_t now = expires ? cpu_clock_read(g->process, NULL, which == ITIMER_VIRTUAL ? 1 : 0) : 0;

		*interval = (uint64_t)g->cpu_interval[which - 1].interval;
		*left = !expires ? 0 : expires > now ? MAX((uint64_t)(expires - now), 1000ull) : 1000;
	}
}

static void set(struct timer_group *g, int which, uint64_t value, uint64_t interval, uint64_t *old_left, uint64_t *old_interval)
{
	unsigned long flags;

	if (which == ITIMER_REAL)
		timer_cancel_sync(&g->real);
	flags = spin_lock_irqsave(&g->lock);
	get_locked(g, which, old_left, old_interval);
	if (which == ITIMER_REAL) {
		uint64_t now = clock_monotonic();

		g->real_interval = interval;
		g->real_deadline = value ? (value >= TIME_NEVER - now ? TIME_NEVER : now + value) : 0;
		if (g->real_deadline)
			timer_arm(&g->real, g->real_deadline);
	} else {
		bool was = g->cpu_interval[which - 1].expires != 0;
		int64_t now = value ? cpu_clock_read(g->process, NULL, which == ITIMER_VIRTUAL ? 1 : 0) : 0;

		g->cpu_interval[which - 1].interval = (int64_t)interval;
		g->cpu_interval[which - 1].expires = !value ? 0 : (int64_t)value >= TIME_MAX - now ? TIME_MAX : now + (int64_t)value;
		cpu_armed_changed(g, (value != 0) - was);
	}
	spin_unlock_irqrestore(&g->lock, flags);
}

long sys_getitimer(int32_t which, struct uout_itimerval out)
{
	struct timer_group *g;
	struct __kernel_old_itimerval v;
	uint64_t left = 0, interval = 0;
	unsigned long flags;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	g = timer_group_of(current_process);
	if (g) {
		flags = spin_lock_irqsave(&g->lock);
		get_locked(g, which, &left, &interval);
		spin_unlock_irqrestore(&g->lock, flags);
	}
	v.it_value = ns_timeval(left);
	v.it_interval = ns_timeval(interval);
	return copy_out_itimerval(out, &v);
}

long sys_setitimer(int32_t which, struct uin_itimerval in, struct uout_itimerval out)
{
	struct __kernel_old_itimerval v = { .it_value = { 0, 0 } };
	uint64_t left = 0, interval = 0;
	struct timer_group *g;

	if (in.addr && copy_in_itimerval(&v, in))
		return -EFAULT;
	if (which < ITIMER_REAL || which > ITIMER_PROF || !timeval_valid(&v.it_value) || !timeval_valid(&v.it_interval))
		return -EINVAL;
	g = timer_group_own();
	if (!g)
		return -ENOMEM;
	set(g, which, (uint64_t)timeval_ns(&v.it_value), (uint64_t)timeval_ns(&v.it_interval), &left, &interval);
	if (!out.addr)
		return 0;
	v.it_value = ns_timeval(left);
	v.it_interval = ns_timeval(interval);
	return copy_out_itimerval(out, &v);
}

long sys_alarm(uint32_t seconds)
{
	uint64_t left = 0, interval;
	struct timer_group *g = timer_group_own();

	if (!g)
		return 0;
	set(g, ITIMER_REAL, (uint64_t)seconds * NSEC_PER_SEC, 0, &left, &interval);
	/* Rounded to the nearest second, but never to 0 for an armed timer. */
	return left ? (long)MAX((left + NSEC_PER_SEC / 2) / NSEC_PER_SEC, 1ull) : 0;
}
