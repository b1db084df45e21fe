/*
 * x86_64: x87, SSE and AVX state of user threads. The kernel uses no such register.
 *
 * Every switch away from a user thread saves, so the saved area of a thread that does not run is always its state. On the way
 * back the load is skipped if the registers still hold it: cpu_arch.fpu_owner names the thread and thread.arch.fpu_cpu the CPU, and
 * both must agree. Writing to the saved area breaks the agreement.
 *
 * Context: fpu_switch with interrupts off; the rest is about the calling thread and disables preemption.
 */
#include "core/arch/fpu.h"

#include <asm/errno.h>
#include <asm/sigcontext.h>

#include <arch/fpu.h>
#include <arch/percpu.h>
#include <arch/x86.h>

#include "core/debug/panic.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/uaccess.h"
#include "core/module/export.h"
#include "core/sched/thread.h"

#define XFEATURE_LEGACY 0x3ul
#define XFEATURE_AVX    0x4ul
#define XFEATURE_AVX512 0xe0ul

#define LEGACY_SIZE  512u
#define XSTATE_BV    512u		/* offsets in the area */
#define XCOMP_BV     520u
#define MXCSR_OFFSET 24u
#define MXCSR_INIT   0x1f80u
#define FCW_INIT     0x37fu

static uint64_t features;
static size_t area_size = LEGACY_SIZE;
static uint32_t mxcsr_mask = 0xffbf;
static struct kmem_cache *area_cache;

/* What a signal frame says of the state. Constant after the start. */
static union {
	struct _fpx_sw_bytes bytes;
	uint64_t words[6];
} software;

static uint8_t initial[LEGACY_SIZE + 64] __aligned(64);

void fpu_cpu_start(void)
{
	if (!cpu_features.xsave)
		return;
	if (!features) {
		struct cpuid r = cpuid_read(13, 0);
		uint64_t have = (uint64_t)r.edx << 32 | r.eax;

		features = XFEATURE_LEGACY | (have & XFEATURE_AVX);
		if ((features & XFEATURE_AVX) && (have & XFEATURE_AVX512) == XFEATURE_AVX512)
			features |= XFEATURE_AVX512;
	}
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)features), "d"((uint32_t)(features >> 32)));
}

void fpu_boot(void)
{
	uint32_t mask;

	if (features)
		area_size = cpuid_read(13, 0).ebx;
	__asm__ volatile("fninit\n\tfxsave64 %0" : "=m"(initial));
	memcpy(&mask, initial + 28, 4);
	if (mask)
		mxcsr_mask = mask;
	memset(initial, 0, sizeof(initial));
	*(uint16_t *)initial = FCW_INIT;
	*(uint32_t *)(initial + MXCSR_OFFSET) = MXCSR_INIT;
}

int fpu_start(void)
{
	if (features)
		software.bytes = (struct _fpx_sw_bytes){
			.magic1 = FP_XSTATE_MAGIC1, .extended_size = (uint32_t)(area_size + FP_XSTATE_MAGIC2_SIZE),
			.xfeatures = features, .xstate_size = (uint32_t)area_size,
		};
	area_cache = kmem_cache_create("fpu", ALIGN_UP(area_size, 64ul), 64);
	return area_cache ? 0 : -ENOMEM;
}

static void area_init(void *area)
{
	memset(area, 0, area_size);
	memcpy(area, initial, sizeof(initial) < area_size ? sizeof(initial) : area_size);
}

/* `all`: components in their initial state are written, too, for those who look at the bytes. */
static void save(void *area, bool all)
{
	uint32_t low = (uint32_t)features, high = (uint32_t)(features >> 32);

	if (cpu_features.xsaveopt && !all)
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
	else if (cpu_features.xsave)
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void load(const void *area)
{
	uint32_t low = (uint32_t)features, high = (uint32_t)(features >> 32);

	if (cpu_features.xsave)
		__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

int fpu_alloc(struct thread *t)
{
	t->arch.fpu = kmem_cache_alloc(area_cache, 0);
	if (!t->arch.fpu)
		return -ENOMEM;
	area_init(t->arch.fpu);
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
		save(prev->arch.fpu, false);
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
	memcpy(to->arch.fpu, from->arch.fpu, area_size);
	to->arch.fpu_cpu = 0;
}

size_t arch_fpu_size(void)
{
	return area_size;
}
KAPI(arch_fpu_size);

uint64_t arch_fpu_features(void)
{
	return features;
}
KAPI(arch_fpu_features);

void *arch_fpu_sync(void)
{
	void *area = current->arch.fpu;

	preempt_disable();
	save(area, true);
	preempt_enable();
	return area;
}
KAPI(arch_fpu_sync);

long x86_uaccess_xsave(uintptr_t at, uint64_t mask, const uint64_t *software, size_t size);
long x86_uaccess_xrstor(uintptr_t at, uint64_t mask, size_t size);
long x86_uaccess_fxsave(uintptr_t at);

int x86_fpu_save_user(uintptr_t at)
{
	uint64_t none = 0;

	if (features)
		return (int)x86_uaccess_xsave(at, features, software.words, area_size);
	for (unsigned int i = 0; i < ARRAY_SIZE(software.words); i++)
		if (copy_to_user(at + 464 + 8 * i, &none, 8))
			return -EFAULT;
	return (int)x86_uaccess_fxsave(at);
}
KAPI(x86_fpu_save_user);

int x86_fpu_load_user(uintptr_t at)
{
	return features ? (int)x86_uaccess_xrstor(at, features, area_size) : 1;
}
KAPI(x86_fpu_load_user);

/* Bits that XRSTOR refuses would fault in the kernel. */
static void sanitize(uint8_t *area)
{
	*(uint32_t *)(area + MXCSR_OFFSET) &= mxcsr_mask;
	if (!features)
		return;
	*(uint64_t *)(area + XSTATE_BV) &= features;
	memset(area + XCOMP_BV, 0, 56);
}

static void load_area(void)
{
	struct thread *t = current;

	preempt_disable();
	load(t->arch.fpu);
	t->arch.fpu_cpu = arch_cpu_id() + 1;
	cpu_arch_self()->fpu_owner = t;
	preempt_enable();
}

/*
 * The area is first changed, then loaded: a switch in between would save the registers over it, so preemption is off from
 * the copy on.
 */
void arch_fpu_load(const void *area)
{
	struct thread *t = current;

	preempt_disable();
	if (area != t->arch.fpu)
		memcpy(t->arch.fpu, area, area_size);
	sanitize(t->arch.fpu);
	load_area();
	preempt_enable();
}
KAPI(arch_fpu_load);

void arch_fpu_reset(void)
{
	preempt_disable();
	area_init(current->arch.fpu);
	load_area();
	preempt_enable();
}
KAPI(arch_fpu_reset);
