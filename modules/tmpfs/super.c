/*
 * Mounts of tmpfs: options, limits, figures; start and end of the module. The root of all is one such mount, filled from
 * the initrds.
 */
#include <linux/magic.h>

#include "core/debug/log.h"
#include "core/mem/page.h"
#include "core/module/export.h"
#include "modules/tmpfs/internal.h"

/* As on Linux: half of memory, and as many inodes as pages. */
static uint64_t default_size(void) { return page_total() / 2; }

struct options {
	uint64_t pages, inodes;
	uint32_t mode, uid, gid;
};

/* A number with k, m, g or % of memory behind it, in bytes; `end` excluded. */
static int parse_size(const char *text, const char *end, uint64_t *out)
{
	uint64_t scale = 1, value;
	int error;

	if (text == end)
		return -EINVAL;
	switch (end[-1]) {
	case 'g': case 'G': scale = 1ull << 30; end--; break;
	case 'm': case 'M': scale = 1ull << 20; end--; break;
	case 'k': case 'K': scale = 1ull << 10; end--; break;
	case '%': scale = page_total() * PAGE_SIZE / 100; end--; break;
	default: break;
	}
	error = str_to_u64(text, end, 0, &value);
	if (error || __builtin_mul_overflow(value, scale, out))
		return -EINVAL;
	return 0;
}

static bool key_is(const char *key, size_t n, const char *name)
{
	return strlen(name) == n && !memcmp(key, name, n);
}

static int parse_option(const char *key, size_t n, const char *value, const char *end, struct options *o)
{
	uint64_t number = 0;
	int error = 0;

	if (!value)
		return key_is(key, n, "inode64") || key_is(key, n, "inode32") || key_is(key, n, "noswap") ? 0 : -EINVAL;
	if (key_is(key, n, "size")) {
		error = parse_size(value, end, &number);
		o->pages = DIV_UP(number, PAGE_SIZE);
	} else if (key_is(key, n, "nr_blocks")) {
		error = parse_size(value, end, &o->pages);
	} else if (key_is(key, n, "nr_inodes")) {
		error = parse_size(value, end, &o->inodes);
	} else if (key_is(key, n, "mode")) {
		error = str_to_u64(value, end, 8, &number);
		o->mode = (uint32_t)number & 07777;
	} else if (key_is(key, n, "uid")) {
		error = str_to_u64(value, end, 10, &number);
		o->uid = (uint32_t)number;
	} else if (key_is(key, n, "gid")) {
		error = str_to_u64(value, end, 10, &number);
		o->gid = (uint32_t)number;
	} else {
		return -EINVAL;
	}
	return error ? -EINVAL : 0;
}

static int parse_options(const char *text, struct options *o)
{
	while (*text) {
		const char *end = strchr(text, ','), *equals;
		int error;

		if (!end)
			end = text + strlen(text);
		equals = memchr(text, '=', (size_t)(end - text));
		if (end != text) {
			error = parse_option(text, (size_t)((equals ? equals : end) - text),
					     equals ? equals + 1 : NULL, end, o);
			if (error) {
				log_info("tmpfs: bad mount option in '%s'", text);
				return error;
			}
		}
		text = *end ? end + 1 : end;
	}
	return 0;
}

static int tmpfs_statfs(struct super *s, struct kstatfs *out)
{
	struct tmpfs_super *ts = tmpfs_super_of(s);
	uint64_t used, inodes;

	spin_lock(&ts->lock);
	used = MIN(ts->used_pages, ts->max_pages);
	out->blocks = ts->max_pages;
	out->blocks_free = out->blocks_available = ts->max_pages - used;
	out->files = ts->max_inodes;
	inodes = ts->used_inodes + DIV_UP(ts->side_bytes, 1024u);
	out->files_free = ts->max_inodes - MIN(inodes, ts->max_inodes);
	spin_unlock(&ts->lock);
	return 0;
}

static int tmpfs_show(struct super *s, char *buf, size_t size)
{
	struct tmpfs_super *ts = tmpfs_super_of(s);
	int n = 0;

	if (size)
		buf[0] = 0;
	if (ts->max_pages != default_size())
		n += snprintf(buf, size, ",size=%lluk", (unsigned long long)ts->max_pages * (PAGE_SIZE / 1024));
	if (ts->max_inodes != default_size())
		n += snprintf(buf + MIN((size_t)n, size), size - MIN((size_t)n, size), ",nr_inodes=%llu",
			      (unsigned long long)ts->max_inodes);
	if (ts->mode != 01777)
		n += snprintf(buf + MIN((size_t)n, size), size - MIN((size_t)n, size), ",mode=%03o", ts->mode);
	return n;
}

static int tmpfs_remount(struct super *s, const char *text)
{
	struct tmpfs_super *ts = tmpfs_super_of(s);
	struct options o = { ts->max_pages, ts->max_inodes, ts->mode, 0, 0 };
	int error = parse_options(text, &o);

	if (error)
		return error;
	spin_lock(&ts->lock);
	if ((o.pages && o.pages < ts->used_pages) || (o.inodes && o.inodes < ts->used_inodes)) {
		error = -EINVAL;
	} else {
		ts->max_pages = o.pages;
		ts->max_inodes = o.inodes;
	}
	spin_unlock(&ts->lock);
	return error;
}

static void tmpfs_release(struct super *s)
{
	if (s->root)
		dentry_unpin_tree(s->root);
}

static int tmpfs_format(struct dentry *d, char *buf, size_t size)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(d->inode);

	return snprintf(buf, size, "/memfd:%s (deleted)", ti && ti->name ? ti->name : "");
}

static bool tmpfs_charge(struct super *s, int64_t bytes)
{
	if (bytes >= 0)
		return tmpfs_charge_bytes(s, (uint64_t)bytes);
	tmpfs_uncharge_bytes(s, (uint64_t)-bytes);
	return true;
}

static const struct super_ops tmpfs_super_ops = {
	.charge = tmpfs_charge,
	.evict = tmpfs_evict,
	.statfs = tmpfs_statfs,
	.show_options = tmpfs_show,
	.remount = tmpfs_remount,
	.format = tmpfs_format,
	.release = tmpfs_release,
};

int tmpfs_super_create(const struct fs_type *type, const char *text, struct super **out)
{
	struct options o = { default_size(), default_size(), 01777, 0, 0 };
	struct tmpfs_super *ts;
	struct super *s;
	struct inode *root;
	int error;

	o.uid = service(authority)->fsuid();
	o.gid = service(authority)->fsgid();
	error = parse_options(text, &o);
	if (error)
		return error;
	ts = kzalloc(sizeof(*ts), 0);
	s = ts ? super_create(type, &tmpfs_super_ops, TMPFS_MAGIC) : NULL;
	if (!s) {
		kfree(ts);
		return -ENOMEM;
	}
	spin_init(&ts->lock);
	ts->max_pages = o.pages;
	ts->max_inodes = o.inodes;
	ts->mode = o.mode;
	s->private = ts;
	root = tmpfs_inode_create(s, NULL, S_IFDIR | o.mode, 0, &error);
	if (root) {
		root->uid = o.uid;
		root->gid = o.gid;
		s->root = dentry_create_root(root);
		error = s->root ? 0 : -ENOMEM;
	}
	if (error)
		super_put(s);
	else
		*out = s;
	return error;
}
MODAPI(tmpfs_super_create);

static int tmpfs_mount(const struct fs_type *type, const char *source, unsigned int flags, const char *options,
		       struct super **out)
{
	int error = tmpfs_super_create(type, options, out);

	if (!error)
		(*out)->flags |= flags;
	return error;
}

static int tmpfs_check_options(const char *text)
{
	struct options o = { 0 };

	return parse_options(text, &o);
}

struct fs_type tmpfs_type = {
	.name = "tmpfs", .nodev = true, .mount = tmpfs_mount, .check_options = tmpfs_check_options,
};
static struct fs_type ramfs_type = { .name = "ramfs", .nodev = true, .mount = tmpfs_mount };
static const struct fs_type rootfs_type = { .name = "rootfs", .nodev = true };

/* The root file system: what the archives hold has room always, what comes later within the limits of any other. */
static int make_root(void)
{
	struct tmpfs_super *ts;
	struct super *s;
	int error = tmpfs_super_create(&rootfs_type, "size=0,nr_inodes=0,mode=755", &s);

	if (error)
		return error;
	error = tmpfs_populate(s);
	ts = tmpfs_super_of(s);
	/* Archives that take half of memory or more leave an eighth of the rest to write to. */
	ts->max_pages = MAX(default_size(), ts->used_pages + (page_total() - MIN(ts->used_pages, page_total())) / 8);
	ts->max_inodes = MAX(default_size(), ts->used_inodes + default_size() / 8);
	if (!error)
		error = mount_root(s);
	super_put(s);
	return error;
}

int tmpfs_init(void)
{
	int error = make_root();

	if (!error)
		error = fs_type_register(&tmpfs_type);
	if (!error)
		error = fs_type_register(&ramfs_type);
	if (!error)
		error = memfd_init();
	return error;
}

void tmpfs_exit(void)
{
	memfd_exit();
	fs_type_unregister(&ramfs_type);
	fs_type_unregister(&tmpfs_type);
}
