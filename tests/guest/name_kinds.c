/* Names with slashes behind, whiteouts, names that must be in the cache, links' modes, and files that are not left behind. */
// libc: gcc
// calls: renameat2 openat2 mknod
// errors: renameat2 openat2 open openat mknod chmod
#include "include/proof.h"

#include <limits.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#define NOREPLACE 1
#define EXCHANGE 2
#define WHITEOUT 4

static int kind(const char *name)
{
	struct stat s;

	if (lstat(name, &s))
		return 0;
	if (S_ISCHR(s.st_mode) && s.st_rdev == 0)
		return 'w';
	return S_ISDIR(s.st_mode) ? 'd' : S_ISLNK(s.st_mode) ? 'l' : 'f';
}

static void slashes(void)
{
	close(own_file("file", "f"));
	close(own_file("other", "o"));
	mkdir("dir", 0755);
	if (symlink("made", "dangling"))
		exit(2);
	FAILS(EISDIR, open, "file/", O_CREAT | O_WRONLY, 0600);
	FAILS(EISDIR, open, "new/", O_CREAT | O_WRONLY, 0600);
	FAILS(EISDIR, open, "new/", O_CREAT | O_EXCL | O_WRONLY, 0600);
	FAILS(EISDIR, open, "dir/", O_CREAT | O_RDONLY, 0600);
	FAILS(EISDIR, open, "dangling/", O_CREAT | O_RDONLY, 0600);
	FAILS(ENOENT, open, "none/new/", O_CREAT | O_RDONLY, 0600);
	FAILS(ENOTDIR, open, "file/", O_RDONLY);
	FAILS(ENOTDIR, renameat2, AT_FDCWD, "file/", AT_FDCWD, "new", 0);
	FAILS(ENOTDIR, renameat2, AT_FDCWD, "file", AT_FDCWD, "new/", 0);
	FAILS(ENOTDIR, renameat2, AT_FDCWD, "file/", AT_FDCWD, "dir", EXCHANGE);
	FAILS(ENOTDIR, renameat2, AT_FDCWD, "dir", AT_FDCWD, "file/", EXCHANGE);
	FAILS(ENOTDIR, renameat2, AT_FDCWD, "file", AT_FDCWD, "other/", EXCHANGE);
	FAILS(EEXIST, renameat2, AT_FDCWD, "file", AT_FDCWD, "other/", NOREPLACE);
	GIVES(0, renameat2, AT_FDCWD, "file", AT_FDCWD, "dir/", EXCHANGE);
	CHECK(kind("file") == 'd' && kind("dir") == 'f');
	GIVES(0, renameat2, AT_FDCWD, "file/", AT_FDCWD, "dir", EXCHANGE);
	CHECK(kind("file") == 'f' && kind("dir") == 'd');
	GIVES(0, renameat2, AT_FDCWD, "dir/", AT_FDCWD, "moved/", 0);
	CHECK_EQ(rmdir("moved/"), 0);
	unlink("dangling");
}

static void whiteouts(void)
{
	FAILS(EINVAL, renameat2, AT_FDCWD, "file", AT_FDCWD, "other", WHITEOUT | EXCHANGE);
	GIVES(0, renameat2, AT_FDCWD, "file", AT_FDCWD, "new", WHITEOUT);
	CHECK(kind("file") == 'w' && kind("new") == 'f');
	GIVES(0, renameat2, AT_FDCWD, "new", AT_FDCWD, "other", WHITEOUT);
	CHECK(kind("new") == 'w' && kind("other") == 'f');
	FAILS(EEXIST, renameat2, AT_FDCWD, "other", AT_FDCWD, "new", WHITEOUT | NOREPLACE);
	mkdir("dir", 0755);
	GIVES(0, renameat2, AT_FDCWD, "dir", AT_FDCWD, "deeper", WHITEOUT);
	CHECK(kind("dir") == 'w' && kind("deeper") == 'd');
	GIVES(0, renameat2, AT_FDCWD, "other", AT_FDCWD, "deeper/x", WHITEOUT);
	CHECK(kind("other") == 'w' && kind("deeper/x") == 'f');
	CHECK(unlink("file") == 0 && unlink("new") == 0 && unlink("dir") == 0 && unlink("other") == 0);
	CHECK(unlink("deeper/x") == 0 && rmdir("deeper") == 0);
}

static void user_whiteouts(void)
{
	CHECK_EQ(syscall(SYS_mknod, "w", S_IFCHR, 0l), 0);
	CHECK_EQ(kind("w"), 'w');
	FAILS(EPERM, mknod, "v", S_IFCHR, makedev(1, 3));
	FAILS(EPERM, mknod, "v", S_IFBLK, 0l);
	close(own_file("u", ""));
	GIVES(0, renameat2, AT_FDCWD, "u", AT_FDCWD, "v", WHITEOUT);
	CHECK(kind("u") == 'w' && kind("v") == 'f');
	unlink("u");
	unlink("v");
	unlink("w");
}

static long cached(const char *name, int flags)
{
	struct open_how how = { .flags = flags, .resolve = RESOLVE_CACHED };
	long fd = syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how));

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void in_cache(void)
{
	close(own_file("file", "f"));
	mkdir("dir", 0755);
	close(own_file("dir/x", ""));
	if (symlink("dir/x", "link"))
		exit(2);
	close(open("link", O_RDONLY));
	close(open("dir/x", O_RDONLY));
	CHECK_EQ(cached("file", O_RDONLY), 0);
	CHECK_EQ(cached("dir/../dir/./x", O_RDWR), 0);
	CHECK_EQ(cached("link", O_RDONLY), 0);
	CHECK_EQ(cached("dir", O_RDONLY | O_DIRECTORY), 0);
	CHECK_EQ(cached("file", O_RDONLY | O_TRUNC), -EAGAIN);
	CHECK_EQ(cached("new", O_RDWR | O_CREAT), -EAGAIN);
	CHECK_EQ(cached("/proc/self/fd/0", O_RDONLY), -EAGAIN);
	unlink("link");
	unlink("dir/x");
	rmdir("dir");
}

static void modes(void)
{
	char name[40];
	struct stat s;
	int fd;

	if (symlink("file", "link"))
		exit(2);
	fd = open("link", O_PATH | O_NOFOLLOW);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	CHECK_ERRNO(chmod(name, 0600), EOPNOTSUPP);
	CHECK(fstat(fd, &s) == 0 && (s.st_mode & 0777) == 0777);
	CHECK_EQ(chmod("link", 0640), 0);
	CHECK(stat("file", &s) == 0 && (s.st_mode & 0777) == 0640);
	unlink("link");
	close(fd);
	FAILS(EINVAL, open, ".", O_RDONLY | O_DIRECT);
}

int main(void)
{
	own_tmpfs_directory("name_kinds");
	slashes();
	whiteouts();
	as_user(user_whiteouts);
	in_cache();
	modes();
	unlink("file");
	proof_remove();
	return test_done();
}
