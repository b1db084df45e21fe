/*
 * What the files of vfs share among themselves.
 */
#pragma once

#include <asm/errno.h>

#include "core/lib/string.h"
#include "core/mem/slab.h"
#include "core/module/export.h"
#include "core/module/services.h"
#include "modules/vfs/vfs.h"

/* ---- threads ---- */

struct fd_array {
	unsigned int size;		/* multiple of 64 */
	struct rcu_head rcu;
	struct file **files;
	unsigned long *open;		/* taken or reserved */
	unsigned long *cloexec;
};

struct fd_table {
	struct refcount refs;		/* threads */
	struct spinlock lock;
	struct fd_array *array;		/* read under RCU */
	unsigned int lowest_free;	/* no free descriptor below */
	bool was_shared;
};

struct fs_context {
	struct refcount refs;
	struct spinlock lock;
	struct path root, cwd;
	struct mount_ns *ns;		/* threads that share the directories share the name space */
	uint32_t umask;
};

/* The per-thread data; `lock` guards the pointers against readers from other threads. */
struct vfs_thread {
	struct spinlock lock;
	struct fd_table *files;
	struct fs_context *fs;
};

extern int vfs_slot;
/* The caller's data, made on first use by kernel threads. Null when memory is out. */
struct vfs_thread *vfs_thread_make(void);
static inline struct vfs_thread *vfs_thread_self(void)
{
	struct vfs_thread *vt = thread_data(current, vfs_slot);

	return likely(vt) ? vt : vfs_thread_make();
}

struct fd_table *fd_table_create(void);
/* A copy of the table for a new user. Null when out. */
struct fd_table *fd_table_copy(struct fd_table *t);
void fd_table_put(struct fd_table *t);
/* Closes what is marked close-on-exec. */
void fd_table_close_on_exec(struct fd_table *t);
unsigned int fd_limit(void);
/* Puts `f` on `fd` whatever is there (dup2): takes over the reference. Descriptor or error. */
int fd_replace(int fd, struct file *f, unsigned int flags);
/* Lowest free descriptor >= from. */
int fd_install_from(struct file *f, unsigned int from, unsigned int flags);
int fd_set_cloexec(int fd, bool on);
int fd_get_cloexec(int fd);
void fd_close_range(unsigned int first, unsigned int last, bool only_mark);

struct fs_context *fs_context_create(void);
struct fs_context *fs_context_copy(struct fs_context *fs);
void fs_context_put(struct fs_context *fs);
/* The caller's directories with references. */
int fs_get_root(struct path *out);
int fs_get_cwd(struct path *out);
/* Replace them; take a reference of their own. */
int fs_set_root(const struct path *p);
int fs_set_cwd(const struct path *p);
uint32_t fs_umask(void);
/* The caller's name space of mounts; it stays while the caller does not leave it. Null for a thread without directories. */
struct mount_ns *fs_mount_ns(void);
/* Puts a context that nobody else uses yet, or the caller alone, into a copy of its name space. -ENOMEM. May sleep. */
int fs_context_new_ns(struct fs_context *fs);
/* pivot_root: moves every thread that has `from` as root or cwd to `to`. */
void fs_replace_roots(const struct path *from, const struct path *to);

/* ---- files ---- */

struct file_owner {
	int type;			/* F_OWNER_* */
	int id;
	uint32_t uid, euid;
	int signal;			/* F_SETSIG; 0: SIGIO */
	int fd;				/* si_fd: where O_ASYNC was set */
};

/* An empty file with one reference; path and inode are the caller's to fill. Null when out. */
/* Null: file_alloc_error tells why, -ENFILE or -ENOMEM. */
int file_alloc_error(void);
void file_limit_start(void);
struct file *file_alloc(const struct file_ops *ops, unsigned int flags);
/* Frees a file that was never opened. */
void file_free(struct file *f);
/* Sets mode, ops and references for a path and calls ops->open; the path's references are taken. */
int file_setup(struct file *f, const struct path *p, struct inode *inode, unsigned int flags);
/* The last reference is gone: file_put's work then. May sleep. */
void file_release(struct file *f);
/* close(2)'s work for one descriptor's file: flush, record locks, put. */
int file_close(struct file *f, struct fd_table *t);
int file_cache_init(void);
void file_cache_exit(void);

/* Open flags after the checks that open(2) and openat2(2) share. */
struct open_how_kernel {
	unsigned int flags;
	uint32_t mode;
	unsigned int walk;		/* WALK_*, resolve bits */
};
int open_path_at(int dirfd, const char *name, const struct open_how_kernel *how, struct file **out);
/* 0 or -EINVAL: what open(2) makes of its flags; `strict`: openat2's refusals. */
int open_check_flags(uint64_t flags, uint64_t mode, uint64_t resolve, bool strict,
		     struct open_how_kernel *out);

/* The mode of what is created in `dir`: the umask counts unless the directory hands a list on (acl.c). */
uint32_t create_mode(const struct inode *dir, uint32_t mode);

void signal_broken_pipe(void);

/* ---- names ---- */

/* A path copied from user space: on the stack when short. */
#define NAME_SMALL 128
struct user_name {
	char *text;
	char small[NAME_SMALL];
};
/* -EFAULT, -ENAMETOOLONG, -ENOMEM. Empty names are passed on. */
int user_name_get(struct user_name *n, struct ustr from);
static inline void user_name_put(struct user_name *n)
{
	if (unlikely(n->text != n->small))
		kfree(n->text);
}

/* dentry.c */
uint32_t dentry_hash_name(const char *name, size_t n);
/* The cached child; null if unknown. Takes a reference. */
struct dentry *dentry_lookup_cached(struct dentry *parent, const char *name, size_t n, uint32_t hash);
extern unsigned int dentry_rename_sequence;
/* Cached or asked from the file system (maybe negative); the directory's inode lock is held. */
int dentry_lookup_locked(struct dentry *parent, const char *name, size_t n, struct dentry **out);
/* The same; takes the lock if it has to, and gives -ENOENT for a negative one. */
int dentry_lookup(struct dentry *parent, const char *name, size_t n, uint32_t hash, struct dentry **out);
/* A dentry that is in no directory; name kept by pointer. Takes over the inode's reference on success. */
struct dentry *dentry_create_anon(struct super *s, struct inode *inode, const char *name);
/* A nameless file of O_TMPFILE below `parent`: in no list, "#<ino> (deleted)". Takes over the inode's reference on success. */
struct dentry *dentry_create_nameless(struct dentry *parent, struct inode *inode);
/* After a rename: `d` gets the place and name of `target`, which is dropped, or they swap. -ENOMEM comes from prepare. */
struct name_buffer;
int dentry_move_prepare(struct dentry *target, struct name_buffer **out);
void dentry_move(struct dentry *d, struct dentry *target, struct name_buffer *name);
void dentry_exchange(struct dentry *a, struct dentry *b, struct name_buffer *a_name,
		     struct name_buffer *b_name);
void name_buffer_free(struct name_buffer *n);
void dentry_unlinked(struct dentry *d);
/* Is `d` below or equal to `top`? super.rename_mutex is held. */
bool dentry_is_below(struct dentry *d, struct dentry *top);
/* The parent with a reference. */
struct dentry *dentry_get_parent(struct dentry *d);
/* One mount more or less stands on it; mount_mutex is held. */
void dentry_count_mount(struct dentry *d, int by);
static inline bool dentry_is_dir(const struct dentry *d) { return d->inode && inode_is_dir(d->inode); }
/* Is it among its parent's children? The parent's lock is held. */
static inline bool dentry_is_child(const struct dentry *d)
{
	return d->sibling.parent_color != (uintptr_t)&d->sibling;
}
static inline void dentry_child_init(struct dentry *d) { d->sibling.parent_color = (uintptr_t)&d->sibling; }
/* True if its name is gone. */
static inline bool dentry_unhashed(const struct dentry *d) { return !(READ_ONCE(d->flags) & DENTRY_HASHED); }
int dentry_cache_init(void);
void dentry_cache_exit(void);
int inode_cache_init(void);
void inode_cache_exit(void);

/* mount.c: the tree of mounts changes under mount_mutex and mount_lock. */
extern struct mutex mount_mutex;
/* The mount on (m, d); null if there is none. Under RCU, no reference. */
struct mount *mount_lookup_rcu(struct mount *m, struct dentry *d);
/* Goes down through what is mounted on the path. True if it moved. */
bool path_follow_mounts(struct path *p);
/* From a mount's root to where it is mounted: true if there is such a place. References move. */
bool path_leave_mount(struct path *p);
/* A number that changes with every mount that gets or loses its place; path_leave_mount after a change sees the new number. */
unsigned int mount_sequence(void);
/* 0 or -EROFS. */
int mount_check_write(const struct mount *m);
/* Counts one who writes for longer than a call, so that the mount cannot become read-only meanwhile. -EROFS. */
int mount_get_write(struct mount *m);
void mount_put_write(struct mount *m);
bool mount_root_exists(void);
/* The descriptor of a mount that stands nowhere ends: drops the mount with all below, if it is one still. */
void mount_drop_anon(struct mount *m);
/* pseudo file systems of vfs itself */
extern struct mount *anon_mount, *pipe_mount;
int anon_init(void);
void anon_exit(void);
int pipe_init(void);
void pipe_exit(void);
int epoll_init(void);
void epoll_exit(void);




extern const struct file_ops fifo_ops;
extern const struct file_ops device_ops;
extern const struct file_ops no_device_ops;

/* epoll.c: the file is being released. */
void epoll_release_file(struct file *f);
/* lock.c */
void locks_release_posix(struct file *f, const struct fd_table *owner);
void locks_release_file(struct file *f);
void locks_free(struct inode *inode);
/* lease.c: somebody opens the file or cuts it: waits until the leases in the way are gone. -EAGAIN if `nonblock`, -ERESTARTSYS. */
int lease_break(struct inode *inode, bool write, bool nonblock);
/* fcntl.c: makes the caller the one who gets the file's signals, unless there is one. -ENOMEM. And sends one of them. */
int file_owner_default(struct file *f);
void file_owner_signal(struct file *f, int fd, long band);

/*
 * Deadlines of calls with a relative timeout. A call that is executed again because a module is replaced goes on with the
 * deadline it had: begin() finds it in the thread, end() leaves it there for that result only.
 */
static inline uint64_t deadline_begin(uint64_t computed)
{
	return current->restart_deadline ? current->restart_deadline : computed;
}
static inline void deadline_end(uint64_t deadline, long result)
{
	current->restart_deadline = result == -ERESTART_MODULE ? deadline : 0;
}

/* Results of waits as a system call returns them when nothing was transferred. */
static inline long wait_error(long r) { return r == -EINTR ? -ERESTARTSYS : r; }
static inline bool capable(int cap) { return service(authority)->capable(cap); }

/* super.c: lets go of the memory of a super block, which its inodes hold until after they are evicted. Any context that may free. */
void super_unhold(struct super *s);

/* mount_ns.c: the mount of the files that stand for name spaces. */
extern struct mount *ns_mount;
