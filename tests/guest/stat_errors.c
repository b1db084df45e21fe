/* What the calls that look at a name or a descriptor refuse. */
// libc: gcc
// errors: stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat
#include "include/proof.h"

#include <linux/stat.h>
#include <sys/statfs.h>

static char buf[4096];

/* The same names are refused by every call: `call` has the path as %s. */
#define REFUSES_NAMES(name, before, ...) do {                              \
	FAILS(ENOENT, name before, "none", __VA_ARGS__);                   \
	FAILS(ENOENT, name before, "none/below", __VA_ARGS__);             \
	FAILS(ENOENT, name before, "dangling/below", __VA_ARGS__);         \
	FAILS(ENOTDIR, name before, "file/below", __VA_ARGS__);            \
	FAILS(ELOOP, name before, "loop/below", __VA_ARGS__);              \
	FAILS(ENAMETOOLONG, name before, long_name, __VA_ARGS__);          \
	FAILS(ENAMETOOLONG, name before, long_path, __VA_ARGS__);          \
} while (0)
#define AT , AT_FDCWD
#define NONE

static void names(void)
{
	REFUSES_NAMES(stat, NONE, buf);
	REFUSES_NAMES(lstat, NONE, buf);
	REFUSES_NAMES(newfstatat, AT, buf, 0);
	REFUSES_NAMES(statx, AT, 0, STATX_BASIC_STATS, buf);
	REFUSES_NAMES(statfs, NONE, buf);
	REFUSES_NAMES(access, NONE, F_OK);
	REFUSES_NAMES(faccessat, AT, F_OK);
	REFUSES_NAMES(faccessat2, AT, F_OK, 0);
	REFUSES_NAMES(readlink, NONE, buf, 100);
	REFUSES_NAMES(readlinkat, AT, buf, 100);
	FAILS(ENOENT, stat, "", buf);
	FAILS(ENOENT, newfstatat, AT_FDCWD, "", buf, 0);
	FAILS(ENOENT, access, "", F_OK);
	FAILS(ENOENT, readlink, "", buf, 100);
	FAILS(ELOOP, stat, "loop", buf);
	GIVES(0, lstat, "loop", buf);
	FAILS(ENOTDIR, stat, "file/", buf);
	FAILS(ENOTDIR, lstat, "link/", buf);
}

static void pointers(void)
{
	int fd = open("file", O_RDONLY);

	FAULTS(stat, 0, 0, 0, P(buf));
	FAULTS(stat, 1, sizeof(struct stat), P("file"));
	FAULTS(lstat, 0, 0, 0, P(buf));
	FAULTS(lstat, 1, sizeof(struct stat), P("file"));
	FAULTS(fstat, 1, sizeof(struct stat), fd);
	FAULTS(newfstatat, 1, 0, AT_FDCWD, 0, P(buf), 0);
	FAULTS(newfstatat, 2, sizeof(struct stat), AT_FDCWD, P("file"), 0, 0);
	FAULTS(statx, 1, 0, AT_FDCWD, 0, 0, STATX_BASIC_STATS, P(buf));
	FAULTS(statx, 4, sizeof(struct statx), AT_FDCWD, P("file"), 0, STATX_BASIC_STATS, 0);
	FAULTS(statfs, 0, 0, 0, P(buf));
	FAULTS(statfs, 1, sizeof(struct statfs), P("file"));
	FAULTS(fstatfs, 1, sizeof(struct statfs), fd);
	FAULTS(access, 0, 0, 0, F_OK);
	FAULTS(faccessat, 1, 0, AT_FDCWD, 0, F_OK);
	FAULTS(faccessat2, 1, 0, AT_FDCWD, 0, F_OK, 0);
	FAULTS(readlink, 0, 0, 0, P(buf), 100);
	FAULTS(readlink, 1, 4, P("link"), 0, 100);
	FAULTS(readlinkat, 1, 0, AT_FDCWD, 0, P(buf), 100);
	FAULTS(readlinkat, 2, 4, AT_FDCWD, P("link"), 0, 100);
	close(fd);
}

static void descriptors(void)
{
	int file = open("file", O_RDONLY), path = open("file", O_PATH);

	FAILS(EBADF, fstat, -1, buf);
	FAILS(EBADF, fstat, 9999, buf);
	GIVES(0, fstat, path, buf);
	FAILS(EBADF, fstatfs, -1, buf);
	GIVES(0, fstatfs, path, buf);
	FAILS(EBADF, newfstatat, 9999, "file", buf, 0);
	FAILS(ENOTDIR, newfstatat, file, "file", buf, 0);
	FAILS(EBADF, newfstatat, 9999, "", buf, AT_EMPTY_PATH);
	FAILS(EBADF, statx, 9999, "file", 0, STATX_BASIC_STATS, buf);
	FAILS(ENOTDIR, statx, file, "file", 0, STATX_BASIC_STATS, buf);
	FAILS(EBADF, faccessat, 9999, "file", F_OK);
	FAILS(ENOTDIR, faccessat, file, "file", F_OK);
	FAILS(EBADF, faccessat2, 9999, "file", F_OK, 0);
	FAILS(EBADF, readlinkat, 9999, "link", buf, 100);
	FAILS(ENOTDIR, readlinkat, file, "link", buf, 100);
	/* An absolute name does not need the descriptor. */
	GIVES(0, newfstatat, 9999, "/", buf, 0);
	close(file);
	close(path);
}

static void arguments(void)
{
	FAILS(EINVAL, newfstatat, AT_FDCWD, "file", buf, 0x80000);
	FAILS(EINVAL, statx, AT_FDCWD, "file", 0x80000, STATX_BASIC_STATS, buf);
	FAILS(EINVAL, statx, AT_FDCWD, "file", 0, 0x80000000, buf);
	FAILS(EINVAL, statx, AT_FDCWD, "file", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, buf);
	FAILS(EINVAL, access, "file", 8);
	FAILS(EINVAL, faccessat, AT_FDCWD, "file", 16);
	FAILS(EINVAL, faccessat2, AT_FDCWD, "file", F_OK, 0x80000);
	FAILS(EINVAL, faccessat2, AT_FDCWD, "file", 8, 0);
	FAILS(EINVAL, readlink, "file", buf, 100);
	FAILS(EINVAL, readlink, "dir", buf, 100);
	FAILS(EINVAL, readlink, "link", buf, 0);
	FAILS(EINVAL, readlink, "link", buf, -1);
	FAILS(EINVAL, readlinkat, AT_FDCWD, "link", buf, 0);
	FAILS(EINVAL, readlinkat, AT_FDCWD, "file", buf, 100);
}

static void permissions(void)
{
	FAILS(EACCES, stat, "closed/file", buf);
	FAILS(EACCES, lstat, "closed/file", buf);
	FAILS(EACCES, newfstatat, AT_FDCWD, "closed/none", buf, 0);
	FAILS(EACCES, statx, AT_FDCWD, "closed/file", 0, STATX_BASIC_STATS, buf);
	FAILS(EACCES, statfs, "closed/file", buf);
	FAILS(EACCES, access, "closed/file", F_OK);
	FAILS(EACCES, access, "secret", R_OK);
	FAILS(EACCES, access, "file", W_OK);
	FAILS(EACCES, access, "file", X_OK);
	FAILS(EACCES, faccessat, AT_FDCWD, "secret", R_OK);
	FAILS(EACCES, faccessat2, AT_FDCWD, "secret", R_OK, AT_EACCESS);
	FAILS(EACCES, readlink, "closed/file", buf, 100);
	FAILS(EACCES, readlinkat, AT_FDCWD, "closed/file", buf, 100);
	GIVES(0, stat, "secret", buf);
	GIVES(0, access, "file", R_OK);
}

int main(void)
{
	own_directory("stat_errors");
	own_names();
	names();
	pointers();
	descriptors();
	arguments();
	as_user(permissions);
	own_names_remove();
	return test_done();
}
