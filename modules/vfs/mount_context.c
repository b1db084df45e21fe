/*
 * What is to be mounted, as a descriptor: fsopen and fspick make a context, fsconfig fills it and makes or changes the super block, fsmount makes a mount of it.
 *
 * The context's lock guards all of it; mount_mutex is taken inside. Options are collected as the text that mount(2) would get, each looked at by
 * the file system when it comes. What was wrong can be read from the descriptor, line by line.
 */
#include <gen/vfs.h>

#include <linux/capability.h>
#include <linux/mount.h>

#include "modules/vfs/mount.h"
#include "modules/vfs/super.h"

#define WORD_SIZE   256u		/* keys and values */
#define BINARY_MAX  (1024 * 1024)
#define LOG_ENTRIES 8u
#define FSPICK_FLAGS (FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH)

enum phase {
	CREATE_PARAMETERS,
	AWAITING_MOUNT,
	AWAITING_CHANGE,		/* mounted or changed: the next option begins a change */
	CHANGE_PARAMETERS,
	FAILED,
};

struct mount_context {
	struct mutex lock;
	enum phase phase;
	struct super *super;		/* a reference; null until it is made */
	struct dentry *root;		/* of what is mounted; a reference, with super */
	char *source;
	unsigned int flags, named;	/* SUPER_*, and which of them were named */
	char *options;			/* of PAGE_SIZE */
	size_t used;
	char *log[LOG_ENTRIES];		/* a ring; entries of `first` to `next` */
	unsigned int first, next;
	char type[];
};

static void context_free(struct mount_context *c)
{
	while (c->first != c->next)
		kfree(c->log[c->first++ % LOG_ENTRIES]);
	if (c->super) {
		dentry_put(c->root);
		super_put(c->super);
	}
	kfree(c->source);
	kfree(c->options);
	kfree(c);
}

/* One line for the reader; the oldest goes when there are too many. */
static void complain(struct mount_context *c, const char *what, const char *about)
{
	size_t size = strlen(c->type) + strlen(what) + strlen(about) + 16;
	char *line = kmalloc(size, 0);

	if (!line)
		return;
	snprintf(line, size, "e %s: %s '%s'\n", c->type, what, about);
	if (c->next - c->first == LOG_ENTRIES)
		kfree(c->log[c->first++ % LOG_ENTRIES]);
	c->log[c->next++ % LOG_ENTRIES] = line;
}

static long context_read(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags)
{
	struct mount_context *c = f->private;
	char *line = NULL;
	size_t n = 0;
	long result = -ENODATA;

	mutex_lock(&c->lock);
	if (c->first != c->next) {
		line = c->log[c->first % LOG_ENTRIES];
		n = strlen(line);
		result = n > to->count ? -EMSGSIZE : (long)n;
	}
	if (result < 0)
		line = NULL;
	else
		c->first++;
	mutex_unlock(&c->lock);
	if (line && io_iter_write(to, line, n) != n)
		result = -EFAULT;
	kfree(line);
	return result;
}

static void context_release(struct file *f)
{
	context_free(f->private);
}

static const struct file_ops context_ops = { .read = context_read, .release = context_release };

/* A context over a type's name. Null when out. */
static struct mount_context *context_create(const char *type, enum phase phase)
{
	struct mount_context *c = kzalloc(sizeof(*c) + strlen(type) + 1, 0);

	if (!c)
		return NULL;
	mutex_init(&c->lock);
	c->phase = phase;
	memcpy(c->type, type, strlen(type));
	c->options = kzalloc(PAGE_SIZE, 0);
	if (!c->options) {
		kfree(c);
		return NULL;
	}
	return c;
}

/* A descriptor for it. The context is gone on an error. */
static long context_install(struct mount_context *c, bool cloexec)
{
	struct file *f;
	long fd = anon_file_create("[fscontext]", &context_ops, c, O_RDWR, &f);

	if (fd) {
		context_free(c);
		return fd;
	}
	fd = fd_install(f, cloexec ? O_CLOEXEC : 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* A string of less than `size` bytes: -EINVAL if it is longer. */
static int get_word(uintptr_t from, size_t size, char **out)
{
	char *buf = kmalloc(size, 0);
	long n = buf ? copy_string_from_user(buf, (struct ustr){ from }, size) : -ENOMEM;

	if (n < 0) {
		kfree(buf);
		return n == -ENAMETOOLONG ? -EINVAL : (int)n;
	}
	*out = buf;
	return 0;
}

long sys_fsopen(struct ustr name, uint32_t flags)
{
	struct mount_context *c;
	char *type = NULL;
	int error;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(uint32_t)FSOPEN_CLOEXEC)
		return -EINVAL;
	error = get_word(name.addr, PAGE_SIZE, &type);
	if (error)
		return error;
	error = super_type_exists(type);
	c = error ? NULL : context_create(type, CREATE_PARAMETERS);
	kfree(type);
	if (!c)
		return error ? error : -ENOMEM;
	return context_install(c, flags & FSOPEN_CLOEXEC);
}

long sys_fspick(int32_t dirfd, struct ustr name, uint32_t flags)
{
	struct mount_context *c = NULL;
	struct path p;
	long error;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(uint32_t)FSPICK_FLAGS)
		return -EINVAL;
	error = path_lookup_user(dirfd, name, (flags & FSPICK_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
						      (flags & FSPICK_EMPTY_PATH ? WALK_EMPTY : 0), &p);
	if (error)
		return error;
	if (p.dentry != p.mount->root) {
		error = -EINVAL;
	} else {
		c = context_create(p.mount->super->type->name, CHANGE_PARAMETERS);
		if (c) {
			c->super = p.mount->super;
			c->root = p.dentry;
			super_get(c->super);
			dentry_get(c->root);
		}
	}
	path_put(&p);
	if (!c)
		return error ? error : -ENOMEM;
	return context_install(c, flags & FSPICK_CLOEXEC);
}

/* ---- fsconfig ---- */

/* Can such a command have these arguments at all? */
static int check_command(uint32_t command, uintptr_t key, uintptr_t value, int32_t extra)
{
	bool good;

	switch (command) {
	case FSCONFIG_SET_FLAG:
		good = key && !value && !extra;
		break;
	case FSCONFIG_SET_STRING:
		good = key && value && !extra;
		break;
	case FSCONFIG_SET_BINARY:
		good = key && value && extra > 0 && extra <= BINARY_MAX;
		break;
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		good = key && value && (extra == AT_FDCWD || extra >= 0);
		break;
	case FSCONFIG_SET_FD:
		good = key && !value && extra >= 0;
		break;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_RECONFIGURE:
		good = !key && !value && !extra;
		break;
	default:
		return -EOPNOTSUPP;
	}
	return good ? 0 : -EINVAL;
}

/* The flags that every file system has. True if the key is one. */
static bool set_flag(struct mount_context *c, const char *key)
{
	static const char *const without_effect[] = {
		"async", "dirsync", "lazytime", "mand", "nolazytime", "nomand", "sync",
	};
	bool ro = !strcmp(key, "ro");

	for (unsigned int i = 0; i < ARRAY_SIZE(without_effect); i++) {
		if (!strcmp(key, without_effect[i]))
			return true;
	}
	if (!ro && strcmp(key, "rw") != 0)
		return false;
	c->named |= SUPER_RDONLY;
	c->flags = ro ? SUPER_RDONLY : 0;
	return true;
}

static int set_source(struct mount_context *c, const char *value)
{
	if (!value || c->source) {
		complain(c, "there is one source, and it is a string:", value ? value : "");
		return -EINVAL;
	}
	c->source = kstrdup(value, 0);
	return c->source ? 0 : -ENOMEM;
}

/* Adds "key" or "key=value" to the text, if the file system takes it. */
static int add_option(struct mount_context *c, const char *key, const char *value)
{
	size_t size = strlen(key) + (value ? strlen(value) + 1 : 0) + 1, at;
	char *text;
	int error;

	/* What would be several options, or another one. */
	if (!*key || strchr(key, ',') || strchr(key, '=') || (value && strchr(value, ','))) {
		complain(c, "no such option", key);
		return -EINVAL;
	}
	text = kmalloc(size, 0);
	if (!text)
		return -ENOMEM;
	snprintf(text, size, value ? "%s=%s" : "%s", key, value);
	error = super_check_options(c->type, text);
	at = c->used + (c->used ? 1 : 0);
	if (error) {
		complain(c, "bad option", text);
	} else if (at + size > PAGE_SIZE) {
		complain(c, "too many options:", text);
		error = -EINVAL;
	} else {
		if (c->used)
			c->options[c->used] = ',';
		memcpy(c->options + at, text, size);
		c->used = at + size - 1;
	}
	kfree(text);
	return error;
}

/* A path or a descriptor that no file system here takes is looked at as if one did. */
static int check_object(uint32_t command, uintptr_t value, int32_t extra)
{
	char *bytes;
	struct fd_ref r;
	int error;

	switch (command) {
	case FSCONFIG_SET_BINARY:
		bytes = kmalloc((size_t)extra, 0);
		error = bytes ? copy_from_user(bytes, value, (size_t)extra) : -ENOMEM;
		kfree(bytes);
		return error;
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		bytes = kmalloc(PATH_SIZE_MAX, 0);
		error = bytes ? (int)copy_string_from_user(bytes, (struct ustr){ value }, PATH_SIZE_MAX) : -ENOMEM;
		kfree(bytes);
		return error ? MIN(error, 0) : command == FSCONFIG_SET_PATH ? -ENOENT : 0;
	case FSCONFIG_SET_FD:
		error = fd_get_raw(extra, &r);
		if (!error)
			fd_put(&r);
		return error;
	default:
		return 0;
	}
}

static int set_parameter(struct mount_context *c, uint32_t command, const char *key, const char *value)
{
	if (c->phase == AWAITING_CHANGE)
		c->phase = CHANGE_PARAMETERS;
	if (c->phase != CREATE_PARAMETERS && c->phase != CHANGE_PARAMETERS)
		return -EBUSY;
	if (set_flag(c, key))
		return 0;
	if (!strcmp(key, "source"))
		return set_source(c, value);
	if (command != FSCONFIG_SET_FLAG && command != FSCONFIG_SET_STRING) {
		complain(c, "no option of that kind:", key);
		return -EINVAL;
	}
	return add_option(c, key, value);
}

/* Options begin anew. */
static void context_clear(struct mount_context *c)
{
	kfree(c->source);
	c->source = NULL;
	c->flags = c->named = 0;
	c->used = 0;
	c->options[0] = 0;
	c->phase = AWAITING_CHANGE;
}

static int create_super(struct mount_context *c)
{
	int error;

	if (c->phase != CREATE_PARAMETERS)
		return -EBUSY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	error = super_mount(c->type, c->source, c->flags, c->options, &c->super);
	if (error) {
		complain(c, "not made with", c->options);
		c->phase = FAILED;
		return error;
	}
	c->root = c->super->root;
	dentry_get(c->root);
	c->phase = AWAITING_MOUNT;
	return 0;
}

static int change_super(struct mount_context *c)
{
	struct super *s = c->super;
	int error = -EPERM;

	if (c->phase == AWAITING_CHANGE)
		c->phase = CHANGE_PARAMETERS;
	if (c->phase != CHANGE_PARAMETERS)
		return -EBUSY;
	if (capable(CAP_SYS_ADMIN)) {
		mutex_lock(&mount_mutex);
		error = super_reconfigure(s, (s->flags & ~c->named) | c->flags, c->options);
		mutex_unlock(&mount_mutex);
	}
	if (error) {
		complain(c, "not changed to", c->options);
		c->phase = FAILED;
		return error;
	}
	context_clear(c);
	return 0;
}

/* The context behind a descriptor. */
static int get_context(int32_t fd, struct fd_ref *r)
{
	int error = fd_get(fd, r);

	if (!error && r->file->ops != &context_ops) {
		fd_put(r);
		error = -EINVAL;
	}
	return error;
}

static int configure(struct mount_context *c, uint32_t command, uintptr_t key, uintptr_t value, int32_t extra)
{
	char *word = NULL, *text = NULL;
	int error = 0;

	if (key)
		error = get_word(key, WORD_SIZE, &word);
	if (!error && command == FSCONFIG_SET_STRING)
		error = get_word(value, WORD_SIZE, &text);
	else if (!error)
		error = check_object(command, value, extra);
	if (!error) {
		mutex_lock(&c->lock);
		if (command == FSCONFIG_CMD_CREATE)
			error = create_super(c);
		else if (command == FSCONFIG_CMD_RECONFIGURE)
			error = change_super(c);
		else
			error = set_parameter(c, command, word, text);
		mutex_unlock(&c->lock);
	}
	kfree(word);
	kfree(text);
	return error;
}

long sys_fsconfig(int32_t fd, uint32_t command, uintptr_t key, uintptr_t value, int32_t extra)
{
	struct fd_ref r;
	int error;

	if (fd < 0)
		return -EINVAL;
	error = check_command(command, key, value, extra);
	if (!error)
		error = get_context(fd, &r);
	if (error)
		return error;
	error = configure(r.file->private, command, key, value, extra);
	fd_put(&r);
	return error;
}

long sys_fsmount(int32_t fd, uint32_t flags, uint32_t attributes)
{
	struct mount_context *c;
	struct mount *m = NULL;
	unsigned int mount_flags;
	struct fd_ref r;
	long result;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(uint32_t)FSMOUNT_CLOEXEC)
		return -EINVAL;
	result = mount_attr_flags(attributes, &mount_flags);
	if (!result)
		result = get_context(fd, &r);
	if (result)
		return result;
	c = r.file->private;
	mutex_lock(&c->lock);
	if (!c->super)
		result = -EINVAL;
	else if (c->phase != AWAITING_MOUNT)
		result = -EBUSY;
	else
		m = mount_create(c->super, c->root, mount_flags, c->source);
	if (m) {
		context_clear(c);
		result = mount_install_anon(m, flags & FSMOUNT_CLOEXEC ? O_CLOEXEC : 0);
	} else if (!result) {
		result = -ENOMEM;
	}
	mutex_unlock(&c->lock);
	fd_put(&r);
	return result;
}
