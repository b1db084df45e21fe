/*
 * aarch64: switching threads, and making their first stack frames. See switch.S and entry.S.
 *
 * User code changes TPIDR_EL0 at will, so it is read at each switch away from a user thread. The keys for pointer
 * authentication are in the registers while a user thread runs; the kernel signs no pointers, so they stay there in the kernel. Kernel
 * threads leave all of these alone.
 */
#include "core/arch/thread.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/sysreg.h>
#include <arch/trap.h>

#include "arch/aarch64/offsets.h"
#include "core/arch/fpu.h"
#include "core/arch/platform.h"
#include "core/arch/trap.h"
#include "core/lib/random.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/sched/thread.h"
#include "core/trap/syscall.h"

_Static_assert(offsetof(struct thread, arch) == 0, "offsets.h");
_Static_assert(offsetof(struct arch_thread, canary) == THREAD_CANARY, "offsets.h, arch.lua");
_Static_assert(offsetof(struct arch_thread, preempt_count) == THREAD_PREEMPT, "offsets.h, cpu.h");
_Static_assert(offsetof(struct thread, work) == THREAD_WORK, "offsets.h");
_Static_assert(offsetof(struct thread, stack_base) == THREAD_STACK_BASE, "offsets.h");
_Static_assert(KERNEL_STACK_SIZE == 1ul << THREAD_STACK_SHIFT, "offsets.h");
_Static_assert(WORK_TRACE == 1u << WORK_TRACE_BIT, "offsets.h");
_Static_assert(SYSCALL_TABLE_SIZE == SYSCALL_TABLE_LIMIT, "offsets.h");
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "offsets.h");
_Static_assert(offsetof(struct trap_frame, number) == FRAME_NUMBER, "offsets.h");

extern char thread_entry_kernel[], thread_entry_user[];
struct thread *thread_switch_stacks(uintptr_t *save_sp, uintptr_t next_sp, struct thread *prev);
void thread_enter_frame(struct trap_frame *frame) __noreturn;

/* What thread_switch_stacks pops. */
struct switch_frame {
	uintptr_t x29, pc, x19[10];
};

static void keys_load(const struct pointer_keys *k)
{
	const uint64_t *w = k->word;

	sysreg_write("s3_0_c2_c1_0", w[0]);	/* APIA */
	sysreg_write("s3_0_c2_c1_1", w[1]);
	sysreg_write("s3_0_c2_c1_2", w[2]);	/* APIB */
	sysreg_write("s3_0_c2_c1_3", w[3]);
	sysreg_write("s3_0_c2_c2_0", w[4]);	/* APDA */
	sysreg_write("s3_0_c2_c2_1", w[5]);
	sysreg_write("s3_0_c2_c2_2", w[6]);	/* APDB */
	sysreg_write("s3_0_c2_c2_3", w[7]);
	if (cpu_features.pauth_generic) {
		sysreg_write("s3_0_c2_c3_0", w[8]);	/* APGA */
		sysreg_write("s3_0_c2_c3_1", w[9]);
	}
}

void thread_new_keys(void)
{
	struct thread *t = current;
	unsigned long flags;

	if (!cpu_features.pauth)
		return;
	random_bytes(&t->arch.keys, sizeof(t->arch.keys));
	flags = arch_irq_save();
	keys_load(&t->arch.keys);
	arch_irq_restore(flags);
}

static void user_save(struct thread *t)
{
	t->arch.tls = sysreg_read("tpidr_el0");
}

static void user_load(const struct thread *t)
{
	sysreg_write("tpidr_el0", t->arch.tls);
	if (cpu_features.pauth)
		keys_load(&t->arch.keys);
}

struct thread *arch_thread_switch(struct thread *prev, struct thread *next)
{
	struct cpu *c = arch_cpu_self();

	if (prev->arch.fpu || next->arch.fpu) {
		fpu_switch(prev, next);
		if (prev->arch.fpu)
			user_save(prev);
		if (next->arch.fpu)
			user_load(next);
	}
	c->thread = next;
	next->arch.preempt_count = prev->arch.preempt_count;
	sysreg_write("sp_el0", next);
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
	make_stack(t, (uintptr_t)frame_place(t), thread_entry_kernel);
}

int arch_thread_setup_user(struct thread *t, struct thread *parent)
{
	struct trap_frame *f = frame_place(t);

	if (fpu_alloc(t))
		return -ENOMEM;
	fpu_copy(t, parent);
	t->arch.tls = arch_thread_tls(parent);
	t->arch.keys = parent->arch.keys;
	*f = *parent->frame;
	f->x[0] = 0;
	t->frame = f;
	make_stack(t, (uintptr_t)f, thread_entry_user);
	return 0;
}

void arch_thread_free(struct thread *t)
{
	fpu_free(t);
}

void arch_thread_reset_user(struct trap_frame *frame, uintptr_t entry, uintptr_t stack)
{
	arch_fpu_reset();
	arch_thread_set_tls(current, 0);
	thread_new_keys();
	memset(frame, 0, sizeof(*frame));
	frame->pc = entry;
	frame->sp = stack;
	frame->pstate = PSTATE_EL0;
	frame->number = -1;
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
	arch_irq_disable();
	thread_enter_frame(current->frame);
}
KAPI(arch_thread_enter_user);

bool arch_thread_tls_valid(uintptr_t tls)
{
	(void)tls;
	return true;
}
KAPI(arch_thread_tls_valid);

void arch_thread_set_tls(struct thread *t, uintptr_t tls)
{
	preempt_disable();
	t->arch.tls = tls;
	if (t == current)
		sysreg_write("tpidr_el0", tls);
	preempt_enable();
}
KAPI(arch_thread_set_tls);

uintptr_t arch_thread_tls(struct thread *t)
{
	return t == current ? sysreg_read("tpidr_el0") : t->arch.tls;
}
KAPI(arch_thread_tls);

void arch_thread_saved_context(const struct thread *t, uintptr_t *pc, uintptr_t *fp)
{
	const struct switch_frame *f = (const void *)t->arch.sp;

	*pc = f ? f->pc : 0;
	*fp = f ? f->x29 : 0;
}
KAPI(arch_thread_saved_context);

uintptr_t arch_thread_saved_sp(const struct thread *t)
{
	return t->arch.sp;
}
