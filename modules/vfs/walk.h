/*
 * The walk from a name to a path, step by step: for open, which looks at the last component itself, and for calls that
 * create or remove a name.
 */
#pragma once

#include "modules/vfs/internal.h"

enum walk_last { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct walk_frame {
	const char *rest;		/* what follows the link in the text around it */
	char *buffer;			/* the link's text, or null if it is the inode's own */
	struct dentry *link;
};

struct walk {
	struct path at;			/* where it stands; references held */
	struct path root;		/* what "/" means; references held once mount is set */
	unsigned int flags;		/* WALK_*, resolve bits */
	unsigned int links;		/* followed so far */
	unsigned int depth;		/* frames in use */
	unsigned int pending;		/* of these, with a rest */
	struct walk_frame *frames;
	const char *name;		/* to be parsed */
	bool trailing;			/* a slash came after a link that was last */
	unsigned int renames, mounts;	/* sequences when it began, if it may not leave its root */
	/* The last component, when walk_parent is done. */
	enum walk_last type;
	const char *last;		/* not terminated */
	size_t length;
	uint32_t hash;
	bool slashes;			/* followed by a slash: must be a directory */
};

#define WALK_RESOLVE(bits) ((unsigned int)(bits) << WALK_RESOLVE_SHIFT)

/* Sets the start. Nothing to undo on error. */
int walk_begin(struct walk *w, int dirfd, const char *name, unsigned int flags);
int walk_begin_at(struct walk *w, const struct path *start, const char *name, unsigned int flags);
/* Goes to the directory of the last component. */
int walk_parent(struct walk *w);
/* The last component was the link `link` (reference passes): goes to the directory of what it names. */
int walk_link(struct walk *w, struct path *link);
/* Looks the last component up, following links as the flags say: the result is w->at. */
int walk_last(struct walk *w);
/* Releases everything but w->at if `keep`. */
void walk_end(struct walk *w, bool keep);

/*
 * protected.c: 0, or the error for what proc_sys_fs(5)'s protected_* forbid: to follow a link that ends a name, to make a
 * name for an inode, to open with O_CREAT what is there already in `dir`.
 */
int protected_may_follow(const struct inode *dir, const struct inode *link);
int protected_may_link(struct inode *inode);
int protected_may_reuse(const struct inode *dir, const struct inode *inode);
/* Is it a directory that all share? */
static inline bool protected_is_shared(const struct inode *dir)
{
	return (READ_ONCE(dir->mode) & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH);
}

/* Without locks and references on the way: 1 and *out, 0 if it takes more than that, or an error that is certain. */
int walk_fast(int dirfd, const char *name, unsigned int flags, struct path *out);
