/*
 * What the files of tmpfs share.
 *
 * Directories are pinned dentries; the dentry cache is the directory. File contents are the pages of an embedded memory
 * object; bytes below source_size that have no page yet are those of the initrd's archive at `source`.
 */
#pragma once

#include <asm/errno.h>

#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/services.h"
#include "modules/tmpfs/tmpfs.h"
#include "modules/vfs/vfs.h"

struct tmpfs_super {
	struct spinlock lock;
	uint64_t max_pages, used_pages;		/* max 0: no limit */
	uint64_t max_inodes, used_inodes;	/* further names of a file count as inodes */
	uint64_t side_bytes;			/* attributes and texts of links: they count against the inodes */
	uint32_t mode, uid, gid;
};

struct tmpfs_xattr {
	struct list link;
	size_t size;
	char *name;
	unsigned char value[];
};

struct tmpfs_inode {
	struct memobj object;
	struct inode *inode;		/* null once the inode is gone and only mappings keep the object */
	struct super *super;		/* outlives the object: mappings hold the file, and so the mount */
	char *name;			/* of a memfd, or null */
	const void *source;
	uint64_t source_size;
	uint64_t accounted;		/* pages counted in the super block; under its lock */
	unsigned int seals;		/* F_SEAL_*; under inode->lock */
	bool link_page;			/* the text of a long link counts as a page */
	struct list xattrs;		/* under inode->lock */
};

static inline struct tmpfs_super *tmpfs_super_of(const struct super *s) { return s->private; }
static inline struct tmpfs_inode *tmpfs_inode_of(const struct inode *i) { return i->private; }

/* A new inode of this super block, counted against nr_inodes; owner and mode as for a file made in `dir` (may be null). Null when out; *error says why. */
struct inode *tmpfs_inode_create(struct super *s, const struct inode *dir, uint32_t mode, uint64_t rdev,
				 int *error);
void tmpfs_evict(struct inode *inode);
/* Takes room of the inodes for bytes beside the contents; false: there is none. And gives it back. */
bool tmpfs_charge_bytes(struct super *s, uint64_t bytes);
void tmpfs_uncharge_bytes(struct super *s, uint64_t bytes);
/* Brings the super block's count of pages up to date with the object's. */
void tmpfs_account(struct tmpfs_inode *ti);
extern const struct inode_ops tmpfs_dir_inode_ops, tmpfs_file_inode_ops, tmpfs_link_inode_ops;
extern const struct file_ops tmpfs_file_ops;
extern const struct memobj_ops tmpfs_object_ops;

int tmpfs_setattr(struct inode *inode, const struct attr_change *c);
/* Makes a name for a new inode in a directory (locked). */
void tmpfs_link_dentry(struct inode *dir, struct dentry *d, struct inode *inode);

long tmpfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
long tmpfs_listxattr(struct inode *inode, char *buf, size_t size);
void tmpfs_free_xattrs(struct tmpfs_inode *ti);


extern struct fs_type tmpfs_type;
/* Fills a tree from the initrds. */
int tmpfs_populate(struct super *s);
int memfd_init(void);
void memfd_exit(void);
