/*
 * A module of the tests: a call and a start that last as long as they are told, and cannot be woken.
 */
#include <gen/held.h>

#include "core/lib/types.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"

unsigned int held_hold;

static void sleep_ms(unsigned int ms)
{
	uint64_t end = clock_monotonic() + ms * 1000000ull;

	while (clock_monotonic() < end) {
		wait_prepare(WAIT_UNINTERRUPTIBLE);
		wait_sleep(end);
	}
}

long sys_held_wait(uint32_t ms)
{
	sleep_ms(ms);
	return (long)ms;
}

int held_init(void)
{
	sleep_ms(held_hold);
	return 0;
}

void held_exit(void)
{
}
