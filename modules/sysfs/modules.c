/*
 * /sys/module: a directory for each module with its state, size, references, holders, parameters and sections.
 *
 * Inodes carry the module's name, not a pointer: each use finds the module again under the module lock, so files that stay open when a
 * module goes answer -ENODEV.
 */
#include <linux/capability.h>

#include "core/module/services.h"
#include "modules/sysfs/internal.h"

enum kind { KIND_MODULE, KIND_FILE, KIND_PARAMETERS, KIND_PARAMETER, KIND_SECTIONS, KIND_SECTION, KIND_HOLDERS, KIND_HOLDER, KIND_NOTES };

/* Beside the modules: the loader's own directory of parameters, as Linux calls it. */
#define OWN "module"

struct target {
	enum kind kind;
	unsigned int file;		/* index in files[] */
	char module[MODULE_NAME_SIZE];
	char name[64];			/* parameter, section or holder */
};

static const char *const files[] = { "initstate", "coresize", "refcnt", "taint", "version", "initsize", "uevent" };
#define FILE_INITSIZE 5
#define FILE_UEVENT   6
static const struct { const char *name; enum kind kind; } directories[] = {
	{ "parameters", KIND_PARAMETERS }, { "sections", KIND_SECTIONS }, { "holders", KIND_HOLDERS },
	{ "notes", KIND_NOTES },
};

static const struct inode_ops target_dir_ops, target_file_ops, holder_ops;
static const struct file_ops target_dir_file_ops, target_file_file_ops;

/* What is done with a module found by name. */
struct visit {
	const char *name;
	int (*fn)(struct module *m, void *arg);
	void *arg;
	int result;
};

static bool visit_module(struct module *m, void *arg)
{
	struct visit *v = arg;

	if (strcmp(m->name, v->name))
		return false;
	v->result = v->fn(m, v->arg);
	return true;
}

static int with_module(const char *name, int (*fn)(struct module *m, void *arg), void *arg)
{
	struct visit v = { name, fn, arg, -ENODEV };

	module_for_each(visit_module, &v);
	return v.result;
}

static const struct module_param *find_param(const struct module *m, const char *name)
{
	for (unsigned int i = 0; i < m->descriptor->param_count; i++) {
		if (!strcmp(m->descriptor->params[i].name, name) && m->descriptor->params[i].mode)
			return &m->descriptor->params[i];
	}
	return NULL;
}

static const struct module_section *find_section(const struct module *m, const char *name)
{
	for (unsigned int i = 0; i < m->section_count; i++) {
		if (!strcmp(m->sections[i].name, name))
			return &m->sections[i];
	}
	return NULL;
}

/* ---- text ---- */

struct show_call {
	struct text_out *text;
	const struct target *target;
};

static void show_value(struct text_out *t, const struct module_param *p, unsigned int i)
{
	switch (p->type) {
	case PARAM_BOOL: text_printf(t, "%c", ((bool *)p->value)[i] ? 'Y' : 'N'); break;
	case PARAM_INT: text_printf(t, "%d", ((int *)p->value)[i]); break;
	case PARAM_UINT: text_printf(t, "%u", ((unsigned int *)p->value)[i]); break;
	case PARAM_ULONG: text_printf(t, "%lu", ((unsigned long *)p->value)[i]); break;
	case PARAM_CHARP: text_printf(t, "%s", ((const char **)p->value)[i] ? ((const char **)p->value)[i] : "(null)"); break;
	}
}

static void show_file(struct text_out *t, const struct module *m, unsigned int file)
{
	static const char *const states[] = { "coming", "live", "going" };

	switch (file) {
	case 0: text_printf(t, "%s\n", states[m->state]); break;
	case 1: text_printf(t, "%zu\n", m->total_size); break;
	case 2: text_printf(t, "%u\n", refcount_read(&m->refs) - 1); break;
	case 3: text_printf(t, "\n"); break;
	case FILE_INITSIZE: text_printf(t, "0\n"); break;	/* nothing is given back after its init */
	default: text_printf(t, "%s\n", MODULE_RELEASE); break;
	}
}

static int show_target(struct module *m, void *arg)
{
	struct show_call *c = arg;
	const struct module_param *p;
	const struct module_section *s;

	switch (c->target->kind) {
	case KIND_FILE:
		show_file(c->text, m, c->target->file);
		return 0;
	case KIND_PARAMETER:
		p = find_param(m, c->target->name);
		if (!p)
			return -ENODEV;
		for (unsigned int i = 0; i < (p->count ? *p->count : 1); i++) {
			if (i)
				text_printf(c->text, ",");
			show_value(c->text, p, i);
		}
		text_printf(c->text, "\n");
		return 0;
	case KIND_SECTION:
		s = find_section(m, c->target->name);
		if (!s)
			return -ENODEV;
		text_printf(c->text, "0x%016lx\n", service(authority)->capable(CAP_SYSLOG) ? s->address : 0ul);
		return 0;
	default:
		return -EINVAL;
	}
}

static int show(struct text_out *t, void *arg)
{
	struct show_call c = { t, arg };

	return with_module(c.target->module, show_target, &c);
}

struct store_call {
	const struct target *target;
	const char *text, *end;
};

static int store_bool(bool *value, const char *text, const char *end)
{
	if (end - text != 1)
		return -EINVAL;
	if (*text == '1' || *text == 'y' || *text == 'Y')
		*value = true;
	else if (*text == '0' || *text == 'n' || *text == 'N')
		*value = false;
	else
		return -EINVAL;
	return 0;
}

static int store_target(struct module *m, void *arg)
{
	struct store_call *c = arg;
	const struct module_param *p = find_param(m, c->target->name);
	int64_t number;
	uint64_t natural;

	if (!p)
		return -ENODEV;
	if (p->count)
		return -EINVAL;
	switch (p->type) {
	case PARAM_BOOL:
		return store_bool(p->value, c->text, c->end);
	case PARAM_INT:
		if (str_to_i64(c->text, c->end, 0, &number) || number != (int)number)
			return -EINVAL;
		WRITE_ONCE(*(int *)p->value, (int)number);
		return 0;
	case PARAM_UINT:
	case PARAM_ULONG:
		if (str_to_u64(c->text, c->end, 0, &natural) || (p->type == PARAM_UINT && natural > UINT32_MAX))
			return -EINVAL;
		if (p->type == PARAM_UINT)
			WRITE_ONCE(*(unsigned int *)p->value, (unsigned int)natural);
		else
			WRITE_ONCE(*(unsigned long *)p->value, natural);
		return 0;
	default:
		return -EINVAL;
	}
}

static long store(const char *text, size_t n, void *arg)
{
	struct store_call c = { arg, text, text + n };
	int error;

	while (c.end > text && (c.end[-1] == '\n' || c.end[-1] == ' '))
		c.end--;
	error = with_module(c.target->module, store_target, &c);
	return error ? error : (long)n;
}

static const struct text_file_type readable_type = { .show = show };
/* Nobody listens for events (there is no netlink), so asking for one is refused. */
static long store_uevent(const char *text, size_t n, void *arg)
{
	return -EOPNOTSUPP;
}

static const struct text_file_type uevent_type = { .store = store_uevent };
static const struct text_file_type writable_type = { .show = show, .store = store };

static int target_open(struct inode *inode, struct file *f)
{
	struct target *t = inode->private;

	return text_file_open(f, t->kind == KIND_PARAMETER ? &writable_type : t->kind == KIND_FILE && t->file == FILE_UEVENT ?
			      &uevent_type : &readable_type, t, true);
}

/* ---- directories ---- */

static struct inode *create(const struct target *t, uint32_t mode)
{
	struct target *copy = kmemdup(t, sizeof(*t), 0);
	struct inode *inode = copy ? inode_create(sys_super, mode) : NULL;

	if (!inode) {
		kfree(copy);
		return NULL;
	}
	inode->private = copy;
	inode->ops = S_ISDIR(mode) ? &target_dir_ops : S_ISLNK(mode) ? &holder_ops : &target_file_ops;
	inode->file_ops = S_ISDIR(mode) ? &target_dir_file_ops : &target_file_file_ops;
	if (S_ISDIR(mode))
		inode->nlink = 2;
	return inode;
}

struct find_call {
	struct target *target;
	uint32_t mode;			/* 0: no such name */
};

struct holder_call {
	const char *of;			/* module that is needed */
	const char *name;		/* by this one? */
	bool found;
};

static int find_in_module(struct module *m, void *arg)
{
	struct find_call *c = arg;
	const struct module_param *p;

	switch (c->target->kind) {
	case KIND_PARAMETERS:
		p = find_param(m, c->target->name);
		c->mode = p ? S_IFREG | p->mode : 0;
		c->target->kind = KIND_PARAMETER;
		break;
	case KIND_SECTIONS:
		c->mode = find_section(m, c->target->name) ? S_IFREG | 0400 : 0;
		c->target->kind = KIND_SECTION;
		break;
	default:
		break;
	}
	return 0;
}

static bool match_holder(struct module *m, void *arg)
{
	struct holder_call *c = arg;

	if (strcmp(m->name, c->name))
		return false;
	for (unsigned int i = 0; i < m->needs_count; i++)
		c->found |= !strcmp(m->needs[i]->name, c->of);
	return true;
}

static int nothing(struct module *m, void *arg)
{
	return 0;
}

static void find_in_directory(struct find_call *c)
{
	struct target *t = c->target;
	struct holder_call h = { t->module, t->name, false };

	if (t->kind == KIND_HOLDERS) {
		module_for_each(match_holder, &h);
		t->kind = KIND_HOLDER;
		c->mode = h.found ? S_IFLNK | 0777 : 0;
		return;
	}
	if (with_module(t->module, nothing, NULL))
		return;			/* it has gone */
	if (t->kind != KIND_MODULE) {
		with_module(t->module, find_in_module, c);
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		if (!strcmp(files[i], t->name)) {
			t->kind = KIND_FILE;
			t->file = i;
			c->mode = S_IFREG | (i == FILE_UEVENT ? 0200 : 0444);
			return;
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(directories); i++) {
		if (!strcmp(directories[i].name, t->name)) {
			t->kind = directories[i].kind;
			c->mode = S_IFDIR | 0755;
			return;
		}
	}
}

static int target_lookup(struct inode *dir, struct dentry *d)
{
	struct target t = *(struct target *)dir->private;
	struct find_call c = { &t, 0 };
	struct inode *inode;

	if (d->name_length >= sizeof(t.name))
		return 0;
	str_copy(t.name, d->name, sizeof(t.name));
	find_in_directory(&c);
	if (!c.mode)
		return 0;
	inode = create(&t, c.mode);
	if (!inode)
		return -ENOMEM;
	dentry_attach(d, inode);
	return 0;
}

static bool target_revalidate(struct inode *dir, struct dentry *d)
{
	struct target *t = d->inode ? d->inode->private : NULL;

	/* OWN: what root.c put there. */
	if (d->inode && text_tree_is_node(d->inode))
		return true;
	return t && !with_module(t->module, nothing, NULL);
}

static const struct inode_ops target_dir_ops = {
	.lookup = target_lookup,
	.revalidate = target_revalidate,
	.no_negative = true,
};

static int keep_attributes(struct inode *inode, const struct attr_change *c)
{
	return c->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

static const struct inode_ops target_file_ops = { .setattr = keep_attributes };
static const struct file_ops target_file_file_ops = { .open = target_open };

static long holder_readlink(struct dentry *d, char *buf, size_t size)
{
	struct target *t = d->inode->private;
	char text[80];
	size_t n = (size_t)snprintf(text, sizeof(text), "../../%s", t->name);

	n = MIN(n, size);
	memcpy(buf, text, n);
	return (long)n;
}

static const struct inode_ops holder_ops = { .readlink = holder_readlink };

/* Names of a directory, collected before they are emitted, since emitting may sleep and the module lock is held. */
struct names {
	char (*name)[64];
	unsigned int count, size;
	const struct target *target;
};

static void add_name(struct names *n, const char *name)
{
	if (n->count < n->size)
		str_copy(n->name[n->count++], name, 64);
}

static int collect_in_module(struct module *m, void *arg)
{
	struct names *n = arg;

	if (n->target->kind == KIND_PARAMETERS) {
		for (unsigned int i = 0; i < m->descriptor->param_count; i++) {
			if (m->descriptor->params[i].mode)
				add_name(n, m->descriptor->params[i].name);
		}
	} else {
		for (unsigned int i = 0; i < m->section_count; i++)
			add_name(n, m->sections[i].name);
	}
	return 0;
}

static bool collect_modules(struct module *m, void *arg)
{
	struct names *n = arg;

	if (!n->target) {
		add_name(n, m->name);
		return false;
	}
	for (unsigned int i = 0; i < m->needs_count; i++) {
		if (!strcmp(m->needs[i]->name, n->target->module))
			add_name(n, m->name);
	}
	return false;
}

static void collect(struct names *n, const struct target *t)
{
	n->target = t;
	if (!t)
		add_name(n, OWN);
	if (!t || t->kind == KIND_HOLDERS) {
		module_for_each(collect_modules, n);
	} else if (t->kind == KIND_MODULE) {
		for (unsigned int i = 0; i < ARRAY_SIZE(files); i++)
			add_name(n, files[i]);
		for (unsigned int i = 0; i < ARRAY_SIZE(directories); i++)
			add_name(n, directories[i].name);
	} else {
		with_module(t->module, collect_in_module, n);
	}
}

static unsigned int type_of(const struct target *t, unsigned int index)
{
	if (!t)
		return dirent_type(S_IFDIR);
	if (t->kind == KIND_HOLDERS)
		return dirent_type(S_IFLNK);
	if (t->kind == KIND_MODULE && index >= ARRAY_SIZE(files))
		return dirent_type(S_IFDIR);
	return dirent_type(S_IFREG);
}

static int target_readdir(struct file *f, struct dir_context *c)
{
	const struct target *t = f->inode->private;
	struct names n = { .size = 256 };

	if (!dir_emit_dots(f, c))
		return 0;
	n.name = kmalloc(n.size * sizeof(*n.name), 0);
	if (!n.name)
		return -ENOMEM;
	collect(&n, t);
	for (; c->pos - 2 < (int64_t)n.count; c->pos++) {
		unsigned int i = (unsigned int)(c->pos - 2);

		if (!c->emit(c, n.name[i], strlen(n.name[i]), f->inode->ino * 1000 + i, type_of(t, i)))
			break;
	}
	kfree(n.name);
	return 0;
}

static const struct file_ops target_dir_file_ops = { .readdir = target_readdir };

/* ---- the directory of all modules ---- */

static int modules_lookup(struct inode *dir, struct dentry *d)
{
	struct target t = { .kind = KIND_MODULE };
	struct inode *inode;

	if (d->name_length >= sizeof(t.module))
		return 0;
	str_copy(t.module, d->name, sizeof(t.module));
	/* First asked for by our own init, which runs under the module lock; stays, since what is in it is pinned. */
	if (!strcmp(t.module, OWN))
		inode = text_tree_root(sys_super);
	else if (with_module(t.module, nothing, NULL))
		return 0;
	else
		inode = create(&t, S_IFDIR | 0755);
	if (!inode)
		return -ENOMEM;
	dentry_attach(d, inode);
	return 0;
}

static const struct inode_ops modules_ops = {
	.lookup = modules_lookup,
	.revalidate = target_revalidate,
	.no_negative = true,
};

bool sys_module_evict(struct inode *inode)
{
	if (inode->ops == &modules_ops)
		return true;
	if (inode->ops != &target_dir_ops && inode->ops != &target_file_ops && inode->ops != &holder_ops)
		return false;
	kfree(inode->private);
	return true;
}

int sys_module_init(void)
{
	struct inode *root = sys_super->root->inode, *inode = inode_create(sys_super, S_IFDIR | 0755);
	struct dentry *d;
	int error;

	if (!inode)
		return -ENOMEM;
	inode->ops = &modules_ops;
	inode->file_ops = &target_dir_file_ops;
	inode->nlink = 2;
	mutex_lock(&root->lock);
	error = dentry_child(sys_super->root, "module", 6, &d);
	if (!error) {
		dentry_pin(d);
		dentry_attach(d, inode);
		dentry_put(d);
	}
	mutex_unlock(&root->lock);
	if (error)
		inode_put(inode);
	return error;
}
