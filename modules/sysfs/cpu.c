/*
 * /sys/devices/system/cpu/cpuN: what is shared by which processors, and their caches; smt. The port tells (core/arch/topology.h).
 *
 * Files' arguments are numbers of ours: the CPU, and for caches the index above it.
 */
#include "core/arch/topology.h"
#include "core/sched/cpu.h"
#include "modules/sysfs/internal.h"

#define CACHES_MAX 16u

enum shared { SHARED_THREAD, SHARED_CORE, SHARED_PACKAGE, SHARED_CACHE };

static unsigned int cpu_of(void *arg) { return (unsigned int)(uintptr_t)arg & 0xffff; }
static unsigned int cache_of(void *arg) { return (unsigned int)(uintptr_t)arg >> 16; }

static bool shares(unsigned int a, unsigned int b, enum shared what, unsigned int bits)
{
	struct cpu_topology x, y;

	if (what == SHARED_CACHE)
		return (uint64_t)cpus[a]->hw_id >> bits == (uint64_t)cpus[b]->hw_id >> bits;
	arch_cpu_topology(a, &x);
	arch_cpu_topology(b, &y);
	return x.package == y.package && (what == SHARED_PACKAGE || x.core == y.core);
}

/* The online processors that share something with one. */
static void set_of(unsigned int cpu, enum shared what, unsigned int bits, struct cpu_set *out)
{
	unsigned int i;

	memset(out, 0, sizeof(*out));
	for_each_online_cpu(i)
		if (shares(cpu, i, what, bits))
			bitmap_set(out->bits, i);
}

static void show_list(struct text_out *t, const struct cpu_set *set)
{
	const char *separator = "";

	for (unsigned int i = 0, end; i < cpu_count; i = end + 1) {
		end = i;
		if (!bitmap_test(set->bits, i))
			continue;
		while (end + 1 < cpu_count && bitmap_test(set->bits, end + 1))
			end++;
		text_printf(t, end > i ? "%s%u-%u" : "%s%u", separator, i, end);
		separator = ",";
	}
	text_printf(t, "\n");
}

/* Groups of 32 in hexadecimal, highest first; the highest as narrow as the machine. */
static void show_mask(struct text_out *t, const struct cpu_set *set)
{
	for (unsigned int group = (cpu_count + 31) / 32; group--;) {
		unsigned int last = MIN(cpu_count - group * 32, 32u);
		uint32_t bits = (uint32_t)(set->bits[group / 2] >> group % 2 * 32);

		text_printf(t, "%0*x%s", (int)DIV_UP(last, 4), bits, group ? "," : "\n");
	}
}

static int show_shared(struct text_out *t, void *arg, enum shared what, unsigned int bits, bool list)
{
	struct cpu_set set;

	set_of(cpu_of(arg), what, bits, &set);
	if (list)
		show_list(t, &set);
	else
		show_mask(t, &set);
	return 0;
}

static int show_core_mask(struct text_out *t, void *arg) { return show_shared(t, arg, SHARED_CORE, 0, false); }
static int show_core_list(struct text_out *t, void *arg) { return show_shared(t, arg, SHARED_CORE, 0, true); }
static int show_package_mask(struct text_out *t, void *arg) { return show_shared(t, arg, SHARED_PACKAGE, 0, false); }
static int show_package_list(struct text_out *t, void *arg) { return show_shared(t, arg, SHARED_PACKAGE, 0, true); }

static int show_core_id(struct text_out *t, void *arg)
{
	struct cpu_topology p;

	arch_cpu_topology(cpu_of(arg), &p);
	text_printf(t, "%u\n", p.core);
	return 0;
}

static int show_package_id(struct text_out *t, void *arg)
{
	struct cpu_topology p;

	arch_cpu_topology(cpu_of(arg), &p);
	text_printf(t, "%u\n", p.package);
	return 0;
}

static int show_cpu_online(struct text_out *t, void *arg)
{
	const struct cpu *c = cpus[cpu_of(arg)];

	text_printf(t, "%d\n", c && READ_ONCE(c->online));
	return 0;
}

/* ---- caches ---- */

enum cache_number { CACHE_LEVEL, CACHE_SIZE, CACHE_LINE, CACHE_WAYS, CACHE_PARTITION, CACHE_SETS };

static int show_cache_number(struct text_out *t, void *arg, enum cache_number which)
{
	struct cpu_cache c;

	if (!arch_cpu_cache(cache_of(arg), &c))
		return -ENODEV;
	switch (which) {
	case CACHE_LEVEL: text_printf(t, "%u\n", c.level); break;
	case CACHE_SIZE: text_printf(t, "%lluK\n", (unsigned long long)c.line * c.ways * c.partitions * c.sets / 1024); break;
	case CACHE_LINE: text_printf(t, "%u\n", c.line); break;
	case CACHE_WAYS: text_printf(t, "%u\n", c.ways); break;
	case CACHE_PARTITION: text_printf(t, "%u\n", c.partitions); break;
	case CACHE_SETS: text_printf(t, "%u\n", c.sets); break;
	}
	return 0;
}

static int show_cache_level(struct text_out *t, void *arg) { return show_cache_number(t, arg, CACHE_LEVEL); }
static int show_cache_size(struct text_out *t, void *arg) { return show_cache_number(t, arg, CACHE_SIZE); }
static int show_cache_line(struct text_out *t, void *arg) { return show_cache_number(t, arg, CACHE_LINE); }
static int show_cache_ways(struct text_out *t, void *arg) { return show_cache_number(t, arg, CACHE_WAYS); }
static int show_cache_partition(struct text_out *t, void *arg) { return show_cache_number(t, arg, CACHE_PARTITION); }
static int show_cache_sets(struct text_out *t, void *arg) { return show_cache_number(t, arg, CACHE_SETS); }

static int show_cache_type(struct text_out *t, void *arg)
{
	static const char *const kinds[] = { [CACHE_DATA] = "Data", [CACHE_INSTRUCTION] = "Instruction", [CACHE_UNIFIED] = "Unified" };
	struct cpu_cache c;

	if (!arch_cpu_cache(cache_of(arg), &c))
		return -ENODEV;
	text_printf(t, "%s\n", kinds[c.kind]);
	return 0;
}

static int show_cache_shared(struct text_out *t, void *arg, bool list)
{
	struct cpu_cache c;

	if (!arch_cpu_cache(cache_of(arg), &c))
		return -ENODEV;
	return show_shared(t, arg, SHARED_CACHE, c.shared_bits, list);
}

static int show_cache_mask(struct text_out *t, void *arg) { return show_cache_shared(t, arg, false); }
static int show_cache_list(struct text_out *t, void *arg) { return show_cache_shared(t, arg, true); }

/* Does any core run several threads? They cannot be switched off. */
static int show_smt_active(struct text_out *t, void *arg)
{
	unsigned int i;
	bool active = false;

	for_each_online_cpu(i) {
		struct cpu_topology p;

		arch_cpu_topology(i, &p);
		active |= p.thread != 0;
	}
	text_printf(t, "%d\n", active);
	return 0;
}

static int show_smt_control(struct text_out *t, void *arg)
{
	text_printf(t, "notimplemented\n");
	return 0;
}

struct cpu_file {
	const char *name;
	struct text_file_type type;
};

static const struct cpu_file cpu_files[] = {
	{ "online", { .show = show_cpu_online } }, { "topology/core_id", { .show = show_core_id } },
	{ "topology/physical_package_id", { .show = show_package_id } }, { "topology/core_cpus", { .show = show_core_mask } },
	{ "topology/core_cpus_list", { .show = show_core_list } }, { "topology/thread_siblings", { .show = show_core_mask } },
	{ "topology/thread_siblings_list", { .show = show_core_list } },
	{ "topology/core_siblings", { .show = show_package_mask } },
	{ "topology/core_siblings_list", { .show = show_package_list } },
	{ "topology/package_cpus", { .show = show_package_mask } },
	{ "topology/package_cpus_list", { .show = show_package_list } },
};

static const struct cpu_file cache_files[] = {
	{ "level", { .show = show_cache_level } }, { "type", { .show = show_cache_type } }, { "size", { .show = show_cache_size } },
	{ "coherency_line_size", { .show = show_cache_line } }, { "ways_of_associativity", { .show = show_cache_ways } },
	{ "physical_line_partition", { .show = show_cache_partition } }, { "number_of_sets", { .show = show_cache_sets } },
	{ "shared_cpu_map", { .show = show_cache_mask } }, { "shared_cpu_list", { .show = show_cache_list } },
};

static const struct cpu_file smt_files[] = {
	{ "active", { .show = show_smt_active } }, { "control", { .show = show_smt_control } },
};

static int add_files(const char *directory, const struct cpu_file *files, unsigned int count, void *arg)
{
	char path[96];
	int error = 0;

	for (unsigned int i = 0; i < count && !error; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i].name);
		error = sysfs_add(path, S_IFREG | 0444, &files[i].type, arg);
	}
	return error;
}

int sys_cpu_init(void)
{
	int error = add_files("devices/system/cpu/smt", smt_files, ARRAY_SIZE(smt_files), NULL);
	struct cpu_cache cache;
	char path[64];

	for (unsigned int cpu = 0; cpu < cpu_count && !error; cpu++) {
		snprintf(path, sizeof(path), "devices/system/cpu/cpu%u", cpu);
		error = add_files(path, cpu_files, ARRAY_SIZE(cpu_files), (void *)(uintptr_t)cpu);
		for (unsigned int i = 0; i < CACHES_MAX && arch_cpu_cache(i, &cache) && !error; i++) {
			snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/cache/index%u", cpu, i);
			error = add_files(path, cache_files, ARRAY_SIZE(cache_files), (void *)(uintptr_t)(cpu | i << 16));
		}
	}
	return error;
}
