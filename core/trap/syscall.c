/*
 * The dispatch table and what stands where no module serves a number.
 *
 * Slots are single words, changed by the loader with release stores; a caller takes whichever handler it loads.
 */
#include "core/trap/syscall.h"

#include <asm/errno.h>

#include "core/debug/log.h"
#include "core/lib/bits.h"
#include "core/module/export.h"
#include "core/sched/thread.h"

long (*syscall_table[SYSCALL_TABLE_SIZE])(struct trap_frame *frame) = {
	[0 ... SYSCALL_TABLE_SIZE - 1] = syscall_absent,
};

static unsigned long reported[BITMAP_LONGS(SYSCALL_TABLE_SIZE)];

long syscall_absent(struct trap_frame *frame)
{
	long nr = arch_syscall_number(frame);

	if (nr < 0 || nr >= SYSCALL_TABLE_SIZE || bitmap_test(reported, (unsigned int)nr))
		return -ENOSYS;
	bitmap_set_atomic(reported, (unsigned int)nr);
	if (syscall_info[nr].name && syscall_info[nr].module)
		log_notice("%s: system call %s (%ld) has no module %s loaded", current->name,
			   syscall_info[nr].name, nr, syscall_info[nr].module);
	else if (syscall_info[nr].name)
		log_debug("%s: system call %s (%ld) is not served", current->name, syscall_info[nr].name, nr);
	else
		log_debug("%s: no system call %ld", current->name, nr);
	return -ENOSYS;
}
