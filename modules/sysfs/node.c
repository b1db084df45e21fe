/*
 * /sys/devices/system/node: the machine's only memory node, with all of its memory and processors.
 */
#include "core/mem/page.h"
#include "core/sched/cpu.h"
#include "modules/sysfs/internal.h"

#define NODE "devices/system/node/"

static int show_first(struct text_out *t, void *arg)
{
	text_printf(t, "0\n");
	return 0;
}

static int show_distance(struct text_out *t, void *arg)
{
	text_printf(t, "10\n");		/* a node to itself, as ACPI's table of distances has it */
	return 0;
}

/* Groups of 32 processors in hexadecimal, highest first. */
static int show_cpumap(struct text_out *t, void *arg)
{
	for (unsigned int group = (cpu_count + 31) / 32; group--;) {
		uint32_t bits = 0;

		for (unsigned int i = group * 32; i < cpu_count && i < group * 32 + 32; i++)
			bits |= (uint32_t)(cpus[i] && READ_ONCE(cpus[i]->online)) << i % 32;
		text_printf(t, "%08x%s", bits, group ? "," : "\n");
	}
	return 0;
}

static int show_node_meminfo(struct text_out *t, void *arg)
{
	unsigned long long total = page_total() * (PAGE_SIZE / 1024), free = page_free_count() * (PAGE_SIZE / 1024);

	text_printf(t, "Node 0 MemTotal:       %8llu kB\nNode 0 MemFree:        %8llu kB\nNode 0 MemUsed:        %8llu kB\n", total, free,
		    total - MIN(total, free));
	return 0;
}

static const struct text_file_type first_type = { .show = show_first };
static const struct text_file_type distance_type = { .show = show_distance };
static const struct text_file_type cpumap_type = { .show = show_cpumap };
static const struct text_file_type cpulist_type = { .show = sys_show_online };
static const struct text_file_type meminfo_type = { .show = show_node_meminfo };

int sys_node_init(void)
{
	static const struct { const char *path; const struct text_file_type *type; } files[] = {
		{ NODE "online", &first_type }, { NODE "possible", &first_type }, { NODE "has_memory", &first_type },
		{ NODE "has_normal_memory", &first_type }, { NODE "has_cpu", &first_type },
		{ NODE "node0/cpulist", &cpulist_type }, { NODE "node0/cpumap", &cpumap_type },
		{ NODE "node0/distance", &distance_type }, { NODE "node0/meminfo", &meminfo_type },
	};
	int error = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(files) && !error; i++)
		error = sysfs_add(files[i].path, S_IFREG | 0444, files[i].type, NULL);
	return error;
}
