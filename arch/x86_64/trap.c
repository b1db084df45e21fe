/*
 * x86_64: exceptions and interrupts after entry.asm has saved the registers.
 *
 * Exceptions of user code enable interrupts and go to the core; those of kernel code are legitimate only at instructions listed
 * in the exception table, and panic elsewhere. Interrupts run with interrupts off between trap_irq_enter and trap_irq_exit.
 *
 * The interrupt table is filled once and then made read-only.
 */
#include "core/trap/trap.h"

#include <arch/percpu.h>
#include <arch/x86.h>

#include "arch/x86_64/platform/platform.h"
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

enum {
	EXC_DIVIDE, EXC_DEBUG, EXC_NMI, EXC_BREAKPOINT, EXC_OVERFLOW, EXC_BOUND, EXC_INVALID, EXC_NO_FPU,
	EXC_DOUBLE_FAULT, EXC_INVALID_TSS = 10, EXC_SEGMENT, EXC_STACK, EXC_GENERAL, EXC_PAGE, EXC_FPU = 16, EXC_ALIGN,
	EXC_MACHINE_CHECK, EXC_SIMD, EXC_VIRTUALIZATION, EXC_CONTROL, EXC_LAST = 31,
};

#define PF_PRESENT  0x01ul
#define PF_WRITE    0x02ul
#define PF_USER     0x04ul
#define PF_RESERVED 0x08ul
#define PF_FETCH    0x10ul

#define DR6_BREAKPOINTS 0x0ful
#define DR6_STEP        0x4000ul
#define DR6_INIT        0xffff0ff0ul

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

static struct gate idt[256] __attribute__((section(".data.ro_after_init"), aligned(4096)));

extern const uintptr_t trap_stubs[256];
extern struct { uintptr_t fault, fixup; } ex_table_start[], ex_table_end[];
extern char ro_after_init_start[], ro_after_init_end[];

static const char *const exception_names[EXC_LAST + 1] = {
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode", "no FPU",
	"double fault", "", "invalid TSS", "segment not present", "stack fault", "general protection", "page fault", "",
	"FPU error", "alignment check", "machine check", "SIMD error", "virtualization", "control protection",
};

static void gate_set(unsigned int vector, unsigned int ist, unsigned int dpl)
{
	uintptr_t p = trap_stubs[vector];

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)p, .selector = X86_KERNEL_CS, .ist = (uint8_t)ist,
		.type = (uint8_t)(0x8e | dpl << 5), .offset_mid = (uint16_t)(p >> 16), .offset_high = (uint32_t)(p >> 32),
	};
}

/* By address, for the search. The linker leaves it nearly so. The early tables still allow the writes. */
static void sort_extable(void)
{
	for (__typeof__(&ex_table_start[0]) e = ex_table_start + 1; e < ex_table_end; e++) {
		__typeof__(*e) moved = *e;
		__typeof__(e) to = e;

		for (; to > ex_table_start && to[-1].fault > moved.fault; to--)
			*to = to[-1];
		*to = moved;
	}
}

void trap_boot(void)
{
	sort_extable();
	for (unsigned int i = 0; i < 256; i++)
		gate_set(i, 0, 0);
	gate_set(EXC_BREAKPOINT, 0, 3);
	gate_set(EXC_OVERFLOW, 0, 3);
	gate_set(EXC_DOUBLE_FAULT, IST_DOUBLE_FAULT + 1, 0);
	gate_set(EXC_NMI, IST_NMI + 1, 0);
	gate_set(EXC_MACHINE_CHECK, IST_MACHINE_CHECK + 1, 0);
	gate_set(EXC_DEBUG, IST_DEBUG + 1, 0);
}

void trap_cpu_start(void)
{
	struct { uint16_t limit; uint64_t base; } __packed pointer = { sizeof(idt) - 1, (uintptr_t)idt };

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void trap_protect_table(void)
{
	kernel_protect((uintptr_t)ro_after_init_start, (size_t)(ro_after_init_end - ro_after_init_start),
			    MMU_READ | MMU_GLOBAL);
}

bool arch_trap_from_kernel(uintptr_t pc)
{
	extern const char trap_kernel_returns[];

	return pc == (uintptr_t)trap_kernel_returns;
}

/* Where the kernel goes on after an unresolved fault at pc; 0 if such a fault is not expected. */
uintptr_t extable_find(uintptr_t pc)
{
	size_t low = 0, high = (size_t)(ex_table_end - ex_table_start);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (ex_table_start[mid].fault == pc)
			return ex_table_start[mid].fixup;
		if (ex_table_start[mid].fault < pc)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

static __noreturn void die(struct trap_frame *f, unsigned int vector, unsigned long error)
{
	arch_irq_disable();
	panic_frame(f, "%s in the kernel (error %#lx)",
		    vector <= EXC_LAST && exception_names[vector] && *exception_names[vector] ?
		    exception_names[vector] : "unexpected exception", error);
}

static __noreturn void die_page(struct trap_frame *f, uintptr_t addr, unsigned long error)
{
	const char *what = error & PF_FETCH ? "execute" : error & PF_WRITE ? "write" : "read";

	arch_irq_disable();
	if (error & PF_RESERVED)
		panic_frame(f, "damaged page table entry for %#lx", addr);
	if (addr < PAGE_SIZE)
		panic_frame(f, "null pointer: cannot %s %#lx", what, addr);
	if (addr < USER_END)
		panic_frame(f, "user memory outside a user copy: cannot %s %#lx (error %#lx)", what, addr, error);
	panic_frame(f, "cannot %s kernel address %#lx (error %#lx)", what, addr, error);
}

static void page_fault(struct trap_frame *f, unsigned long error)
{
	uintptr_t addr = cr2_read(), fixup = 0;
	bool user = arch_frame_is_user(f);
	struct trap_info info;
	enum fault_kind kind;

	if (unlikely(error & PF_RESERVED))
		die_page(f, addr, error);
	if (!user) {
		fixup = extable_find(f->rip);
		if (unlikely(!fixup))
			die_page(f, addr, error);
	} else if (addr >= USER_END) {
		error |= PF_PRESENT;	/* tells nothing about the kernel's mappings */
	}
	if (f->rflags & FLAGS_IF)
		arch_irq_enable();
	kind = error & PF_FETCH ? FAULT_EXEC : error & PF_WRITE ? FAULT_WRITE : FAULT_READ;
	info.kind = error & PF_PRESENT ? TRAP_SEGV_ACCESS : TRAP_SEGV_MAP;
	info.address = addr;
	info.number = EXC_PAGE;
	info.error = error | (user ? PF_USER : 0);
	if (!trap_page_fault(f, addr, kind, &info) && !user)
		f->rip = fixup;
	arch_irq_disable();
}

static const uint8_t user_kinds[EXC_LAST + 1] = {
	[EXC_DIVIDE] = TRAP_DIVIDE, [EXC_BREAKPOINT] = TRAP_BREAKPOINT, [EXC_OVERFLOW] = TRAP_OVERFLOW_INT,
	[EXC_BOUND] = TRAP_BOUND, [EXC_INVALID] = TRAP_ILLEGAL, [EXC_NO_FPU] = TRAP_ILLEGAL,
	[9] = TRAP_SEGV_GENERAL, [EXC_INVALID_TSS] = TRAP_SEGV_GENERAL, [EXC_SEGMENT] = TRAP_STACK,
	[EXC_STACK] = TRAP_STACK, [EXC_GENERAL] = TRAP_SEGV_GENERAL, [EXC_FPU] = TRAP_FPU, [EXC_ALIGN] = TRAP_BUS_ALIGN,
	[EXC_SIMD] = TRAP_SIMD, [EXC_CONTROL] = TRAP_SEGV_GENERAL,
};

static void user_exception(struct trap_frame *f, unsigned int vector, unsigned long error)
{
	struct trap_info info = { .address = f->rip, .number = vector, .error = error };

	info.kind = vector <= EXC_LAST ? user_kinds[vector] : TRAP_SEGV_GENERAL;
	if (info.kind == TRAP_SEGV_GENERAL || info.kind == TRAP_STACK)
		info.address = 0;
	arch_irq_enable();
	if (vector != EXC_GENERAL || !umip_emulate(f, &info))
		trap_user_fault(f, &info);
	arch_irq_disable();
}

/*
 * Single steps and breakpoints of user code. In the kernel a #DB comes only from a data breakpoint or a step that the user set up before
 * an entry instruction: it is dropped.
 */
static void debug_exception(struct trap_frame *f)
{
	unsigned long dr6 = dr6_read() ^ DR6_INIT;
	struct trap_info info = { .number = EXC_DEBUG };

	dr6_write(DR6_INIT);
	if (!arch_frame_is_user(f)) {
		f->rflags &= ~FLAGS_TF;
		return;
	}
	current->arch.dr6 = (uint32_t)dr6;
	info.kind = dr6 & DR6_BREAKPOINTS ? TRAP_HW_BREAKPOINT : TRAP_SINGLE_STEP;
	info.address = f->rip;
	arch_irq_enable();
	trap_user_fault(f, &info);
	arch_irq_disable();
}

static void nmi(struct trap_frame *f)
{
	if (cpu_stopping()) {
		panic_cpu_stopped(f);
		arch_cpu_halt();
	}
}

static __noreturn void double_fault(struct trap_frame *f)
{
	uintptr_t addr = cr2_read();

	if (kernel_stack_guard(addr) || kernel_stack_guard(f->rsp - 8))
		panic_frame(f, "kernel stack overflow (thread %s)", current->name);
	panic_frame(f, "double fault (last page fault at %#lx)", addr);
}

static void exception(struct trap_frame *f, unsigned int vector, unsigned long error)
{
	switch (vector) {
	case EXC_PAGE:
		page_fault(f, error);
		return;
	case EXC_DEBUG:
		debug_exception(f);
		return;
	case EXC_NMI:
		nmi(f);
		return;
	case EXC_DOUBLE_FAULT:
		double_fault(f);
	case EXC_MACHINE_CHECK:
		panic_frame(f, "machine check");
	}
	if (arch_frame_is_user(f)) {
		user_exception(f, vector, error);
		return;
	}
	/* A user pointer that is not canonical raises #GP instead of a page fault. */
	if (vector == EXC_GENERAL || vector == EXC_STACK) {
		uintptr_t fixup = extable_find(f->rip);

		if (fixup) {
			f->rip = fixup;
			return;
		}
	}
	die(f, vector, error);
}

static void interrupt(struct trap_frame *f, unsigned int vector)
{
	trap_irq_enter();
	switch (vector) {
	case VECTOR_TIMER:
		apic_eoi();
		timer_interrupt();
		break;
	case VECTOR_RESCHED:
		apic_eoi();
		sched_ipi();
		break;
	case VECTOR_CALL:
		apic_eoi();
		cpu_call_answer();
		break;
	case VECTOR_ERROR:
		apic_error();
		apic_eoi();
		break;
	case VECTOR_SPURIOUS:
		break;
	default: {
		int line = ioapic_line_of_vector(vector);

		if (line >= 0)
			irq_dispatch((unsigned int)line);
		else
			log_warn("unexpected interrupt vector %u", vector);
		apic_eoi();
	}
	}
	trap_irq_exit(f);
}

/* Called by entry.asm for every entry that is not a system call, with interrupts off; they are off again on return. */
void trap_handle(struct trap_frame *f, unsigned int vector, unsigned long error);
void trap_handle(struct trap_frame *f, unsigned int vector, unsigned long error)
{
	if (vector > EXC_LAST)
		interrupt(f, vector);
	else
		exception(f, vector, error);
}

/* System calls of threads with WORK_TRACE. The number is read anew after the hooks, which may have changed it. */
long syscall_traced(struct trap_frame *f);
long syscall_traced(struct trap_frame *f)
{
	long nr, result;

	hook_call(syscall_enter, f);
	nr = arch_syscall_number(f);
	if (nr < 0 && f->orig_rax == -1)
		result = (long)f->rax;		/* skipped: the tracer set the result */
	else if (nr >= 0 && nr < SYSCALL_TABLE_SIZE)
		result = syscall_table[nr](f);
	else
		result = syscall_absent(f);
	arch_syscall_set_result(f, result);
	hook_call(syscall_exit, f);
	current->arch.full_return = 1;
	return arch_syscall_result(f);
}

void arch_trap_sanitize(struct trap_frame *f)
{
	f->cs = X86_USER_CS;
	f->ss = X86_USER_SS;
	f->rflags = (f->rflags & (0xcd5ul | FLAGS_NT | FLAGS_TF | FLAGS_RF | FLAGS_AC | FLAGS_ID)) | FLAGS_IF | 2;
	if (current->frame == f)
		current->arch.full_return = 1;
}
KAPI(arch_trap_sanitize);

static void dump_code(const struct trap_frame *f)
{
	char text[3 * 24 + 2];
	size_t used = 0;
	bool ok;

	if (arch_frame_is_user(f))
		return;
	for (unsigned int i = 0; i < 24; i++) {
		uintptr_t a = f->rip - 8 + i;

		kernel_phys(a, &ok);
		if (!ok)
			break;
		used += (size_t)snprintf(text + used, sizeof(text) - used, i == 8 ? "<%02x>" : " %02x",
					 *(const uint8_t *)a);
	}
	if (used)
		log_err("code:%s", text);
}

void arch_trap_dump(const struct trap_frame *f)
{
	bool user = arch_frame_is_user(f), ok;
	/* A program's fault is news, ours is an error. */
	enum log_level level = user ? LOG_INFO : LOG_ERR;

	log_printf(level, "rip %04lx:%016lx flags %08lx%s", f->cs, f->rip, f->rflags, user ? " (user)" : "");
	log_printf(level, "rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
	log_printf(level, "rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
	log_printf(level, "r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
	log_printf(level, "r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
	if (user)
		return;
	log_printf(level, "cr2 %016lx cr3 %016lx cr4 %08lx", cr2_read(), cr3_read(), cr4_read());
	dump_code(f);
	for (uintptr_t sp = ALIGN_DOWN(f->rsp, 8ul), end = sp + 96; sp < end; sp += 32) {
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
