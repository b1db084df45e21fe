/*
 * What mounting and sync need of super blocks.
 */
#pragma once

#include "modules/vfs/inode.h"

/* Asks the type of that name for a super block with a reference. -ENODEV: no such type. */
int super_mount(const char *type_name, const char *source, unsigned int flags, const char *options,
		struct super **out);
void super_sync_all(void);
