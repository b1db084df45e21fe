/*
 * Files in /sys for other modules.
 */
#pragma once

#include "modules/vfs/text_file.h"

/* `path` relative to /sys. As text_tree_add. */
int sysfs_add(const char *path, uint32_t mode, const struct text_file_type *type, void *arg);
void sysfs_remove(const char *path);
