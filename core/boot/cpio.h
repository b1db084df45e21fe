/*
 * Reader of newc cpio archives in memory.
 */
#pragma once

#include "core/boot/boot.h"

#define CPIO_HEADER 110u
#define CPIO_PATH_SIZE 4096u		/* of a name with its NUL */
#define CPIO_NAME_MAX 8192u		/* with padding behind it */

/* The parts of a header of CPIO_HEADER bytes, but for name and data. Null, or what is wrong with it. */
const char *cpio_parse_header(const char *h, struct initrd_entry *e, uint32_t *name_size);
/* Sets e's name from `name_size` > 0 bytes, which stay. Null, or what is wrong with it. */
const char *cpio_parse_name(const char *name, uint32_t name_size, struct initrd_entry *e);
bool cpio_is_trailer(const struct initrd_entry *e);
/* The entry at offset `at` <= size. Null, or what is wrong. */
const char *cpio_entry_at(const void *data, size_t size, size_t at, struct initrd_entry *e);
/* How far archives and zeroes reach: `size`, or the offset of what is neither and, in *wrong, why. */
size_t cpio_end(const void *data, size_t size, const char **wrong);

/*
 * Calls fn for each entry of all archives in [data, data + size), trailers left out; stops at its first error and returns it.
 * Damage is reported through `report` with its offset, and ends the walk with 0.
 */
int cpio_for_each(const void *data, size_t size, int (*fn)(const struct initrd_entry *e, void *arg), void *arg,
		  void (*report)(void *report_arg, size_t offset, const char *what), void *report_arg);
