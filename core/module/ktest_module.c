/*
 * Tests of the sockets: the tables of calls, hooks and services are read-only between changes, also by
 * their addresses in the direct map; and a change that is nested in another one does not close them.
 *
 * Runs at boot, before the modules: nobody else opens or closes the tables.
 */
#include "internal.h"

#include "core/debug/ktest.h"
#include "core/mem/page_table.h"
#include "core/module/hooks.h"
#include "core/module/services.h"
#include "core/trap/syscall.h"

static bool by_image(bool writable)
{
	return kernel_may_write((uintptr_t)&syscall_table[0]) == writable &&
	       kernel_may_write((uintptr_t)&syscall_table[SYSCALL_TABLE_SIZE - 1]) == writable &&
	       kernel_may_write((uintptr_t)&hook_table) == writable &&
	       kernel_may_write((uintptr_t)&services_active) == writable;
}

static bool by_alias(const void *p)
{
	bool ok;
	uint64_t phys = kernel_phys((uintptr_t)p, &ok);

	return !ok || kernel_may_write((uintptr_t)phys_to_virt(phys));
}

KTEST(module_socket_tables_are_read_only)
{
	ktest_check(by_image(true));
	sockets_close();
	ktest_check(by_image(false));
	sockets_open();
	sockets_open();
	sockets_close();
	ktest_check(by_image(true));
	ktest_check(!by_alias(&syscall_table[0]) && !by_alias(&hook_table) && !by_alias(&services_active));
}
