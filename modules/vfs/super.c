/*
 * Super blocks and the list of file-system types. types_mutex guards the list; a type is looked up and used to mount
 * under it, so that it cannot be unregistered half way.
 */
#include "core/module/autoload.h"
#include "modules/vfs/internal.h"
#include "modules/vfs/super.h"

static struct mutex types_mutex = MUTEX_INIT(types_mutex);
static struct list types = LIST_INIT(types);
static unsigned int next_anon_minor;
static struct spinlock supers_lock = SPINLOCK_INIT(supers_lock);
static struct list supers = LIST_INIT(supers);

static struct fs_type *find_type(const char *name)
{
	struct fs_type *t;

	list_for_each(t, &types, link) {
		if (!strcmp(t->name, name))
			return t;
	}
	return NULL;
}

int fs_type_register(struct fs_type *type)
{
	int error = -EBUSY;

	mutex_lock(&types_mutex);
	if (!find_type(type->name)) {
		list_add_tail(&types, &type->link);
		error = 0;
	}
	mutex_unlock(&types_mutex);
	return error;
}
MODAPI(fs_type_register);

void fs_type_unregister(struct fs_type *type)
{
	mutex_lock(&types_mutex);
	list_remove(&type->link);
	mutex_unlock(&types_mutex);
}
MODAPI(fs_type_unregister);

int fs_type_list(char *buf, size_t size)
{
	struct fs_type *t;
	int n = 0;

	if (size)
		buf[0] = 0;
	mutex_lock(&types_mutex);
	list_for_each(t, &types, link) {
		size_t at = MIN((size_t)n, size);

		n += snprintf(buf + at, size - at, "%s\t%s\n", t->nodev ? "nodev" : "", t->name);
	}
	mutex_unlock(&types_mutex);
	return n;
}
MODAPI(fs_type_list);

/* Looks for a type, also in modules that are not loaded. types_mutex is held; it is let go meanwhile. */
static struct fs_type *find_or_load(const char *type_name)
{
	struct fs_type *t = find_type(type_name);
	char alias[40];

	if (!t && strlen(type_name) < sizeof(alias) - 3) {
		/* Its module registers it under the mutex. */
		mutex_unlock(&types_mutex);
		snprintf(alias, sizeof(alias), "fs-%s", type_name);
		module_request_alias(alias);
		mutex_lock(&types_mutex);
		t = find_type(type_name);
	}
	return t;
}

int super_type_exists(const char *type_name)
{
	bool exists;

	mutex_lock(&types_mutex);
	exists = find_or_load(type_name);
	mutex_unlock(&types_mutex);
	return exists ? 0 : -ENODEV;
}

int super_check_options(const char *type_name, const char *options)
{
	const struct fs_type *t;
	int error = 0;

	mutex_lock(&types_mutex);
	t = find_type(type_name);
	if (t && t->check_options)
		error = t->check_options(options);
	mutex_unlock(&types_mutex);
	return error;
}

int super_mount(const char *type_name, const char *source, unsigned int flags, const char *options,
		struct super **out)
{
	struct fs_type *t;
	int error = -ENODEV;

	mutex_lock(&types_mutex);
	t = find_or_load(type_name);
	if (t)
		error = t->mount(t, source, flags, options, out);
	mutex_unlock(&types_mutex);
	return error;
}

struct super *super_create(const struct fs_type *type, const struct super_ops *ops, uint64_t magic)
{
	struct super *s = kzalloc(sizeof(*s), 0);

	if (!s)
		return NULL;
	refcount_init(&s->refs, 1);
	refcount_init(&s->holds, 1);
	s->type = type;
	s->ops = ops;
	s->magic = magic;
	s->block_size = PAGE_SIZE;
	s->max_file_size = INT64_MAX;
	mutex_init(&s->rename_mutex);
	s->dev = device_number(0, __atomic_add_fetch(&next_anon_minor, 1, __ATOMIC_RELAXED));
	spin_lock(&supers_lock);
	list_add_tail(&supers, &s->link);
	spin_unlock(&supers_lock);
	return s;
}
MODAPI(super_create);

void super_unhold(struct super *s)
{
	if (!refcount_put(&s->holds))
		return;
	kfree(s->private);
	kfree(s);
}

/*
 * The last user is a mount (or a failed mount): every dentry but the pinned tree is unused by then, and goes. One that the sweep has in
 * hand at this moment is put a little later, with its inode: that holds the memory.
 */
void super_put(struct super *s)
{
	if (!refcount_put(&s->refs))
		return;
	spin_lock(&supers_lock);
	list_remove(&s->link);
	spin_unlock(&supers_lock);
	/* Pins first: what is dropped from the cache is not found any more to be unpinned. */
	if (s->ops->release)
		s->ops->release(s);
	if (s->root) {
		dentry_drop_tree(s->root);
		dentry_put(s->root);
	}
	super_unhold(s);
}
MODAPI(super_put);

void super_sync_all(void)
{
	struct super *s, *previous = NULL;

	spin_lock(&supers_lock);
	list_for_each(s, &supers, link) {
		if (!s->ops->sync || !refcount_get_unless_zero(&s->refs))
			continue;
		spin_unlock(&supers_lock);
		if (previous)
			super_put(previous);
		s->ops->sync(s);
		previous = s;
		spin_lock(&supers_lock);
	}
	spin_unlock(&supers_lock);
	if (previous)
		super_put(previous);
}
