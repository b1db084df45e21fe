/* Generated from syscalls.tbl: checks of the marks of every row. */
#include "smoke.h"
#include <linux/sched.h>

static const struct smoke_row smoke_rows[] = {
	{ 202, "futex", 1, 6, { 0, 0, 0, 0, 0, 0 }, 0, { { 0 } }, 0x0 },
	{ 222, "timer_create", 1, 3, { 0, 0, SMOKE_BUFFER }, 2, { { 1, "event", EFAULT }, { 2, "id", EFAULT } }, 0x2 },
	{ 20, "writev", 1, 3, { SMOKE_FILE, SMOKE_BUFFER, 1 }, 1, { { 1, "iov", EFAULT } }, 0x0 },
	{ 257, "openat", 1, 4, { SMOKE_DIR, SMOKE_PATH, 0, 0 }, 1, { { 1, "path", EFAULT } }, 0x0 },
	{ 435, "clone3", 1, 2, { SMOKE_BUFFER, sizeof(struct clone_args) }, 1, { { 0, "args", EFAULT } }, 0x0 },
	{ 305, "clock_adjtime", 1, 2, { 0, SMOKE_BUFFER }, 1, { { 1, "timex", EFAULT } }, 0x0 },
	{ 57, "fork", 1, 0, { 0 }, 0, { { 0 } }, 0x0 },
	{ 24, "sched_yield", 0, 0, { 0 }, 0, { { 0 } }, 0x0 },
};

int main(void)
{
	return smoke_main(smoke_rows, sizeof(smoke_rows) / sizeof(*smoke_rows));
}
