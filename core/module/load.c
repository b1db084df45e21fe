/*
 * Loading a module: admit (signature.c), check, place, resolve, claim, init, bind; a step that fails undoes those before it in reverse.
 *
 * Locking: module_lock (mutex) is held over a whole load. modules[] is read without it by backtraces.
 */
#include "internal.h"

#include <asm/errno.h>
#include <gen/abi.h>

#include "core/arch/module.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/sync/mutex.h"
#include "core/time/clock.h"

struct mutex module_lock = MUTEX_INIT(module_lock);
struct module *modules[MODULES_MAX];

struct module *module_find_locked(const char *name)
{
	for (unsigned int i = 0; i < MODULES_MAX; i++)
		if (modules[i] && !strcmp(modules[i]->name, name))
			return modules[i];
	return NULL;
}

static int check_identity(const struct elf_image *e, char *name, const char **why)
{
	const char *value = elf_modinfo(e, "name", NULL);

	if (!value || !*value || strlen(value) >= MODULE_NAME_SIZE) {
		*why = "modinfo has no usable name";
		return -ENOEXEC;
	}
	for (const char *c = value; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_')) {
			*why = "modinfo has no usable name";
			return -ENOEXEC;
		}
	str_copy(name, value, MODULE_NAME_SIZE);
	value = elf_modinfo(e, "vermagic", NULL);
	if (!value || strncmp(value, MODULE_RELEASE " ", strlen(MODULE_RELEASE) + 1)) {
		*why = "built for another release";
		return -ENOEXEC;
	}
	value = elf_modinfo(e, "abi", NULL);
	if (!value || strcmp(value, ABI_HASH_STRING)) {
		*why = "ABI hash differs: built against other headers than this core";
		return -ENOEXEC;
	}
	return 0;
}

/* Takes a reference to each module that this one needs. */
static int take_needs(struct module *m, const char *list, const char **why)
{
	char name[MODULE_NAME_SIZE];
	unsigned int commas = 1;

	if (!list || !*list)
		return 0;
	for (const char *c = list; *c; c++)
		commas += *c == ',';
	m->needs = kmalloc_array(commas, sizeof(*m->needs), ALLOC_ZERO);
	if (!m->needs)
		return -ENOMEM;
	while (*list) {
		const char *end = strchr(list, ',');
		size_t n = end ? (size_t)(end - list) : strlen(list);
		struct module *need;

		if (n >= sizeof(name)) {
			*why = "name of a needed module is too long";
			return -ENOEXEC;
		}
		memcpy(name, list, n);
		name[n] = '\0';
		need = module_find_locked(name);
		if (!need || need->state != MODULE_LIVE) {
			module_complain("module %s: needs module %s, which is not loaded",
					m->name, name);
			*why = "a needed module is not loaded";
			return -ENOENT;
		}
		refcount_get(&need->refs);
		m->needs[m->needs_count++] = need;
		list += n + (end != NULL);
	}
	return 0;
}

static void drop_needs(struct module *m)
{
	while (m->needs_count)
		refcount_put(&m->needs[--m->needs_count]->refs);
	kfree(m->needs);
}

int module_publish(struct module *m, const char **why)
{
	for (unsigned int i = 0; i < MODULES_MAX; i++)
		if (!modules[i]) {
			store_release(&modules[i], m);
			return 0;
		}
	*why = "too many modules";
	return -ENOSPC;
}

void module_unpublish(struct module *m)
{
	for (unsigned int i = 0; i < MODULES_MAX; i++)
		if (modules[i] == m)
			WRITE_ONCE(modules[i], NULL);
}

static int start_module(struct module *m, const char *params, const char **why)
{
	const struct module_descriptor *d = m->descriptor;
	int error = module_claim_slots(m, why);

	if (error)
		goto undo_slots;
	error = module_apply_params(m, params, why);
	if (error)
		goto undo_slots;
	module_protect(m);
	error = module_publish(m, why);
	if (error)
		goto undo_slots;
	if (d->init) {
		error = d->init();
		if (error) {
			*why = "init failed";
			goto undo_publish;
		}
	}
	error = module_bind(m, why);
	if (error)
		goto undo_init;
	WRITE_ONCE(m->state, MODULE_LIVE);
	return 0;
undo_init:
	if (d->fini)
		d->fini();
undo_publish:
	module_unpublish(m);
undo_slots:
	module_release_slots(m);
	return error;
}

int module_prepare(const void *image, size_t size, struct module_request *r)
{
	struct module *m = kzalloc(sizeof(*m), 0);
	int error;

	r->module = m;
	r->why = "out of memory";
	if (!m)
		return -ENOMEM;
	refcount_init(&m->refs, 1);
	str_copy(m->name, "?", sizeof(m->name));
	error = elf_image_parse(image, size, ELF_MACHINE, &r->image, &r->why);
	return error ? error : check_identity(&r->image, m->name, &r->why);
}

int module_construct(struct module_request *r)
{
	struct module *m = r->module;
	int error;

	m->modinfo = kmemdup(r->image.modinfo, r->image.modinfo_size, 0);
	if (!m->modinfo)
		return -ENOMEM;
	m->modinfo_size = r->image.modinfo_size;
	m->loaded_ns = clock_monotonic();
	error = take_needs(m, elf_modinfo(&r->image, "depends", NULL), &r->why);
	return error ? error : module_place(m, &r->image, &r->why);
}

void module_discard(struct module *m)
{
	module_unplace(m);
	drop_needs(m);
	kfree(m->modinfo);
	kfree(m->strings);
	kfree(m);
}

void module_report(const struct module_request *r, int error)
{
	module_complain("module %s: %s (error %d)", r->module ? r->module->name : "?", r->why,
			-error);
}

static int load_locked(struct module_request *r, const char *params)
{
	int error;

	if (module_find_locked(r->module->name)) {
		r->why = "is loaded already";
		return -EEXIST;
	}
	error = module_construct(r);
	return error ? error : start_module(r->module, params, &r->why);
}

int module_load_admitted(const void *image, size_t size, const char *params)
{
	struct module_request *r = kmalloc(sizeof(*r), 0);
	int error;

	if (!r)
		return -ENOMEM;
	error = module_prepare(image, size, r);
	if (mutex_lock_killable(&module_lock)) {
		kfree(r);
		return -EINTR;
	}
	if (!error)
		error = load_locked(r, params);
	if (error)
		module_report(r, error);
	else
		log_debug("module %s: %zu bytes at %lx", r->module->name, r->module->total_size, r->module->part[0].base);
	if (error && r->module)
		module_discard(r->module);
	mutex_unlock(&module_lock);
	kfree(r);
	return error;
}

int module_load(const void *image, size_t size, const char *params)
{
	int error = module_admit(image, &size);

	return error ? error : module_load_admitted(image, size, params);
}
KAPI(module_load);

static bool changes_forbidden;

void module_forbid_changes(void)
{
	WRITE_ONCE(changes_forbidden, true);
}
KAPI(module_forbid_changes);

bool module_changes_forbidden(void)
{
	return READ_ONCE(changes_forbidden);
}
KAPI(module_changes_forbidden);

int module_insert(const void *image, size_t size, const char *params)
{
	return module_changes_forbidden() ? -EPERM : module_load(image, size, params);
}
KAPI(module_insert);

bool module_is_loaded(const char *name)
{
	bool found;

	mutex_lock(&module_lock);
	found = module_find_locked(name) != NULL;
	mutex_unlock(&module_lock);
	return found;
}

void module_for_each(bool (*fn)(struct module *m, void *arg), void *arg)
{
	mutex_lock(&module_lock);
	for (unsigned int i = 0; i < MODULES_MAX; i++)
		if (modules[i] && fn(modules[i], arg))
			break;
	mutex_unlock(&module_lock);
}
KAPI(module_for_each);

void module_with_all(void (*fn)(struct module *const *all, unsigned int count, void *arg), void *arg)
{
	mutex_lock(&module_lock);
	fn(modules, MODULES_MAX, arg);
	mutex_unlock(&module_lock);
}
KAPI(module_with_all);

const char *module_info(const struct module *m, const char *key)
{
	return modinfo_value(m->modinfo, m->modinfo_size, key, NULL);
}
KAPI(module_info);
