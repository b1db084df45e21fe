/*
 * open and its relatives, close, dup, close_range, umask, and the calls that change directories.
 */
#include <gen/vfs.h>

#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <linux/resource.h>

#include "modules/vfs/walk.h"

static long open_user(int dirfd, struct ustr path, const struct open_how_kernel *how)
{
	struct user_name n;
	struct file *f;
	long fd = user_name_get(&n, path);

	if (unlikely(fd))
		return fd;
	fd = fd_reserve(how->flags & O_CLOEXEC);
	if (likely(fd >= 0)) {
		int error = open_path_at(dirfd, n.text, how, &f);

		if (unlikely(error)) {
			fd_cancel((int)fd);
			fd = error;
		} else {
			fd_publish((int)fd, f);
		}
	}
	user_name_put(&n);
	return fd;
}

long sys_openat(int32_t dirfd, struct ustr path, int32_t flags, uint32_t mode)
{
	struct open_how_kernel how;
	int error = open_check_flags((uint32_t)flags | O_LARGEFILE, mode, 0, false, &how);

	return error ? error : open_user(dirfd, path, &how);
}

long sys_open(struct ustr path, int32_t flags, uint32_t mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

long sys_creat(struct ustr path, uint32_t mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_openat2(int32_t dirfd, struct ustr path, struct uext_open_how how_user, size_t size)
{
	struct open_how how;
	struct open_how_kernel checked;
	int error;

	if (size < sizeof(how))
		return -EINVAL;
	error = copy_in_ext_open_how(&how, how_user, size);
	/* Every file may be large, and F_GETFL says so; names alone have no contents. */
	if (!error && !(how.flags & O_PATH))
		how.flags |= O_LARGEFILE;
	if (!error)
		error = open_check_flags(how.flags, how.mode, how.resolve, true, &checked);
	return error ? error : open_user(dirfd, path, &checked);
}

long sys_close(int32_t fd)
{
	long error = fd_close(fd);

	/* The descriptor is gone: the call must not be made again. */
	if (unlikely(error == -ERESTARTSYS || error == -ERESTARTNOINTR || error == -ERESTARTNOHAND ||
		     error == -ERESTART_MODULE))
		return -EINTR;
	return error;
}

long sys_close_range(uint32_t first, uint32_t last, uint32_t flags)
{
	int error;

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	if (first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		error = fd_table_unshare();
		if (error)
			return error;
	}
	fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
	return 0;
}

long sys_dup(int32_t fd)
{
	struct fd_ref r;
	long new = fd_get_raw(fd, &r);

	if (new)
		return new;
	file_get(r.file);
	new = fd_install(r.file, 0);
	if (new < 0)
		file_put(r.file);
	fd_put(&r);
	return new;
}

static long dup_to(int32_t old, int32_t new, unsigned int flags)
{
	struct fd_ref r;
	long fd;

	if ((uint32_t)new >= fd_limit())
		return -EBADF;
	fd = fd_get_raw(old, &r);
	if (fd)
		return fd;
	file_get(r.file);
	fd = fd_replace(new, r.file, flags);
	if (fd < 0)
		file_put(r.file);
	fd_put(&r);
	return fd;
}

long sys_dup2(int32_t old, int32_t new)
{
	struct fd_ref r;

	if (old == new) {
		long error = fd_get_raw(old, &r);

		if (error)
			return error;
		fd_put(&r);
		return new;
	}
	return dup_to(old, new, 0);
}

long sys_dup3(int32_t old, int32_t new, int32_t flags)
{
	if ((flags & ~O_CLOEXEC) || old == new)
		return -EINVAL;
	return dup_to(old, new, (unsigned int)flags);
}

long sys_umask(uint32_t mask)
{
	struct vfs_thread *vt = vfs_thread_self();

	if (!vt)
		return -ENOMEM;
	return __atomic_exchange_n(&vt->fs->umask, mask & 0777, __ATOMIC_RELAXED);
}

static long change_directory(const struct path *p)
{
	int error;

	if (!dentry_is_dir(p->dentry))
		return -ENOTDIR;
	error = inode_permission(p->dentry->inode, MAY_EXEC);
	return error ? error : fs_set_cwd(p);
}

long sys_chdir(struct ustr path)
{
	struct path p;
	long error = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &p);

	if (error)
		return error;
	error = change_directory(&p);
	path_put(&p);
	return error;
}

long sys_fchdir(int32_t fd)
{
	struct fd_ref r;
	long error = fd_get_raw(fd, &r);

	if (error)
		return error;
	error = change_directory(&r.file->path);
	fd_put(&r);
	return error;
}

long sys_chroot(struct ustr path)
{
	struct path p;
	long error = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &p);

	if (error)
		return error;
	error = inode_permission(p.dentry->inode, MAY_EXEC);
	if (!error && !capable(CAP_SYS_CHROOT))
		error = -EPERM;
	if (!error)
		error = fs_set_root(&p);
	path_put(&p);
	return error;
}

/* The name of the working directory; "(unreachable)" before it if the root does not lead there. */
static long name_cwd(char *text, size_t size)
{
	static const char outside[] = "(unreachable)";
	struct path cwd, root;
	bool reached;
	long n = fs_get_cwd(&cwd);

	if (n)
		return n;
	n = fs_get_root(&root);
	if (n)
		goto undo_cwd;
	if (READ_ONCE(cwd.dentry->flags) & DENTRY_UNLINKED)
		n = -ENOENT;
	else
		n = path_format_from(&cwd, &root, text, size, false, &reached);
	path_put(&root);
	if (n >= 0 && !reached) {
		size_t more = sizeof(outside) - 1;

		if ((size_t)n + more >= size) {
			n = -ENAMETOOLONG;
			goto undo_cwd;
		}
		memmove(text + more, text, (size_t)n + 1);
		memcpy(text, outside, more);
		n += (long)more;
	}
undo_cwd:
	path_put(&cwd);
	return n;
}

long sys_getcwd(struct uout_u8 buf, size_t size)
{
	char *text;
	long n;

	text = kmalloc(PATH_SIZE_MAX, 0);
	if (!text)
		return -ENOMEM;
	n = name_cwd(text, PATH_SIZE_MAX);
	if (n >= 0) {
		if ((size_t)n + 1 > size)
			n = -ERANGE;
		else if (copy_out_u8_array(buf, (uint8_t *)text, (size_t)n + 1))
			n = -EFAULT;
		else
			n++;
	}
	kfree(text);
	return n;
}
