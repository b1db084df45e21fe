/*
 * Reading the initrds: newc cpio archives, one after the other in each of the boot loader's files, with zero padding between.
 *
 * Every length is checked against what is left before it is added to anything. Damage ends that file with a message; entries before it
 * stay valid. Read-only, any context.
 */
#include <asm/errno.h>

#include "core/boot/boot.h"
#include "core/boot/cpio.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/page.h"
#include "core/module/export.h"

static void report(void *arg, size_t offset, const char *what)
{
	log_err("initrd %u: offset %zu: %s; the rest of it is left out", *(unsigned int *)arg, offset, what);
}

int initrd_for_each(int (*fn)(const struct initrd_entry *e, void *arg), void *arg)
{
	for (unsigned int i = 0; i < boot_info.archive_count; i++) {
		const struct boot_archive *a = &boot_info.archives[i];
		int error = cpio_for_each(phys_to_virt(a->phys), a->size, fn, arg, report, &i);

		if (error)
			return error;
	}
	return 0;
}
KAPI(initrd_for_each);

struct search {
	const char *name;
	size_t len;
	struct initrd_entry *out;
	bool found;
};

static int match(const struct initrd_entry *e, void *arg)
{
	struct search *s = arg;

	if (e->name_len == s->len && !memcmp(e->name, s->name, s->len) && (e->mode & 0170000) == 0100000) {
		*s->out = *e;
		s->found = true;
	}
	return 0;
}

bool initrd_find(const char *name, struct initrd_entry *out)
{
	struct search s = { name, strlen(name), out, false };

	initrd_for_each(match, &s);
	return s.found;
}
KAPI(initrd_find);
