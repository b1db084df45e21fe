/*
 * The limits of POSIX message queues in /proc/sys/fs/mqueue. The files are always there; using one loads the module whose limits they are.
 */
#include "core/module/autoload.h"
#include "modules/procfs/internal.h"

static const struct limit_file {
	const char *path;
	enum mqueue_limit which;
} limit_files[] = {
	{ "sys/fs/mqueue/queues_max", MQUEUE_QUEUES_MAX },
	{ "sys/fs/mqueue/msg_max", MQUEUE_MSG_MAX },
	{ "sys/fs/mqueue/msgsize_max", MQUEUE_MSGSIZE_MAX },
	{ "sys/fs/mqueue/msg_default", MQUEUE_MSG_DEFAULT },
	{ "sys/fs/mqueue/msgsize_default", MQUEUE_MSGSIZE_DEFAULT },
};

static const struct mqueue_ops *provider(void)
{
	module_request("mqueue");	/* refused: the default answers */
	return service(mqueue);
}

static int show_limit(struct text_out *t, void *arg)
{
	const struct limit_file *f = arg;
	int64_t value;
	int error = provider()->limit_get(f->which, &value);

	if (!error)
		text_printf(t, "%lld\n", (long long)value);
	return error;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

static long store_limit(const char *text, size_t n, void *arg)
{
	const struct limit_file *f = arg;
	const char *end = text + n;
	int64_t value;
	int error;

	while (text < end && is_blank(*text))
		text++;
	while (text < end && is_blank(end[-1]))
		end--;
	if (str_to_i64(text, end, 0, &value))
		return -EINVAL;
	error = provider()->limit_set(f->which, value);
	return error ? error : (long)n;
}

static const struct text_file_type limit_type = { .show = show_limit, .store = store_limit };

int proc_mqueue_init(void)
{
	int error = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(limit_files) && !error; i++)
		error = procfs_add(limit_files[i].path, S_IFREG | 0644, &limit_type, (void *)&limit_files[i]);
	return error;
}
