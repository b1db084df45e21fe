/*
 * Permission to change directories, for the files that create, remove and rename.
 */
#pragma once

#include "modules/vfs/walk.h"

/* Write access to the directory and its mount. */
int may_change_directory(const struct path *dir);
/* May `d` be removed from or replaced in `dir`: sticky bit, immutable files. */
int may_remove(struct inode *dir, struct dentry *d);
/* The parent locked and the last component's negative dentry; create_end() undoes both. `directory`: "name/" is allowed. */
int create_begin(struct walk *w, int dirfd, const char *name, unsigned int flags, bool directory,
		 struct dentry **out);
void create_end(struct walk *w, struct dentry *d);
