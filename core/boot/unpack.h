/*
 * Compressed archives: which format begins here, and the unpacked stream taken apart into files.
 */
#pragma once

#include "core/boot/boot.h"
#include "core/lib/list.h"

struct unpack_format {
	const char *name;
	const char *module;		/* its decoder; null: there is none */
	uint8_t magic[9];
	uint8_t length;
};
/* The format whose magic number stands at the head of `size` bytes; null: none that is known. */
const struct unpack_format *unpack_format_of(const void *data, size_t size);

/*
 * Unpacks one stream of the format at `data` into a list of files; *used is its length. Null, or what is wrong: then the
 * list has what stood before the damage. The decoder is loaded by its name. May sleep.
 */
const char *unpack_stream(const struct unpack_format *format, const void *data, size_t size, size_t *used, struct list *files);
/* What unpack_stream says when the format's decoder could not be loaded. */
extern const char unpack_no_decoder[];
/* Takes the decoder that was loaded last out again. */
void unpack_drop_decoder(void);

/* A file of an unpacked archive. */
struct unpacked_file {
	struct list link;
	struct initrd_entry entry;	/* name and, of links, data stand behind the struct */
	size_t page_count;
	char text[];
};
/* Frees files with the pages that nobody took. */
void unpack_free(struct list *files);
