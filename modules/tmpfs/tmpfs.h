/*
 * tmpfs for other file systems whose trees live in memory (devfs).
 */
#pragma once

#include "modules/vfs/inode.h"

/* A super block with an empty root directory and one reference; `options` as mount's. -EINVAL, -ENOMEM. */
int tmpfs_super_create(const struct fs_type *type, const char *options, struct super **out);
