/*
 * Further files in /proc for modules that have something to show.
 */
#pragma once

#include "modules/vfs/text_file.h"

/*
 * `path` relative to /proc, in every mount of it; directories on the way are made. mode with S_IFREG or S_IFDIR (type null) or S_IFLNK (arg the text).
 * What arg and type point to must stay. May sleep. -EEXIST, -ENOMEM, -ENOTDIR.
 */
int procfs_add(const char *path, uint32_t mode, const struct text_file_type *type, void *arg);
/* Removes a node and all below. Files that are open go on with the arg they have: the caller sees to it that it stays. */
void procfs_remove(const char *path);
