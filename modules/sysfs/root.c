/*
 * The fixed part of /sys, mounting, start and end of the module.
 */
#include <linux/magic.h>

#include "core/boot/boot.h"
#include "core/sched/cpu.h"
#include "modules/sysfs/internal.h"

struct super *sys_super;

int sysfs_add(const char *path, uint32_t mode, const struct text_file_type *type, void *arg)
{
	return text_tree_add(sys_super, path, mode, type, arg);
}
MODAPI(sysfs_add);

void sysfs_remove(const char *path)
{
	text_tree_remove(sys_super, path);
}
MODAPI(sysfs_remove);

static int show_text(struct text_out *t, void *arg)
{
	text_printf(t, "%s\n", (const char *)arg);
	return 0;
}

/* "0-3": CPUs found; or online. */
static int show_present(struct text_out *t, void *arg)
{
	if (cpu_count > 1)
		text_printf(t, "0-%u\n", cpu_count - 1);
	else
		text_printf(t, "0\n");
	return 0;
}

int sys_show_online(struct text_out *t, void *arg)
{
	const char *separator = "";
	unsigned int i, start = 0;
	bool run = false;

	for (i = 0; i <= cpu_count; i++) {
		bool on = i < cpu_count && cpus[i] && READ_ONCE(cpus[i]->online);

		if (on && !run)
			start = i;
		if (!on && run) {
			text_printf(t, i - 1 > start ? "%s%u-%u" : "%s%u", separator, start, i - 1);
			separator = ",";
		}
		run = on;
	}
	text_printf(t, "\n");
	return 0;
}

/* How long callers waited in the newest replacements of modules, in ns. */
static int show_gate_times(struct text_out *t, void *arg)
{
	uint64_t times[64];
	unsigned int n = module_gate_times(times, ARRAY_SIZE(times));

	for (unsigned int i = 0; i < n; i++)
		text_printf(t, "%llu\n", (unsigned long long)times[i]);
	return 0;
}

/* Linux's name for it: are modules loaded only when the build's key signed them? */
static int show_sig_enforce(struct text_out *t, void *arg)
{
	text_printf(t, "%c\n", module_signature_required() ? 'Y' : 'N');
	return 0;
}

static const struct text_file_type sig_enforce_type = { .show = show_sig_enforce };
static const struct text_file_type gate_times_type = { .show = show_gate_times };
static void add_console(const char *value, void *arg)
{
	struct text_out *t = arg;
	const char *comma = strchr(value, ',');

	if (t->used)
		text_add(t, " ", 1);
	text_add(t, value, comma ? (size_t)(comma - value) : strlen(value));
}

/* The consoles that the command line names, /dev/console's own the last. */
static int show_consoles(struct text_out *t, void *arg)
{
	cmdline_for_each("console", add_console, t);
	text_add(t, "\n", 1);
	return 0;
}

static const struct text_file_type consoles_type = { .show = show_consoles };
static const struct text_file_type text_type = { .show = show_text };
static const struct text_file_type present_type = { .show = show_present };
static const struct text_file_type online_type = { .show = sys_show_online };

static int add_fixed(void)
{
	static const char *const directories[] = {
		"block", "bus", "class", "dev/block", "dev/char", "devices/system/cpu", "devices/virtual", "firmware",
		"fs/cgroup", "hypervisor", "kernel/debug", "kernel/security", "kernel/tracing", "power",
	};
	static const struct { const char *path; const struct text_file_type *type; const char *text; } files[] = {
		{ "class/tty/console/active", &consoles_type, NULL },
		{ "devices/system/cpu/present", &present_type, NULL },
		{ "devices/system/cpu/possible", &present_type, NULL },
		{ "devices/system/cpu/online", &online_type, NULL },
		{ "devices/system/cpu/offline", &text_type, "" },
		{ "devices/system/cpu/isolated", &text_type, "" },
		{ "devices/system/cpu/kernel_max", &text_type, "63" },
		{ "kernel/mm/transparent_hugepage/enabled", &text_type, "always madvise [never]" },
		{ "kernel/mm/transparent_hugepage/hpage_pmd_size", &text_type, "2097152" },
		{ "kernel/uevent_seqnum", &text_type, "0" },
		{ "kernel/module_gate_times", &gate_times_type, NULL },
		{ "module/module/parameters/sig_enforce", &sig_enforce_type, NULL },
		{ "kernel/profiling", &text_type, "0" },
		{ "power/state", &text_type, "" },
	};
	int error = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(directories) && !error; i++)
		error = sysfs_add(directories[i], S_IFDIR | 0755, NULL, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(files) && !error; i++)
		error = sysfs_add(files[i].path, S_IFREG | 0444, files[i].type, (void *)files[i].text);
	return error;
}

static void sys_evict(struct inode *inode)
{
	if (!sys_module_evict(inode))
		text_tree_evict(inode);
}

static void sys_release(struct super *s)
{
	if (s->root)
		dentry_unpin_tree(s->root);
}

static const struct super_ops sys_super_ops = { .evict = sys_evict, .release = sys_release };

static int sys_mount(const struct fs_type *type, const char *source, unsigned int flags, const char *options,
		     struct super **out)
{
	super_get(sys_super);
	*out = sys_super;
	return 0;
}

static struct fs_type sys_type = { .name = "sysfs", .nodev = true, .mount = sys_mount };

int sysfs_init(void)
{
	struct inode *root;
	int error;

	sys_super = super_create(&sys_type, &sys_super_ops, SYSFS_MAGIC);
	root = sys_super ? text_tree_root(sys_super) : NULL;
	if (!root)
		return -ENOMEM;
	sys_super->root = dentry_create_root(root);
	if (!sys_super->root)
		return -ENOMEM;
	error = sys_module_init();
	if (!error)
		error = add_fixed();
	if (!error)
		error = sys_cpu_init();
	if (!error)
		error = sys_node_init();
	if (!error)
		error = fs_type_register(&sys_type);
	return error;
}

void sysfs_exit(void)
{
	fs_type_unregister(&sys_type);
	super_put(sys_super);
}
