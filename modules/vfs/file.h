/*
 * Open files: one struct for each open(2), shared by dup, fork and descriptor passing.
 *
 * `refs` keeps it; the last file_put releases it, in thread context (it may sleep). `pos` is guarded by pos_lock,
 * `flags` change by fcntl under `lock`, the rest is constant once the file is installed.
 */
#pragma once

#include <linux/fcntl.h>

#include "core/mem/aspace.h"
#include "core/mem/uaccess.h"
#include "modules/vfs/inode.h"
#include "modules/vfs/io_iter.h"
#include "modules/vfs/path.h"

struct epoll_link;
struct file_owner;
struct poll_table;

/* file.mode */
#define FILE_READ     0x001u
#define FILE_WRITE    0x002u
#define FILE_SEEK     0x004u		/* lseek works */
#define FILE_POS      0x008u		/* has a position; otherwise read and write get pos null */
#define FILE_PREAD    0x010u		/* pread and pwrite work */
#define FILE_PATH     0x020u		/* O_PATH: names only */
#define FILE_EXEC     0x040u		/* opened by exec */
#define FILE_NOWAIT   0x080u		/* RWF_NOWAIT is understood */
#define FILE_WRITER   0x100u		/* counted in inode.write_count */
#define FILE_READER   0x1000u		/* counted in inode.read_count */
#define FILE_EPOLL    0x400u		/* was in an epoll */
#define FILE_UNMOUNT  0x800u		/* owns the mount it names until that is attached somewhere (fsmount, open_tree) */
#define FILE_RCU      0x200u		/* was in a shared table: freed after a grace period */

/* Flags of one transfer, for file_ops.read and write. */
#define IO_NONBLOCK 0x1u		/* O_NONBLOCK or RWF_NOWAIT: -EAGAIN instead of sleeping */
#define IO_APPEND   0x2u
#define IO_DSYNC    0x4u
#define IO_NOWAIT   0x8u		/* RWF_NOWAIT in particular */

/*
 * A mapping to be made; mmap() of the file says over which object. If it leaves REGION_SHARED and
 * REGION_MAY_WRITE together, it has called file_map_writer(), under the lock of what could forbid that.
 */
struct file_mapping {
	uint64_t offset;		/* bytes, page multiple */
	size_t length;
	unsigned int flags;		/* REGION_*; mmap() may change it (e.g. drop REGION_MAY_WRITE, add REGION_SPECIAL) */
	struct memobj *object;		/* out: with a reference for the caller */
	uint64_t object_offset;		/* out: preset to offset */
};

/* Receives directory entries. emit() returns false when its buffer is full: the entry is offered again by the next call. */
struct dir_context {
	int64_t pos;			/* of the entry under way; readdir advances it */
	bool (*emit)(struct dir_context *c, const char *name, size_t length, uint64_t ino, unsigned int type);
};

/*
 * Null functions: read/write -EINVAL, ioctl -ENOTTY, poll always ready, mmap -ENODEV, seek as the mode says,
 * fsync -EINVAL, fallocate -EOPNOTSUPP, readdir -ENOTDIR. Sleeping ones return -ERESTARTSYS when interrupted with nothing transferred.
 */
struct file_ops {
	/* Bytes, 0 at the end, or negative errno. `pos` null for streams; advanced by the callee. */
	long (*read)(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags);
	long (*write)(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags);
	long (*ioctl)(struct file *f, unsigned int cmd, uintptr_t arg);
	/* Event mask (EPOLL*) now; calls poll_wait for each queue that announces changes. Must not sleep. */
	unsigned int (*poll)(struct file *f, struct poll_table *table);
	int (*mmap)(struct file *f, struct file_mapping *m);
	/* After path, inode and flags are set. Streams clear FILE_SEEK, FILE_POS and FILE_PREAD here. An error: release is not called. */
	int (*open)(struct inode *inode, struct file *f);
	/* Each close(2) of a descriptor. */
	int (*flush)(struct file *f);
	/* The last reference is gone. May sleep. */
	void (*release)(struct file *f);
	int (*fsync)(struct file *f, uint64_t start, uint64_t end, bool data_only);
	int64_t (*seek)(struct file *f, int64_t offset, int whence);
	int (*readdir)(struct file *f, struct dir_context *c);
	int (*fallocate)(struct file *f, int mode, uint64_t offset, uint64_t length);
	/* fcntl(F_SETFL): may refuse. */
	int (*set_flags)(struct file *f, unsigned int flags);
	/* F_GET_SEALS: the seals; F_ADD_SEALS (`add`): 0 or an error. Null: cannot be sealed. */
	long (*seals)(struct file *f, bool add, unsigned int seals);
	/* Additional lines of /proc/<pid>/fdinfo/<fd>; length as snprintf. */
	int (*describe)(struct file *f, char *buf, size_t size);
	/* Bytes of memory that are there for this file alone, about. May take no lock. Null: not worth counting. */
	uint64_t (*memory)(const struct file *f);
};

struct file {
	struct refcount refs;
	unsigned int mode;		/* FILE_* */
	unsigned int flags;		/* O_* */
	const struct file_ops *ops;
	struct inode *inode;		/* = path.dentry->inode at open; holds a reference */
	struct path path;
	void *private;			/* the ops' */
	int64_t pos;
	struct mutex pos_lock;
	struct spinlock lock;		/* flags, owner, epoll */
	struct list epoll;		/* interests of epoll instances in this file */
	struct file_owner *owner;	/* F_SETOWN, F_SETSIG; null: none */
	uint64_t dir_version;
	struct list async_link;		/* on the list of who gets SIGIO, kept by the ops (file_async_list) */
	struct rcu_head rcu;
};

/* Limits of pipes: bytes of one but for CAP_SYS_RESOURCE, and pages of all of a user's (pipe(7)); 0: none. */
extern uint64_t pipe_max_size, pipe_pages_soft, pipe_pages_hard;

/* Leases of files: whether there are any, and how long their holders have to give them up. */
extern int leases_enabled, lease_break_seconds;

/* Open files of all, and how many there may be but for CAP_SYS_ADMIN (/proc/sys/fs/file-nr, file-max). */
extern uint64_t file_count, file_limit;

static inline void file_get(struct file *f) { refcount_get(&f->refs); }
void file_put(struct file *f);

/* Opens by name as open(2) does. `mode` with O_CREAT, umask applied. The file has one reference. */
int file_open(const char *name, unsigned int flags, uint32_t mode, struct file **out);
int file_open_at(int dirfd, const char *name, unsigned int flags, uint32_t mode, struct file **out);
int file_open_at_user(int dirfd, struct ustr name, unsigned int flags, uint32_t mode, struct file **out);
/* Opens what a path already names (reference of its own). */
int file_open_path(const struct path *p, unsigned int flags, struct file **out);
/* The same for a file that the caller just made there, or whose permission it has asked for itself: the mode is not looked at. */
int file_open_made(const struct path *p, unsigned int flags, struct file **out);
/* A device without a node: init's console before /dev exists. `mode`: S_IFCHR. -ENXIO. */
int file_open_device(uint32_t mode, uint64_t rdev, unsigned int flags, struct file **out);
/*
 * Opens a program: AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW of execveat in `at_flags`. Regular file, execute permission, no noexec mount (all -EACCES),
 * nobody writes (-ETXTBSY); writers are refused until file_exec_put(). `name` in kernel memory.
 */
int file_for_exec(int dirfd, const char *name, int at_flags, struct file **out);
/* Lets writers in again and drops the reference (the program was replaced or its process ended). */
void file_exec_put(struct file *f);
/* Another holder of a program (fork): pairs with file_exec_put. */
void file_exec_get(struct file *f);
/*
 * What exec must know of the program's owner, mode and capabilities, in one step, so that a chown comes before or after: bytes of
 * security.capability put into `caps`, -ENODATA if there is none (st is valid), or an error. May sleep.
 */
long file_exec_attributes(struct file *f, struct kstat *st, void *caps, size_t size);
/* Does the mount that the file came from ignore set-ID bits? */
static inline bool file_nosuid(const struct file *f) { return f->path.mount->flags & MOUNT_NOSUID; }

/* A file without a name in any directory (pidfd, timerfd, signalfd, epoll): "anon_inode:[name]" in /proc. `flags`: O_RDWR, O_NONBLOCK... FILE_READ/WRITE follow from them. */
int anon_file_create(const char *name, const struct file_ops *ops, void *private, unsigned int flags,
		     struct file **out);

/*
 * A file over an inode of a pseudo file system (sockets, pipes). Takes over the inode's reference in every case; `name` must stay. The
 * super block's format() makes the text for /proc.
 */
int file_create_pseudo(struct mount *m, struct inode *inode, const char *name, const struct file_ops *ops,
		       void *private, unsigned int flags, struct file **out);

/* Transfers with kernel memory. *pos is used and advanced; null: the file's own position. Bytes or negative errno. */
long file_read_kernel(struct file *f, void *buf, size_t n, int64_t *pos);
long file_write_kernel(struct file *f, const void *buf, size_t n, int64_t *pos);
/* The common path of all reads and writes: checks mode, limits, and calls ops. */
long file_read_iter(struct file *f, struct io_iter *to, int64_t *pos, unsigned int io_flags);
long file_write_iter(struct file *f, struct io_iter *from, int64_t *pos, unsigned int io_flags);
int64_t file_seek(struct file *f, int64_t offset, int whence);

/*
 * mmap(2) of a file: checks mode against flags (-EACCES), noexec mount with REGION_EXEC (-EPERM), seals (-EPERM), support (-ENODEV), the
 * offset's range (-EOVERFLOW); sets REGION_MAY_WRITE as mprotect may use it. `r` has flags, offset and length set by the caller (REGION_SHARED or not);
 * fills object, offset, owner, owner_ops, flags. After aspace_map the caller calls file_map_done(r) to drop the object's reference.
 */
int file_map_prepare(struct file *f, struct map_request *r);
/* Counts a writer of the object from the file's permission until its region does; file_map_done() ends it. */
void file_map_writer(struct memobj *o);
void file_map_done(struct map_request *r);
/* owner = struct file *. */
extern const struct region_owner_ops file_region_owner_ops;

/* Notes a read, as the mount's flags say. */
static inline void file_touch_atime(struct file *f)
{
	if (!(f->flags & O_NOATIME))
		path_touch_atime(&f->path);
}
/* May the caller put n bytes at pos (RLIMIT_FSIZE, the file system's limit)? Cuts *n; -EFBIG, with SIGXFSZ for the first. */
int file_check_limit(struct file *f, uint64_t pos, size_t *n);

int file_stat(struct file *f, struct kstat *out);
/* Name as path_format, or "pipe:[ino]", "anon_inode:[name]"... */
int file_format(struct file *f, char *buf, size_t size);

/*
 * SIGIO: the files of an object that have O_ASYNC. set() belongs into set_flags with the new flags, and into release with flags 0;
 * notify() sends the owners' signals to those files that have one of the FILE_READ, FILE_WRITE bits of `mode`. Any thread context.
 */
struct file_async_list {
	struct spinlock lock;
	struct list files;
};
void file_async_init(struct file_async_list *l);
void file_async_set(struct file_async_list *l, struct file *f, unsigned int flags);
void file_async_notify(struct file_async_list *l, unsigned int mode, long band);
