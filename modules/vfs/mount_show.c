/*
 * The lines of /proc/<pid>/mounts, mountinfo and mountstats. Lines are made under mount_mutex into one buffer and handed
 * out one by one.
 */
#include "modules/vfs/mount.h"

struct line {
	char *buf;
	size_t size, used;
};

static void __printf(2, 3) add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->used, l->size - l->used, fmt, ap);
	va_end(ap);
	l->used = MIN(l->used + (size_t)n, l->size - 1);
}

static void add_text(struct line *l, const char *text, size_t n)
{
	n = MIN(n, l->size - 1 - l->used);
	memcpy(l->buf + l->used, text, n);
	l->used += n;
	l->buf[l->used] = 0;
}

static void add_string(struct line *l, const char *text) { add_text(l, text, strlen(text)); }

static bool is_plain(unsigned char c, bool source)
{
	return c > ' ' ? c != '\\' && !(source && c == '#') : c != ' ' && c != '\t' && c != '\n';
}

/* Blanks and backslashes as octal, so that fields can be split; in the first field also what begins a comment. */
static void add_escaped(struct line *l, const char *text, bool source)
{
	for (size_t n;; text += n + 1) {
		for (n = 0; text[n] && is_plain((unsigned char)text[n], source); n++)
			;
		add_text(l, text, n);
		if (!text[n])
			break;
		add(l, "\\%03o", (unsigned char)text[n]);
	}
}

static void add_mount_flags(struct line *l, const struct mount *m, bool with_super)
{
	static const struct { unsigned int flag; const char *text; } names[] = {
		{ MOUNT_NOSUID, ",nosuid" }, { MOUNT_NODEV, ",nodev" }, { MOUNT_NOEXEC, ",noexec" },
		{ MOUNT_NOATIME, ",noatime" }, { MOUNT_NODIRATIME, ",nodiratime" },
		{ MOUNT_RELATIME, ",relatime" }, { MOUNT_NOSYMFOLLOW, ",nosymfollow" },
	};
	bool ro = (m->flags & MOUNT_RDONLY) || (with_super && (m->super->flags & SUPER_RDONLY));

	add_text(l, ro ? "ro" : "rw", 2);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (m->flags & names[i].flag)
			add_string(l, names[i].text);
	}
}

static void add_super_options(struct line *l, struct super *s)
{
	int n;

	if (!s->ops->show_options)
		return;
	n = s->ops->show_options(s, l->buf + l->used, l->size - l->used);
	l->used = MIN(l->used + (size_t)n, l->size - 1);
}

static void add_mountinfo(struct line *l, struct mount *m, const char *where, const char *root)
{
	uint64_t dev = m->super->dev;

	add(l, "%d %d %u:%u ", m->id, m->parent->id, device_major(dev), device_minor(dev));
	add_escaped(l, root, false);
	add(l, " ");
	add_escaped(l, where, false);
	add(l, " ");
	add_mount_flags(l, m, false);
	add(l, " - %s ", m->super->type->name);
	add_escaped(l, m->source, true);
	add(l, " %s", m->super->flags & SUPER_RDONLY ? "ro" : "rw");
	add_super_options(l, m->super);
	add(l, "\n");
}

static void add_mounts(struct line *l, struct mount *m, const char *where)
{
	add_escaped(l, m->source, true);
	add_text(l, " ", 1);
	add_escaped(l, where, false);
	add_text(l, " ", 1);
	add_string(l, m->super->type->name);
	add_text(l, " ", 1);
	add_mount_flags(l, m, true);
	add_super_options(l, m->super);
	add_string(l, " 0 0\n");
}

/* Path of the mount's root inside its file system. */
static void root_in_super(const struct mount *m, char *buf, size_t size)
{
	struct path p = { (struct mount *)m, m->root }, top = { (struct mount *)m, m->super->root };
	struct mount outer = *m;

	/* Seen from a mount of the whole file system. */
	outer.root = m->super->root;
	p.mount = top.mount = &outer;
	if (path_format_from(&p, &top, buf, size, false, NULL) < 0)
		str_copy(buf, "/", size);
}

static void format_line(struct line *l, struct mount *m, const char *where, char *scratch, int format)
{
	l->used = 0;
	if (format == 1) {
		root_in_super(m, scratch, PATH_SIZE_MAX);
		add_mountinfo(l, m, where, scratch);
	} else if (format == 2) {
		add(l, "device ");
		add_escaped(l, m->source, true);
		add(l, " mounted on ");
		add_escaped(l, where, false);
		add(l, " with fstype %s\n", m->super->type->name);
	} else {
		add_mounts(l, m, where);
	}
}

int mount_for_each(const struct path *root, int format, bool (*fn)(const char *line, size_t n, void *arg),
		   void *arg)
{
	struct line l = { .size = 4 * PATH_SIZE_MAX };
	char *where = kmalloc(2 * PATH_SIZE_MAX, 0);
	struct mount *m;
	int error = -ENOMEM;

	l.buf = kmalloc(l.size, 0);
	if (!l.buf || !where)
		goto out;
	error = 0;
	mutex_lock(&mount_mutex);
	list_for_each(m, &all_mounts, all_link) {
		struct path p = { m, m->root };
		bool reached;

		if (m->ns != root->mount->ns)
			continue;
		if (path_format_from(&p, root, where, PATH_SIZE_MAX, true, &reached) < 0 || !reached)
			continue;
		format_line(&l, m, where, where + PATH_SIZE_MAX, format);
		if (!fn(l.buf, l.used, arg))
			break;
	}
	mutex_unlock(&mount_mutex);
out:
	kfree(l.buf);
	kfree(where);
	return error;
}
MODAPI(mount_for_each);
