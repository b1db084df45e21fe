/* What reading directories and changing to them refuses. */
// libc: gcc
// errors: getdents getdents64 getcwd chdir fchdir chroot
#include "include/proof.h"

static char buf[4096];

static void permissions(void)
{
	int fd = open("closed", O_PATH);

	FAILS(EACCES, chdir, "closed");
	FAILS(EACCES, chdir, "closed/below");
	FAILS(EACCES, fchdir, fd);
	FAILS(EPERM, chroot, "dir");
	FAILS(EACCES, chroot, "closed/below");
}

static void gone(void)
{
	int fd;

	mkdir("gone", 0700);
	fd = open("gone", O_RDONLY);
	if (chdir("gone") || rmdir("../gone"))
		exit(2);
	FAILS(ENOENT, getcwd, buf, sizeof(buf));
	FAILS(ENOENT, getdents64, fd, buf, sizeof(buf));
	FAILS(ENOENT, getdents, fd, buf, sizeof(buf));
	GIVES(0, fchdir, fd);
	FAILS(ENOENT, chdir, "new");
	FAILS(ENOENT, mkdir, "new", 0700);
	FAILS(ENOENT, open, "new", O_RDWR | O_CREAT, 0600);
	GIVES(0, chdir, "..");
}

int main(void)
{
	int file, dir, path;

	own_directory("dir_errors");
	own_names();
	file = open("file", O_RDONLY);
	dir = open(".", O_RDONLY);
	path = open(".", O_PATH);
	FAILS(EBADF, getdents, -1, buf, sizeof(buf));
	FAILS(EBADF, getdents64, 9999, buf, sizeof(buf));
	FAILS(EBADF, getdents64, path, buf, sizeof(buf));
	FAILS(ENOTDIR, getdents, file, buf, sizeof(buf));
	FAILS(ENOTDIR, getdents64, file, buf, sizeof(buf));
	FAILS(EINVAL, getdents, dir, buf, 8);
	FAILS(EINVAL, getdents64, dir, buf, 8);
	FAULTS(getdents, 1, 0, dir, 0, 4096);
	FAULTS(getdents64, 1, 0, dir, 0, 4096);
	FAILS(ERANGE, getcwd, buf, 3l);
	FAILS(ERANGE, getcwd, buf, 0l);
	FAULTS(getcwd, 0, 4, 0, 4096);
	FAILS(ENOENT, chdir, "none");
	FAILS(ENOENT, chdir, "");
	FAILS(ENOTDIR, chdir, "file");
	FAILS(ENOTDIR, chdir, "file/below");
	FAILS(ELOOP, chdir, "loop");
	FAILS(ENAMETOOLONG, chdir, long_name);
	FAILS(ENAMETOOLONG, chdir, long_path);
	FAULTS(chdir, 0, 0, 0);
	FAILS(EBADF, fchdir, -1);
	FAILS(EBADF, fchdir, 9999);
	FAILS(ENOTDIR, fchdir, file);
	GIVES(0, fchdir, path);
	FAILS(ENOENT, chroot, "none");
	FAILS(ENOTDIR, chroot, "file");
	FAILS(ELOOP, chroot, "loop");
	FAILS(ENAMETOOLONG, chroot, long_name);
	FAULTS(chroot, 0, 0, 0);
	as_user(permissions);
	in_child(gone);
	own_names_remove();
	return test_done();
}
