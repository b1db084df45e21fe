/*
 * What mounting and sync need of super blocks.
 */
#pragma once

#include "modules/vfs/inode.h"

/* Asks the type of that name for a super block with a reference. -ENODEV: no such type. */
int super_mount(const char *type_name, const char *source, unsigned int flags, const char *options,
		struct super **out);
/* 0 or -ENODEV. */
int super_type_exists(const char *type_name);
/* Does the type take the text as options, as far as it can tell by looking? */
int super_check_options(const char *type_name, const char *options);
void super_sync_all(void);
