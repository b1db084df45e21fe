/*
 * The initrds: each of the boot loader's files is a row of newc archives and of compressed ones, zeroes between. They are looked through once,
 * at boot: what is compressed is unpacked (unpack.c), what is damaged is reported and ends that file, and entries before the damage
 * stay valid.
 *
 * The list of parts is made by the first thread before anybody else asks for it, and is read-only afterwards but for
 * initrd_release_unpacked, which runs before there are users. No locks; reading in any context.
 */
#include <asm/errno.h>

#include "core/boot/boot.h"
#include "core/boot/cpio.h"
#include "core/boot/unpack.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/page.h"
#include "core/mem/slab.h"
#include "core/module/export.h"

/* What stands behind one another in an archive: plain entries, or the files of an unpacked stream. */
struct part {
	struct list link;
	const char *data;
	size_t size;
	bool packed;
	struct list files;		/* packed: struct unpacked_file */
};

static struct list parts = LIST_INIT(parts);
static bool looking;			/* parts are still being made */
static const char *not_decoded;

static void ignore(void *arg, size_t offset, const char *what)
{
	(void)arg, (void)offset, (void)what;
}

int initrd_for_each(int (*fn)(const struct initrd_entry *e, void *arg), void *arg)
{
	struct unpacked_file *f;
	struct part *p;
	int error = 0;

	list_for_each(p, &parts, link) {
		if (!p->packed)
			error = cpio_for_each(p->data, p->size, fn, arg, ignore, NULL);
		list_for_each(f, &p->files, link)
			if (!error)
				error = fn(&f->entry, arg);
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

	if (e->name_len == s->len && !memcmp(e->name, s->name, s->len) && (e->mode & 0170000) == 0100000 && !e->pages) {
		*s->out = *e;
		s->found = true;
	}
	return 0;
}

/* Looks for the name's bytes with an entry around them: how a decoder is found that stands behind what it is for. */
static bool find_behind(const struct search *s, const char *data, size_t size)
{
	for (size_t at = CPIO_HEADER; at < size && size - at > s->len; at++) {
		const char *c = memchr(data + at, s->name[0], size - at - s->len);

		if (!c)
			return false;
		at = (size_t)(c - data);
		if (memcmp(c, s->name, s->len + 1))
			continue;
		/* The name may be written as "./name" or "/name". */
		for (size_t head = at - CPIO_HEADER, n = 0; n < 3 && n <= head; n++)
			if (!cpio_entry_at(data, size, head - n, s->out) && s->out->name == c &&
			    (s->out->mode & 0170000) == 0100000)
				return true;
	}
	return false;
}

bool initrd_find(const char *name, struct initrd_entry *out)
{
	struct search s = { name, strlen(name), out, false };

	initrd_for_each(match, &s);
	for (unsigned int i = 0; looking && !s.found && i < boot_info.archive_count; i++)
		s.found = find_behind(&s, phys_to_virt(boot_info.archives[i].phys), boot_info.archives[i].size);
	return s.found;
}
KAPI(initrd_find);

static struct part *add_part(const char *data, size_t size)
{
	struct part *p = kzalloc(sizeof(*p), 0);

	if (!p)
		return NULL;
	p->data = data;
	p->size = size;
	list_init(&p->files);
	list_add_tail(&parts, &p->link);
	return p;
}

/* Unpacks what begins at `data`. Bytes used, 0 when the rest is to be left out: *why says so. */
static size_t unpack_part(const struct unpack_format *format, const char *data, size_t size, const char **why)
{
	struct part *p = format->module ? add_part(data, size) : NULL;

	if (!p) {
		*why = format->module ? "out of memory" : "this kernel has no decoder for the format";
		return 0;
	}
	p->packed = true;
	*why = unpack_stream(format, data, size, &p->size, &p->files);
	if (!*why)
		return p->size;
	p->size = 0;
	return 0;
}

/* Makes the parts of one file. *offset, *format and the result say where, in what and why it ends too early. */
static const char *look_through(const char *base, size_t size, size_t *offset, const struct unpack_format **format)
{
	size_t at = 0, n;
	const char *why;

	while (at < size) {
		*format = unpack_format_of(base + at, size - at);
		*offset = at;
		if (*format) {
			n = unpack_part(*format, base + at, size - at, &why);
			if (!n)
				return why;
		} else {
			n = cpio_end(base + at, size - at, &why);
			*offset = at + n;
			if (n && !add_part(base + at, n))
				return "out of memory";
			if (why && (at + n >= size || !unpack_format_of(base + at + n, size - at - n)))
				return why;
		}
		at += n;
	}
	return NULL;
}

void initrd_unpack(void)
{
	looking = true;
	for (unsigned int i = 0; i < boot_info.archive_count; i++) {
		const struct boot_archive *a = &boot_info.archives[i];
		const struct unpack_format *format = NULL;
		size_t offset = 0;
		const char *why = look_through(phys_to_virt(a->phys), a->size, &offset, &format);

		if (why)
			log_err("initrd %u: offset %zu: %s%s%s; the rest of it is left out", i, offset,
				format ? format->name : "", format ? ": " : "", why);
		if (why == unpack_no_decoder)
			not_decoded = format->name;
	}
	unpack_drop_decoder();
	looking = false;
}

const char *initrd_not_decoded(void)
{
	return not_decoded;
}

/* Gives the pages of [start, start + size) back that lie in ordinary memory. */
static void free_range(uint64_t start, uint64_t size)
{
	for (unsigned int i = 0; i < boot_info.range_count; i++) {
		const struct boot_range *r = &boot_info.ranges[i];

		if (r->kind == BOOT_RAM && start < r->end && r->start < start + size)
			page_add_range(MAX(start, r->start), MIN(start + size, r->end));
	}
}

void initrd_release_unpacked(void)
{
	struct part *p, *next;

	list_for_each_safe(p, next, &parts, link) {
		if (!p->packed)
			continue;
		list_remove(&p->link);
		unpack_free(&p->files);
		free_range(virt_to_phys(p->data), p->size);
		kfree(p);
	}
}
KAPI(initrd_release_unpacked);
