/*
 * Flags and hints of inodes, as ioctl and fcntl serve them (file_flags.c).
 */
#pragma once

#include "modules/vfs/internal.h"

/* Serves the request, if it is one of those; false: it is not. */
bool file_flags_ioctl(struct file *f, uint32_t request, uintptr_t argument, long *result);
/* F_GET_RW_HINT and F_SET_RW_HINT. */
long file_hint_command(struct file *f, bool set, uintptr_t argument);
