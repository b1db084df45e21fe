/*
 * A thread was woken for a robust lock and ends before it looks, and meanwhile somebody who does not know of waiters took the lock: the
 * next waiter is woken all the same, looks, and marks the lock as contended. Without that nobody would ever wake it.
 */
// libc: gcc
// flags: -pthread
// linux: no (leaves the waiter asleep)
// timeout: 60
#include "include/robust.h"

int main(void)
{
	CHECK_EQ(passed_on(self()), 0);
	CHECK_EQ(passed_on(self() | FUTEX_WAITERS), 0);
	return test_done();
}
