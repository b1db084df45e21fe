/*
 * aarch64: exceptions and interrupts after entry.S has saved the registers.
 *
 * Exceptions of user code enable interrupts and go to the core; those of kernel code are legitimate only at instructions listed
 * in the exception table, and panic elsewhere. Interrupts run with interrupts off between trap_irq_enter and trap_irq_exit.
 */
#include "core/trap/trap.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/sysreg.h>

#include "arch/aarch64/platform/platform.h"
#include "core/arch/cpu.h"
#include "core/arch/thread.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/page_table.h"
#include "core/mem/vmap.h"
#include "core/module/export.h"
#include "core/module/hooks.h"
#include "core/sched/sched.h"
#include "core/time/timer.h"
#include "core/trap/irq.h"
#include "core/trap/syscall.h"

#define ESR_WRITE 0x40ul		/* data aborts */
#define ESR_CACHE 0x100ul		/* ... of cache maintenance, which only reads */

#define SPURIOUS  1020u			/* this and what is above is no interrupt */
#define ID_MASK   0x3ffu		/* GICv2: the sender stands above */

extern const struct { uintptr_t fault, fixup; } ex_table_start[], ex_table_end[];
extern char ro_after_init_start[], ro_after_init_end[], trap_vectors[];

void trap_user_sync(struct trap_frame *f, unsigned long esr, uintptr_t far);
void trap_kernel_sync(struct trap_frame *f, unsigned long esr, uintptr_t far);
void trap_interrupt(struct trap_frame *f);
void trap_stop(struct trap_frame *f);
void trap_error(struct trap_frame *f, unsigned long esr);
void trap_stack_overflow(struct trap_frame *f, unsigned long esr, uintptr_t far) __noreturn;
void trap_bad_vector(struct trap_frame *f, unsigned long esr) __noreturn;
long syscall_traced(struct trap_frame *f);

void trap_cpu_start(void)
{
	sysreg_write("vbar_el1", trap_vectors);
	isb();
}

void trap_protect_table(void)
{
	size_t size = (size_t)(ro_after_init_end - ro_after_init_start);

	if (size)
		kernel_protect((uintptr_t)ro_after_init_start, size, MMU_READ | MMU_GLOBAL);
}

bool arch_trap_from_kernel(uintptr_t pc)
{
	extern const char trap_fault_returns[], trap_interrupt_returns[];

	return pc == (uintptr_t)trap_fault_returns || pc == (uintptr_t)trap_interrupt_returns;
}

/* Where the kernel goes on after an unresolved fault at pc; 0 if such a fault is not expected. */
uintptr_t extable_find(uintptr_t pc)
{
	for (__typeof__(&ex_table_start[0]) e = ex_table_start; e < ex_table_end; e++)
		if (e->fault == pc)
			return e->fixup;
	return 0;
}

static inline unsigned int esr_class(unsigned long esr) { return esr >> 26 & 63; }

/* The kinds of aborts: the status code without the level. */
enum { STATUS_TRANSLATION = 1, STATUS_ACCESSED = 2, STATUS_PERMISSION = 3 };
static inline unsigned int esr_status(unsigned long esr) { return esr & 63; }

static inline bool is_page_fault(unsigned long esr)
{
	unsigned int kind = esr_status(esr) >> 2;

	return kind >= STATUS_TRANSLATION && kind <= STATUS_PERMISSION;
}

/* Loads and stores ignore the top byte of a program's address. */
static inline uintptr_t untagged(uintptr_t addr)
{
	return addr >> 55 & 1 ? addr : addr & ((1ul << 56) - 1);
}

static __noreturn void die_page(struct trap_frame *f, uintptr_t addr, unsigned long esr)
{
	const char *what = esr_class(esr) == EC_IABT ? "execute" :
			   (esr & (ESR_WRITE | ESR_CACHE)) == ESR_WRITE ? "write" : "read";

	arch_irq_disable();
	if (addr < PAGE_SIZE)
		panic_frame(f, "null pointer: cannot %s %#lx", what, addr);
	if (addr < USER_END)
		panic_frame(f, "user memory outside a user copy: cannot %s %#lx (syndrome %#lx)", what, addr, esr);
	panic_frame(f, "cannot %s kernel address %#lx (syndrome %#lx)", what, addr, esr);
}

static enum fault_kind kind_of(unsigned long esr)
{
	if (esr_class(esr) == EC_IABT || esr_class(esr) == EC_IABT_USER)
		return FAULT_EXEC;
	return (esr & (ESR_WRITE | ESR_CACHE)) == ESR_WRITE ? FAULT_WRITE : FAULT_READ;
}

/* A TLB may keep an entry that once forbade what the tables allow: it would fault for ever. */
static void forget_refusal(unsigned long esr, uintptr_t addr)
{
	if (esr_status(esr) >> 2 == STATUS_PERMISSION && addr < USER_END)
		arch_tlb_flush_local(addr);
}

static void user_abort(struct trap_frame *f, unsigned long esr, uintptr_t addr)
{
	struct trap_info info = { .address = addr, .number = esr_class(esr), .error = esr };

	if (is_page_fault(esr)) {
		info.kind = esr_status(esr) >> 2 == STATUS_PERMISSION && addr < USER_END ? TRAP_SEGV_ACCESS : TRAP_SEGV_MAP;
		trap_page_fault(f, addr, kind_of(esr), &info);
		forget_refusal(esr, addr);
		return;
	}
	info.kind = esr_status(esr) == 0x21 ? TRAP_BUS_ALIGN : TRAP_BUS_OBJECT;
	trap_user_fault(f, &info);
}

static enum trap_kind user_kind(unsigned int class)
{
	switch (class) {
	case EC_PC_ALIGN:
	case EC_SP_ALIGN:
		return TRAP_BUS_ALIGN;
	case EC_FP_TRAP:
		return TRAP_FPU;
	case EC_BRK:
		return TRAP_BREAKPOINT;
	case EC_STEP_USER:
		return TRAP_SINGLE_STEP;
	case EC_BREAK_USER:
	case EC_WATCH_USER:
		return TRAP_HW_BREAKPOINT;
	}
	return TRAP_ILLEGAL;
}

void trap_user_sync(struct trap_frame *f, unsigned long esr, uintptr_t far)
{
	unsigned int class = esr_class(esr);
	struct trap_info info = { .address = f->pc, .number = class, .error = esr };

	arch_irq_enable();
	if (class == EC_DABT_USER || class == EC_IABT_USER) {
		user_abort(f, esr, untagged(far));
	} else {
		info.kind = user_kind(class);
		if (class == EC_WATCH_USER)
			info.address = untagged(far);
		trap_user_fault(f, &info);
	}
	arch_irq_disable();
}

static const char *class_name(unsigned int class)
{
	switch (class) {
	case EC_UNKNOWN: return "undefined instruction";
	case EC_BTI: return "branch to no target";
	case EC_ILLEGAL: return "illegal state";
	case EC_FP: return "use of FP registers";
	case EC_SYSREG: return "access to a system register";
	case EC_PC_ALIGN: return "misaligned program counter";
	case EC_SP_ALIGN: return "misaligned stack pointer";
	case EC_BRK: return "breakpoint";
	case EC_FPAC: return "wrong pointer authentication";
	}
	return "unexpected exception";
}

/* Runs with interrupts as they were in the code that faulted, once it is known that it may. */
void trap_kernel_sync(struct trap_frame *f, unsigned long esr, uintptr_t far)
{
	struct trap_info info = { .number = esr_class(esr), .error = esr };
	uintptr_t addr = untagged(far), fixup;

	if (info.number != EC_DABT && info.number != EC_IABT)
		panic_frame(f, "%s in the kernel (syndrome %#lx)", class_name(info.number), esr);
	fixup = extable_find(f->pc);
	if (unlikely(!fixup || info.number == EC_IABT || !is_page_fault(esr)))
		die_page(f, addr, esr);
	__asm__ volatile("msr daifclr, #5" : : : "memory");
	if (!(f->pstate & PSTATE_I))
		arch_irq_enable();
	info.kind = TRAP_SEGV_MAP;
	info.address = addr;
	if (trap_page_fault(f, addr, kind_of(esr), &info))
		forget_refusal(esr, addr);
	else
		f->pc = fixup;
	arch_irq_disable();
}

static void stop(struct trap_frame *f)
{
	if (cpu_stopping()) {
		panic_cpu_stopped(f);
		arch_cpu_halt();
	}
}

void trap_interrupt(struct trap_frame *f)
{
	unsigned int raw = gic_acknowledge(), id = raw & ID_MASK;

	if (id >= SPURIOUS)
		return;
	trap_irq_enter();
	if (id == timer_line())
		timer_quiet();
	else if (id >= 32)
		irq_dispatch(id);
	gic_end(raw);
	if (id == timer_line())
		timer_interrupt();
	else if (id == SGI_RESCHED)
		sched_ipi();
	else if (id == SGI_CALL)
		cpu_call_answer();
	else if (id == SGI_STOP)
		stop(f);
	else if (id < 32)
		log_warn("unexpected interrupt %u", id);
	trap_irq_exit(f);
}

/* FIQ: the interrupt of group 0, sent only to stop. */
void trap_stop(struct trap_frame *f)
{
	stop(f);
}

void trap_error(struct trap_frame *f, unsigned long esr)
{
	panic_frame(f, "SError: a device or memory reported an error (syndrome %#lx)", esr);
}

void trap_stack_overflow(struct trap_frame *f, unsigned long esr, uintptr_t far)
{
	if (kernel_stack_guard(f->sp) || kernel_stack_guard(f->sp - sizeof(*f)) || kernel_stack_guard(far))
		panic_frame(f, "kernel stack overflow (thread %s)", current->name);
	panic_frame(f, "kernel stack pointer out of its stack (thread %s, syndrome %#lx, address %#lx)", current->name, esr, far);
}

void trap_bad_vector(struct trap_frame *f, unsigned long esr)
{
	panic_frame(f, "exception by a vector that is not in use (syndrome %#lx)", esr);
}

/* System calls of threads with WORK_TRACE. The number is read anew after the hooks, which may have changed it. */
long syscall_traced(struct trap_frame *f)
{
	long nr, result;

	f->x[0] = (unsigned long)-ENOSYS;	/* for tracers */
	hook_call(syscall_enter, f);
	nr = arch_syscall_number(f);
	if (nr < 0)
		result = (long)f->x[0];		/* skipped: the tracer set the result */
	else if (nr < SYSCALL_TABLE_SIZE)
		result = syscall_table[nr](f);
	else
		result = syscall_absent(f);
	arch_syscall_set_result(f, result);
	hook_call(syscall_exit, f);
	return arch_syscall_result(f);
}

void arch_trap_sanitize(struct trap_frame *f)
{
	f->pstate &= PSTATE_FLAGS | PSTATE_BTYPE | PSTATE_SSBS | (1ul << 24) | PSTATE_SS;
	f->pstate |= PSTATE_EL0;
}
KAPI(arch_trap_sanitize);

static void dump_code(const struct trap_frame *f)
{
	char text[12 * 8 + 2];
	size_t used = 0;
	bool ok;

	if (arch_frame_is_user(f) || (f->pc & 3))
		return;
	for (unsigned int i = 0; i < 8; i++) {
		uintptr_t a = f->pc - 16 + 4 * i;

		kernel_phys(a, &ok);
		if (!ok)
			break;
		used += (size_t)snprintf(text + used, sizeof(text) - used, i == 4 ? " <%08x>" : " %08x",
					 *(const uint32_t *)a);
	}
	if (used)
		log_err("code:%s", text);
}

void arch_trap_dump(const struct trap_frame *f)
{
	bool user = arch_frame_is_user(f), ok;
	/* A program's fault is news, ours is an error. */
	enum log_level level = user ? LOG_INFO : LOG_ERR;

	log_printf(level, "pc  %016lx sp  %016lx pstate %08lx%s", f->pc, f->sp, f->pstate, user ? " (user)" : "");
	for (unsigned int i = 0; i < 28; i += 4)
		log_printf(level, "x%-2u %016lx %016lx %016lx %016lx", i, f->x[i], f->x[i + 1], f->x[i + 2], f->x[i + 3]);
	log_printf(level, "x28 %016lx %016lx %016lx", f->x[28], f->x[29], f->x[30]);
	if (user)
		return;
	log_printf(level, "esr %016lx far %016lx ttbr0 %016lx", sysreg_read("esr_el1"), sysreg_read("far_el1"),
		   sysreg_read("ttbr0_el1"));
	dump_code(f);
	for (uintptr_t sp = ALIGN_DOWN(f->sp, 8ul), end = sp + 96; sp < end; sp += 32) {
		const unsigned long *w = (const unsigned long *)sp;

		kernel_phys(sp, &ok);
		if (ok)
			kernel_phys(sp + 24, &ok);
		if (!ok)
			break;
		log_printf(level, "stack %016lx: %016lx %016lx %016lx %016lx", sp, w[0], w[1], w[2], w[3]);
	}
}
KAPI(arch_trap_dump);
