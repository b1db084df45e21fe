/*
 * The registry of character devices, and the file operations that every device node starts with: open looks the number up
 * and puts the driver's operations in their place. Block devices and sockets on disk have no driver: -ENXIO.
 *
 * devices_mutex guards the list; opening runs the driver's open outside of it. A driver unregisters when no file is
 * open any more, which the module system's references see to.
 */
#include "modules/vfs/internal.h"

struct device {
	struct list link;
	uint32_t major, minor, count;
	bool fallback;
	const char *name;
	const struct file_ops *ops;
	void *private;
};

static struct mutex devices_mutex = MUTEX_INIT(devices_mutex);
static struct list devices = LIST_INIT(devices);

/* User space has 32-bit numbers in mknod: 12 bits of major between 20 of minor. */
uint64_t device_decode(uint64_t user)
{
	uint32_t major = (uint32_t)(user >> 8) & 0xfff;
	uint32_t minor = ((uint32_t)user & 0xff) | ((uint32_t)(user >> 12) & 0xfff00);

	return device_number(major, minor);
}
MODAPI(device_decode);

uint64_t device_encode(uint64_t dev)
{
	uint64_t major = device_major(dev), minor = device_minor(dev);

	return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffull) << 12;
}
MODAPI(device_encode);

static struct device *find_device(uint32_t major, uint32_t minor)
{
	struct device *d, *fallback = NULL;

	list_for_each(d, &devices, link) {
		if (d->major != major || minor < d->minor || minor - d->minor >= d->count)
			continue;
		if (!d->fallback)
			return d;
		fallback = d;
	}
	return fallback;
}

static int add_device(uint32_t major, uint32_t minor, uint32_t count, const char *name,
		      const struct file_ops *ops, void *private, bool fallback)
{
	struct device *d = kzalloc(sizeof(*d), 0), *other;

	if (!d)
		return -ENOMEM;
	d->major = major;
	d->minor = minor;
	d->count = count;
	d->name = name;
	d->ops = ops;
	d->private = private;
	d->fallback = fallback;
	mutex_lock(&devices_mutex);
	list_for_each(other, &devices, link) {
		if (other->fallback == fallback && other->major == major && minor < other->minor + other->count && other->minor < minor + count) {
			mutex_unlock(&devices_mutex);
			kfree(d);
			return -EBUSY;
		}
	}
	list_add_tail(&devices, &d->link);
	mutex_unlock(&devices_mutex);
	return 0;
}

int device_register(uint32_t major, uint32_t minor, uint32_t count, const char *name,
		    const struct file_ops *ops, void *private)
{
	return add_device(major, minor, count, name, ops, private, false);
}
MODAPI(device_register);

int device_register_fallback(uint32_t major, uint32_t minor, const char *name, const struct file_ops *ops)
{
	return add_device(major, minor, 1, name, ops, NULL, true);
}
MODAPI(device_register_fallback);

void device_unregister(uint32_t major, uint32_t minor, uint32_t count)
{
	struct device *d;

	mutex_lock(&devices_mutex);
	d = find_device(major, minor);
	if (d && d->minor == minor && d->count == count)
		list_remove(&d->link);
	else
		d = NULL;
	mutex_unlock(&devices_mutex);
	kfree(d);
}
MODAPI(device_unregister);

void *device_private(const struct file *f)
{
	struct device *d;
	void *private = NULL;

	mutex_lock(&devices_mutex);
	d = find_device(device_major(f->inode->rdev), device_minor(f->inode->rdev));
	if (d)
		private = d->private;
	mutex_unlock(&devices_mutex);
	return private;
}
MODAPI(device_private);

int device_list(char *buf, size_t size)
{
	struct device *d;
	int n = snprintf(buf, size, "Character devices:\n");

	mutex_lock(&devices_mutex);
	list_for_each(d, &devices, link) {
		size_t at = MIN((size_t)n, size);

		n += snprintf(buf + at, size - at, "%3u %s\n", d->major, d->name);
	}
	mutex_unlock(&devices_mutex);
	n += snprintf(buf + MIN((size_t)n, size), size - MIN((size_t)n, size), "\nBlock devices:\n");
	return n;
}
MODAPI(device_list);

static int device_open(struct inode *inode, struct file *f)
{
	const struct file_ops *ops = NULL;
	struct device *d;

	mutex_lock(&devices_mutex);
	d = find_device(device_major(inode->rdev), device_minor(inode->rdev));
	if (d) {
		ops = d->ops;
		f->private = d->private;
	}
	mutex_unlock(&devices_mutex);
	if (!ops)
		return -ENXIO;
	f->ops = ops;
	return ops->open ? ops->open(inode, f) : 0;
}

static int no_device_open(struct inode *inode, struct file *f)
{
	(void)inode;
	(void)f;
	return -ENXIO;
}

const struct file_ops device_ops = { .open = device_open };
const struct file_ops no_device_ops = { .open = no_device_open };
