/*
 * Fixed files about the whole system.
 */
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/mem/vmap.h"
#include "core/module/module.h"
#include "core/sched/sched.h"
#include "core/time/clock.h"
#include "modules/procfs/internal.h"

static unsigned long long kib(uint64_t pages)
{
	return (unsigned long long)pages * (PAGE_SIZE / 1024);
}

/* All files are in memory, and count as shared memory as on Linux. Nothing is ever reclaimed: all that is used is active. */
static int show_meminfo(struct text_out *t, void *arg)
{
	uint64_t total = page_total(), free = page_free_count(), slab = slab_pages();
	struct page_counts n;

	page_count(&n);
	const struct { const char *name; unsigned long long kib; } lines[] = {
		{ "MemTotal", kib(total) }, { "MemFree", kib(free) }, { "MemAvailable", kib(free) }, { "Buffers", 0 },
		{ "Cached", kib(n.object) }, { "SwapCached", 0 }, { "Active", kib(n.anonymous + n.object) }, { "Inactive", 0 },
		{ "Active(anon)", kib(n.anonymous + n.object) }, { "Inactive(anon)", 0 }, { "Active(file)", 0 },
		{ "Inactive(file)", 0 }, { "SwapTotal", 0 }, { "SwapFree", 0 }, { "Dirty", 0 }, { "Writeback", 0 },
		{ "AnonPages", kib(n.anonymous) }, { "Mapped", kib(n.mapped) }, { "Shmem", kib(n.object) },
		{ "KReclaimable", 0 }, { "Slab", kib(slab) }, { "SReclaimable", 0 }, { "SUnreclaim", kib(slab) },
		{ "KernelStack", (unsigned long long)thread_count() * KERNEL_STACK_SIZE / 1024 },
		{ "PageTables", kib(n.table) }, { "NFS_Unstable", 0 }, { "Bounce", 0 }, { "WritebackTmp", 0 },
		{ "CommitLimit", kib(total / 2) }, { "Committed_AS", kib(memory_committed()) },
		{ "VmallocTotal", (VMAP_END - VMAP_BASE) / 1024 }, { "VmallocUsed", vmap_used() / 1024 },
		{ "VmallocChunk", 0 }, { "AnonHugePages", 0 }, { "ShmemHugePages", 0 }, { "ShmemPmdMapped", 0 },
		{ "FileHugePages", 0 }, { "FilePmdMapped", 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++)
		text_printf(t, "%s:%*s%8llu kB\n", lines[i].name, (int)(15 - strlen(lines[i].name)), "", lines[i].kib);
	text_printf(t, "HugePages_Total:   %5u\nHugePages_Free:    %5u\nHugePages_Rsvd:    %5u\nHugePages_Surp:    %5u\n", 0u, 0u, 0u, 0u);
	text_printf(t, "Hugepagesize:   %8u kB\nHugetlb:        %8u kB\n", 2048u, 0u);
	return 0;
}

static int show_uptime(struct text_out *t, void *arg)
{
	uint64_t now, idle = 0, one;
	struct cpu_split busy;
	unsigned int i;

	for_each_online_cpu(i) {
		sched_cpu_times(i, &busy, &one);
		idle += one;
	}
	now = clock_monotonic() / (NSEC_PER_SEC / 100);
	idle /= NSEC_PER_SEC / 100;
	text_printf(t, "%llu.%02llu %llu.%02llu\n", (unsigned long long)now / 100, (unsigned long long)now % 100,
		    (unsigned long long)idle / 100, (unsigned long long)idle % 100);
	return 0;
}

static int show_loadavg(struct text_out *t, void *arg)
{
	unsigned long loads[3];

	sched_loads(loads);
	for (int i = 0; i < 3; i++)
		text_printf(t, "%lu.%02lu ", loads[i] >> 16, ((loads[i] & 0xffff) * 100) >> 16);
	text_printf(t, "%u/%u %d\n", MAX(sched_runnable(), 1u), thread_count(), service(process)->pid());
	return 0;
}

static int show_version(struct text_out *t, void *arg)
{
	text_printf(t, "Linux version %s (mortise) (gcc %s) %s\n", MODULE_RELEASE, __VERSION__,
		    build_version);
	return 0;
}

static int show_cmdline(struct text_out *t, void *arg)
{
	text_printf(t, "%s\n", boot_info.cmdline);
	return 0;
}

int arch_cpu_describe(unsigned int cpu, char *buf, size_t size);

static int show_cpuinfo(struct text_out *t, void *arg)
{
	char *buf = kmalloc(PAGE_SIZE, 0);
	unsigned int i;

	if (!buf)
		return -ENOMEM;
	for_each_online_cpu(i) {
		int n = arch_cpu_describe(i, buf, PAGE_SIZE);

		text_add(t, buf, MIN((size_t)n, PAGE_SIZE - 1));
	}
	kfree(buf);
	return 0;
}

static void show_cpu(struct text_out *t, const struct cpu_split *busy, uint64_t idle)
{
	const uint64_t tick = NSEC_PER_SEC / 100;

	text_printf(t, " %llu 0 %llu %llu 0 0 0 0 0 0\n", (unsigned long long)(busy->user / tick),
		    (unsigned long long)(busy->system / tick), (unsigned long long)(idle / tick));
}

/* A line for each CPU behind that of their sums. */
static void show_cpus(struct text_out *t)
{
	struct cpu_split sums = { 0, 0 }, busy;
	uint64_t idle_sum = 0, idle;
	struct text_out each = { 0 };
	unsigned int i;

	for_each_online_cpu(i) {
		sched_cpu_times(i, &busy, &idle);
		sums.user += busy.user;
		sums.system += busy.system;
		idle_sum += idle;
		text_printf(&each, "cpu%u", i);
		show_cpu(&each, &busy, idle);
	}
	text_printf(t, "cpu ");
	show_cpu(t, &sums, idle_sum);
	text_add(t, each.buf, each.used);
	if (each.error)
		t->error = each.error;
	kvfree(each.buf);
}

/* Real time when the machine started: changed by setting the clock alone. */
static int64_t boot_time(void)
{
	const int64_t far = 1ll << 62;

	return far - (int64_t)clock_realtime_to_deadline(far);
}

static int show_stat(struct text_out *t, void *arg)
{
	int error;

	show_cpus(t);
	error = proc_add_interrupts(t);
	text_printf(t, "ctxt %llu\nbtime %lld\nprocesses %llu\nprocs_running %u\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
		    (unsigned long long)sched_switch_count(), (long long)(boot_time() / (int64_t)NSEC_PER_SEC),
		    (unsigned long long)thread_made(), MAX(sched_runnable(), 1u));
	return error;
}

static int show_execdomains(struct text_out *t, void *arg)
{
	text_printf(t, "0-0\tLinux           \t[kernel]\n");
	return 0;
}

/* No controller is there, as the line of titles alone says. */
static int show_cgroups(struct text_out *t, void *arg)
{
	text_printf(t, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
	return 0;
}

static int show_filesystems(struct text_out *t, void *arg)
{
	char *buf = kmalloc(PAGE_SIZE, 0);
	int n;

	if (!buf)
		return -ENOMEM;
	n = fs_type_list(buf, PAGE_SIZE);
	text_add(t, buf, MIN((size_t)n, PAGE_SIZE - 1));
	kfree(buf);
	return 0;
}

static int show_devices(struct text_out *t, void *arg)
{
	char *buf = kmalloc(PAGE_SIZE, 0);
	int n;

	if (!buf)
		return -ENOMEM;
	n = device_list(buf, PAGE_SIZE);
	text_add(t, buf, MIN((size_t)n, PAGE_SIZE - 1));
	kfree(buf);
	return 0;
}

struct used_by {
	struct text_out *text;
	struct module *of;
	unsigned int count;
};

static void count_user(struct module *m, struct used_by *u)
{
	for (unsigned int i = 0; i < m->needs_count; i++)
		u->count += m->needs[i] == u->of;
}

static void name_user(struct module *m, struct used_by *u)
{
	for (unsigned int i = 0; i < m->needs_count; i++) {
		if (m->needs[i] == u->of) {
			text_printf(u->text, "%s,", m->name);
			u->count--;
		}
	}
}

static void show_module(struct text_out *t, struct module *const *all, unsigned int count, struct module *m)
{
	struct used_by u = { t, m, 0 };

	for (unsigned int i = 0; i < count; i++)
		if (all[i])
			count_user(all[i], &u);
	text_printf(t, "%s %zu %u ", m->name, m->total_size, u.count);
	if (u.count) {
		for (unsigned int i = count; i-- > 0;)
			if (all[i])
				name_user(all[i], &u);
	} else {
		text_printf(t, "-");
	}
	text_printf(t, " %s 0x%016lx\n", m->state == MODULE_LIVE ? "Live" : m->state == MODULE_LOADING ? "Loading" : "Unloading",
		    service(authority)->capable(34) ? m->part[0].base : 0ul);	/* CAP_SYSLOG */
}

/* Under the module lock: none of them goes meanwhile. */
static void show_all_modules(struct module *const *all, unsigned int count, void *arg)
{
	for (unsigned int i = count; i-- > 0;)
		if (all[i])
			show_module(arg, all, count, all[i]);
}

static int show_modules(struct text_out *t, void *arg)
{
	module_with_all(show_all_modules, t);
	return 0;
}

static void show_slab(const struct slab_stats *s, void *arg)
{
	text_printf(arg, "%-20s %6llu %6llu %6zu %4u %4u : tunables 0 0 0 : slabdata %6llu %6llu 0\n", s->name,
		    (unsigned long long)s->used, (unsigned long long)s->total, s->size, 0u, 1u,
		    (unsigned long long)s->pages, (unsigned long long)s->pages);
}

static int show_slabinfo(struct text_out *t, void *arg)
{
	text_printf(t, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : "
		       "tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	slab_for_each(show_slab, t);
	return 0;
}

static int show_nothing(struct text_out *t, void *arg)
{
	return 0;
}

static int show_swaps(struct text_out *t, void *arg)
{
	text_printf(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static int show_partitions(struct text_out *t, void *arg)
{
	text_printf(t, "major minor  #blocks  name\n\n");
	return 0;
}

static int show_vmstat(struct text_out *t, void *arg)
{
	text_printf(t, "nr_free_pages %llu\nnr_slab_unreclaimable %llu\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n",
		    (unsigned long long)page_free_count(), (unsigned long long)slab_pages());
	return 0;
}

#define TYPE(name, fn) static const struct text_file_type name = { .show = fn }
TYPE(meminfo, show_meminfo);
TYPE(uptime, show_uptime);
TYPE(loadavg, show_loadavg);
TYPE(version, show_version);
TYPE(cmdline, show_cmdline);
TYPE(cpuinfo, show_cpuinfo);
TYPE(stat, show_stat);
TYPE(filesystems, show_filesystems);
TYPE(devices, show_devices);
TYPE(interrupts, proc_show_interrupts);
TYPE(softirqs, proc_show_softirqs);
TYPE(execdomains, show_execdomains);
TYPE(cgroups, show_cgroups);
TYPE(modules, show_modules);
TYPE(slabinfo, show_slabinfo);
TYPE(nothing, show_nothing);
TYPE(swaps, show_swaps);
TYPE(locks, locks_show);
TYPE(partitions, show_partitions);
TYPE(vmstat, show_vmstat);

int proc_system_init(void)
{
	static const struct { const char *path; uint32_t mode; const struct text_file_type *type; const char *link; } files[] = {
		{ "meminfo", S_IFREG | 0444, &meminfo, NULL }, { "uptime", S_IFREG | 0444, &uptime, NULL },
		{ "loadavg", S_IFREG | 0444, &loadavg, NULL }, { "version", S_IFREG | 0444, &version, NULL },
		{ "cmdline", S_IFREG | 0444, &cmdline, NULL }, { "cpuinfo", S_IFREG | 0444, &cpuinfo, NULL },
		{ "stat", S_IFREG | 0444, &stat, NULL }, { "filesystems", S_IFREG | 0444, &filesystems, NULL },
		{ "devices", S_IFREG | 0444, &devices, NULL }, { "interrupts", S_IFREG | 0444, &interrupts, NULL },
		{ "softirqs", S_IFREG | 0444, &softirqs, NULL }, { "execdomains", S_IFREG | 0444, &execdomains, NULL },
		{ "cgroups", S_IFREG | 0444, &cgroups, NULL },
		{ "modules", S_IFREG | 0444, &modules, NULL }, { "slabinfo", S_IFREG | 0400, &slabinfo, NULL },
		{ "swaps", S_IFREG | 0444, &swaps, NULL }, { "partitions", S_IFREG | 0444, &partitions, NULL },
		{ "vmstat", S_IFREG | 0444, &vmstat, NULL }, { "misc", S_IFREG | 0444, &nothing, NULL },
		{ "diskstats", S_IFREG | 0444, &nothing, NULL }, { "locks", S_IFREG | 0444, &locks, NULL },
		{ "mounts", S_IFLNK | 0777, NULL, "self/mounts" }, { "net", S_IFDIR | 0555, NULL, NULL },
		{ "bus", S_IFDIR | 0555, NULL, NULL }, { "driver", S_IFDIR | 0555, NULL, NULL },
		{ "fs", S_IFDIR | 0555, NULL, NULL }, { "tty", S_IFDIR | 0555, NULL, NULL },
		{ "sysvipc", S_IFDIR | 0555, NULL, NULL }, { "irq", S_IFDIR | 0555, NULL, NULL },
	};
	int error = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(files) && !error; i++)
		error = procfs_add(files[i].path, files[i].mode, files[i].type, (void *)files[i].link);
	return error;
}
