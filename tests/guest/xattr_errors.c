/* What the calls on extended attributes refuse, by name, by link and by descriptor. */
// libc: gcc
// errors: setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr
#include "include/proof.h"

#include <sys/xattr.h>

static char buf[70000], long_attribute[300];
static int file, path;

static void names(void)
{
	FAILS(ENOENT, setxattr, "none", "user.a", "x", 1l, 0);
	FAILS(ENOTDIR, lsetxattr, "file/below", "user.a", "x", 1l, 0);
	FAILS(ELOOP, setxattr, "loop", "user.a", "x", 1l, 0);
	FAILS(ENOENT, getxattr, "none", "user.a", buf, 10l);
	FAILS(ENOTDIR, lgetxattr, "file/below", "user.a", buf, 10l);
	FAILS(ENOENT, listxattr, "none", buf, 10l);
	FAILS(ENAMETOOLONG, llistxattr, long_name, buf, 10l);
	FAILS(ENOENT, removexattr, "none", "user.a");
	FAILS(ENOTDIR, lremovexattr, "file/below", "user.a");
	for (int i = 0; i < 3; i++) {
		const int none[] = { -1, 9999, path };

		FAILS(EBADF, fsetxattr, none[i], "user.a", "x", 1l, 0);
		FAILS(EBADF, fgetxattr, none[i], "user.a", buf, 10l);
		FAILS(EBADF, flistxattr, none[i], buf, 10l);
		FAILS(EBADF, fremovexattr, none[i], "user.a");
	}
}

static void arguments(void)
{
	FAILS(EINVAL, setxattr, "file", "user.a", "x", 1l, 4);
	FAILS(EINVAL, lsetxattr, "file", "user.a", "x", 1l, -1);
	FAILS(EINVAL, fsetxattr, file, "user.a", "x", 1l, 8);
	FAILS(ERANGE, setxattr, "file", "", "x", 1l, 0);
	FAILS(ERANGE, setxattr, "file", long_attribute, "x", 1l, 0);
	FAILS(ERANGE, getxattr, "file", "", buf, 1l);
	FAILS(ERANGE, fgetxattr, file, long_attribute, buf, 1l);
	FAILS(ERANGE, removexattr, "file", "");
	FAILS(ERANGE, fremovexattr, file, long_attribute);
	FAILS(E2BIG, setxattr, "file", "user.a", buf, 65537l, 0);
	FAILS(E2BIG, fsetxattr, file, "user.a", buf, 65537l, 0);
	FAILS(EOPNOTSUPP, setxattr, "file", "nosuch.a", "x", 1l, 0);
	FAILS(EOPNOTSUPP, lgetxattr, "file", "nosuch.a", buf, 10l);
	FAILS(EOPNOTSUPP, lremovexattr, "file", "nosuch.a");
	FAILS(EINVAL, setxattr, "file", "trusted.", "x", 1l, 0);
}

/* trusted.* is there on every file system that has attributes; user.* is not. */
static void values(void)
{
	FAILS(ENODATA, getxattr, "file", "trusted.a", buf, 10l);
	FAILS(ENODATA, lgetxattr, "file", "trusted.a", buf, 10l);
	FAILS(ENODATA, fgetxattr, file, "trusted.a", buf, 10l);
	FAILS(ENODATA, removexattr, "file", "trusted.a");
	FAILS(ENODATA, lremovexattr, "file", "trusted.a");
	FAILS(ENODATA, fremovexattr, file, "trusted.a");
	FAILS(ENODATA, setxattr, "file", "trusted.a", "x", 1l, XATTR_REPLACE);
	GIVES(0, setxattr, "file", "trusted.a", "value", 5l, XATTR_CREATE);
	FAILS(EEXIST, setxattr, "file", "trusted.a", "x", 1l, XATTR_CREATE);
	FAILS(EEXIST, lsetxattr, "file", "trusted.a", "x", 1l, XATTR_CREATE);
	FAILS(EEXIST, fsetxattr, file, "trusted.a", "x", 1l, XATTR_CREATE);
	FAILS(ERANGE, getxattr, "file", "trusted.a", buf, 4l);
	FAILS(ERANGE, lgetxattr, "file", "trusted.a", buf, 1l);
	FAILS(ERANGE, fgetxattr, file, "trusted.a", buf, 4l);
	FAILS(ERANGE, listxattr, "file", buf, 9l);
	FAILS(ERANGE, llistxattr, "file", buf, 1l);
	FAILS(ERANGE, flistxattr, file, buf, 1l);
	FAULTS(setxattr, 0, 0, 0, P("trusted.a"), P("x"), 1, 0);
	FAULTS(setxattr, 1, 0, P("file"), 0, P("x"), 1, 0);
	FAULTS(setxattr, 2, 4, P("file"), P("trusted.a"), 0, 4, 0);
	FAULTS(lsetxattr, 2, 4, P("file"), P("trusted.a"), 0, 4, 0);
	FAULTS(fsetxattr, 1, 0, file, 0, P("x"), 1, 0);
	FAULTS(fsetxattr, 2, 4, file, P("trusted.a"), 0, 4, 0);
	FAULTS(getxattr, 1, 0, P("file"), 0, P(buf), 10);
	FAULTS(getxattr, 2, 5, P("file"), P("trusted.a"), 0, 10);
	FAULTS(lgetxattr, 2, 5, P("file"), P("trusted.a"), 0, 10);
	FAULTS(fgetxattr, 2, 5, file, P("trusted.a"), 0, 10);
	FAULTS(listxattr, 1, 10, P("file"), 0, 1000);
	FAULTS(llistxattr, 1, 10, P("file"), 0, 1000);
	FAULTS(flistxattr, 1, 10, file, 0, 1000);
	FAULTS(removexattr, 1, 0, P("file"), 0);
	FAULTS(lremovexattr, 0, 0, 0, P("trusted.a"));
	FAULTS(fremovexattr, 1, 0, file, 0);
	GIVES(5, getxattr, "file", "trusted.a", buf, 10l);
}

static void permissions(void)
{
	FAILS(EPERM, setxattr, "file", "trusted.b", "x", 1l, 0);
	FAILS(EPERM, fremovexattr, file, "trusted.a");
	FAILS(ENODATA, getxattr, "file", "trusted.a", buf, 10l);
	FAILS(EACCES, getxattr, "closed/file", "trusted.a", buf, 10l);
	/* Not even their names. */
	CHECK(!memmem(buf, syscall(SYS_listxattr, "file", buf, 1000l), "trusted", 7));
}

int main(void)
{
	own_directory("xattr_errors");
	own_names();
	memset(long_attribute, 'a', 299);
	memcpy(long_attribute, "user.", 5);
	file = open("file", O_RDWR);
	path = open("file", O_PATH);
	names();
	arguments();
	if (geteuid() == 0) {
		values();
		as_user(permissions);
	}
	own_names_remove();
	return test_done();
}
