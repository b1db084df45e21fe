/*
 * Descriptor tables and the file-system context (root, working directory, umask) of threads.
 *
 * A table is shared by the threads that clone(2) made with CLONE_FILES. Its owner looks descriptors up without a lock
 * under RCU; changes are made under table->lock. While only one thread uses a table, fd_get takes no reference of the file.
 */
#pragma once

#include "core/sched/thread.h"
#include "modules/vfs/file.h"

#define FD_LIMIT_DEFAULT 1024
#define FD_LIMIT_MAX     1048576	/* fs.nr_open */

/* A file got from a descriptor for the length of a system call. */
struct fd_ref {
	struct file *file;
	bool counted;			/* fd_put drops a reference */
};

/* -EBADF if the descriptor is closed or O_PATH. */
int fd_get(int fd, struct fd_ref *out);
/* Also O_PATH files (fstat, fchdir, *at). */
int fd_get_raw(int fd, struct fd_ref *out);
static inline void fd_put(struct fd_ref *r)
{
	if (r->counted)
		file_put(r->file);
}
/* The file with a reference of its own: to be kept after the call. -EBADF. */
int fd_get_file(int fd, struct file **out);

/*
 * Puts a file on the lowest free descriptor; the reference passes to the table. `flags`: O_CLOEXEC or 0. Descriptor, or -EMFILE, -ENOMEM with the
 * reference still the caller's.
 */
int fd_install(struct file *f, unsigned int flags);
/* Two steps for calls that must copy the number to user memory first: reserve, then publish (cannot fail) or cancel. */
int fd_reserve(unsigned int flags);
void fd_publish(int fd, struct file *f);
void fd_cancel(int fd);
int fd_close(int fd);

/* Another thread's table (for /proc/<pid>/fd, pidfd_getfd, kcmp). A reference, or -EBADF. */
int thread_fd_file(struct thread *t, int fd, struct file **out);
/* The first open descriptor >= fd of t, -1 if there is none. */
int thread_fd_next(struct thread *t, int fd);
/* Number of slots of the table (FDSize of /proc/<pid>/status). */
unsigned int thread_fd_size(struct thread *t);
/* Is the descriptor close-on-exec? */
bool thread_fd_cloexec(struct thread *t, int fd);
/*
 * Bytes of the kernel's memory that stand in what the thread has open, about: for who looks for the one to blame when memory is out.
 * Any thread context; does not sleep.
 */
uint64_t thread_fd_memory(struct thread *t);
/* Identities for kcmp: 0 if the thread has none. */
const void *thread_fd_table(struct thread *t);
const void *thread_fs_context(struct thread *t);
/* Threads that share the caller's root and working directory, itself included. */
unsigned int fs_context_users(void);

/* Another thread's (or the caller's) directories, references taken. -ENOENT if it has exited. */
int thread_get_cwd(struct thread *t, struct path *out);
int thread_get_root(struct thread *t, struct path *out);
uint32_t thread_umask(struct thread *t);

/* unshare(2)'s parts: CLONE_FILES and CLONE_FS. -ENOMEM. */
int fd_table_unshare(void);
int fs_context_unshare(void);
