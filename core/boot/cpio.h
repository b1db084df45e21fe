/*
 * Reader of newc cpio archives in memory.
 */
#pragma once

#include "core/boot/boot.h"

/*
 * Calls fn for each entry of all archives in [data, data + size), trailers left out; stops at its first error and returns it.
 * Damage is reported through `report` with its offset, and ends the walk with 0.
 */
int cpio_for_each(const void *data, size_t size, int (*fn)(const struct initrd_entry *e, void *arg), void *arg,
		  void (*report)(void *report_arg, size_t offset, const char *what), void *report_arg);
