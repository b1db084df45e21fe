/*
 * The inside of the tree of mounts, for the files mount*.c.
 */
#pragma once

#include "modules/vfs/internal.h"

#define MOUNT_EXPIRED 0x400u		/* umount2(MNT_EXPIRE) saw it unused once */
#define MOUNT_FLAGS_USER (MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC | MOUNT_NOATIME | MOUNT_NODIRATIME | \
			  MOUNT_RELATIME | MOUNT_RDONLY | MOUNT_NOSYMFOLLOW)

/* A mount of `root` that stands nowhere yet; takes references. Null when out. */
struct mount *mount_create(struct super *s, struct dentry *root, unsigned int flags, const char *source);
/* Puts it on a path (mount_mutex held; the path is resolved through what is mounted). The caller's reference becomes the tree's. */
void mount_attach(struct mount *m, const struct path *where);
/* Takes it out of the tree and gives the tree's reference to the caller. mount_mutex held. */
void mount_detach(struct mount *m);
void mount_changed(void);
extern struct mount *root_mount;
extern struct list all_mounts;		/* attached ones, under mount_mutex */
/* Is `m` below or equal to `top`? */
bool mount_is_below(struct mount *m, struct mount *top);
/* The next of a tree, parents before children; null after the last. */
struct mount *mount_next(struct mount *m, struct mount *top);
