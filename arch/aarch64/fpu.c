/*
 * aarch64: FP and SIMD registers of user threads. The kernel uses none of them. SVE is not offered: its use traps.
 *
 * Every switch away from a user thread saves, so the saved area of a thread that does not run is always its state. On the way
 * back the load is skipped if the registers still hold it: cpu_arch.fpu_owner names the thread and thread.arch.fpu_cpu the CPU, and
 * both must agree. Writing to the saved area breaks the agreement.
 *
 * Context: fpu_switch with interrupts off; the rest is about the calling thread and disables preemption.
 */
#include "core/arch/fpu.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/sysreg.h>

#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/sched/thread.h"

static struct kmem_cache *area_cache;

int fpu_start(void)
{
	area_cache = kmem_cache_create("fpu", sizeof(struct fpsimd_state), 16);
	return area_cache ? 0 : -ENOMEM;
}

#define EACH_PAIR(op)                                                                              \
	op " q0, q1, [%0, #0]\n\t" op " q2, q3, [%0, #32]\n\t" op " q4, q5, [%0, #64]\n\t"           \
	op " q6, q7, [%0, #96]\n\t" op " q8, q9, [%0, #128]\n\t" op " q10, q11, [%0, #160]\n\t"      \
	op " q12, q13, [%0, #192]\n\t" op " q14, q15, [%0, #224]\n\t" op " q16, q17, [%0, #256]\n\t" \
	op " q18, q19, [%0, #288]\n\t" op " q20, q21, [%0, #320]\n\t" op " q22, q23, [%0, #352]\n\t" \
	op " q24, q25, [%0, #384]\n\t" op " q26, q27, [%0, #416]\n\t" op " q28, q29, [%0, #448]\n\t" \
	op " q30, q31, [%0, #480]\n\t"

static void save(struct fpsimd_state *s)
{
	__asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\t" EACH_PAIR("stp") : : "r"(s->v) : "memory");
	s->fpsr = (uint32_t)sysreg_read("fpsr");
	s->fpcr = (uint32_t)sysreg_read("fpcr");
}

static void load(const struct fpsimd_state *s)
{
	__asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\t" EACH_PAIR("ldp") : : "r"(s->v) : "memory");
	sysreg_write("fpsr", (unsigned long)s->fpsr);
	sysreg_write("fpcr", (unsigned long)s->fpcr);
}

int fpu_alloc(struct thread *t)
{
	t->arch.fpu = kmem_cache_alloc(area_cache, 0);
	if (!t->arch.fpu)
		return -ENOMEM;
	memset(t->arch.fpu, 0, sizeof(struct fpsimd_state));
	t->arch.fpu_cpu = 0;
	return 0;
}

void fpu_free(struct thread *t)
{
	if (t->arch.fpu)
		kmem_cache_free(area_cache, t->arch.fpu);
	t->arch.fpu = NULL;
}

void fpu_switch(struct thread *prev, struct thread *next)
{
	struct cpu_arch *a = cpu_arch_self();
	unsigned int tag = arch_cpu_id() + 1;

	if (prev->arch.fpu) {
		save(prev->arch.fpu);
		prev->arch.fpu_cpu = tag;
		a->fpu_owner = prev;
	}
	if (next->arch.fpu && (a->fpu_owner != next || next->arch.fpu_cpu != tag)) {
		load(next->arch.fpu);
		next->arch.fpu_cpu = tag;
		a->fpu_owner = next;
	}
}

void fpu_copy(struct thread *to, struct thread *from)
{
	if (from == current)
		arch_fpu_sync();
	memcpy(to->arch.fpu, from->arch.fpu, sizeof(struct fpsimd_state));
	to->arch.fpu_cpu = 0;
}

size_t arch_fpu_size(void)
{
	return sizeof(struct fpsimd_state);
}
KAPI(arch_fpu_size);

uint64_t arch_fpu_features(void)
{
	return 0;
}
KAPI(arch_fpu_features);

void *arch_fpu_sync(void)
{
	void *area = current->arch.fpu;

	preempt_disable();
	save(area);
	preempt_enable();
	return area;
}
KAPI(arch_fpu_sync);

static void load_area(void)
{
	struct thread *t = current;

	load(t->arch.fpu);
	t->arch.fpu_cpu = arch_cpu_id() + 1;
	cpu_arch_self()->fpu_owner = t;
}

/*
 * The area is first changed, then loaded: a switch in between would save the registers over it, so preemption is off from
 * the copy on. No value of these registers is refused.
 */
void arch_fpu_load(const void *area)
{
	struct thread *t = current;

	preempt_disable();
	if (area != t->arch.fpu)
		memcpy(t->arch.fpu, area, sizeof(struct fpsimd_state));
	load_area();
	preempt_enable();
}
KAPI(arch_fpu_load);

void arch_fpu_reset(void)
{
	preempt_disable();
	memset(current->arch.fpu, 0, sizeof(struct fpsimd_state));
	load_area();
	preempt_enable();
}
KAPI(arch_fpu_reset);
