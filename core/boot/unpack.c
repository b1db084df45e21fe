/*
 * Unpacking compressed archives, format by format: the decoder is a module that gives the plain stream away piece by piece, and
 * this takes the newc archives in it apart as they come. Contents of regular files go straight into pages, which
 * become those of the files in the root without being copied again: what is unpacked is never in memory twice.
 *
 * Nothing is believed: sizes come from outside. Pages are taken as bytes arrive, never more than leave a part of the memory
 * free; running out is damage like any other.
 *
 * Called by the first thread alone; no locks. May sleep.
 */
#include "core/boot/unpack.h"

#include <asm/errno.h>

#include "core/boot/cpio.h"
#include "core/lib/string.h"
#include "core/mem/page.h"
#include "core/mem/slab.h"
#include "core/mem/vmap.h"
#include "core/module/autoload.h"
#include "core/module/module.h"
#include "core/module/services.h"

#define TYPE_MASK 0170000u
#define TYPE_FILE 0100000u
#define TYPE_LINK 0120000u
#define LINK_MAX  4095u
#define FREE_SHARE 16			/* a part of the memory that stays free, in any case FREE_LEAST pages */
#define FREE_LEAST 1024u

static const struct unpack_format formats[] = {
	{ "gzip", "ungzip", { 0x1f, 0x8b }, 2 },
	{ "xz", "unxz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6 },
	{ "zstd", "unzstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4 },
	{ "lz4", "unlz4", { 0x02, 0x21, 0x4c, 0x18 }, 4 },
	{ "lz4 frame", NULL, { 0x04, 0x22, 0x4d, 0x18 }, 4 },
	{ "bzip2", NULL, { 'B', 'Z', 'h' }, 3 },
	{ "lzma", NULL, { 0x5d, 0, 0 }, 3 },
	{ "lzo", NULL, { 0x89, 'L', 'Z', 'O', 0, 0x0d, 0x0a, 0x1a, 0x0a }, 9 },
};

enum stream_state { BETWEEN, HEADER, NAME, DATA };

struct stream {
	enum stream_state state;
	size_t have;			/* bytes of what the state collects */
	size_t skip;			/* padding that comes next */
	struct initrd_entry entry;
	uint32_t name_size;
	struct unpacked_file *file;	/* whose data come; null: they are dropped */
	struct list *files;
	const char *wrong;
	char header[CPIO_HEADER];
	char name[CPIO_NAME_MAX];
};

static const char *decoder;		/* the module that is loaded */
const char unpack_no_decoder[] = "its decoder is in no plain archive";

const struct unpack_format *unpack_format_of(const void *data, size_t size)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++)
		if (size >= formats[i].length && !memcmp(data, formats[i].magic, formats[i].length))
			return &formats[i];
	return NULL;
}

static void free_file(struct unpacked_file *f)
{
	for (size_t i = 0; i < f->page_count; i++)
		if (f->entry.pages[i])
			page_put(f->entry.pages[i]);
	kvfree(f->entry.pages);
	kvfree(f);
}

void unpack_free(struct list *files)
{
	while (!list_empty(files)) {
		struct unpacked_file *f = list_first(files, struct unpacked_file, link);

		list_remove(&f->link);
		free_file(f);
	}
}

/* Is so much memory to be had without taking all of it? */
static bool room_for(uint64_t pages)
{
	uint64_t spare = MAX(page_total() / FREE_SHARE, (uint64_t)FREE_LEAST);

	return page_free_count() > spare && page_free_count() - spare >= pages;
}

/* Name and header are there: the file that the data go to. */
static bool begin_file(struct stream *s)
{
	const struct initrd_entry *e = &s->entry;
	uint32_t type = e->mode & TYPE_MASK;
	size_t text = type == TYPE_LINK && e->size <= LINK_MAX ? e->size : 0, name = e->name_len + 1;
	uint64_t pages = type == TYPE_FILE ? DIV_UP((uint64_t)e->size, PAGE_SIZE) : 0;
	struct unpacked_file *f;

	if (!room_for(pages + DIV_UP(pages * sizeof(struct page *) + sizeof(*f) + name + text, PAGE_SIZE)))
		return false;
	f = kvmalloc(sizeof(*f) + name + text, 0);
	if (!f)
		return false;
	f->entry = *e;
	f->page_count = pages;
	f->entry.pages = pages ? kvmalloc(pages * sizeof(struct page *), ALLOC_ZERO) : NULL;
	if (pages && !f->entry.pages) {
		kvfree(f);
		return false;
	}
	memcpy(f->text, e->name, name);
	f->entry.name = f->text;
	f->entry.data = text ? f->text + name : NULL;
	if (type == TYPE_LINK && !text)
		f->entry.mode = 0;	/* no link at all: left out */
	s->file = f;
	return true;
}

/* The whole of an entry is there. */
static void end_file(struct stream *s)
{
	if (s->file)
		list_add_tail(s->files, &s->file->link);
	s->file = NULL;
	s->skip = -s->entry.size & 3;
	s->state = BETWEEN;
	s->have = 0;
}

static const char *take_header(struct stream *s)
{
	const char *wrong = cpio_parse_header(s->header, &s->entry, &s->name_size);

	s->state = NAME;
	s->have = 0;
	return wrong;
}

static const char *take_name(struct stream *s)
{
	const char *wrong = cpio_parse_name(s->name, s->name_size, &s->entry);

	if (wrong)
		return wrong;
	s->skip = -(CPIO_HEADER + s->name_size) & 3;
	s->state = DATA;
	s->have = 0;
	if (!cpio_is_trailer(&s->entry) && !begin_file(s))
		return "out of memory";
	return NULL;
}

/* Up to n bytes of a file's data: how many were taken, 0 when memory is out. */
static size_t put_data(struct stream *s, const char *data, size_t n)
{
	struct unpacked_file *f = s->file;
	size_t at = s->have & PAGE_MASK;
	struct page **page;

	if (f && f->entry.data)
		memcpy(f->text + (f->entry.name_len + 1) + s->have, data, n);
	if (!f || !f->entry.pages)
		return n;
	n = MIN(n, PAGE_SIZE - at);
	page = &f->entry.pages[s->have >> PAGE_SHIFT];
	if (!*page) {
		*page = room_for(1) ? page_alloc(0, ALLOC_TRY) : NULL;
		if (!*page)
			return 0;
		if (s->entry.size - s->have < PAGE_SIZE)
			memset(page_address(*page), 0, PAGE_SIZE);
	}
	memcpy((char *)page_address(*page) + at, data, n);
	return n;
}

/* Collects up to `want` bytes in `into`. Bytes taken. */
static size_t collect(struct stream *s, char *into, size_t want, const char *data, size_t n)
{
	n = MIN(n, want - s->have);
	memcpy(into + s->have, data, n);
	s->have += n;
	return n;
}

/* One step on at least a byte, or at the end of an entry. Bytes taken; s->wrong on damage. */
static size_t step(struct stream *s, const char *data, size_t n)
{
	size_t taken = 0;

	if (s->skip) {
		taken = MIN(n, s->skip);
		s->skip -= taken;
		return taken;
	}
	switch (s->state) {
	case BETWEEN:
		if (!*data)
			return 1;
		s->state = HEADER;
		return 0;
	case HEADER:
		taken = collect(s, s->header, CPIO_HEADER, data, n);
		if (s->have == CPIO_HEADER)
			s->wrong = take_header(s);
		return taken;
	case NAME:
		taken = collect(s, s->name, s->name_size, data, n);
		if (s->have == s->name_size)
			s->wrong = take_name(s);
		return taken;
	case DATA:
		if (s->have < s->entry.size) {
			taken = put_data(s, data, MIN(n, s->entry.size - s->have));
			s->have += taken;
			if (!taken)
				s->wrong = "out of memory";
		}
		return taken;
	}
	return taken;
}

static int push(void *arg, const void *data, size_t n)
{
	struct stream *s = arg;
	const char *at = data;

	while (!s->wrong) {
		size_t taken;

		if (s->state == DATA && !s->skip && s->have == s->entry.size)
			end_file(s);
		if (!n)
			return 0;
		taken = step(s, at, n);
		at += taken;
		n -= taken;
	}
	return -EINVAL;
}

void unpack_drop_decoder(void)
{
	if (decoder)
		module_unload(decoder, false);
	decoder = NULL;
}

const char *unpack_stream(const struct unpack_format *format, const void *data, size_t size, size_t *used, struct list *files)
{
	struct stream *s = kvmalloc(sizeof(*s), ALLOC_ZERO);
	const char *why = "data are damaged";
	int error = 0;

	if (!s)
		return "out of memory";
	s->files = files;
	if (!decoder || strcmp(decoder, format->module)) {
		unpack_drop_decoder();
		error = module_load_initrd(format->module);
		decoder = error ? NULL : format->module;
	}
	if (error) {
		kvfree(s);
		return unpack_no_decoder;
	}
	*used = 0;
	error = service(unpack)->run(data, size, used, push, s, &why);
	if (s->state == DATA && s->have == s->entry.size)
		end_file(s);
	if (!error && s->state != BETWEEN) {
		error = -EINVAL;
		why = "the archive in it is cut off";
	}
	if (s->wrong)
		why = s->wrong;
	if (s->file)
		free_file(s->file);
	kvfree(s);
	return error ? why : NULL;
}
