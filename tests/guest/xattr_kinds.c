/* Extended attributes of files, of links themselves and by descriptor: set, get, list, remove. */
// libc: gcc
// calls: setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr
#include "include/proof.h"

#include <sys/xattr.h>

static char buf[200];

static int lists(long n, const char *name)
{
	for (long at = 0; at < n; at += strlen(buf + at) + 1)
		if (!strcmp(buf + at, name))
			return 1;
	return 0;
}

static void all(void)
{
	int fd = open("file", O_RDONLY);

	GIVES(0, setxattr, "link", "trusted.one", "first", 5l, 0);
	GIVES(0, lsetxattr, "link", "trusted.two", "second", 6l, 0);
	GIVES(0, fsetxattr, fd, "trusted.three", "", 0l, XATTR_CREATE);
	GIVES(5, getxattr, "file", "trusted.one", buf, 100l);
	CHECK(!memcmp(buf, "first", 5));
	GIVES(5, fgetxattr, fd, "trusted.one", NULL, 0l);
	GIVES(6, lgetxattr, "link", "trusted.two", buf, 100l);
	CHECK(!memcmp(buf, "second", 6));
	FAILS(ENODATA, getxattr, "link", "trusted.two", buf, 100l);
	GIVES(0, fgetxattr, fd, "trusted.three", buf, 100l);
	CHECK(lists(syscall(SYS_listxattr, "link", buf, 200l), "trusted.one"));
	CHECK(!lists(syscall(SYS_listxattr, "link", buf, 200l), "trusted.two"));
	CHECK(lists(syscall(SYS_llistxattr, "link", buf, 200l), "trusted.two"));
	CHECK(lists(syscall(SYS_flistxattr, fd, buf, 200l), "trusted.three"));
	CHECK(syscall(SYS_flistxattr, fd, NULL, 0l) >= 12 + 14);
	GIVES(0, fsetxattr, fd, "trusted.one", "other", 5l, XATTR_REPLACE);
	GIVES(5, getxattr, "file", "trusted.one", buf, 5l);
	CHECK(!memcmp(buf, "other", 5));
	GIVES(0, removexattr, "link", "trusted.one");
	GIVES(0, lremovexattr, "link", "trusted.two");
	GIVES(0, fremovexattr, fd, "trusted.three");
	FAILS(ENODATA, fgetxattr, fd, "trusted.three", buf, 100l);
	CHECK(!lists(syscall(SYS_llistxattr, "link", buf, 200l), "trusted.two"));
	close(fd);
}

int main(void)
{
	own_directory("xattr_kinds");
	close(own_file("file", ""));
	if (symlink("file", "link"))
		return 2;
	if (geteuid() == 0)
		all();
	unlink("file");
	unlink("link");
	proof_remove();
	return test_done();
}
