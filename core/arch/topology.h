/*
 * Contract of a port: how CPUs lie in packages and cores, and their caches.
 */
#pragma once

#include "core/lib/types.h"

struct cpu_topology {
	unsigned int package, core, thread;	/* numbers that CPUs of one package, and of one core in it, share */
};
void arch_cpu_topology(unsigned int cpu, struct cpu_topology *out);

enum cpu_cache_kind { CACHE_DATA = 1, CACHE_INSTRUCTION, CACHE_UNIFIED };
struct cpu_cache {
	enum cpu_cache_kind kind;
	unsigned int level;
	unsigned int line, ways, partitions, sets;	/* bytes, and counts */
	unsigned int shared_bits;	/* CPUs whose hardware numbers agree above so many bits share it */
};
/* The cache with this number, the same for all CPUs; false: there are fewer, or they cannot be known. */
bool arch_cpu_cache(unsigned int index, struct cpu_cache *out);
