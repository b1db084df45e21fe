/*
 * The policy on signatures of modules, and the one gate through which every image passes before anything of it is parsed: of the initrd, by need,
 * from init_module(2), or to replace another.
 *
 * `modules.sig=require` on the command line admits only what this build's key signed; `off`, the default, verifies nothing. What cannot be
 * understood is taken for `require`: who writes something there wants signatures.
 *
 * The policy is set once at boot, before the first module; read-only afterwards. No locks.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/module/trailer.h"

static bool required;

void module_signature_setup(void)
{
	const char *policy = cmdline_value("modules.sig");

	if (!policy || !strcmp(policy, "off"))
		return;
	required = true;
	if (strcmp(policy, "require"))
		log_err("modules.sig=%s: is neither require nor off: taken for require", policy);
	else
		log_info("modules: signatures are required");
}

bool module_signature_required(void)
{
	return required;
}
KAPI(module_signature_required);

static bool name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What bytes that are not trusted call themselves, for the log: found as text, not parsed. "?" if nothing is found. */
static void claimed_name(const char *image, size_t size, char name[MODULE_NAME_SIZE])
{
	static const char key[] = "name=";
	const size_t n = sizeof(key) - 1;

	for (size_t i = 0; i + n < size; i++) {
		size_t length = 0;

		if (image[i] != 'n' || (i && image[i - 1]) || memcmp(image + i, key, n))
			continue;
		while (length < MODULE_NAME_SIZE - 1 && i + n + length < size && name_character(image[i + n + length])) {
			name[length] = image[i + n + length];
			length++;
		}
		if (length && i + n + length < size && !image[i + n + length]) {
			name[length] = '\0';
			return;
		}
	}
	str_copy(name, "?", MODULE_NAME_SIZE);
}

static int check(const void *image, size_t *size, const char **why)
{
	struct module_trailer t;
	int error = module_trailer_parse(image, *size, &t, why);

	if (error)
		return required ? -EKEYREJECTED : error;
	*size = t.covered;
	if (!required)
		return 0;
	if (!t.key)
		*why = "is not signed";
	else if (memcmp(t.key, module_public_key, MODULE_KEY_SIZE))
		*why = "is signed with a key that is not this kernel's";
	else if (!module_signature_fits(image, t.covered, t.signature, module_public_key))
		*why = "its signature does not fit: one of them was altered";
	else
		return 0;
	return -EKEYREJECTED;
}

int module_admit(const void *image, size_t *size)
{
	char name[MODULE_NAME_SIZE];
	const char *why = "";
	int error = check(image, size, &why);

	if (error) {
		claimed_name(image, *size, name);
		module_complain("module %s: %s (error %d)", name, why, -error);
	}
	return error;
}
