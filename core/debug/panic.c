/*
 * Panic and backtraces.
 *
 * Only the first CPU that panics prints; it stops the others, each of which leaves its registers, and then prints all. No locks
 * are taken from then on. Backtraces follow frame pointers within the kernel's address range and bound their length.
 */
#include "core/debug/panic.h"

#include "core/arch/cpu.h"
#include "core/arch/mmu.h"
#include "core/arch/platform.h"
#include "core/arch/trap.h"
#include "core/boot/boot.h"
#include "core/debug/ksyms.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/mem/vmap.h"
#include "core/module/export.h"
#include "core/module/module.h"
#include "core/sched/sched.h"
#include "core/time/clock.h"

long panic_timeout;
KAPI(panic_timeout);

static unsigned int panic_owner;	/* CPU + 1 */
static struct {
	uintptr_t pc, fp;
	bool stopped;
} stopped_cpus[CPU_MAX];

const char *symbol_format(uintptr_t address, char *buf, size_t size)
{
	struct module *m = module_of_address(address);
	const char *name;
	uintptr_t offset, length;

	if (m && module_symbol_find(m, address, &name, &offset, &length))
		snprintf(buf, size, "%s+0x%lx/0x%lx [%s+0x%lx]", name, offset, length, m->name,
			 address - m->part[0].base);
	else if (m)
		snprintf(buf, size, "[%s+0x%lx]", m->name, address - m->part[0].base);
	else if (ksyms_find(address, &name, &offset, &length))
		snprintf(buf, size, "%s+0x%lx/0x%lx", name, offset, length);
	else
		snprintf(buf, size, "0x%lx", address);
	return buf;
}
KAPI(symbol_format);

static bool frame_readable(uintptr_t fp)
{
	bool ok;

	if (fp < KERNEL_DIRECT_BASE || (fp & 7))
		return false;
	kernel_phys(fp, &ok);
	if (ok)
		kernel_phys(fp + 8, &ok);
	return ok;
}

void backtrace_print(uintptr_t pc, uintptr_t fp)
{
	char text[160];

	for (unsigned int depth = 0; depth < 32 && pc; depth++) {
		uintptr_t next;

		log_printf(LOG_EMERG, "  %s", symbol_format(pc, text, sizeof(text)));
		if (!frame_readable(fp))
			break;
		next = ((uintptr_t *)fp)[0];
		pc = ((uintptr_t *)fp)[1];
		if (pc)
			pc--;		/* into the calling instruction */
		if (next <= fp)
			break;
		fp = next;
	}
}
KAPI(backtrace_print);

void panic_cpu_stopped(const struct trap_frame *frame)
{
	unsigned int id = arch_cpu_id();

	stopped_cpus[id].pc = arch_frame_is_user(frame) ? 0 : arch_frame_pc(frame);
	stopped_cpus[id].fp = arch_frame_fp(frame);
	store_release(&stopped_cpus[id].stopped, true);
}

static void print_others(void)
{
	unsigned int i;

	for (unsigned long spin = 0; spin < 10000000; spin++) {
		bool all = true;

		for_each_online_cpu(i)
			all &= i == arch_cpu_id() || load_acquire(&stopped_cpus[i].stopped);
		if (all)
			break;
		arch_cpu_relax();
	}
	for_each_online_cpu(i) {
		if (i == arch_cpu_id())
			continue;
		if (!load_acquire(&stopped_cpus[i].stopped)) {
			log_printf(LOG_EMERG, "CPU %u did not stop", i);
			continue;
		}
		log_printf(LOG_EMERG, "CPU %u (%s):", i, cpus[i]->thread->name);
		if (stopped_cpus[i].pc)
			backtrace_print(stopped_cpus[i].pc, stopped_cpus[i].fp);
		else
			log_printf(LOG_EMERG, "  in user mode");
	}
}

static void leave(void) __noreturn;
static void leave(void)
{
	arch_debug_exit(1);
	if (panic_timeout == 0) {
		log_printf(LOG_EMERG, "halted");
		arch_cpu_halt();
	}
	if (panic_timeout > 0) {
		log_printf(LOG_EMERG, "restart in %ld seconds", panic_timeout);
		clock_delay_ns((uint64_t)panic_timeout * NSEC_PER_SEC);
	}
	arch_power_restart();
	arch_cpu_halt();
}

static void panic_common(const struct trap_frame *frame, const char *fmt, va_list ap) __noreturn __printf(2, 0);
static void panic_common(const struct trap_frame *frame, const char *fmt, va_list ap)
{
	unsigned int expected = 0, me;
	char text[400];

	arch_irq_disable();
	me = arch_cpu_id() + 1;
	if (!__atomic_compare_exchange_n(&panic_owner, &expected, me, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
		if (expected != me)
			arch_cpu_halt();
		arch_early_write("panic in panic\n", 15);
		leave();
	}
	log_panic_mode();
	vsnprintf(text, sizeof(text), fmt, ap);
	log_printf(LOG_EMERG, "Kernel panic on CPU %u (%s): %s", me - 1, current ? current->name : "?", text);
	arch_cpu_stop_others();
	if (frame) {
		arch_trap_dump(frame);
		backtrace_print(arch_frame_pc(frame), arch_frame_fp(frame));
	} else {
		backtrace_print((uintptr_t)__builtin_return_address(0) - 1, *(uintptr_t *)__builtin_frame_address(0));
	}
	print_others();
	log_printf(LOG_EMERG, "kernel offset: 0x%lx, direct map: 0x%lx", arch_kernel_slide(),
		   (uintptr_t)KERNEL_DIRECT_BASE);
	leave();
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	panic_common(NULL, fmt, ap);
}
KAPI(panic);

void panic_frame(const struct trap_frame *frame, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	panic_common(frame, fmt, ap);
}
KAPI(panic_frame);

/* What the compiler calls when a canary is gone. */
void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
	panic("stack smashed in %p", __builtin_return_address(0));
}
KAPI(__stack_chk_fail);
