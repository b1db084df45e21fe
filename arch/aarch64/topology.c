/*
 * aarch64: packages, cores and caches. The registers tell neither sizes nor what is shared.
 */
#include "core/arch/topology.h"

#include "core/module/export.h"

/* Nothing tells it: as Linux then, one package of cores. */
void arch_cpu_topology(unsigned int cpu, struct cpu_topology *out)
{
	*out = (struct cpu_topology){ .package = 0, .core = cpu, .thread = 0 };
}
KAPI(arch_cpu_topology);

bool arch_cpu_cache(unsigned int index, struct cpu_cache *out)
{
	(void)index;
	(void)out;
	return false;
}
KAPI(arch_cpu_cache);
