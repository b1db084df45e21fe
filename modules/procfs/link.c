/*
 * Links of /proc that lead to a file or a place itself; their text only describes it.
 */
#include "modules/procfs/internal.h"

static long describe(struct file *f, const struct path *p, char *buf, size_t size)
{
	char *text = kmalloc(PATH_SIZE_MAX, 0);
	long n = -ENOMEM;

	if (text)
		n = f ? file_format(f, text, PATH_SIZE_MAX) : path_format(p, text, PATH_SIZE_MAX);
	if (n > 0) {
		n = (long)MIN((size_t)n, size);
		memcpy(buf, text, (size_t)n);
	}
	kfree(text);
	return n;
}

int proc_file_follow(struct file *f, struct path *out)
{
	if (!f)
		return -ENOENT;
	*out = f->path;
	path_get(out);
	file_put(f);
	return 0;
}

long proc_file_readlink(struct file *f, char *buf, size_t size)
{
	long n;

	if (!f)
		return -ENOENT;
	n = describe(f, NULL, buf, size);
	file_put(f);
	return n;
}

long proc_path_readlink(struct path *p, char *buf, size_t size)
{
	long n = describe(NULL, p, buf, size);

	path_put(p);
	return n;
}
