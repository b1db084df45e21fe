/*
 * Loading modules at boot: those of /lib/modules/<release>/modules.boot in the initrd, or of modules= on the command line, in that order.
 *
 * A module that cannot be loaded is reported, and the rest goes on: what depends on it reports in its turn.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/module/autoload.h"
#include "core/sync/mutex.h"

#define MODULE_DIR "lib/modules/" MODULE_RELEASE "/"

static void load_one(const char *name, size_t len)
{
	char text[MODULE_NAME_SIZE];

	if (len >= sizeof(text)) {
		log_err("boot: name of a module is too long: %.*s", MODULE_NAME_SIZE, name);
		return;
	}
	memcpy(text, name, len);
	text[len] = '\0';
	if (module_is_loaded(text))
		log_notice("module %s: is loaded already", text);
	else if (!module_in_initrd(text))
		log_err("boot: module %s is not in the initrd (/%s%s.ko)", text, MODULE_DIR, text);
	else
		module_load_initrd(text);
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

static void load_boot_list(void)
{
	const char *list = cmdline_value("modules"), *autoload = cmdline_value("autoload");
	struct initrd_entry file;

	module_signature_setup();
	initrd_unpack();
	if (autoload)
		module_autoload_on = strcmp(autoload, "0") != 0;
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

void module_boot(void)
{
	load_boot_list();
	mutex_lock(&module_lock);
	sockets_close();
	mutex_unlock(&module_lock);
}
