/*
 * Further files in /proc for modules that have something to show.
 */
#pragma once

#include "modules/vfs/text_file.h"

/* `path` relative to /proc. As text_tree_add. */
int procfs_add(const char *path, uint32_t mode, const struct text_file_type *type, void *arg);
void procfs_remove(const char *path);
