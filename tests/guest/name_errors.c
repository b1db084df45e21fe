/* What making, removing and renaming names refuses. */
// libc: gcc
// errors: mkdir mkdirat mknod mknodat rmdir unlink unlinkat link linkat symlink symlinkat rename renameat renameat2
#include "include/proof.h"

#include <linux/fs.h>

static void walks(void)
{
	FAILS(ENOENT, mkdir, "none/new", 0700);
	FAILS(ENOTDIR, mkdir, "file/new", 0700);
	FAILS(ELOOP, mkdir, "loop/new", 0700);
	FAILS(ENAMETOOLONG, mkdir, long_name, 0700);
	FAILS(ENAMETOOLONG, mkdirat, AT_FDCWD, long_path, 0700);
	FAILS(ENOENT, mkdirat, AT_FDCWD, "", 0700);
	FAILS(ENOENT, mknod, "none/new", S_IFREG | 0600, 0);
	FAILS(ENOTDIR, mknodat, AT_FDCWD, "file/new", S_IFREG | 0600, 0);
	FAILS(ELOOP, mknod, "loop/new", S_IFREG | 0600, 0);
	FAILS(ENAMETOOLONG, mknod, long_name, S_IFREG | 0600, 0);
	FAILS(ENOENT, rmdir, "none");
	FAILS(ENOTDIR, rmdir, "file");
	FAILS(ENOTDIR, rmdir, "file/below");
	FAILS(ENOTDIR, rmdir, "link");
	FAILS(ENAMETOOLONG, rmdir, long_name);
	FAILS(ENOENT, unlink, "none");
	FAILS(ENOTDIR, unlink, "file/below");
	FAILS(ENOTDIR, unlink, "file/");
	FAILS(EISDIR, unlink, "dir");
	FAILS(EISDIR, unlink, "dir/");
	FAILS(ENAMETOOLONG, unlink, long_name);
	FAILS(ENOENT, unlinkat, AT_FDCWD, "none", 0);
	FAILS(ENOTDIR, unlinkat, AT_FDCWD, "file", AT_REMOVEDIR);
	FAILS(EISDIR, unlinkat, AT_FDCWD, "dir", 0);
	FAILS(ENOENT, link, "none", "new");
	FAILS(ENOENT, link, "file", "none/new");
	FAILS(ENOTDIR, link, "file", "file/new");
	FAILS(ENOTDIR, link, "file/below", "new");
	FAILS(ENAMETOOLONG, link, "file", long_name);
	FAILS(ENOENT, symlink, "to", "none/new");
	FAILS(ENOENT, symlink, "", "new");
	FAILS(ENOTDIR, symlink, "to", "file/new");
	FAILS(ENAMETOOLONG, symlink, "to", long_name);
	FAILS(ENAMETOOLONG, symlink, long_path, "new");
	FAILS(ENAMETOOLONG, symlinkat, "to", AT_FDCWD, long_name);
	FAILS(ENOENT, rename, "none", "new");
	FAILS(ENOENT, rename, "file", "none/new");
	FAILS(ENOTDIR, rename, "file/below", "new");
	FAILS(ENAMETOOLONG, rename, "file", long_name);
	FAILS(ENAMETOOLONG, renameat, AT_FDCWD, long_name, AT_FDCWD, "new");
}

static void states(void)
{
	mkdir("full", 0700);
	mkdir("full/dir", 0700);
	FAILS(EEXIST, mkdir, "dir", 0700);
	FAILS(EEXIST, mkdir, "file", 0700);
	FAILS(EEXIST, mkdir, ".", 0700);
	FAILS(EEXIST, mkdir, "/", 0700);
	FAILS(EEXIST, mkdirat, AT_FDCWD, "dangling", 0700);
	FAILS(EEXIST, mknod, "file", S_IFREG | 0600, 0);
	FAILS(EEXIST, mknodat, AT_FDCWD, "dangling", S_IFREG | 0600, 0);
	FAILS(ENOTEMPTY, rmdir, "full");
	FAILS(EINVAL, rmdir, "dir/.");
	FAILS(ENOTEMPTY, rmdir, "full/dir/..");
	FAILS(EBUSY, rmdir, "/");
	FAILS(ENOTEMPTY, unlinkat, AT_FDCWD, "full", AT_REMOVEDIR);
	FAILS(EEXIST, link, "file", "dir");
	FAILS(EEXIST, link, "file", "file");
	FAILS(EEXIST, link, "file", "dangling");
	FAILS(EPERM, link, "dir", "new");
	FAILS(EXDEV, link, "/proc/version", "new");
	FAILS(EEXIST, linkat, AT_FDCWD, "file", AT_FDCWD, "secret", 0);
	FAILS(EEXIST, symlink, "to", "file");
	FAILS(EEXIST, symlinkat, "to", AT_FDCWD, "link");
	FAILS(EISDIR, rename, "file", "dir");
	FAILS(ENOTDIR, rename, "dir", "file");
	FAILS(ENOTEMPTY, rename, "dir", "full");
	FAILS(EINVAL, rename, "full", "full/dir/below");
	FAILS(ENOTEMPTY, rename, "full/dir", "full");
	FAILS(EBUSY, rename, "dir/.", "new");
	FAILS(EBUSY, rename, "dir", "full/..");
	FAILS(EXDEV, rename, "/proc/version", "new");
	FAILS(EEXIST, renameat2, AT_FDCWD, "file", AT_FDCWD, "secret", RENAME_NOREPLACE);
	FAILS(ENOENT, renameat2, AT_FDCWD, "file", AT_FDCWD, "new", RENAME_EXCHANGE);
	FAILS(EINVAL, renameat2, AT_FDCWD, "full", AT_FDCWD, "full/dir", RENAME_EXCHANGE);
	rmdir("full/dir");
	rmdir("full");
}

static void pointers(void)
{
	FAULTS(mkdir, 0, 0, 0, 0700);
	FAULTS(mkdirat, 1, 0, AT_FDCWD, 0, 0700);
	FAULTS(mknod, 0, 0, 0, S_IFREG | 0600, 0);
	FAULTS(mknodat, 1, 0, AT_FDCWD, 0, S_IFREG | 0600, 0);
	FAULTS(rmdir, 0, 0, 0);
	FAULTS(unlink, 0, 0, 0);
	FAULTS(unlinkat, 1, 0, AT_FDCWD, 0, 0);
	FAULTS(link, 0, 0, 0, P("new"));
	FAULTS(link, 1, 0, P("file"), 0);
	FAULTS(linkat, 1, 0, AT_FDCWD, 0, AT_FDCWD, P("new"), 0);
	FAULTS(linkat, 3, 0, AT_FDCWD, P("file"), AT_FDCWD, 0, 0);
	FAULTS(symlink, 0, 0, 0, P("new"));
	FAULTS(symlink, 1, 0, P("to"), 0);
	FAULTS(symlinkat, 0, 0, 0, AT_FDCWD, P("new"));
	FAULTS(symlinkat, 2, 0, P("to"), AT_FDCWD, 0);
	FAULTS(rename, 0, 0, 0, P("new"));
	FAULTS(rename, 1, 0, P("file"), 0);
	FAULTS(renameat, 1, 0, AT_FDCWD, 0, AT_FDCWD, P("new"));
	FAULTS(renameat, 3, 0, AT_FDCWD, P("file"), AT_FDCWD, 0);
	FAULTS(renameat2, 1, 0, AT_FDCWD, 0, AT_FDCWD, P("new"), 0);
	FAULTS(renameat2, 3, 0, AT_FDCWD, P("file"), AT_FDCWD, 0, 0);
}

static void descriptors(void)
{
	int file = open("file", O_RDONLY);

	FAILS(EBADF, mkdirat, 9999, "new", 0700);
	FAILS(ENOTDIR, mkdirat, file, "new", 0700);
	FAILS(EBADF, mknodat, 9999, "new", S_IFREG | 0600, 0);
	FAILS(ENOTDIR, mknodat, file, "new", S_IFREG | 0600, 0);
	FAILS(EBADF, unlinkat, 9999, "file", 0);
	FAILS(ENOTDIR, unlinkat, file, "file", 0);
	FAILS(EBADF, linkat, 9999, "file", AT_FDCWD, "new", 0);
	FAILS(EBADF, linkat, AT_FDCWD, "file", 9999, "new", 0);
	FAILS(ENOTDIR, linkat, file, "file", AT_FDCWD, "new", 0);
	FAILS(EBADF, symlinkat, "to", 9999, "new");
	FAILS(ENOTDIR, symlinkat, "to", file, "new");
	FAILS(EBADF, renameat, 9999, "file", AT_FDCWD, "new");
	FAILS(EBADF, renameat, AT_FDCWD, "file", 9999, "new");
	FAILS(ENOTDIR, renameat, file, "file", AT_FDCWD, "new");
	FAILS(EBADF, renameat2, 9999, "file", AT_FDCWD, "new", 0);
	close(file);
}

static void arguments(void)
{
	FAILS(EPERM, mknod, "new", S_IFDIR | 0700, 0);
	FAILS(EINVAL, mknod, "new", S_IFLNK | 0700, 0);
	FAILS(EINVAL, mknodat, AT_FDCWD, "new", 0170000, 0);
	FAILS(EINVAL, unlinkat, AT_FDCWD, "file", 0x80000);
	FAILS(EINVAL, linkat, AT_FDCWD, "file", AT_FDCWD, "new", 0x80000);
	FAILS(EINVAL, renameat2, AT_FDCWD, "file", AT_FDCWD, "new", 0x80000);
	FAILS(EINVAL, renameat2, AT_FDCWD, "file", AT_FDCWD, "new", RENAME_NOREPLACE | RENAME_EXCHANGE);
	FAILS(ENOENT, unlink, "");
	FAILS(ENOENT, rmdir, "");
	FAILS(ENOENT, rename, "", "new");
}

static void permissions(void)
{
	FAILS(EACCES, mkdir, "dir/new", 0700);
	FAILS(EACCES, mkdirat, AT_FDCWD, "closed/new", 0700);
	FAILS(EACCES, mknod, "dir/new", S_IFREG | 0600, 0);
	FAILS(EPERM, mknod, "new", S_IFCHR | 0600, 0x103);
	FAILS(EPERM, mknodat, AT_FDCWD, "new", S_IFBLK | 0600, 0x103);
	FAILS(EACCES, rmdir, "closed/none");
	FAILS(EACCES, unlink, "closed/file");
	FAILS(EACCES, unlinkat, AT_FDCWD, "dir/../closed/file", 0);
	close(own_file("mine", ""));
	FAILS(EACCES, link, "mine", "dir/new");
	unlink("mine");
	FAILS(EACCES, linkat, AT_FDCWD, "closed/file", AT_FDCWD, "new", 0);
	FAILS(EACCES, symlink, "to", "dir/new");
	FAILS(EACCES, symlinkat, "to", AT_FDCWD, "dir/new");
	FAILS(EACCES, rename, "file", "dir/new");
	FAILS(EACCES, renameat, AT_FDCWD, "closed/file", AT_FDCWD, "new");
	FAILS(EACCES, renameat2, AT_FDCWD, "file", AT_FDCWD, "dir/new", 0);
}

/* In a directory with the sticky bit only owners remove. */
static void sticky(void)
{
	FAILS(EPERM, unlink, "file");
	FAILS(EPERM, unlinkat, AT_FDCWD, "file", 0);
	FAILS(EPERM, rmdir, "dir");
	FAILS(EPERM, rename, "file", "new");
	FAILS(EPERM, renameat, AT_FDCWD, "file", AT_FDCWD, "new");
	close(own_file("mine", ""));
	FAILS(EPERM, rename, "mine", "file");
	GIVES(0, unlink, "mine");
}

int main(void)
{
	own_directory("name_errors");
	own_names();
	walks();
	states();
	pointers();
	descriptors();
	arguments();
	as_user(permissions);
	chmod(".", 01777);
	if (geteuid() == 0)
		as_user(sticky);
	own_names_remove();
	return test_done();
}
