/* Generated from syscalls.tbl. The calls of x86_64 by number: name, owner, flags. */
#include "core/trap/syscall.h"

const struct syscall_info syscall_info[SYSCALL_TABLE_SIZE] = {
	[20] = { "writev", "futex", SYSCALL_BLOCK },
	[24] = { "sched_yield", 0, 0 },
	[57] = { "fork", "futex", SYSCALL_FRAME },
	[60] = { "exit", "futex", SYSCALL_NORETURN },
	[202] = { "futex", "futex", SYSCALL_BLOCK },
	[222] = { "timer_create", "clock", 0 },
	[257] = { "openat", "clock", SYSCALL_BLOCK | SYSCALL_PATH },
	[305] = { "clock_adjtime", "clock", 0 },
	[435] = { "clone3", "futex", SYSCALL_FRAME | SYSCALL_PARTIAL },
};
