/*
 * Loading a module: check, place, resolve, claim, init, bind; a step that fails undoes those before it in reverse.
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
			log_err("module %s: needs module %s, which is not loaded", m->name, name);
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

static int publish(struct module *m, const char **why)
{
	for (unsigned int i = 0; i < MODULES_MAX; i++)
		if (!modules[i]) {
			store_release(&modules[i], m);
			return 0;
		}
	*why = "too many modules";
	return -ENOSPC;
}

static void unpublish(struct module *m)
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
	error = publish(m, why);
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
	unpublish(m);
undo_slots:
	module_release_slots(m);
	return error;
}

static int load_locked(const struct elf_image *e, struct module *m, const char *params, const char **why)
{
	int error;

	if (module_find_locked(m->name)) {
		*why = "is loaded already";
		return -EEXIST;
	}
	m->modinfo = kmemdup(e->modinfo, e->modinfo_size, 0);
	if (!m->modinfo)
		return -ENOMEM;
	m->modinfo_size = e->modinfo_size;
	error = take_needs(m, elf_modinfo(e, "depends", NULL), why);
	if (error)
		return error;
	error = module_place(m, e, why);
	if (error)
		return error;
	return start_module(m, params, why);
}

int module_load(const void *image, size_t size, const char *params)
{
	struct elf_image *e = kmalloc(sizeof(*e), 0);
	struct module *m = kzalloc(sizeof(*m), 0);
	const char *why = "out of memory";
	int error = -ENOMEM;

	if (!e || !m)
		goto out;
	refcount_init(&m->refs, 1);
	str_copy(m->name, "?", sizeof(m->name));
	error = elf_image_parse(image, size, ELF_MACHINE, e, &why);
	if (!error)
		error = check_identity(e, m->name, &why);
	if (error)
		goto out;
	mutex_lock(&module_lock);
	error = load_locked(e, m, params, &why);
	if (error) {
		module_unplace(m);
		drop_needs(m);
	}
	mutex_unlock(&module_lock);
out:
	kfree(e);
	if (error) {
		log_err("module %s: %s (error %d)", m ? m->name : "?", why, -error);
		if (m) {
			kfree(m->modinfo);
			kfree(m->strings);
		}
		kfree(m);
	} else {
		log_debug("module %s: %zu bytes at %lx", m->name, m->total_size, m->part[0].base);
	}
	return error;
}
KAPI(module_load);

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

const char *module_info(const struct module *m, const char *key)
{
	return modinfo_value(m->modinfo, m->modinfo_size, key, NULL);
}
KAPI(module_info);
