/*
 * Names: dentries (the cache of directory entries), mounts, and the walk from a name to a path.
 *
 * The cache itself holds one reference to each dentry that it can find; users and children hold more. A dentry's name and
 * parent change only in a rename, which holds both directories' locks and makes dentry_rename_sequence odd for
 * the moment; look-ups run under RCU and check the sequence. A file system that keeps its directories in memory only
 * (tmpfs, devfs) pins its dentries with a further reference: the cache is the directory, and a name that it lacks does not exist.
 */
#pragma once

#include "core/lib/list.h"
#include "core/lib/rbtree.h"
#include "core/lib/refcount.h"
#include "core/mem/uaccess.h"
#include "core/sync/rcu.h"
#include "modules/vfs/inode.h"

#define NAME_LENGTH_MAX 255
#define PATH_SIZE_MAX   4096
#define SYMLINKS_MAX    40
#define DENTRY_INLINE_NAME 32

#define DENTRY_HASHED   0x1u
#define DENTRY_MOUNTED  0x2u		/* something is mounted on it somewhere */
#define DENTRY_ON_LRU   0x4u
#define DENTRY_PINNED   0x10u		/* the file system holds a reference (dentry_pin) */
#define DENTRY_UNLINKED 0x20u		/* name removed: shown as "(deleted)" */

struct dentry {
	struct refcount refs;
	unsigned int flags;		/* DENTRY_*, under lock */
	uint32_t hash;
	uint32_t name_length;
	const char *name;		/* inline_name or allocated; terminated */
	struct dentry *parent;		/* itself for a root; holds a reference */
	struct inode *inode;		/* null: negative; set once, kept until the dentry dies */
	struct super *super;
	struct dentry *hash_next;
	struct spinlock lock;		/* flags, inode, children */
	struct rb_root children;	/* cached dentries below, by cursor */
	struct rb_node sibling;
	struct list lru;
	uint64_t cursor;		/* place of the name in its directory, from 1; newer names have greater ones */
	uint64_t last_cursor;		/* of the newest child */
	bool used;			/* looked up since the LRU list was last gone through */
	unsigned int mounts;		/* on it, by whichever mount; under mount_mutex */
	void *private;			/* the file system's */
	struct rcu_head rcu;
	char inline_name[DENTRY_INLINE_NAME];
};

#define MOUNT_NOSUID     0x01u
#define MOUNT_NODEV      0x02u
#define MOUNT_NOEXEC     0x04u
#define MOUNT_NOATIME    0x08u
#define MOUNT_NODIRATIME 0x10u
#define MOUNT_RELATIME   0x20u
#define MOUNT_RDONLY     0x40u
#define MOUNT_NOSYMFOLLOW 0x80u
#define MOUNT_DETACHED   0x100u
#define MOUNT_INTERNAL   0x200u		/* pipes, anonymous files: no place in the tree */

struct mount {
	struct refcount refs;		/* paths that name it, and one of the tree while attached */
	unsigned int flags;
	struct super *super;
	struct dentry *root;
	struct mount *parent;		/* itself at the top */
	struct dentry *mountpoint;
	struct mount_ns *ns;		/* the name space in which it is attached, or null; under mount_mutex */
	struct mount *copy;		/* what it became in the name space that is being made; under mount_mutex */
	struct mount *hash_next;
	struct list children, sibling;
	struct list all_link;
	int writers;			/* regular files open for writing through it; atomic */
	int id;
	char *source;			/* device column of /proc/mounts */
	struct rcu_head rcu;
};

struct path {
	struct mount *mount;
	struct dentry *dentry;
};

static inline void dentry_get(struct dentry *d) { refcount_get(&d->refs); }
void dentry_put(struct dentry *d);
static inline void mount_get(struct mount *m) { refcount_get(&m->refs); }
void mount_put(struct mount *m);
static inline void path_get(const struct path *p)
{
	mount_get(p->mount);
	dentry_get(p->dentry);
}
void path_put(const struct path *p);
static inline bool path_equal(const struct path *a, const struct path *b)
{
	return a->mount == b->mount && a->dentry == b->dentry;
}

/* ---- for file systems ---- */

/* The root dentry of a super block: takes over the inode's reference. Null when out (the inode is put). */
struct dentry *dentry_create_root(struct inode *inode);
/* Gives a negative dentry its inode (reference taken over); used by lookup, create and the like. */
void dentry_attach(struct dentry *d, struct inode *inode);
/* The file system keeps the dentry in memory; unpin when the name goes. */
void dentry_pin(struct dentry *d);
void dentry_unpin(struct dentry *d);
/*
 * The child of that name, in the cache or new and negative, with a reference; `parent`'s inode lock is held. For trees made by
 * the kernel (initrd, devices, procfs). -ENOMEM, -ENAMETOOLONG.
 */
int dentry_child(struct dentry *parent, const char *name, size_t length, struct dentry **out);
/* Takes a name out of the cache; users of the dentry keep it. */
void dentry_drop(struct dentry *d);
/* Drops everything below that nobody uses (a vanished process, a removed device). */
void dentry_drop_tree(struct dentry *d);
/* The same for a child by name, if it is in the cache. May sleep. */
void dentry_forget_child(struct dentry *parent, const char *name, size_t length);
/* True if a pinned directory has no pinned positive children. Its inode lock is held. */
bool dentry_is_empty(struct dentry *d);
/* readdir, seek and the rest of the file operations of directories whose dentries are all pinned. */
extern const struct file_ops pinned_dir_ops;
/* d_type of a mode. */
static inline unsigned int dirent_type(uint32_t mode) { return (mode & S_IFMT) >> 12; }
/* Emits "." and ".." at positions 0 and 1. False if there was no room. */
struct dir_context;
bool dir_emit_dots(struct file *f, struct dir_context *c);
/* Drops all pins of a tree in memory: super_ops.release of such file systems. */
void dentry_unpin_tree(struct dentry *root);

/* ---- the walk ---- */

#define WALK_FOLLOW     0x01u	/* follow a link in the last component */
#define WALK_DIRECTORY  0x02u	/* the result must be a directory */
#define WALK_EMPTY      0x04u	/* "" names the start (AT_EMPTY_PATH) */
#define WALK_RESOLVE_SHIFT 16	/* RESOLVE_* of openat2 above this bit */

/* The path of a name, references taken. `dirfd` AT_FDCWD or a descriptor. May sleep. Linux's errnos. */
int path_lookup(int dirfd, const char *name, unsigned int walk, struct path *out);
int path_lookup_user(int dirfd, struct ustr name, unsigned int walk, struct path *out);
/* From a start that the caller has; "/" still means the caller's root. */
int path_lookup_from(const struct path *start, const char *name, unsigned int walk, struct path *out);

/*
 * The absolute name of a path as the caller's root sees it, with " (deleted)" if it has none any more; what is outside of the root is named
 * from the top of its tree of mounts. Copies to the start of buf, terminated; length or -ENAMETOOLONG. May sleep.
 */
int path_format(const struct path *p, char *buf, size_t size);

/* The same as seen from `root`. `mark`: add " (deleted)". *reached (may be null): is it below root? */
int path_format_from(const struct path *p, const struct path *root, char *buf, size_t size, bool mark,
		     bool *reached);

/* Creates directories and nodes by kernel callers (boot). 0 or negative errno. */
int path_mkdir(const char *name, uint32_t mode);
int path_mknod(const char *name, uint32_t mode, uint64_t rdev);
/* The same with the caller's umask, for a name that the caller goes on with: *out gets references. */
int path_mknod_path(const char *name, uint32_t mode, struct path *out);
/* unlink(2) of a name as seen from `start`. */
int path_unlink_from(const struct path *start, const char *name);
int path_stat(const struct path *p, struct kstat *out);
/* Notes a read of the path's inode, as the mount's flags say. */
void path_touch_atime(const struct path *p);

/* ---- mounts ---- */

/* Mounts a type on a name, as mount(2) by the kernel (boot). */
int mount_kernel(const char *type, const char *source, const char *where, unsigned int flags,
		 const char *options);
/* The first mount of all, by the root file system's module: becomes "/" of every thread that has none. */
int mount_root(struct super *s);
/* A mount outside the tree, for files without names; takes over the super block's reference. Null when out. */
struct mount *mount_create_internal(struct super *s);
/* The root of the first name space, references taken. */
void mount_get_root(struct path *out);

/* ---- name spaces of mounts: mount_namespaces(7) ---- */

struct mount_ns;
void mount_ns_get(struct mount_ns *ns);
void mount_ns_put(struct mount_ns *ns);
/* A thread's, with a reference; null if it has none any more. */
struct mount_ns *thread_mount_ns(struct thread *t);
/* Gives the caller a name space of its own, a copy; its root and working directory lead there. It shares them with no other thread. -ENOMEM. May sleep. */
int mount_ns_unshare(void);
/* Moves the caller, root and working directory to the top of the name space. -EINVAL if it shares them with another thread. May sleep. */
int mount_ns_enter(struct mount_ns *ns);
/* What stands for it as a file: /proc/<pid>/ns/mnt leads there. -ENOMEM. */
int mount_ns_path(struct mount_ns *ns, struct path *out);
/* The name space (without a reference) that such a file stands for; null if it is no such file. */
struct mount_ns *mount_ns_of_file(const struct file *f);

/* The same for the other kinds (CLONE_NEW*), of which there is one name space each. -ENOENT: no such kind. */
int ns_global_path(uint32_t type, struct path *out);
/* The kind that such a file stands for; 0: it is no such file. */
uint32_t ns_global_type(const struct file *f);

/* A line of /proc/<pid>/mounts (0), mountinfo (1), mountstats (2) for each mount that root reaches. Stops when fn says false. May sleep. */
int mount_for_each(const struct path *root, int format, bool (*fn)(const char *line, size_t n, void *arg),
		   void *arg);
/* Changes when a mount comes or goes: poll of /proc/mounts. */
extern struct wait_queue mount_wait;
uint64_t mount_generation(void);

/* protected.c: the switches of /proc/sys/fs. */
extern int protected_symlinks, protected_hardlinks, protected_fifos, protected_regular;
