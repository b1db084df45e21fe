/*
 * /proc/sys: settings that programs read, and the few that can be changed here.
 */
#include <linux/capability.h>

#include "core/arch/platform.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/random.h"
#include "core/module/autoload.h"
#include "core/module/module.h"
#include "core/sync/pi_mutex.h"
#include "modules/linux/session.h"
#include "modules/procfs/internal.h"

static int show_text(struct text_out *t, void *arg)
{
	text_printf(t, "%s\n", (const char *)arg);
	return 0;
}

static void add_uuid(struct text_out *t, const uint8_t b[16])
{
	for (int i = 0; i < 16; i++)
		text_printf(t, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	text_printf(t, "\n");
}

static void make_uuid(uint8_t b[16])
{
	random_bytes(b, 16);
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
}

static uint8_t boot_id[16];

static int show_boot_id(struct text_out *t, void *arg)
{
	add_uuid(t, boot_id);
	return 0;
}

static int show_uuid(struct text_out *t, void *arg)
{
	uint8_t b[16];

	make_uuid(b);
	add_uuid(t, b);
	return 0;
}

/* Open files, those kept at hand (none), the most. */
static int show_file_nr(struct text_out *t, void *arg)
{
	text_printf(t, "%llu\t0\t%llu\n", (unsigned long long)READ_ONCE(file_count),
		    (unsigned long long)READ_ONCE(file_limit));
	return 0;
}

static int show_machine(struct text_out *t, void *arg)
{
	text_printf(t, "%s\n", arch_machine());
	return 0;
}

static int show_threads_max(struct text_out *t, void *arg)
{
	text_printf(t, "%llu\n", (unsigned long long)MIN(page_total() * PAGE_SIZE / (8 * KERNEL_STACK_SIZE), 32768ull));
	return 0;
}

static int show_pty_count(struct text_out *t, void *arg)
{
	text_printf(t, "%d\n", READ_ONCE(pty_count));
	return 0;
}

static int show_entropy(struct text_out *t, void *arg)
{
	text_printf(t, "%u\n", random_entropy_bits());
	return 0;
}

int proc_parse_setting(const char *text, size_t n, int64_t *out)
{
	while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	return str_to_i64(text, text + n, 0, out) ? -EINVAL : 0;
}

static int show_overcommit(struct text_out *t, void *arg)
{
	text_printf(t, "%d\n", memory_overcommit_mode);
	return 0;
}

static long store_overcommit(const char *text, size_t n, void *arg)
{
	int64_t value;

	if (proc_parse_setting(text, n, &value) || value < 0 || value > 2)
		return -EINVAL;
	WRITE_ONCE(memory_overcommit_mode, (int)value);
	return (long)n;
}

static int dropped;

static int show_dropped(struct text_out *t, void *arg)
{
	text_printf(t, "%d\n", READ_ONCE(dropped));
	return 0;
}

/* Files live in memory alone, so of what may be dropped (proc_sys_vm(5)) there are objects kept at hand only. */
static long drop_caches(const char *text, size_t n, void *arg)
{
	int64_t value;

	if (proc_parse_setting(text, n, &value) || value < 1 || value > 4)
		return -EINVAL;
	WRITE_ONCE(dropped, (int)value);
	if (value & 2)
		page_drain();
	return (long)n;
}

static int show_panic(struct text_out *t, void *arg)
{
	text_printf(t, "%ld\n", panic_timeout);
	return 0;
}

static long store_panic(const char *text, size_t n, void *arg)
{
	int64_t value;

	if (proc_parse_setting(text, n, &value))
		return -EINVAL;
	WRITE_ONCE(panic_timeout, (long)value);
	return (long)n;
}

static int show_modules_disabled(struct text_out *t, void *arg)
{
	text_printf(t, "%d\n", module_changes_forbidden());
	return 0;
}

/* Once set it stays. */
static long store_modules_disabled(const char *text, size_t n, void *arg)
{
	int64_t value;

	if (proc_parse_setting(text, n, &value) || value != 1)
		return -EINVAL;
	if (!service(authority)->capable(CAP_SYS_MODULE))
		return -EPERM;
	module_forbid_changes();
	return (long)n;
}

static int show_autoload(struct text_out *t, void *arg)
{
	text_printf(t, "%d\n", READ_ONCE(module_autoload_on));
	return 0;
}

static long store_autoload(const char *text, size_t n, void *arg)
{
	int64_t value;

	if (proc_parse_setting(text, n, &value) || value < 0 || value > 1)
		return -EINVAL;
	if (!service(authority)->capable(CAP_SYS_MODULE))
		return -EPERM;
	WRITE_ONCE(module_autoload_on, value != 0);
	return (long)n;
}

/* What is fixed here, as programs expect to read it. */
struct setting {
	const char *path;
	int64_t value;
};

static int show_setting(struct text_out *t, void *arg)
{
	text_printf(t, "%lld\n", (long long)READ_ONCE(((struct setting *)arg)->value));
	return 0;
}

static const struct text_file_type text_type = { .show = show_text };
static const struct text_file_type boot_id_type = { .show = show_boot_id };
static const struct text_file_type uuid_type = { .show = show_uuid };
static const struct text_file_type file_nr_type = { .show = show_file_nr };
static const struct text_file_type threads_max_type = { .show = show_threads_max };
static const struct text_file_type pty_count_type = { .show = show_pty_count };
static const struct text_file_type machine_type = { .show = show_machine };
static const struct text_file_type entropy_type = { .show = show_entropy };
static const struct text_file_type overcommit_type = { .show = show_overcommit, .store = store_overcommit };
static const struct text_file_type drop_caches_type = { .show = show_dropped, .store = drop_caches };
static const struct text_file_type panic_type = { .show = show_panic, .store = store_panic };
static const struct text_file_type modules_disabled_type = { .show = show_modules_disabled, .store = store_modules_disabled };
static const struct text_file_type autoload_type = { .show = show_autoload, .store = store_autoload };
static const struct text_file_type setting_type = { .show = show_setting };

static struct setting settings[] = {
	{ "sys/kernel/pid_max", 32768 },
	{ "sys/kernel/ngroups_max", 65536 },
	{ "sys/kernel/cap_last_cap", CAP_LAST_CAP },
	{ "sys/kernel/randomize_va_space", 2 },
	{ "sys/kernel/overflowuid", 65534 },
	{ "sys/kernel/overflowgid", 65534 },
	{ "sys/kernel/tainted", 0 },
	{ "sys/kernel/pty/reserve", 0 },		/* there is one devpts, which may have all */
	{ "sys/kernel/core_uses_pid", 0 },		/* no core is written */
	{ "sys/kernel/core_pipe_limit", 0 },
	{ "sys/kernel/panic_on_oops", 1 },
	{ "sys/kernel/panic_on_warn", 0 },
	{ "sys/kernel/max_lock_depth", PI_CHAIN_MAX },
	{ "sys/kernel/sched_rt_period_us", 1000000 },	/* core/sched/internal.h */
	{ "sys/kernel/sched_rt_runtime_us", 950000 },
	{ "sys/kernel/timer_migration", 0 },
	{ "sys/kernel/numa_balancing", 0 },
	{ "sys/fs/overflowuid", 65534 },
	{ "sys/fs/overflowgid", 65534 },
	{ "sys/vm/nr_overcommit_hugepages", 0 },
	{ "sys/vm/nr_hugepages_mempolicy", 0 },
	{ "sys/vm/oom_kill_allocating_task", 0 },
	{ "sys/vm/zone_reclaim_mode", 0 },
	{ "sys/vm/legacy_va_layout", 0 },
	{ "sys/user/max_cgroup_namespaces", 0 },	/* no more of these can be made */
	{ "sys/user/max_ipc_namespaces", 0 },
	{ "sys/user/max_net_namespaces", 0 },
	{ "sys/user/max_pid_namespaces", 0 },
	{ "sys/user/max_time_namespaces", 0 },
	{ "sys/user/max_user_namespaces", 0 },
	{ "sys/user/max_uts_namespaces", 0 },
	{ "sys/kernel/perf_event_paranoid", 4 },
	{ "sys/kernel/sched_rr_timeslice_ms", 100 },
	{ "sys/kernel/random/poolsize", 256 },
	{ "sys/vm/max_map_count", 65530 },
	{ "sys/vm/swappiness", 60 },
	{ "sys/vm/overcommit_ratio", 50 },
	{ "sys/vm/overcommit_kbytes", 0 },
	{ "sys/vm/nr_hugepages", 0 },
	{ "sys/vm/panic_on_oom", 0 },
	{ "sys/fs/nr_open", FD_LIMIT_MAX },
};

int proc_sys_init(void)
{
	static const struct { const char *path; uint32_t mode; const struct text_file_type *type; const char *text; } files[] = {
		{ "sys/kernel/ostype", 0444, &text_type, "Linux" },
		{ "sys/kernel/osrelease", 0444, &text_type, MODULE_RELEASE },
		{ "sys/kernel/core_pattern", 0444, &text_type, "core" },
		{ "sys/kernel/random/boot_id", 0444, &boot_id_type, NULL },
		{ "sys/kernel/random/uuid", 0444, &uuid_type, NULL },
		{ "sys/kernel/random/entropy_avail", 0444, &entropy_type, NULL },
		{ "sys/kernel/arch", 0444, &machine_type, NULL },
		{ "sys/kernel/pty/nr", 0444, &pty_count_type, NULL },
		{ "sys/kernel/threads-max", 0444, &threads_max_type, NULL },
		{ "sys/kernel/panic", 0644, &panic_type, NULL },
		{ "sys/kernel/modules_autoload", 0644, &autoload_type, NULL },
		{ "sys/kernel/modules_disabled", 0644, &modules_disabled_type, NULL },
		{ "sys/vm/overcommit_memory", 0644, &overcommit_type, NULL },
		{ "sys/vm/drop_caches", 0200, &drop_caches_type, NULL },
		{ "sys/fs/file-nr", 0444, &file_nr_type, NULL },
	};
	int error = 0;

	make_uuid(boot_id);
	for (unsigned int i = 0; i < ARRAY_SIZE(files) && !error; i++)
		error = procfs_add(files[i].path, S_IFREG | files[i].mode, files[i].type, (void *)files[i].text);
	for (unsigned int i = 0; i < ARRAY_SIZE(settings) && !error; i++)
		error = procfs_add(settings[i].path, S_IFREG | 0444, &setting_type, &settings[i]);
	if (!error)
		error = proc_names_init();
	if (!error)
		error = proc_sys_kernel_init();
	return error ? error : proc_settings_init();
}
