/*
 * Timeouts of the futex calls. Absolute ones on the real-time clock follow it when it is set.
 *
 * A relative timeout becomes a deadline once; if the call is executed again (a signal without handler, a replacement of this module),
 * the deadline that the thread kept goes on to hold.
 */
#include "internal.h"

#include <linux/time_types.h>

#include "core/time/clock.h"

int futex_deadline(uintptr_t timeout, bool relative, bool realtime, struct wait_limit *out)
{
	struct __kernel_timespec ts;
	uint64_t kept = current->restart_deadline;
	__int128 ns;

	current->restart_deadline = 0;
	*out = (struct wait_limit){ TIME_NEVER, TIMER_MONOTONIC };
	if (!timeout)
		return 0;
	if (copy_from_user(&ts, timeout, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (long)NSEC_PER_SEC)
		return -EINVAL;
	ns = (__int128)ts.tv_sec * (long)NSEC_PER_SEC + ts.tv_nsec;
	if (relative) {
		ns += clock_monotonic();
		if (kept)
			ns = kept;
	} else if (realtime) {
		out->base = TIMER_REALTIME;
	}
	if (ns < INT64_MAX)
		out->deadline = (uint64_t)ns;
	return 0;
}
