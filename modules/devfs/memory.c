/*
 * null, zero, full, and the console that stands in until a terminal driver registers one.
 */
#include <linux/fs.h>

#include "core/debug/log.h"
#include "modules/devfs/internal.h"

static long null_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	return 0;
}

static long null_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	return (long)from->count;
}

static int64_t null_seek(struct file *f, int64_t offset, int whence)
{
	return f->pos = 0;
}

static long zero_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	long total = 0;

	while (to->count) {
		size_t n = MIN(to->count, 64 * PAGE_SIZE), done = io_iter_zero(to, n);

		total += (long)done;
		if (done < n)
			return total ? total : -EFAULT;
		if (wait_interrupted(WAIT_INTERRUPTIBLE))
			return total;
	}
	return total;
}

/* A private mapping is anonymous memory; a shared one is an object of its own. */
static int zero_mmap(struct file *f, struct file_mapping *m)
{
	m->object = NULL;
	m->object_offset = 0;
	if (m->flags & REGION_SHARED) {
		m->object = memobj_create_anonymous(m->length);
		if (!m->object)
			return -ENOMEM;
		if (m->flags & REGION_MAY_WRITE)
			file_map_writer(m->object);
	}
	return 0;
}

static long full_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	return from->count ? -ENOSPC : 0;
}

static const struct file_ops null_ops = { .read = null_read, .write = null_write, .seek = null_seek };
static const struct file_ops zero_ops = {
	.read = zero_read, .write = null_write, .seek = null_seek, .mmap = zero_mmap,
};
static const struct file_ops full_ops = { .read = zero_read, .write = full_write, .seek = null_seek };

static long console_write(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags)
{
	char line[200];
	long total = 0;

	while (from->count) {
		size_t n = MIN(from->count, sizeof(line) - 1), done = io_iter_read(from, line, n);

		line[done] = 0;
		if (done)
			log_printf(LOG_NOTICE, "%s", line);
		total += (long)done;
		if (done < n)
			return total ? total : -EFAULT;
	}
	return total;
}

static int console_open(struct inode *inode, struct file *f)
{
	f->mode &= ~(unsigned int)(FILE_SEEK | FILE_POS | FILE_PREAD);
	return 0;
}

const struct file_ops log_console_ops = { .open = console_open, .read = null_read, .write = console_write };

static const struct { const char *name; uint32_t mode; uint32_t minor; const struct file_ops *ops; } devices[] = {
	{ "null", 0666, 3, &null_ops },	    { "zero", 0666, 5, &zero_ops },
	{ "full", 0666, 7, &full_ops },	    { "random", 0666, 8, &random_ops },
	{ "urandom", 0666, 9, &urandom_ops }, { "kmsg", 0644, 11, &kmsg_ops },
};

int memory_devices_init(void)
{
	int error = device_register_fallback(5, 1, "console", &log_console_ops);

	if (!error)
		error = devfs_add_node("console", 0600, 0, 0, device_number(5, 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(devices) && !error; i++)
		error = devfs_add(devices[i].name, devices[i].mode, device_number(1, devices[i].minor),
				  devices[i].ops, NULL);
	return error;
}

void memory_devices_exit(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++)
		devfs_remove(devices[i].name);
	device_unregister(5, 1, 1);
}
