/*
 * The inside of the tree of mounts, for the files mount*.c.
 */
#pragma once

#include "modules/vfs/internal.h"

#define MOUNT_EXPIRED 0x400u		/* umount2(MNT_EXPIRE) saw it unused once */
#define MOUNT_ANON    0x800u		/* top of a tree that stands nowhere and belongs to a descriptor; detached, too */
#define MOUNT_MARKED  0x1000u		/* mount_setattr's, under mount_mutex */
#define MOUNT_FLAGS_USER (MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC | MOUNT_NOATIME | MOUNT_NODIRATIME | \
			  MOUNT_RELATIME | MOUNT_RDONLY | MOUNT_NOSYMFOLLOW)

/* A mount of `root` that stands nowhere yet; takes references. Null when out. */
struct mount *mount_create(struct super *s, struct dentry *root, unsigned int flags, const char *source);
/* Puts it on a path (mount_mutex held; the path is resolved through what is mounted). The caller's reference becomes the tree's. */
void mount_attach(struct mount *m, const struct path *where);
/* Takes it out of the tree and gives the tree's reference to the caller. mount_mutex held. */
void mount_detach(struct mount *m);
void mount_changed(void);
/* The same with all below it; drops the tree's references. mount_mutex held. */
void mount_detach_tree(struct mount *top);
/* A copy of one mount that stands nowhere yet, with `root` for its root. Null when out. */
struct mount *mount_copy(struct mount *old, struct dentry *root);
/* Copies the mounts below `dentry` of `old` to the new mount. On -ENOMEM some may be there: the caller takes `new` apart. mount_mutex held. */
int mount_copy_children(struct mount *old, struct dentry *dentry, struct mount *new);
/* Makes the one mount read-only: -EBUSY if somebody writes through it. mount_mutex held. */
int mount_become_read_only(struct mount *m);
/* Remounts a file system with flags (SUPER_RDONLY) and options. mount_mutex held. -EBUSY, -EINVAL. */
int super_reconfigure(struct super *s, unsigned int flags, const char *options);

/* A tree of mounts that some threads see. `refs`: contexts and files; the first one stays for good. */
struct mount_ns {
	struct refcount refs;
	uint64_t ino;			/* of the file that stands for it */
	struct mount *root;		/* its own reference */
};
/* The first name space, which the first mount makes, with a reference. */
struct mount_ns *mount_ns_first(void);
void mount_ns_start(struct mount *root);
int mount_ns_init(void);
void mount_ns_exit(void);
/* Is it attached in the caller's name space? mount_mutex held. */
static inline bool mount_is_ours(const struct mount *m) { return m->ns && m->ns == fs_mount_ns(); }

/* mount_api.c */
/* MOUNT_ATTR_* of fsmount to MOUNT_*. -EINVAL. */
int mount_attr_flags(uint64_t attr, unsigned int *out);
/* A descriptor that owns the new mount (the caller's reference passes in any case); the mount is dropped if it is not attached. */
long mount_install_anon(struct mount *m, unsigned int cloexec);

extern struct list all_mounts;		/* attached ones, under mount_mutex */
/* Is `m` below or equal to `top`? */
bool mount_is_below(struct mount *m, struct mount *top);
/* The next of a tree, parents before children; null after the last. */
struct mount *mount_next(struct mount *m, struct mount *top);
