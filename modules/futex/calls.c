/*
 * The ABI edge: futex(2) and futex2's single calls, decoded and checked as Linux does.
 */
#include "internal.h"

#include <gen/futex.h>

#include "core/module/services.h"

#define FUTEX_COMMANDS (~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))

/* The result of an interrupted wait: with a relative timeout the deadline is kept for the next execution. */
static long interrupted(int error, bool timed, bool relative, uint64_t deadline)
{
	if (error != -EINTR && error != -ERESTART_MODULE)
		return error;
	if (timed && relative)
		current->restart_deadline = deadline;
	if (error == -ERESTART_MODULE)
		return error;
	return timed ? -ERESTARTNOHAND : -ERESTARTSYS;
}

static long wait(uintptr_t uaddr, bool private_key, uint32_t value, uint32_t bitset, uintptr_t timeout, bool relative,
		 bool realtime)
{
	struct wait_limit limit;
	int error = futex_deadline(timeout, relative, realtime, &limit);

	if (error)
		return error;
	return interrupted(futex_wait(uaddr, private_key, value, bitset, limit), timeout != 0, relative,
			   limit.deadline);
}

/* These deadlines are absolute: an interrupted call is simply executed again. */
static long lock_pi(uintptr_t uaddr, bool private_key, uintptr_t timeout, bool realtime)
{
	struct wait_limit limit;
	int error = futex_deadline(timeout, false, realtime, &limit);

	if (!error)
		error = futex_lock_pi(uaddr, private_key, limit, false);
	return error == -EINTR ? -ERESTARTNOINTR : error;
}

static long wait_requeue_pi(uintptr_t uaddr1, uintptr_t uaddr2, bool private_key, uint32_t value, uintptr_t timeout,
			    bool realtime)
{
	struct wait_limit limit;
	int error = futex_deadline(timeout, false, realtime, &limit);

	if (!error)
		error = futex_wait_requeue_pi(uaddr1, uaddr2, private_key, value, limit);
	return error == -EINTR ? -ERESTARTNOINTR : error;
}

/* All but the plain wake-up, which wants no stack frame. */
static __attribute__((noinline)) long other_command(struct uaddr_u32 uaddr, int32_t op, uint32_t value, uintptr_t timeout,
						    struct uaddr_u32 uaddr2, uint32_t value3)
{
	bool private_key = op & FUTEX_PRIVATE_FLAG, realtime = op & FUTEX_CLOCK_REALTIME;
	int command = op & FUTEX_COMMANDS;

	if (realtime && command != FUTEX_WAIT_BITSET && command != FUTEX_WAIT_REQUEUE_PI &&
	    command != FUTEX_LOCK_PI2)
		return -ENOSYS;
	switch (command) {
	case FUTEX_WAIT:
		return wait(uaddr.addr, private_key, value, FUTEX_BITSET_MATCH_ANY, timeout, true, realtime);
	case FUTEX_WAIT_BITSET:
		return wait(uaddr.addr, private_key, value, value3, timeout, false, realtime);
	case FUTEX_WAKE_BITSET:
		return futex_wake(uaddr.addr, private_key, (int)value, value3);
	case FUTEX_REQUEUE:
		return futex_requeue(uaddr.addr, private_key, uaddr2.addr, private_key, (int)value, (int)timeout, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(uaddr.addr, private_key, uaddr2.addr, private_key, (int)value, (int)timeout, &value3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(uaddr.addr, uaddr2.addr, private_key, (int)value, (int)timeout, value3);
	case FUTEX_LOCK_PI:
		return lock_pi(uaddr.addr, private_key, timeout, true);
	case FUTEX_LOCK_PI2:
		return lock_pi(uaddr.addr, private_key, timeout, realtime);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(uaddr.addr, private_key, (struct wait_limit){ .deadline = TIME_NEVER }, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(uaddr.addr, private_key);
	case FUTEX_WAIT_REQUEUE_PI:
		return wait_requeue_pi(uaddr.addr, uaddr2.addr, private_key, value, timeout, realtime);
	case FUTEX_CMP_REQUEUE_PI:
		return futex_cmp_requeue_pi(uaddr.addr, uaddr2.addr, private_key, (int)value, (int)timeout, value3);
	}
	return -ENOSYS;
}

long sys_futex(struct uaddr_u32 uaddr, int32_t op, uint32_t value, uintptr_t timeout, struct uaddr_u32 uaddr2,
	       uint32_t value3)
{
	if ((op & ~FUTEX_PRIVATE_FLAG) == FUTEX_WAKE)
		return futex_wake(uaddr.addr, op & FUTEX_PRIVATE_FLAG, (int)value, FUTEX_BITSET_MATCH_ANY);
	return other_command(uaddr, op, value, timeout, uaddr2, value3);
}

/* futex2's flags: only 32-bit words so far, as Linux. */
static int check_flags2(uint32_t flags)
{
	if (flags & ~(uint32_t)(3 | FUTEX_PRIVATE_FLAG))
		return -EINVAL;
	return (flags & 3) == FUTEX_32 ? 0 : -EINVAL;
}

long sys_futex_wake(struct uaddr_u32 uaddr, uintptr_t mask, int32_t count, uint32_t flags)
{
	int error = check_flags2(flags);

	if (error)
		return error;
	if (mask != (uint32_t)mask)
		return -EINVAL;
	if (count == 0)
		return 0;
	return futex_wake(uaddr.addr, flags & FUTEX_PRIVATE_FLAG, count, (uint32_t)mask);
}

long sys_futex_wait(struct uaddr_u32 uaddr, uintptr_t value, uintptr_t mask, uint32_t flags, struct uin_timespec timeout,
		    int32_t clock)
{
	int error = check_flags2(flags);

	if (error)
		return error;
	if (value != (uint32_t)value || mask != (uint32_t)mask)
		return -EINVAL;
	if (timeout.addr && clock != 0 && clock != 1)
		return -EINVAL;
	return wait(uaddr.addr, flags & FUTEX_PRIVATE_FLAG, (uint32_t)value, (uint32_t)mask, timeout.addr, false, clock == 0);
}

long sys_futex_requeue(struct uin_futex_waitv waiters, uint32_t flags, int32_t wake, int32_t requeue)
{
	struct futex_waitv w[2];
	uint32_t expected;

	if (flags || !waiters.addr)
		return -EINVAL;
	if (copy_from_user(w, waiters.addr, sizeof(w)))
		return -EFAULT;
	for (unsigned int i = 0; i < 2; i++)
		if (check_flags2(w[i].flags) || w[i].__reserved || (uint32_t)w[i].val != w[i].val)
			return -EINVAL;
	expected = (uint32_t)w[0].val;
	return futex_requeue(w[0].uaddr, w[0].flags & FUTEX_PRIVATE_FLAG, w[1].uaddr, w[1].flags & FUTEX_PRIVATE_FLAG,
			     wake, requeue, &expected);
}

static int service_wake(uintptr_t uaddr, bool private_key, int n)
{
	return futex_wake(uaddr, private_key, n, FUTEX_BITSET_MATCH_ANY);
}

const struct futex_ops futex_service = { .wake = service_wake };
