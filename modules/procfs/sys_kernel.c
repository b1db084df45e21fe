/*
 * Settings of /proc/sys/kernel that are whole numbers kept elsewhere, one or several in a file, as
 * Linux's proc_dointvec reads and writes them: numbers are apart by white space, fewer than there
 * are leave the rest as it is, and what was taken before a bad one stays. Each is written whole;
 * no lock.
 */
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "modules/linux/signal.h"
#include "modules/procfs/internal.h"

struct int_vector {
	const char *path;
	int *values;
	unsigned int count;
};

static struct int_vector vectors[] = {
	{ "sys/kernel/printk", log_levels, ARRAY_SIZE(log_levels) },
	{ "sys/kernel/ctrl-alt-del", &linux_ctrl_alt_del_restarts, 1 },
};

static int show_vector(struct text_out *t, void *arg)
{
	const struct int_vector *v = arg;

	for (unsigned int i = 0; i < v->count; i++)
		text_printf(t, "%s%d", i ? "\t" : "", READ_ONCE(v->values[i]));
	text_printf(t, "\n");
	return 0;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static long store_vector(const char *text, size_t n, void *arg)
{
	const struct int_vector *v = arg;
	size_t at = 0;

	for (unsigned int i = 0; i < v->count; i++) {
		size_t from;
		int64_t value;

		while (at < n && is_space(text[at]))
			at++;
		if (at == n)
			return i ? (long)n : -EINVAL;
		from = at;
		while (at < n && !is_space(text[at]))
			at++;
		if (str_to_i64(text + from, text + at, 0, &value) || value != (int)value)
			return -EINVAL;
		WRITE_ONCE(v->values[i], (int)value);
	}
	return (long)n;
}

static int show_build(struct text_out *t, void *arg)
{
	text_printf(t, "%s\n", build_version);
	return 0;
}

static const struct text_file_type vector_type = { .show = show_vector, .store = store_vector };
static const struct text_file_type build_type = { .show = show_build };

int proc_sys_kernel_init(void)
{
	int error = procfs_add("sys/kernel/version", S_IFREG | 0444, &build_type, NULL);

	for (unsigned int i = 0; i < ARRAY_SIZE(vectors) && !error; i++)
		error = procfs_add(vectors[i].path, S_IFREG | 0644, &vector_type, &vectors[i]);
	return error;
}
