/*
 * aarch64: tests of the port: user copies and their faults, protection of the kernel's own memory, calls to other CPUs, and
 * user mode with registers checked over system calls, interrupts and switches.
 */
#include "core/debug/ktest.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/trap.h>
#include <arch/sysreg.h>

#include "core/arch/thread.h"
#include "core/arch/uaccess.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/aspace.h"
#include "core/mem/uaccess.h"
#include "core/mem/vmap.h"
#include "core/sched/sched.h"
#include "core/sync/wait.h"
#include "core/time/clock.h"
#include "core/trap/syscall.h"

#define AREA (64 * PAGE_SIZE)
#define CALL_CHECK 1020
#define CALL_DONE  1021

extern char kernel_text_start[], kernel_rodata_start[], ktest_user_start[], ktest_user_end[];

/* An address space with two zero pages at *base, loaded for the current kernel thread. */
static struct aspace *enter_aspace(unsigned int flags, uintptr_t *base)
{
	struct map_request r = {
		.addr = AREA, .length = 2 * PAGE_SIZE, .flags = flags, .fixed = true, .limit = UINT64_MAX,
	};
	struct aspace *as;

	if (aspace_create(&as))
		return NULL;
	if (aspace_map(as, &r, base)) {
		aspace_put(as);
		return NULL;
	}
	thread_switch_aspace(as);
	return as;
}

KTEST(aarch64_uaccess)
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

/* What the translation tables say of an access by the kernel. */
static bool may(uintptr_t addr, bool write)
{
	unsigned long flags = arch_irq_save(), result;

	if (write)
		__asm__ volatile("at s1e1w, %0" : : "r"(addr) : "memory");
	else
		__asm__ volatile("at s1e1r, %0" : : "r"(addr) : "memory");
	isb();
	result = sysreg_read("par_el1");
	arch_irq_restore(flags);
	return !(result & 1);
}

KTEST(aarch64_kernel_protection)
{
	uint64_t text = (uintptr_t)kernel_text_start, rodata = (uintptr_t)kernel_rodata_start;
	uintptr_t alias = (uintptr_t)phys_to_virt(image_to_phys(kernel_text_start));
	char byte = 0;
	bool ok;

	ktest_check(may(text, false) && !may(text, true));
	ktest_check(may(rodata, false) && !may(rodata, true));
	ktest_check(may(alias, false) && !may(alias, true));
	ktest_check(may(current->stack_base, true) && !may(current->stack_base - 8, false));
	ktest_check(kernel_stack_guard(current->stack_base - 8));
	ktest_check(!may(KERNEL_DIRECT_BASE, false));
	arch_kernel_phys(0, &ok);
	ktest_check(!ok);
	/* User copies have the program's rights only. */
	ktest_check(arch_uaccess_copy_in(&byte, text, 1) == 1);
	ktest_check(arch_uaccess_copy_out((uintptr_t)&byte, "x", 1) == 1 && !byte);
	ktest_check(!cpu_features.pan || (sysreg_read("s3_0_c4_c2_3") & PSTATE_PAN));
}

static void count_call(void *arg)
{
	__atomic_fetch_add((unsigned int *)arg, 1, __ATOMIC_SEQ_CST);
}

KTEST(aarch64_cpu_call)
{
	unsigned int online = 0, calls = 0, i;

	for_each_online_cpu(i)
		online++;
	for (unsigned int n = 0; n < 100; n++)
		arch_cpu_call(&cpus_online, count_call, &calls);
	ktest_check(calls == 100 * (online - 1));
}

/* One by one: the compiler must not see through the values. */
#define CHECK_ATOMICS(type, order)                                                                                                  \
	do {                                                                                                                        \
		type v[3] = { (type)-1, (type)0x8000000000000005, (type)-1 }, x = v[1], expected = v[1], *p = &v[1];                 \
                                                                                                                                    \
		__asm__("" : "+r"(p) : : "memory");                                                                                 \
		ktest_check(__atomic_fetch_add(p, (type)-3, order) == x && *p == (type)(x - 3));                                    \
		ktest_check(__atomic_fetch_or(p, 0x70, order) == (type)(x - 3) && *p == (type)(x - 3 + 0x70));                      \
		ktest_check(__atomic_fetch_and(p, (type)~0x21, order) == (type)(x + 0x6d) && *p == (type)(x + 0x4d));               \
		ktest_check(__atomic_fetch_xor(p, (type)-1, order) == (type)(x + 0x4d) && *p == (type)~(x + 0x4d));                 \
		ktest_check(__atomic_exchange_n(p, x, order) == (type)~(x + 0x4d) && *p == x);                                      \
		ktest_check(__atomic_compare_exchange_n(p, &expected, 9, false, order, __ATOMIC_RELAXED) && *p == 9);               \
		ktest_check(!__atomic_compare_exchange_n(p, &expected, 8, false, order, __ATOMIC_RELAXED));                         \
		ktest_check(expected == 9 && *p == 9 && v[0] == (type)-1 && v[2] == (type)-1);                                      \
	} while (0)

static void contend(void *arg)
{
	uint64_t *count = arg;
	uint32_t *half = (uint32_t *)(count + 1);

	for (unsigned int i = 0; i < 2000; i++) {
		uint64_t old = READ_ONCE(*count);

		while (!__atomic_compare_exchange_n(count, &old, old + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			arch_cpu_relax();
		__atomic_fetch_add(half, 3, __ATOMIC_RELAXED);
	}
}

KTEST(aarch64_atomics)
{
	extern uint32_t atomics_code_start[], atomics_code_end[];
	uint64_t counts[2] = { 0 };
	unsigned int online = 0, i;

	CHECK_ATOMICS(uint32_t, __ATOMIC_RELAXED);
	CHECK_ATOMICS(uint32_t, __ATOMIC_ACQUIRE);
	CHECK_ATOMICS(uint32_t, __ATOMIC_RELEASE);
	CHECK_ATOMICS(uint32_t, __ATOMIC_SEQ_CST);
	CHECK_ATOMICS(uint64_t, __ATOMIC_RELAXED);
	CHECK_ATOMICS(uint64_t, __ATOMIC_ACQUIRE);
	CHECK_ATOMICS(uint64_t, __ATOMIC_RELEASE);
	CHECK_ATOMICS(uint64_t, __ATOMIC_SEQ_CST);
	for_each_online_cpu(i)
		online++;
	arch_cpu_call_begin(&cpus_online, contend, counts);
	contend(counts);
	arch_cpu_call_end();
	ktest_check(counts[0] == 2000 * online && counts[1] == 6000 * online);
	/* The way that fits the CPU was chosen, everywhere. */
	for (const uint32_t *head = atomics_code_start; head < atomics_code_end; head += 16)
		ktest_check((head[0] == head[2]) == cpu_features.lse);
	log_notice("# atomic operations: %s", cpu_features.lse ? "single instructions" : "exclusive pairs");
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
	if (f->x[0] == 2) {
		uint64_t until = clock_monotonic() + 3 * NSEC_PER_MSEC;

		while (clock_monotonic() < until)
			sched_yield();
		wait_prepare(WAIT_UNINTERRUPTIBLE);
		wait_sleep(clock_monotonic() + NSEC_PER_MSEC);
		wait_finish();
	}
	return 0x1234;
}

static long done_call(struct trap_frame *f)
{
	user_run.status = (long)f->x[0];
	user_run.cycles = f->x[1];
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

KTEST(aarch64_user_mode)
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
	log_notice("# %lu ticks for 64 system calls", (unsigned long)user_run.cycles);
	syscall_table[CALL_CHECK] = old_check;
	syscall_table[CALL_DONE] = old_done;
}
