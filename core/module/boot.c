/*
 * Loading modules at boot: those of /lib/modules/<release>/modules.boot in the initrd, or of modules= on the command line, in that order.
 *
 * A module that cannot be loaded is reported, and the rest goes on: what depends on it reports in its turn.
 */
#include "internal.h"

#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"

#define MODULE_DIR "lib/modules/" MODULE_RELEASE "/"

static void load_one(const char *name, size_t len)
{
	char path[sizeof(MODULE_DIR) + MODULE_NAME_SIZE + 4], params[512];
	struct initrd_entry file;
	const void *image;
	void *copy = NULL;

	if (len >= MODULE_NAME_SIZE) {
		log_err("boot: name of a module is too long: %.*s", MODULE_NAME_SIZE, name);
		return;
	}
	snprintf(path, sizeof(path), "%s%.*s.ko", MODULE_DIR, (int)len, name);
	if (!initrd_find(path, &file)) {
		log_err("boot: module %.*s is not in the initrd (/%s)", (int)len, name, path);
		return;
	}
	path[strlen(path) - 3] = '\0';
	cmdline_module_params(path + strlen(MODULE_DIR), params, sizeof(params));
	image = file.data;
	if ((uintptr_t)image & 7) {
		/* The archive aligns to 4 only; the parser wants its tables aligned. */
		copy = kvmalloc(file.size, 0);
		if (!copy) {
			log_err("boot: no memory for module %.*s", (int)len, name);
			return;
		}
		memcpy(copy, image, file.size);
		image = copy;
	}
	module_load(image, file.size, params);
	kvfree(copy);
}

/* Loads the names in [text, end), which are apart by any of `apart`; '#' begins a comment line. */
static void load_list(const char *text, const char *end, const char *apart)
{
	while (text < end) {
		const char *word;

		while (text < end && strchr(apart, *text) && *text)
			text++;
		if (text < end && *text == '#') {
			while (text < end && *text != '\n')
				text++;
			continue;
		}
		for (word = text; text < end && *text && !strchr(apart, *text);)
			text++;
		if (text > word)
			load_one(word, (size_t)(text - word));
		else if (text < end && !*text)
			text++;
	}
}

void module_boot(void)
{
	const char *list = cmdline_value("modules");
	struct initrd_entry file;

	if (list) {
		load_list(list, list + strlen(list), ",");
		return;
	}
	if (!initrd_find(MODULE_DIR "modules.boot", &file)) {
		log_err("boot: no /%smodules.boot in the initrd: no modules", MODULE_DIR);
		return;
	}
	load_list(file.data, (const char *)file.data + file.size, " \t\r\n");
}
