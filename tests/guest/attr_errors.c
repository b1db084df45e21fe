/* What changing modes, owners, times and lengths refuses. */
// libc: gcc
// errors: chmod fchmod fchmodat chown fchown lchown fchownat utime utimes futimesat utimensat truncate ftruncate
#include "include/proof.h"

#include <sys/time.h>
#include <utime.h>

static void walks(void)
{
	FAILS(ENOENT, chmod, "none", 0600);
	FAILS(ENOENT, chmod, "dangling", 0600);
	FAILS(ENOTDIR, chmod, "file/below", 0600);
	FAILS(ELOOP, chmod, "loop", 0600);
	FAILS(ENAMETOOLONG, chmod, long_name, 0600);
	FAILS(ENOENT, fchmodat, AT_FDCWD, "", 0600);
	FAILS(ENAMETOOLONG, fchmodat, AT_FDCWD, long_path, 0600);
	FAILS(ENOENT, chown, "none", 0, 0);
	FAILS(ENOTDIR, chown, "file/below", 0, 0);
	FAILS(ELOOP, chown, "loop", 0, 0);
	FAILS(ENAMETOOLONG, chown, long_name, 0, 0);
	FAILS(ENOENT, lchown, "none", 0, 0);
	FAILS(ENOTDIR, lchown, "file/below", 0, 0);
	FAILS(ENAMETOOLONG, lchown, long_name, 0, 0);
	FAILS(ENOENT, fchownat, AT_FDCWD, "none", 0, 0, 0);
	FAILS(ENOENT, fchownat, AT_FDCWD, "", 0, 0, 0);
	FAILS(ENOENT, utime, "none", NULL);
	FAILS(ENOTDIR, utime, "file/below", NULL);
	FAILS(ENOENT, utimes, "none", NULL);
	FAILS(ELOOP, utimes, "loop", NULL);
	FAILS(ENOENT, futimesat, AT_FDCWD, "none", NULL);
	FAILS(ENOENT, utimensat, AT_FDCWD, "none", NULL, 0);
	FAILS(ENAMETOOLONG, utimensat, AT_FDCWD, long_name, NULL, 0);
	FAILS(ENOENT, truncate, "none", 0l);
	FAILS(ENOENT, truncate, "", 0l);
	FAILS(ENOTDIR, truncate, "file/below", 0l);
	FAILS(ELOOP, truncate, "loop", 0l);
	FAILS(ENAMETOOLONG, truncate, long_name, 0l);
	FAILS(EISDIR, truncate, "dir", 0l);
}

static void pointers(void)
{
	FAULTS(chmod, 0, 0, 0, 0600);
	FAULTS(fchmodat, 1, 0, AT_FDCWD, 0, 0600);
	FAULTS(chown, 0, 0, 0, -1, -1);
	FAULTS(lchown, 0, 0, 0, -1, -1);
	FAULTS(fchownat, 1, 0, AT_FDCWD, 0, -1, -1, 0);
	FAULTS(utime, 0, 0, 0, 0);
	FAULTS(utime, 1, sizeof(struct utimbuf), P("file"), 0);
	FAULTS(utimes, 0, 0, 0, 0);
	FAULTS(utimes, 1, 2 * sizeof(struct timeval), P("file"), 0);
	FAULTS(futimesat, 1, 0, AT_FDCWD, 0, 0);
	FAULTS(futimesat, 2, 2 * sizeof(struct timeval), AT_FDCWD, P("file"), 0);
	FAULTS(utimensat, 1, 0, AT_FDCWD, 0, 0, 0);
	FAULTS(utimensat, 2, 2 * sizeof(struct timespec), AT_FDCWD, P("file"), 0, 0);
	FAULTS(truncate, 0, 0, 0, 0);
}

static void descriptors(void)
{
	int file = open("file", O_RDONLY), path = open("file", O_PATH), ends[2];

	if (pipe(ends))
		exit(2);
	FAILS(EBADF, fchmod, 9999, 0600);
	FAILS(EBADF, fchmod, path, 0600);
	FAILS(EBADF, fchmodat, 9999, "file", 0600);
	FAILS(ENOTDIR, fchmodat, file, "file", 0600);
	FAILS(EBADF, fchown, 9999, -1, -1);
	FAILS(EBADF, fchown, path, -1, -1);
	FAILS(EBADF, fchownat, 9999, "file", -1, -1, 0);
	FAILS(ENOTDIR, fchownat, file, "file", -1, -1, 0);
	FAILS(EBADF, futimesat, 9999, "file", NULL);
	FAILS(ENOTDIR, futimesat, file, "file", NULL);
	FAILS(EBADF, utimensat, 9999, "file", NULL, 0);
	FAILS(ENOTDIR, utimensat, file, "file", NULL, 0);
	FAILS(EBADF, utimensat, 9999, NULL, NULL, 0);
	FAILS(EBADF, utimensat, path, NULL, NULL, 0);
	FAILS(EBADF, ftruncate, 9999, 0l);
	FAILS(EINVAL, ftruncate, file, 0l);
	FAILS(EBADF, ftruncate, path, 0l);
	FAILS(EINVAL, ftruncate, ends[1], 0l);
	close(file);
	close(path);
	close(ends[0]);
	close(ends[1]);
}

static void arguments(void)
{
	struct timespec t[2] = { { 0, 1000000000 }, { 0, 0 } };
	struct timeval v[2] = { { 0, 1000000 }, { 0, 0 } };
	int file = open("file", O_RDWR);

	FAILS(EINVAL, utimensat, AT_FDCWD, "file", t, 0);
	t[0].tv_nsec = -1;
	FAILS(EINVAL, utimensat, AT_FDCWD, "file", t, 0);
	t[0].tv_nsec = 0;
	FAILS(EINVAL, utimensat, AT_FDCWD, "file", t, 0x80000);
	FAILS(EINVAL, utimensat, file, NULL, t, AT_SYMLINK_NOFOLLOW);
	FAILS(EFAULT, utimensat, AT_FDCWD, NULL, t, 0);
	FAILS(EINVAL, utimes, "file", v);
	FAILS(EINVAL, futimesat, AT_FDCWD, "file", v);
	v[0].tv_usec = -1;
	FAILS(EINVAL, utimes, "file", v);
	FAILS(EINVAL, fchownat, AT_FDCWD, "file", -1, -1, 0x80000);
	FAILS(EINVAL, truncate, "file", -1l);
	FAILS(EINVAL, ftruncate, file, -1l);
	close(file);
}

static void permissions(void)
{
	struct timespec t[2] = { { 5, 0 }, { 5, 0 } };
	struct timeval v[2] = { { 5, 0 }, { 5, 0 } };
	int file = open("file", O_RDONLY);

	FAILS(EPERM, chmod, "file", 0777);
	FAILS(EACCES, chmod, "closed/file", 0777);
	FAILS(EPERM, fchmod, file, 0777);
	FAILS(EPERM, fchmodat, AT_FDCWD, "file", 0777);
	FAILS(EPERM, chown, "file", 1000, -1);
	FAILS(EACCES, chown, "closed/file", 1000, -1);
	FAILS(EPERM, lchown, "link", 1000, -1);
	FAILS(EPERM, fchown, file, 1000, 1000);
	FAILS(EPERM, fchownat, AT_FDCWD, "file", -1, 1000, 0);
	FAILS(EPERM, utimes, "file", v);
	FAILS(EACCES, utimes, "file", NULL);
	FAILS(EACCES, utime, "file", NULL);
	FAILS(EPERM, futimesat, AT_FDCWD, "file", v);
	FAILS(EPERM, utimensat, AT_FDCWD, "file", t, 0);
	FAILS(EACCES, utimensat, AT_FDCWD, "file", NULL, 0);
	FAILS(EPERM, utimensat, file, NULL, t, 0);
	t[0].tv_nsec = t[1].tv_nsec = UTIME_OMIT;
	GIVES(0, utimensat, AT_FDCWD, "file", t, 0);
	t[0].tv_nsec = UTIME_NOW;
	FAILS(EPERM, utimensat, AT_FDCWD, "file", t, 0);
	FAILS(EACCES, truncate, "file", 0l);
	FAILS(EACCES, truncate, "closed/file", 0l);
	close(file);
	/* An owner may give neither the file nor a group that is not the owner's. */
	close(own_file("mine", ""));
	FAILS(EPERM, chown, "mine", 0, -1);
	FAILS(EPERM, chown, "mine", -1, 5);
	GIVES(0, chown, "mine", 1000, 1000);
	unlink("mine");
}

int main(void)
{
	own_directory("attr_errors");
	own_names();
	walks();
	pointers();
	descriptors();
	arguments();
	as_user(permissions);
	own_names_remove();
	return test_done();
}
