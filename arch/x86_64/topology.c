/*
 * x86_64: packages, cores and caches, by CPUID on the CPU that asks. APIC numbers are made of fields: thread, core, package, from the
 * lowest bit on; CPUID tells how wide the first two are.
 */
#include "core/arch/topology.h"

#include <arch/percpu.h>
#include <arch/x86.h>

#include "core/module/export.h"
#include "core/sched/cpu.h"

#define LEAF_CACHES     4
#define LEAF_TOPOLOGY   0xb
#define LEAF_AMD_SIZES  0x80000008
#define LEAF_AMD_CACHES 0x8000001d
#define LEVEL_THREAD 1
#define LEVEL_CORE   2

/* Bits that numbers below `count` take. */
static unsigned int width_of(unsigned int count)
{
	unsigned int bits = 0;

	while (1ull << bits < count)
		bits++;
	return bits;
}

/* By the leaf that tells it itself. False: it is not there. */
static bool widths_by_topology(unsigned int *thread, unsigned int *package)
{
	if (cpu_features.max_leaf < LEAF_TOPOLOGY)
		return false;
	*thread = *package = 0;
	for (unsigned int i = 0; i < 8; i++) {
		struct cpuid r = cpuid_read(LEAF_TOPOLOGY, i);
		unsigned int level = r.ecx >> 8 & 0xff;

		if (!level || !(r.ebx & 0xffff))
			break;
		if (level == LEVEL_THREAD)
			*thread = r.eax & 31;
		*package = MAX(*package, r.eax & 31);
	}
	return *package || cpuid_read(LEAF_TOPOLOGY, 0).ebx & 0xffff;
}

/* How many low bits of the number are the thread's, and the thread's and core's together. */
static void field_widths(unsigned int *thread, unsigned int *package)
{
	struct cpuid r = cpuid_read(1, 0);
	unsigned int logical = r.edx >> 28 & 1 ? r.ebx >> 16 & 0xff : 1, cores = 1;

	if (widths_by_topology(thread, package))
		return;
	if (cpu_features.max_ext_leaf >= LEAF_AMD_SIZES && cpuid_read(LEAF_AMD_SIZES, 0).ecx & 0xff)
		cores = (cpuid_read(LEAF_AMD_SIZES, 0).ecx & 0xff) + 1;
	else if (cpu_features.max_leaf >= LEAF_CACHES && cpuid_read(LEAF_CACHES, 0).eax & 31)
		cores = (cpuid_read(LEAF_CACHES, 0).eax >> 26) + 1;
	*package = width_of(MAX(logical, cores));
	*thread = *package - MIN(width_of(cores), *package);
}

void arch_cpu_topology(unsigned int cpu, struct cpu_topology *out)
{
	unsigned int thread, package, id = cpus[cpu] ? cpus[cpu]->hw_id : cpu;

	field_widths(&thread, &package);
	out->thread = id & ((1u << thread) - 1);
	out->core = id >> thread & ((1u << (package - thread)) - 1);
	out->package = (unsigned int)((uint64_t)id >> package);
}
KAPI(arch_cpu_topology);

/* Both leaves have the same form; AMD has its own only with the feature for it. */
static unsigned int cache_leaf(void)
{
	if (cpu_features.max_ext_leaf >= LEAF_AMD_CACHES && cpuid_read(0x80000001, 0).ecx >> 22 & 1)
		return LEAF_AMD_CACHES;
	return cpu_features.max_leaf >= LEAF_CACHES ? LEAF_CACHES : 0;
}

bool arch_cpu_cache(unsigned int index, struct cpu_cache *out)
{
	unsigned int leaf = cache_leaf();
	struct cpuid r;

	if (!leaf || index > 15)
		return false;
	r = cpuid_read(leaf, index);
	if (!(r.eax & 31) || (r.eax & 31) > CACHE_UNIFIED)
		return false;
	*out = (struct cpu_cache){
		.kind = (enum cpu_cache_kind)(r.eax & 31), .level = r.eax >> 5 & 7, .line = (r.ebx & 0xfff) + 1,
		.partitions = (r.ebx >> 12 & 0x3ff) + 1, .ways = (r.ebx >> 22) + 1, .sets = r.ecx + 1,
		.shared_bits = width_of((r.eax >> 14 & 0xfff) + 1),
	};
	return true;
}
KAPI(arch_cpu_cache);
