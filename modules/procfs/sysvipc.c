/*
 * /proc/sysvipc and the limits of System V IPC in /proc/sys/kernel. The files are always there; using one loads the module that
 * knows what is in them.
 */
#include "core/module/autoload.h"
#include "modules/procfs/internal.h"

#define LIMIT_VALUES 4

static const struct sysvipc_ops *provider(void)
{
	module_request("sysvipc");	/* refused: the default answers */
	return service(sysvipc);
}

static int show_table(struct text_out *t, void *arg)
{
	return provider()->show((enum sysvipc_kind)(uintptr_t)arg, t);
}

/* One file: consecutive limits on a line. */
static const struct limit_file {
	const char *path;
	enum sysvipc_limit first;
	unsigned int count;
} limit_files[] = {
	{ "sys/kernel/shmmax", SYSVIPC_SHMMAX, 1 },
	{ "sys/kernel/shmall", SYSVIPC_SHMALL, 1 },
	{ "sys/kernel/shmmni", SYSVIPC_SHMMNI, 1 },
	{ "sys/kernel/sem", SYSVIPC_SEMMSL, 4 },
	{ "sys/kernel/msgmax", SYSVIPC_MSGMAX, 1 },
	{ "sys/kernel/msgmnb", SYSVIPC_MSGMNB, 1 },
	{ "sys/kernel/msgmni", SYSVIPC_MSGMNI, 1 },
};

static int show_limits(struct text_out *t, void *arg)
{
	const struct limit_file *f = arg;
	const struct sysvipc_ops *ops = provider();

	for (unsigned int i = 0; i < f->count; i++) {
		uint64_t value;
		int error = ops->limit_get(f->first + i, &value);

		if (error)
			return error;
		text_printf(t, "%s%llu", i ? "\t" : "", (unsigned long long)value);
	}
	text_printf(t, "\n");
	return 0;
}

/* The number at *text, which goes on behind it and the blanks that follow. */
static int next_number(const char **text, const char *end, uint64_t *out)
{
	const char *p = *text, *start;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	start = p;
	while (p < end && *p != ' ' && *p != '\t' && *p != '\n')
		p++;
	if (p == start || str_to_u64(start, p, 0, out))
		return -EINVAL;
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n'))
		p++;
	*text = p;
	return 0;
}

/* Fewer numbers than the file has set the first ones. Nothing changes unless each can be read. */
static long store_limits(const char *text, size_t n, void *arg)
{
	const struct limit_file *f = arg;
	const struct sysvipc_ops *ops = provider();
	const char *p = text, *end = text + n;
	uint64_t value[LIMIT_VALUES];
	unsigned int count = 0;

	do {
		if (next_number(&p, end, &value[count]))
			return -EINVAL;
		count++;
	} while (count < f->count && p < end);
	for (unsigned int i = 0; i < count; i++) {
		int error = ops->limit_set(f->first + i, value[i]);

		if (error)
			return error;
	}
	return (long)n;
}

static const struct text_file_type table_type = { .show = show_table };
static const struct text_file_type limit_type = { .show = show_limits, .store = store_limits };

int proc_sysvipc_init(void)
{
	static const struct { const char *path; enum sysvipc_kind kind; } tables[] = {
		{ "sysvipc/shm", SYSVIPC_SHM }, { "sysvipc/sem", SYSVIPC_SEM }, { "sysvipc/msg", SYSVIPC_MSG },
	};
	int error = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(tables) && !error; i++)
		error = procfs_add(tables[i].path, S_IFREG | 0444, &table_type, (void *)(uintptr_t)tables[i].kind);
	for (unsigned int i = 0; i < ARRAY_SIZE(limit_files) && !error; i++)
		error = procfs_add(limit_files[i].path, S_IFREG | 0644, &limit_type, (void *)&limit_files[i]);
	return error;
}
