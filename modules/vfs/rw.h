/*
 * Transfers at the position of a file, for the calls in rw_calls.c and splice.c.
 */
#pragma once

#include <linux/fs.h>

#include "modules/vfs/internal.h"

/* IO_* of the file's flags. */
unsigned int file_io_flags(const struct file *f);
long file_read_here(struct file *f, struct io_iter *to, unsigned int io_flags);
long file_write_here(struct file *f, struct io_iter *from, unsigned int io_flags);
