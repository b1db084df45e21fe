/*
 * The tree of device nodes that is mounted on /dev. One instance, shared by all mounts of "devtmpfs".
 */
#pragma once

#include "core/lib/types.h"

struct file_ops;

/*
 * Registers the character device and makes its node, with directories on the way ("pts/0"). `mode`: permission bits, 0600 by default if 0.
 * May sleep. -EEXIST, -EBUSY, -ENOMEM.
 */
int devfs_add(const char *name, uint32_t mode, uint64_t rdev, const struct file_ops *ops, void *private);
/* A node only, for a number that device_register serves already (many minors of one driver). Owner 0:gid. */
int devfs_add_node(const char *name, uint32_t mode, uint32_t uid, uint32_t gid, uint64_t rdev);
int devfs_add_directory(const char *name, uint32_t mode);
int devfs_add_link(const char *name, const char *target);
/* Removes the node, and the registration that devfs_add made. */
void devfs_remove(const char *name);
