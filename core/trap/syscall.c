/*
 * The dispatch table and what stands where no module serves a number.
 *
 * Slots are single words, changed by the loader with release stores; a caller takes whichever handler it loads. Who comes to an empty slot
 * has the module loaded, if that is allowed, and goes on in it.
 */
#include "core/trap/syscall.h"

#include <asm/errno.h>

#include "core/debug/log.h"
#include "core/lib/bits.h"
#include "core/lib/string.h"
#include "core/module/autoload.h"
#include "core/module/export.h"
#include "core/sched/thread.h"

long (*syscall_table[SYSCALL_TABLE_SIZE])(struct trap_frame *frame) __socket_table = {
	[0 ... SYSCALL_TABLE_SIZE - 1] = syscall_absent,
};

static unsigned long reported[BITMAP_LONGS(SYSCALL_TABLE_SIZE)];

static void report(long nr)
{
	if (bitmap_test(reported, (unsigned int)nr))
		return;
	bitmap_set_atomic(reported, (unsigned int)nr);
	if (syscall_info[nr].name && syscall_info[nr].module)
		log_notice("%s: system call %s (%ld) has no module %s loaded", current->name,
			   syscall_info[nr].name, nr, syscall_info[nr].module);
	else if (syscall_info[nr].name)
		log_debug("%s: system call %s (%ld) is not served", current->name, syscall_info[nr].name, nr);
	else
		log_debug("%s: no system call %ld", current->name, nr);
}

/* Can a module be loaded that serves the call? For numbers that the core does not know, modules.alias is asked once. */
static bool load_owner(long nr)
{
	char alias[24];

	if (syscall_info[nr].module)
		return module_request(syscall_info[nr].module) == 0;
	if (syscall_info[nr].name || bitmap_test(reported, (unsigned int)nr))
		return false;
	snprintf(alias, sizeof(alias), "syscall:%ld", nr);
	return module_request_alias(alias) == 0;
}

long syscall_absent(struct trap_frame *frame)
{
	long nr = arch_syscall_number(frame);
	long (*call)(struct trap_frame *frame);

	if (nr < 0 || nr >= SYSCALL_TABLE_SIZE)
		return -ENOSYS;
	if (load_owner(nr)) {
		call = load_acquire(&syscall_table[nr]);
		if (call != syscall_absent)
			return call(frame);
	}
	report(nr);
	return -ENOSYS;
}
