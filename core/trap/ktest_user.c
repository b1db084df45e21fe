/*
 * Tests of what a port does for user space: user copies and their faults, and user mode with registers checked over system calls,
 * interrupts and switches. The code that runs in user mode is the port's: it gives the number of its first failed check to
 * CALL_DONE, or 0, and the clock cycles that 64 empty calls took; CALL_CHECK returns 0x1234 and keeps all registers else.
 */
#include "core/debug/ktest.h"

#include <asm/errno.h>

#include "core/arch/thread.h"
#include "core/arch/trap.h"
#include "core/arch/uaccess.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/aspace.h"
#include "core/mem/uaccess.h"
#include "core/sched/sched.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"
#include "core/trap/syscall.h"

#define AREA (64 * PAGE_SIZE)
#define CALL_CHECK 1020
#define CALL_DONE  1021

extern char ktest_user_start[], ktest_user_end[];

/* An address space with two zero pages at *base, loaded for the current kernel thread. */
static bool enter_aspace(unsigned int flags, uintptr_t *base)
{
	struct map_request r = {
		.addr = AREA, .length = 2 * PAGE_SIZE, .flags = flags, .fixed = true, .limit = UINT64_MAX,
	};
	struct aspace *as;

	if (aspace_create(&as))
		return false;
	if (aspace_map(as, &r, base)) {
		aspace_put(as);
		return false;
	}
	thread_switch_aspace(as);
	return true;
}

KTEST(user_copies)
{
	uintptr_t base, end;
	char buf[300], back[300];
	uint32_t old;
	uint64_t v;

	if (!enter_aspace(REGION_READ | REGION_WRITE, &base)) {
		ktest_check(!"no address space");
		return;
	}
	end = base + 2 * PAGE_SIZE;
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 7 + 1);
	for (size_t n = 0; n <= sizeof(buf); n += n < 140 ? 1 : 53) {
		memset(back, 0, sizeof(back));
		ktest_check(arch_uaccess_copy_out(base + 5, buf, n) == 0);
		ktest_check(arch_uaccess_copy_in(back, base + 5, n) == 0);
		ktest_check(memcmp(buf, back, n) == 0 && (n == sizeof(back) || back[n] == 0));
	}
	/* Across the end of the mapping: the count is exact. */
	for (size_t size = 200; size <= 300; size += 100) {
		for (size_t n = 1; n < size; n += 13) {
			ktest_check(arch_uaccess_copy_out(end - n, buf, size) == size - n);
			ktest_check(arch_uaccess_copy_in(back, end - n, size) == size - n);
			ktest_check(memcmp(buf, back, n) == 0);
			ktest_check(arch_uaccess_clear(end - n, size) == size - n);
		}
	}
	ktest_check(arch_uaccess_copy_out(end - 6, "hello", 6) == 0);
	ktest_check(arch_uaccess_copy_string(back, end - 6, sizeof(back)) == 5 && !strcmp(back, "hello"));
	ktest_check(arch_uaccess_copy_string(back, end - 6, 5) == 5);
	ktest_check(arch_uaccess_store(end - 1, 1, 'x') == 0);
	ktest_check(arch_uaccess_copy_string(back, end - 6, sizeof(back)) == -EFAULT);
	for (size_t n = 0; n < 40; n++)
		for (size_t at = 0; at < 8; at++) {
			memset(back, 'q', sizeof(back));
			ktest_check(arch_uaccess_copy_out(end - 64 + at, back, n) == 0 && arch_uaccess_store(end - 64 + at + n, 1, 0) == 0);
			ktest_check(arch_uaccess_copy_string(buf, end - 64 + at, sizeof(buf)) == (long)n && !memcmp(buf, back, n) && !buf[n]);
			ktest_check(arch_uaccess_copy_string(buf, end - 64 + at, n) == (long)n);
		}
	ktest_check(arch_uaccess_store(base, 8, 0x1122334455667788) == 0);
	ktest_check(arch_uaccess_load(base + 4, 4, &v) == 0 && v == 0x11223344);
	ktest_check(arch_uaccess_load(base + 7, 1, &v) == 0 && v == 0x11);
	ktest_check(arch_uaccess_load(end, 4, &v) == -EFAULT && arch_uaccess_store(0, 8, 1) == -EFAULT);
	ktest_check(arch_uaccess_cmpxchg_u32(base, 1, 2, &old) == 0 && old == 0x55667788);
	ktest_check(arch_uaccess_cmpxchg_u32(base, old, 12, &old) == 0);
	ktest_check(arch_uaccess_rmw_u32(base, USER_ADD, 3, &old) == 0 && old == 12);
	ktest_check(arch_uaccess_rmw_u32(base, USER_ANDN, 1, &old) == 0 && old == 15);
	ktest_check(arch_uaccess_rmw_u32(base, USER_OR, 0x10, &old) == 0 && old == 14);
	ktest_check(arch_uaccess_rmw_u32(base, USER_XOR, 0xff, &old) == 0 && old == 0x1e);
	ktest_check(arch_uaccess_rmw_u32(base, USER_SET, 5, &old) == 0 && old == 0xe1);
	ktest_check(arch_uaccess_rmw_u32(end, USER_SET, 5, &old) == -EFAULT);
	thread_switch_aspace(NULL);
}

struct user_run {
	struct wait_queue wait;
	bool done;
	long status;
	uint64_t cycles;
};
static struct user_run user_run;

static long check_call(struct trap_frame *f)
{
	switch (arch_syscall_arg(f, 0)) {
	case 1:
		arch_trap_sanitize(f);		/* the way back restores every register */
		break;
	case 2: {
		uint64_t until = clock_monotonic() + 3 * NSEC_PER_MSEC;

		while (clock_monotonic() < until)
			sched_yield();
		wait_prepare(WAIT_UNINTERRUPTIBLE);
		wait_sleep(clock_monotonic() + NSEC_PER_MSEC);
		wait_finish();
	}
	}
	return 0x1234;
}

static long done_call(struct trap_frame *f)
{
	user_run.status = (long)arch_syscall_arg(f, 0);
	user_run.cycles = arch_syscall_arg(f, 1);
	WRITE_ONCE(user_run.done, true);
	wait_wake_all(&user_run.wait);
	thread_exit();
}

static void user_thread(void *arg)
{
	uintptr_t base;

	(void)arg;
	if (enter_aspace(REGION_READ | REGION_WRITE | REGION_EXEC, &base) &&
	    !copy_to_user(base, ktest_user_start, (size_t)(ktest_user_end - ktest_user_start)) &&
	    !arch_thread_make_user()) {
		arch_thread_reset_user(current->frame, base, base + 2 * PAGE_SIZE - 64);
		arch_thread_enter_user();
	}
	user_run.status = -1;
	WRITE_ONCE(user_run.done, true);
	wait_wake_all(&user_run.wait);
}

KTEST(user_mode)
{
	long (*old_check)(struct trap_frame *) = syscall_table[CALL_CHECK];
	long (*old_done)(struct trap_frame *) = syscall_table[CALL_DONE];

	wait_queue_init(&user_run.wait);
	user_run.done = false;
	syscall_table[CALL_CHECK] = check_call;
	syscall_table[CALL_DONE] = done_call;
	ktest_check(thread_start_kernel("ktest_user", user_thread, NULL) == 0);
	ktest_check(wait_event(&user_run.wait, READ_ONCE(user_run.done), WAIT_UNINTERRUPTIBLE,
			       clock_monotonic() + 20 * NSEC_PER_SEC) == 0);
	ktest_check(user_run.status == 0);
	if (user_run.status)
		log_err("# user code failed at check %ld", user_run.status);
	log_notice("# %lu cycles for 64 system calls", (unsigned long)user_run.cycles);
	syscall_table[CALL_CHECK] = old_check;
	syscall_table[CALL_DONE] = old_done;
}
