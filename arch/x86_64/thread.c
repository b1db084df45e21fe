/*
 * x86_64: switching threads, and making their first stack frames. See switch.asm and entry.asm.
 *
 * User FS and GS bases live in the registers while the thread runs, the user's GS base in KERNEL_GS_BASE while the kernel
 * does. With FSGSBASE user code changes them at will, so they are read at each switch; without, the saved values are
 * right as long as only arch_prctl changed them: a selector that user code loads makes the base 0, that of the only segments
 * there are; the null selector, which clears the base on some processors, is taken as no change (as Linux has it).
 * The selectors of DS, ES, FS and GS are the thread's, too, and nearly always null; the kernel needs none of them.
 * Kernel threads leave bases and selectors alone.
 */
#include "core/arch/thread.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/trap.h>
#include <arch/x86.h>

#include "core/arch/fpu.h"
#include "core/arch/platform.h"
#include "core/arch/trap.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/sched/thread.h"

_Static_assert(offsetof(struct thread, arch) == 0, "offsets.inc");
_Static_assert(offsetof(struct arch_thread, sp) == 0, "offsets.inc");
_Static_assert(offsetof(struct arch_thread, canary) == 8, "offsets.inc");
_Static_assert(offsetof(struct arch_thread, full_return) == 16, "offsets.inc");
_Static_assert(offsetof(struct thread, work) == 96, "offsets.inc");
_Static_assert(WORK_TRACE == 0x20, "offsets.inc");
_Static_assert(sizeof(struct trap_frame) == 168, "offsets.inc");

extern char thread_entry_kernel[], thread_entry_user[];
struct thread *thread_switch_stacks(uintptr_t *save_sp, uintptr_t next_sp, struct thread *prev);
void thread_enter_frame(struct trap_frame *frame) __noreturn;

/* What thread_switch_stacks pops. */
struct switch_frame {
	uintptr_t r15, r14, r13, r12, rbx, rbp, pc;
};

static inline uint64_t fs_base_read(void)
{
	uint64_t v;

	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

/*
 * The bases are addresses of user space, checked where they enter, or what the processor itself
 * held. One that it refuses all the same becomes 0, not a panic.
 */
static inline void fs_base_write(uint64_t v)
{
	__asm__ volatile("1:\twrfsbase %0\n"
			 EX_TABLE("1b", "2f")
			 "\t.pushsection .text.fixup, \"ax\"\n"
			 "2:\txorl %k0, %k0\n\tjmp 1b\n"
			 "\t.popsection" : "+r"(v));
}

static inline void base_msr_write(uint32_t msr, uint64_t v)
{
	uint32_t low = (uint32_t)v, high = (uint32_t)(v >> 32);

	__asm__ volatile("1:\twrmsr\n"
			 EX_TABLE("1b", "2f")
			 "\t.pushsection .text.fixup, \"ax\"\n"
			 "2:\txorl %%eax, %%eax\n\txorl %%edx, %%edx\n\tjmp 1b\n"
			 "\t.popsection" : "+a"(low), "+d"(high) : "c"(msr) : "memory");
}

/*
 * Interrupts are off: the kernel runs for a moment with the user's GS. NMI takes care of itself. A
 * fault there could not be handled, so only canonical addresses come here.
 */
static inline uint64_t user_gs_read(void)
{
	uint64_t v;

	__asm__ volatile("swapgs\n\trdgsbase %0\n\tswapgs" : "=r"(v) : : "memory");
	return v;
}

static inline void user_gs_write(uint64_t v)
{
	__asm__ volatile("swapgs\n\twrgsbase %0\n\tswapgs" : : "r"(v) : "memory");
}

#define SELECTOR_FS(selectors) ((uint16_t)((selectors) >> 32))
#define SELECTOR_GS(selectors) ((uint16_t)((selectors) >> 48))

struct selectors { unsigned int ds, es, fs, gs; };

static inline struct selectors selectors_read(void)
{
	struct selectors s;

	__asm__ volatile("movl %%ds, %0\n\tmovl %%es, %1\n\tmovl %%fs, %2\n\tmovl %%gs, %3"
			 : "=r"(s.ds), "=r"(s.es), "=r"(s.fs), "=r"(s.gs));
	return s;
}

static inline unsigned int selectors_any(void)
{
	struct selectors s = selectors_read();

	return s.ds | s.es | s.fs | s.gs;
}

/* Leaves the user's GS base undefined. Interrupts are off, as in user_gs_read(). */
static inline void user_gs_select(unsigned int selector)
{
	__asm__ volatile("swapgs\n\tmovl %0, %%gs\n\tswapgs" : : "r"(selector) : "memory");
}

/* Only what user code could load, or null. Leaves the bases of FS and the user's GS undefined. Interrupts are off. */
static void selectors_write(uint64_t v)
{
	__asm__ volatile("movl %0, %%ds\n\tmovl %1, %%es\n\tmovl %2, %%fs"
			 : : "r"((unsigned int)v & 0xffff), "r"((unsigned int)(v >> 16) & 0xffff), "r"((unsigned int)SELECTOR_FS(v)));
	user_gs_select(SELECTOR_GS(v));
}

/* After bases_save() of the same thread. */
static __noinline void selectors_save(struct thread *t)
{
	struct selectors s = selectors_read();

	t->arch.selectors = s.ds | s.es << 16 | (uint64_t)s.fs << 32 | (uint64_t)s.gs << 48;
	if (cpu_features.fsgsbase)
		return;
	if (s.fs > 3)
		t->arch.fs_base = 0;
	if (s.gs > 3)
		t->arch.gs_base = 0;
}

static void bases_save(struct thread *t)
{
	if (cpu_features.fsgsbase) {
		t->arch.fs_base = fs_base_read();
		t->arch.gs_base = user_gs_read();
	}
}

static void bases_load(const struct thread *t)
{
	if (cpu_features.fsgsbase) {
		fs_base_write(t->arch.fs_base);
		user_gs_write(t->arch.gs_base);
	} else {
		base_msr_write(MSR_FS_BASE, t->arch.fs_base);
		base_msr_write(MSR_KERNEL_GS_BASE, t->arch.gs_base);
	}
}

static __noinline void selectors_switch(struct thread *prev, const struct thread *next)
{
	if (prev->arch.fpu)
		selectors_save(prev);
	if (next->arch.fpu)
		selectors_write(next->arch.selectors);
}

static __noinline void debug_switch(struct cpu_arch *a, const struct thread *next)
{
	dr7_write(0);
	a->debug_active = next->arch.dr7 != 0;
	if (!a->debug_active)
		return;
	dr0_write(next->arch.dr[0]);
	dr1_write(next->arch.dr[1]);
	dr2_write(next->arch.dr[2]);
	dr3_write(next->arch.dr[3]);
	dr7_write(next->arch.dr7);
}

struct thread *arch_thread_switch(struct thread *prev, struct thread *next)
{
	struct cpu *c = arch_cpu_self();
	struct cpu_arch *a = cpu_arch_of(c);
	uintptr_t top = next->stack_base + KERNEL_STACK_SIZE;

	if (prev->arch.fpu || next->arch.fpu) {
		fpu_switch(prev, next);
		if (prev->arch.fpu)
			bases_save(prev);
		if (unlikely(selectors_any() | prev->arch.selectors | next->arch.selectors))
			selectors_switch(prev, next);
		if (next->arch.fpu)
			bases_load(next);
	}
	if (unlikely(a->debug_active || next->arch.dr7))
		debug_switch(a, next);
	c->thread = next;
	c->kernel_stack = top;
	a->switched->rsp[0] = top;
	prev->arch.canary = c->stack_canary;
	c->stack_canary = next->arch.canary;
	return thread_switch_stacks(&prev->arch.sp, next->arch.sp, prev);
}

static void make_stack(struct thread *t, uintptr_t sp, void *pc)
{
	struct switch_frame *f = (void *)(sp - sizeof(*f));

	memset(f, 0, sizeof(*f));
	f->pc = (uintptr_t)pc;
	t->arch.sp = (uintptr_t)f;
	arch_random(&t->arch.canary);
	t->arch.canary &= ~0xfful;	/* a string ends before it */
}

static struct trap_frame *frame_place(const struct thread *t)
{
	return (struct trap_frame *)(t->stack_base + KERNEL_STACK_SIZE) - 1;
}

/* The place of a user frame stays free: the thread may become one that runs user code. */
void arch_thread_setup_kernel(struct thread *t)
{
	make_stack(t, ALIGN_DOWN((uintptr_t)frame_place(t), 16ul), thread_entry_kernel);
}

int arch_thread_setup_user(struct thread *t, struct thread *parent)
{
	struct trap_frame *f = frame_place(t);

	if (fpu_alloc(t))
		return -ENOMEM;
	fpu_copy(t, parent);
	if (parent == current) {
		unsigned long flags = arch_irq_save();

		bases_save(parent);
		selectors_save(parent);
		arch_irq_restore(flags);
	}
	t->arch.fs_base = parent->arch.fs_base;
	t->arch.gs_base = parent->arch.gs_base;
	t->arch.selectors = parent->arch.selectors;
	*f = *parent->frame;
	f->rax = 0;
	t->frame = f;
	make_stack(t, (uintptr_t)f, thread_entry_user);
	return 0;
}

void arch_thread_free(struct thread *t)
{
	fpu_free(t);
}

static void segments_reset(void)
{
	struct thread *t = current;
	unsigned long flags = arch_irq_save();

	t->arch.fs_base = t->arch.gs_base = t->arch.selectors = 0;
	selectors_write(0);
	bases_load(t);
	arch_irq_restore(flags);
}

void arch_thread_reset_user(struct trap_frame *frame, uintptr_t entry, uintptr_t stack)
{
	struct thread *t = current;

	arch_fpu_reset();
	segments_reset();
	if (t->arch.dr7) {
		preempt_disable();
		memset(t->arch.dr, 0, sizeof(t->arch.dr));
		t->arch.dr6 = t->arch.dr7 = 0;
		dr7_write(0);
		preempt_enable();
	}
	memset(frame, 0, sizeof(*frame));
	frame->rip = entry;
	frame->rsp = stack;
	frame->cs = X86_USER_CS;
	frame->ss = X86_USER_SS;
	frame->rflags = FLAGS_IF | 2;
	frame->orig_rax = -1;
	t->arch.full_return = 1;
}
KAPI(arch_thread_reset_user);

int arch_thread_make_user(void)
{
	struct thread *t = current;

	if (!t->arch.fpu) {
		unsigned long flags;

		if (fpu_alloc(t))
			return -ENOMEM;
		/* A switch from now on saves registers, so they must be this thread's. */
		flags = arch_irq_save();
		arch_fpu_reset();
		arch_irq_restore(flags);
	}
	t->frame = frame_place(t);
	arch_thread_reset_user(t->frame, 0, 0);
	return 0;
}
KAPI(arch_thread_make_user);

void arch_thread_enter_user(void)
{
	thread_enter_frame(current->frame);
}
KAPI(arch_thread_enter_user);

bool arch_thread_tls_valid(uintptr_t tls)
{
	return tls < USER_END;
}
KAPI(arch_thread_tls_valid);

void arch_thread_set_tls(struct thread *t, uintptr_t tls)
{
	/* A switch in between would save the base of the selector that is taken away. */
	preempt_disable();
	t->arch.fs_base = tls;
	t->arch.selectors &= ~(0xffffull << 32);
	if (t == current) {
		__asm__ volatile("movl %0, %%fs" : : "r"(0));
		base_msr_write(MSR_FS_BASE, tls);
	}
	preempt_enable();
}
KAPI(arch_thread_set_tls);

uintptr_t arch_thread_tls(struct thread *t)
{
	if (t != current)
		return t->arch.fs_base;
	return cpu_features.fsgsbase ? fs_base_read() : msr_read(MSR_FS_BASE);
}
KAPI(arch_thread_tls);

void arch_thread_set_gs(struct thread *t, uintptr_t base)
{
	unsigned long flags = arch_irq_save();

	t->arch.gs_base = base;
	t->arch.selectors &= ~(0xffffull << 48);
	if (t == current) {
		user_gs_select(0);
		base_msr_write(MSR_KERNEL_GS_BASE, base);
	}
	arch_irq_restore(flags);
}
KAPI(arch_thread_set_gs);

uintptr_t arch_thread_gs(struct thread *t)
{
	if (t == current) {
		unsigned long flags = arch_irq_save();

		t->arch.gs_base = msr_read(MSR_KERNEL_GS_BASE);
		arch_irq_restore(flags);
	}
	return t->arch.gs_base;
}
KAPI(arch_thread_gs);

void arch_thread_saved_context(const struct thread *t, uintptr_t *pc, uintptr_t *fp)
{
	const struct switch_frame *f = (const void *)t->arch.sp;

	*pc = f ? f->pc : 0;
	*fp = f ? f->rbp : 0;
}
KAPI(arch_thread_saved_context);

uintptr_t arch_thread_saved_sp(const struct thread *t)
{
	return t->arch.sp;
}
