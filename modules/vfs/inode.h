/*
 * Inodes, super blocks and file-system types.
 *
 * An inode is what a file is, independent of its names. `lock` (mutex) guards size changes, attributes, and for directories
 * the entries. Two directories are locked in the order of inode_lock_pair. `state_lock` (spin) guards times, nlink and counters
 * read without `lock`.
 *
 * Lock order: mount_mutex, super.rename_mutex, inode.lock (parent before child, then by address), file.pos_lock stands
 * before inode.lock; dentry_hash buckets, dentry.lock and inode.state_lock are leaves.
 */
#pragma once

#include <linux/stat.h>

#include "core/lib/list.h"
#include "core/lib/refcount.h"
#include "core/mem/memobj.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"

struct acl;
struct dentry;
struct dir_context;
struct file;
struct file_lock_list;
struct file_ops;
struct inode;
struct path;
struct pipe;
struct super;

struct file_time {
	int64_t sec;
	uint32_t nsec;
};

/* What stat tells; the source of all its ABI forms. */
struct kstat {
	uint64_t ino, size, blocks;	/* blocks of 512 bytes */
	uint64_t dev, rdev;		/* MKDEV form of device.h */
	uint64_t mount_id;
	uint32_t mode, nlink, uid, gid, block_size;
	uint64_t attributes, attributes_mask;	/* STATX_ATTR_* */
	struct file_time atime, mtime, ctime, btime;
	uint32_t result_mask;		/* STATX_* */
};

struct kstatfs {
	uint64_t type, block_size, blocks, blocks_free, blocks_available, files, files_free;
	uint64_t fsid;
	uint32_t name_max;
};

/* A change of attributes: the fields whose ATTR_ bit is set. */
#define ATTR_MODE  0x01u
#define ATTR_UID   0x02u
#define ATTR_GID   0x04u
#define ATTR_SIZE  0x08u
#define ATTR_ATIME 0x10u
#define ATTR_MTIME 0x20u
#define ATTR_CTIME 0x40u
#define ATTR_OWNER 0x80u	/* no field: a change of owner that leaves both may still take set-id bits */
struct attr_change {
	unsigned int valid;
	uint32_t mode, uid, gid;
	uint64_t size;
	struct file_time atime, mtime, ctime;
};

/*
 * Null functions: lookup -ENOTDIR, the changing ones -EPERM, xattrs -EOPNOTSUPP, getattr/setattr the generic ones.
 * Directory functions run with the directory's lock held; `d` is a negative dentry for the creating ones.
 */
struct inode_ops {
	/* Attaches the inode to `d` with dentry_attach, or leaves it negative. 0 or an error other than -ENOENT. */
	int (*lookup)(struct inode *dir, struct dentry *d);
	int (*create)(struct inode *dir, struct dentry *d, uint32_t mode);
	int (*mknod)(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev);
	int (*mkdir)(struct inode *dir, struct dentry *d, uint32_t mode);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target);
	int (*link)(struct inode *inode, struct inode *dir, struct dentry *d);
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*rmdir)(struct inode *dir, struct dentry *d);
	/* flags: RENAME_NOREPLACE (checked by the caller), RENAME_EXCHANGE. The caller moves the dentries afterwards. */
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *target,
		      unsigned int flags);
	/* A nameless file in `dir`; a reference. */
	int (*tmpfile)(struct inode *dir, uint32_t mode, struct inode **out);
	/* Text of a symbolic link, at most size bytes, not terminated; length. */
	long (*readlink)(struct dentry *d, char *buf, size_t size);
	/* Magic links: where it leads, references taken. Null: the text is walked. */
	int (*follow)(struct dentry *d, struct path *out);
	int (*permission)(struct inode *inode, int mask);	/* null: mode bits */
	int (*getattr)(struct inode *inode, struct kstat *out);
	int (*setattr)(struct inode *inode, const struct attr_change *c);
	long (*getxattr)(struct inode *inode, const char *name, void *buf, size_t size);
	/* value null: remove. flags: XATTR_CREATE, XATTR_REPLACE */
	int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size, int flags);
	long (*listxattr)(struct inode *inode, char *buf, size_t size);
	/* A cached dentry of this directory is used again: false if it no longer tells the truth (it is dropped). Null: true. May sleep. */
	bool (*revalidate)(struct inode *dir, struct dentry *d);
	/* Keep no negative dentries. Without revalidate it also says that the cache is the directory: a name not cached does not exist. */
	bool no_negative;
};

#define INODE_IMMUTABLE   0x01u		/* STATX_ATTR_IMMUTABLE */
#define INODE_APPEND      0x02u
#define INODE_SWAPFILE    0x04u
#define INODE_DEAD        0x08u		/* directory removed: no new entries */
#define INODE_LINKABLE    0x20u		/* made by O_TMPFILE: linkat may give it its first name */
#define INODE_OWN_TEXT    0x40u		/* link_text is kfreed with the inode's memory */
#define INODE_FILE_CAPS  0x80u		/* has security.capability: a change of contents or owner takes it away */
#define INODE_NODUMP     0x100u		/* kept for programs that ask */
#define INODE_NOATIME    0x200u		/* reading leaves no time */
#define INODE_NO_TIMES    0x10u		/* a private file without times to keep */

struct inode {
	struct refcount refs;
	uint32_t mode, uid, gid;
	const struct inode_ops *ops;
	const struct file_ops *file_ops;
	struct super *super;
	struct acl *access_acl, *default_acl;	/* acl.h */
	uint64_t ino, rdev;
	uint64_t size;			/* of files without a memobj */
	uint32_t nlink;
	unsigned int flags;		/* INODE_* */
	struct mutex lock;
	struct spinlock state_lock;
	struct file_time atime, mtime, ctime, btime;
	int write_count;		/* > 0: open for writing so often; < 0: writing denied (running program) */
	int read_count;			/* regular files: open for reading alone so often */
	uint8_t write_hint;		/* RWH_*, kept for programs that ask */
	struct memobj *object;		/* contents that may be mapped, owned by the inode; or null */
	struct pipe *pipe;		/* FIFO in use */
	struct file_lock_list *locks;	/* record and whole-file locks; allocated on the first */
	const char *link_text;		/* symbolic links whose text is constant: readlink may be null then */
	void *private;
	unsigned int generation;
	struct rcu_head rcu;
};

#define SUPER_RDONLY   0x1u
#define SUPER_NODEV    0x2u
#define SUPER_MAGIC_OK 0x4u		/* holds magic links (procfs) */
#define SUPER_INTERNAL 0x8u		/* may not be mounted by users */

struct super_ops {
	/* Frees what the file system keeps for the inode; the links are gone and nobody uses it. May sleep. */
	void (*evict)(struct inode *inode);
	int (*statfs)(struct super *s, struct kstatfs *out);
	/* Mount options as text ",size=1k" for /proc/mounts; length as snprintf. */
	int (*show_options)(struct super *s, char *buf, size_t size);
	int (*remount)(struct super *s, const char *options);
	int (*sync)(struct super *s);
	/* Takes memory for the access control lists of inodes, or gives it back; false: there is no room. Null: no such lists. */
	bool (*charge)(struct super *s, int64_t bytes);
	/* Name of a dentry that is in no tree ("pipe:[5]"), in place of a path; length as snprintf. Null: a path. */
	int (*format)(struct dentry *d, char *buf, size_t size);
	/* The last mount is gone: unpins the tree. `private` is kfreed by vfs when the root is gone, too. */
	void (*release)(struct super *s);
};

struct super {
	struct refcount refs;
	struct refcount holds;		/* on its memory: one of all users together, one of each inode */
	const struct super_ops *ops;
	const struct fs_type *type;
	unsigned int flags;
	uint64_t dev;
	uint64_t magic;
	uint32_t block_size;
	uint64_t max_file_size;
	struct dentry *root;
	struct mutex rename_mutex;	/* moves of directories between directories */
	uint64_t next_ino;		/* atomic counter for super_new_ino */
	void *private;
	struct list link;
};

/*
 * A type of file system. File-system modules register it in init and take it back in fini (docs/decisions): a type in
 * use keeps its module from leaving, since mounts hold references.
 */
struct fs_type {
	const char *name;
	bool nodev;			/* needs no block device: "nodev" in /proc/filesystems */
	/* Makes or finds a super block with one reference for a new mount. `options` is the text of mount's data or "". */
	int (*mount)(const struct fs_type *type, const char *source, unsigned int flags, const char *options,
		     struct super **out);
	/* Would mount or remount take this text? 0 or -EINVAL. Null: that is found out then. */
	int (*check_options)(const char *options);
	struct list link;
};
int fs_type_register(struct fs_type *type);
void fs_type_unregister(struct fs_type *type);
/* Text of /proc/filesystems into buf; length as snprintf. */
int fs_type_list(char *buf, size_t size);

/* A super block with one reference, an anonymous device number and no root yet. Null when out. */
struct super *super_create(const struct fs_type *type, const struct super_ops *ops, uint64_t magic);
static inline void super_get(struct super *s) { refcount_get(&s->refs); }
void super_put(struct super *s);
static inline uint64_t super_new_ino(struct super *s)
{
	return __atomic_add_fetch(&s->next_ino, 1, __ATOMIC_RELAXED);
}

struct mount;
/* A kernel-internal mount with an empty root directory, for files without names (sockets). Null when out. */
struct mount *pseudo_mount_create(const struct fs_type *type, const struct super_ops *ops, uint64_t magic);

/* A new inode with one reference, nlink 1, times now, owner 0:0 and the given mode. Null when out. */
struct inode *inode_create(struct super *s, uint32_t mode);
/* Sets uid and gid to the caller's, or the directory's gid if it is set-group-ID (which directories hand on). */
void inode_init_owner(struct inode *inode, const struct inode *dir);
/* Gives a new inode the lists that `dir` hands on, and the mode that they leave. -ENOMEM, -ENOSPC. */
int acl_inherit(const struct inode *dir, struct inode *inode);
static inline void inode_get(struct inode *inode) { refcount_get(&inode->refs); }
void inode_put(struct inode *inode);
/* Default file operations for the type bits of mode: devices, FIFOs; others are left alone. */
void inode_init_special(struct inode *inode, uint64_t rdev);

static inline bool inode_is_dir(const struct inode *i) { return S_ISDIR(i->mode); }
static inline bool inode_is_regular(const struct inode *i) { return S_ISREG(i->mode); }
static inline bool inode_is_link(const struct inode *i) { return S_ISLNK(i->mode); }
uint64_t inode_size(const struct inode *inode);

#define TOUCH_ATIME 1u
#define TOUCH_MTIME 2u
#define TOUCH_CTIME 4u
struct file_time file_time_now(void);
/* Sets the named times to now. Any thread context. */
void inode_touch(struct inode *inode, unsigned int which);

/* MAY_* as in access checks. 0, -EACCES, -EROFS (device files excepted), -EPERM (immutable). May not sleep, but through ops. */
#define MAY_EXEC  1
#define MAY_WRITE 2
#define MAY_READ  4
int inode_permission(struct inode *inode, int mask);
/* What the mode bits and capabilities say: the end of a permission() of ops. 0 or -EACCES. */
int inode_mode_permission(const struct inode *inode, int mask);
/* May the caller act as the owner (CAP_FOWNER)? */
bool inode_owner_or_capable(const struct inode *inode);

/* Generic parts for ops. */
void inode_fill_stat(struct inode *inode, struct kstat *out);
void inode_apply_attr(struct inode *inode, const struct attr_change *c);
int inode_getattr(struct inode *inode, struct kstat *out);
/* Checks the caller's right to the change as chmod, chown, utimes and truncate do, adjusts set-ID bits, and applies it. Takes inode->lock. */
int inode_change(struct inode *inode, struct attr_change *c);
/* Clears set-ID bits after a write by somebody without CAP_FSETID, and file capabilities after any. inode->lock is held. */
void inode_drop_privileges(struct inode *inode);
/* Truncation with all of truncate(2)'s checks but the path's. */
int inode_truncate(struct inode *inode, uint64_t size);

/* Counts writers; -ETXTBSY if it is being executed. */
int inode_get_write(struct inode *inode);
void inode_put_write(struct inode *inode);
/* Forbids writers; -ETXTBSY if there are some. */
int inode_deny_write(struct inode *inode);
void inode_allow_write(struct inode *inode);
