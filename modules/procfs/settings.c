/*
 * /proc/sys: the settings that are one number each, of the core and of modules that procfs needs.
 *
 * A setting is an int or a 64-bit number of its owner's; it is written here in one piece, within the bounds of the table, and
 * read by its owner whenever it matters. Modules that procfs does not need add their own (sysvipc.c, mqueue.c).
 */
#include <linux/capability.h>

#include "core/debug/log.h"
#include "modules/linux/session.h"
#include "modules/linux/signal.h"
#include "modules/procfs/internal.h"

#define PTY_LIMIT 4096		/* what tty has numbers for */
#define ANYBODY (-1)		/* whom the file's mode lets write */

struct number {
	const char *path;
	uint32_t mode;
	int *small;			/* one of the two */
	uint64_t *large;
	int64_t min, max;
	int capability;			/* what a writer needs besides */
};

#define LIMIT(kind) &account_limits[ACCOUNT_##kind]
#define PIPE_MAX_SIZE "sys/fs/pipe-max-size"

static int kptr_restrict = 1;

static const struct number numbers[] = {
	{ "sys/kernel/dmesg_restrict", 0644, &log_restricted, NULL, 0, 1, CAP_SYS_ADMIN },
	{ "sys/kernel/kptr_restrict", 0644, &kptr_restrict, NULL, 0, 2, CAP_SYS_ADMIN },
	{ "sys/kernel/print-fatal-signals", 0644, &report_registers, NULL, INT32_MIN, INT32_MAX, ANYBODY },
	{ "sys/kernel/printk_ratelimit", 0644, &report_interval, NULL, 0, INT32_MAX, ANYBODY },
	{ "sys/kernel/printk_ratelimit_burst", 0644, &report_burst, NULL, INT32_MIN, INT32_MAX, ANYBODY },
	{ "sys/debug/exception-trace", 0644, &report_faults, NULL, INT32_MIN, INT32_MAX, ANYBODY },
	{ "sys/fs/protected_symlinks", 0600, &protected_symlinks, NULL, 0, 1, ANYBODY },
	{ "sys/fs/protected_hardlinks", 0600, &protected_hardlinks, NULL, 0, 1, ANYBODY },
	{ "sys/fs/protected_fifos", 0600, &protected_fifos, NULL, 0, 2, ANYBODY },
	{ "sys/fs/protected_regular", 0600, &protected_regular, NULL, 0, 2, ANYBODY },
	{ "sys/fs/leases-enable", 0644, &leases_enabled, NULL, 0, INT32_MAX, ANYBODY },
	{ "sys/fs/lease-break-time", 0644, &lease_break_seconds, NULL, 0, INT32_MAX, ANYBODY },
	{ "sys/fs/suid_dumpable", 0644, &suid_dumpable, NULL, 0, 2, ANYBODY },
	{ "sys/fs/file-max", 0644, NULL, &file_limit, 0, INT64_MAX, ANYBODY },
	{ PIPE_MAX_SIZE, 0644, NULL, &pipe_max_size, 1, INT32_MAX, ANYBODY },
	{ "sys/fs/pipe-user-pages-soft", 0644, NULL, &pipe_pages_soft, 0, INT64_MAX, ANYBODY },
	{ "sys/fs/pipe-user-pages-hard", 0644, NULL, &pipe_pages_hard, 0, INT64_MAX, ANYBODY },
	{ "sys/fs/epoll/max_user_watches", 0644, NULL, LIMIT(WATCHES), 0, INT64_MAX, ANYBODY },
	{ "sys/fs/user-locks-max", 0644, NULL, LIMIT(LOCKS), 0, INT64_MAX, ANYBODY },
	{ "sys/net/unix/user_bytes_max", 0644, NULL, LIMIT(SOCKET_BYTES), 0, INT64_MAX, ANYBODY },
	{ "sys/kernel/shm_user_pages", 0644, NULL, LIMIT(SEGMENT_PAGES), 0, INT64_MAX, ANYBODY },
	{ "sys/kernel/ipc_user_bytes", 0644, NULL, LIMIT(IPC_BYTES), 0, INT64_MAX, ANYBODY },
	{ "sys/kernel/pty/max", 0644, &pty_max, NULL, 0, PTY_LIMIT, ANYBODY },
	{ "sys/kernel/ns_last_pid", 0666, &pid_last, NULL, 0, PID_MAX - 1, CAP_SYS_ADMIN },
	{ "sys/vm/mmap_min_addr", 0644, NULL, &mmap_min_addr, 0, INT64_MAX, CAP_SYS_RAWIO },
};

static int show_number(struct text_out *t, void *arg)
{
	const struct number *n = arg;
	int64_t value = n->small ? READ_ONCE(*n->small) : (int64_t)READ_ONCE(*n->large);

	text_printf(t, "%lld\n", (long long)value);
	return 0;
}

/* To a power of two of pages, as pipes have it. */
static int64_t round_up_to_pages(int64_t value)
{
	int64_t size = PAGE_SIZE;

	while (size < value)
		size *= 2;
	return size;
}

static long store_number(const char *text, size_t length, void *arg)
{
	const struct number *n = arg;
	int64_t value;

	if (n->capability != ANYBODY && !service(authority)->capable(n->capability))
		return -EPERM;
	if (proc_parse_setting(text, length, &value) || value < n->min || value > n->max)
		return -EINVAL;
	if (n->large == &pipe_max_size)
		value = round_up_to_pages(value);
	if (n->small)
		WRITE_ONCE(*n->small, (int)value);
	else
		WRITE_ONCE(*n->large, (uint64_t)value);
	return (long)length;
}

static const struct text_file_type number_type = { .show = show_number, .store = store_number };

int proc_settings_init(void)
{
	int error = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(numbers) && !error; i++)
		error = procfs_add(numbers[i].path, S_IFREG | numbers[i].mode, &number_type, (void *)&numbers[i]);
	return error;
}
