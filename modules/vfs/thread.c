/*
 * The per-thread data of vfs: which descriptor table and which directories a thread has, shared or copied by clone(2).
 *
 * vfs_thread.lock guards the two pointers against other threads that look (/proc); the thread itself reads its own
 * without it. The objects are reference counted and released in thread_exit, where sleeping is allowed.
 */
#include <linux/sched.h>

#include "core/sched/clone.h"
#include "modules/vfs/mount.h"

int vfs_slot = -1;

static struct vfs_thread *vfs_thread_alloc(struct fd_table *files, struct fs_context *fs)
{
	struct vfs_thread *vt = kmalloc(sizeof(*vt), 0);

	if (!vt || !files || !fs) {
		kfree(vt);
		if (files)
			fd_table_put(files);
		if (fs)
			fs_context_put(fs);
		return NULL;
	}
	spin_init(&vt->lock);
	vt->files = files;
	vt->fs = fs;
	return vt;
}

struct vfs_thread *vfs_thread_make(void)
{
	struct vfs_thread *vt = vfs_thread_alloc(fd_table_create(), fs_context_create());

	if (vt)
		thread_set_data(current, vfs_slot, vt);
	return vt;
}

int vfs_thread_create(struct thread *child, struct thread *parent, struct clone_request *request)
{
	struct vfs_thread *old = thread_data(parent, vfs_slot), *vt;
	uint64_t flags = request ? request->flags : 0;
	struct fd_table *files;
	struct fs_context *fs;

	if (!old || !old->files || !old->fs) {
		vt = vfs_thread_alloc(fd_table_create(), fs_context_create());
	} else {
		files = old->files;
		if (flags & CLONE_FILES) {
			files->was_shared = true;
			refcount_get(&files->refs);
		} else {
			files = fd_table_copy(files);
		}
		fs = old->fs;
		if (flags & CLONE_FS)
			refcount_get(&fs->refs);
		else
			fs = fs_context_copy(fs);
		if (fs && (flags & CLONE_NEWNS) && fs_context_new_ns(fs)) {
			fs_context_put(fs);
			fs = NULL;
		}
		vt = vfs_thread_alloc(files, fs);
	}
	if (!vt)
		return -ENOMEM;
	thread_set_data(child, vfs_slot, vt);
	return 0;
}

void vfs_thread_exit(struct thread *t)
{
	struct vfs_thread *vt = thread_data(t, vfs_slot);
	struct fd_table *files;
	struct fs_context *fs;

	if (!vt)
		return;
	spin_lock(&vt->lock);
	files = vt->files;
	fs = vt->fs;
	vt->files = NULL;
	vt->fs = NULL;
	spin_unlock(&vt->lock);
	if (files)
		fd_table_put(files);
	if (fs)
		fs_context_put(fs);
}

void vfs_thread_free(struct thread *t)
{
	struct vfs_thread *vt = thread_data(t, vfs_slot);

	thread_set_data(t, vfs_slot, NULL);
	kfree(vt);
}

void vfs_exec(struct thread *t)
{
	struct vfs_thread *vt = thread_data(t, vfs_slot);

	if (!vt || !vt->files)
		return;
	/* The personality unshares before its point of no return; this is for one that did not. */
	fd_table_unshare();
	fd_table_close_on_exec(vt->files);
}

int fd_table_unshare(void)
{
	struct vfs_thread *vt = vfs_thread_self();
	struct fd_table *old, *new;

	if (!vt)
		return -ENOMEM;
	old = vt->files;
	if (refcount_read(&old->refs) == 1)
		return 0;
	new = fd_table_copy(old);
	if (!new)
		return -ENOMEM;
	spin_lock(&vt->lock);
	vt->files = new;
	spin_unlock(&vt->lock);
	fd_table_put(old);
	return 0;
}
MODAPI(fd_table_unshare);

int fs_context_unshare(void)
{
	struct vfs_thread *vt = vfs_thread_self();
	struct fs_context *old, *new;

	if (!vt)
		return -ENOMEM;
	old = vt->fs;
	if (refcount_read(&old->refs) == 1)
		return 0;
	new = fs_context_copy(old);
	if (!new)
		return -ENOMEM;
	spin_lock(&vt->lock);
	vt->fs = new;
	spin_unlock(&vt->lock);
	fs_context_put(old);
	return 0;
}
MODAPI(fs_context_unshare);

/* The table of another thread with a reference; null if it has none. */
static struct fd_table *thread_files(struct thread *t)
{
	struct vfs_thread *vt = thread_data(t, vfs_slot);
	struct fd_table *files = NULL;

	if (!vt)
		return NULL;
	spin_lock(&vt->lock);
	files = vt->files;
	if (files) {
		files->was_shared = true;
		refcount_get(&files->refs);
	}
	spin_unlock(&vt->lock);
	return files;
}

int thread_fd_file(struct thread *t, int fd, struct file **out)
{
	struct fd_table *files = thread_files(t);
	int error = -EBADF;

	if (!files)
		return -EBADF;
	spin_lock(&files->lock);
	if (fd >= 0 && (unsigned int)fd < files->array->size && files->array->files[fd]) {
		*out = files->array->files[fd];
		file_get(*out);
		error = 0;
	}
	spin_unlock(&files->lock);
	fd_table_put(files);
	return error;
}
MODAPI(thread_fd_file);

int thread_fd_next(struct thread *t, int fd)
{
	struct fd_table *files = thread_files(t);
	int found = -1;

	if (!files)
		return -1;
	spin_lock(&files->lock);
	for (unsigned int i = MAX(fd, 0); i < files->array->size; i++) {
		i = bitmap_next_set(files->array->open, files->array->size, i);
		if (i < files->array->size && files->array->files[i]) {
			found = (int)i;
			break;
		}
	}
	spin_unlock(&files->lock);
	fd_table_put(files);
	return found;
}
MODAPI(thread_fd_next);

unsigned int thread_fd_size(struct thread *t)
{
	struct fd_table *files = thread_files(t);
	unsigned int size;

	if (!files)
		return 0;
	spin_lock(&files->lock);
	size = files->array->size;
	spin_unlock(&files->lock);
	fd_table_put(files);
	return size;
}
MODAPI(thread_fd_size);

bool thread_fd_cloexec(struct thread *t, int fd)
{
	struct fd_table *files = thread_files(t);
	bool on = false;

	if (!files)
		return false;
	spin_lock(&files->lock);
	if (fd >= 0 && (unsigned int)fd < files->array->size)
		on = bitmap_test(files->array->cloexec, (unsigned int)fd);
	spin_unlock(&files->lock);
	fd_table_put(files);
	return on;
}
MODAPI(thread_fd_cloexec);

uint64_t thread_fd_memory(struct thread *t)
{
	struct vfs_thread *vt = thread_data(t, vfs_slot);
	uint64_t bytes = 0;

	if (!vt)
		return 0;
	spin_lock(&vt->lock);
	if (vt->files) {
		struct fd_array *a;

		spin_lock(&vt->files->lock);
		a = vt->files->array;
		bytes = a->size * sizeof(a->files[0]);
		for (unsigned int i = bitmap_next_set(a->open, a->size, 0); i < a->size;
		     i = bitmap_next_set(a->open, a->size, i + 1)) {
			const struct file *f = a->files[i];

			bytes += sizeof(*f);
			if (f && f->ops->memory && !(f->mode & FILE_PATH))
				bytes += f->ops->memory(f);
		}
		spin_unlock(&vt->files->lock);
	}
	spin_unlock(&vt->lock);
	return bytes;
}
MODAPI(thread_fd_memory);

const void *thread_fd_table(struct thread *t)
{
	struct vfs_thread *vt = thread_data(t, vfs_slot);

	return vt ? READ_ONCE(vt->files) : NULL;
}
MODAPI(thread_fd_table);

const void *thread_fs_context(struct thread *t)
{
	struct vfs_thread *vt = thread_data(t, vfs_slot);

	return vt ? READ_ONCE(vt->fs) : NULL;
}
MODAPI(thread_fs_context);

unsigned int fs_context_users(void)
{
	struct vfs_thread *vt = thread_data(current, vfs_slot);

	return vt && vt->fs ? refcount_read(&vt->fs->refs) : 1;
}
MODAPI(fs_context_users);

/* The context of another thread, locked, and with it vfs_thread.lock; null if it has none: nothing is locked then. */
static struct fs_context *lock_fs(struct thread *t)
{
	struct vfs_thread *vt = thread_data(t, vfs_slot);

	if (!vt)
		return NULL;
	spin_lock(&vt->lock);
	if (!vt->fs) {
		spin_unlock(&vt->lock);
		return NULL;
	}
	spin_lock(&vt->fs->lock);
	return vt->fs;
}

static void unlock_fs(struct thread *t, struct fs_context *fs)
{
	struct vfs_thread *vt = thread_data(t, vfs_slot);

	spin_unlock(&fs->lock);
	spin_unlock(&vt->lock);
}

static int thread_get_path(struct thread *t, bool root, struct path *out)
{
	struct fs_context *fs = lock_fs(t);

	if (!fs)
		return -ENOENT;
	*out = root ? fs->root : fs->cwd;
	path_get(out);
	unlock_fs(t, fs);
	return 0;
}

struct mount_ns *thread_mount_ns(struct thread *t)
{
	struct fs_context *fs = lock_fs(t);
	struct mount_ns *ns;

	if (!fs)
		return NULL;
	ns = fs->ns;
	mount_ns_get(ns);
	unlock_fs(t, fs);
	return ns;
}
MODAPI(thread_mount_ns);

int thread_get_cwd(struct thread *t, struct path *out)
{
	return thread_get_path(t, false, out);
}
MODAPI(thread_get_cwd);

int thread_get_root(struct thread *t, struct path *out)
{
	return thread_get_path(t, true, out);
}
MODAPI(thread_get_root);

uint32_t thread_umask(struct thread *t)
{
	struct fs_context *fs = lock_fs(t);
	uint32_t umask;

	if (!fs)
		return 0;
	umask = fs->umask;
	unlock_fs(t, fs);
	return umask;
}
MODAPI(thread_umask);
