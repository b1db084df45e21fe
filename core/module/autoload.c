/*
 * Modules from the initrd: loaded at boot by name, or later when the first call comes that they serve.
 *
 * A call whose slot is empty looks for the module that the table names, or for an alias "syscall:<number>" in modules.alias: calls that the
 * core has not heard of can be served, too. What the module needs is loaded before it. Boot decides whether this
 * happens (autoload=0|1) and for which modules not (module_blacklist=a,b). A module that could not be loaded so is not tried again.
 *
 * Locking: autoload_lock (mutex) around a whole request, outside of module_lock: of several first callers one loads and the others find it done.
 * It guards failed[], too; at boot nobody else is there.
 */
#include "core/module/autoload.h"

#include <asm/errno.h>

#include "core/arch/module.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/module/export.h"
#include "core/module/internal.h"
#include "core/sync/mutex.h"

#define MODULE_DIR "lib/modules/" MODULE_RELEASE "/"
#define NEEDS_DEPTH 16			/* of modules that need one another */
#define FAILED_MAX  32

static struct mutex autoload_lock = MUTEX_INIT(autoload_lock);
static char failed[FAILED_MAX][MODULE_NAME_SIZE];
static unsigned int failed_count;
bool module_autoload_on = true;
KAPI(module_autoload_on);

static bool has_failed(const char *name)
{
	for (unsigned int i = 0; i < failed_count; i++)
		if (!strcmp(failed[i], name))
			return true;
	return false;
}

static void note_failure(const char *name)
{
	if (!has_failed(name) && failed_count < FAILED_MAX)
		str_copy(failed[failed_count++], name, MODULE_NAME_SIZE);
}

/* An image of the initrd at an address that the parser likes; *copy is to be freed. */
static int find_image(const char *name, const void **image, size_t *size, void **copy)
{
	char path[sizeof(MODULE_DIR) + MODULE_NAME_SIZE + 4];
	struct initrd_entry file;

	*copy = NULL;
	snprintf(path, sizeof(path), "%s%s.ko", MODULE_DIR, name);
	if (!initrd_find(path, &file))
		return -ENOENT;
	*image = file.data;
	*size = file.size;
	if (!((uintptr_t)file.data & 7))
		return 0;
	/* The archive aligns to 4 only. */
	*copy = kvmalloc(file.size, 0);
	if (!*copy)
		return -ENOMEM;
	memcpy(*copy, file.data, file.size);
	*image = *copy;
	return 0;
}

static int load_tree(const char *name, unsigned int depth);

/* Loads what the modinfo of an admitted image names as needed. What is missing then, module_load reports. */
static void load_needs(const void *image, size_t size, unsigned int depth)
{
	struct elf_image *e = kmalloc(sizeof(*e), 0);
	const char *list, *why;

	if (!e)
		return;
	/* A malformed image is module_load's to report. */
	list = elf_image_parse(image, size, ELF_MACHINE, e, &why) ? NULL : elf_modinfo(e, "depends", NULL);
	while (list && *list) {
		const char *comma = strchr(list, ',');
		size_t n = comma ? (size_t)(comma - list) : strlen(list);
		char name[MODULE_NAME_SIZE];

		if (n >= sizeof(name))
			break;
		memcpy(name, list, n);
		name[n] = '\0';
		if (!has_failed(name))
			load_tree(name, depth);
		list += n + (comma != NULL);
	}
	kfree(e);
}

static int load_tree(const char *name, unsigned int depth)
{
	const void *image;
	char params[512];
	size_t size;
	void *copy;
	int error;

	if (module_is_loaded(name))
		return 0;
	if (depth == 0)
		return -ELOOP;
	error = find_image(name, &image, &size, &copy);
	if (error)
		return error;
	error = module_admit(image, &size);
	if (!error) {
		load_needs(image, size, depth - 1);
		cmdline_module_params(name, params, sizeof(params));
		error = module_load_admitted(image, size, params);
	}
	kvfree(copy);
	if (error && error != -EEXIST && error != -ENOMEM && error != -EINTR)
		note_failure(name);
	return error == -EEXIST ? 0 : error;
}

bool module_in_initrd(const char *name)
{
	char path[sizeof(MODULE_DIR) + MODULE_NAME_SIZE + 4];
	struct initrd_entry file;

	snprintf(path, sizeof(path), "%s%s.ko", MODULE_DIR, name);
	return initrd_find(path, &file);
}

int module_load_initrd(const char *name)
{
	return load_tree(name, NEEDS_DEPTH);
}

/* Is the name in a list of the command line, apart by commas? */
static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	while (list && *list) {
		const char *comma = strchr(list, ',');

		if (!strncmp(list, name, n) && (list[n] == ',' || !list[n]))
			return true;
		list = comma ? comma + 1 : NULL;
	}
	return false;
}

static int request_locked(const char *name)
{
	int error;

	if (module_is_loaded(name))
		return 0;
	if (has_failed(name))
		return -ENOENT;
	error = module_load_initrd(name);
	if (!error) {
		log_info("module %s: loaded by need", name);
		return 0;
	}
	if (error == -ENOENT && !has_failed(name)) {
		log_notice("module %s: is needed and not in the initrd", name);
		note_failure(name);
	}
	return error;
}

int module_request(const char *name)
{
	int error;

	if (!READ_ONCE(module_autoload_on) || module_changes_forbidden() || listed(cmdline_value("module_blacklist"), name))
		return -ENOENT;
	mutex_lock(&autoload_lock);
	error = request_locked(name);
	mutex_unlock(&autoload_lock);
	return error;
}
KAPI(module_request);

/* The module that modules.alias, lines of "alias ALIAS MODULE", gives for an alias. */
static bool find_alias(const char *alias, char name[MODULE_NAME_SIZE])
{
	struct initrd_entry file;
	const char *at, *end;
	size_t n = strlen(alias);

	if (!initrd_find(MODULE_DIR "modules.alias", &file))
		return false;
	at = file.data;
	end = at + file.size;
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t left = (size_t)((line_end ? line_end : end) - at);

		if (left > 6 + n + 1 && !memcmp(at, "alias ", 6) && !memcmp(at + 6, alias, n) && at[6 + n] == ' ' &&
		    left - 7 - n < MODULE_NAME_SIZE) {
			memcpy(name, at + 7 + n, left - 7 - n);
			name[left - 7 - n] = '\0';
			return true;
		}
		if (!line_end)
			break;
		at = line_end + 1;
	}
	return false;
}

int module_request_alias(const char *alias)
{
	char name[MODULE_NAME_SIZE];

	return find_alias(alias, name) ? module_request(name) : -ENOENT;
}
KAPI(module_request_alias);
