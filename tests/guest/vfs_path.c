/* Names: creation, links, walks through "..", errors of each kind, resolve flags, renames. */
// libc: gcc
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "include/test.h"

static char dir[64];

static int open2(int dirfd, const char *path, unsigned long long flags, unsigned long long resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

static int touch(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);

	return fd < 0 ? -1 : close(fd);
}

static int exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void creation(void)
{
	struct stat st;

	CHECK_EQ(mkdir("d", 0750), 0);
	CHECK_ERRNO(mkdir("d", 0750), EEXIST);
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_mode, S_IFDIR | 0750);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(mkdir("d/e/", 0755), 0);
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_nlink, 3);
	CHECK_EQ(touch("d/f"), 0);
	CHECK_ERRNO(touch("d/f"), EEXIST);
	CHECK_ERRNO(touch("d/f/g"), ENOTDIR);
	CHECK_ERRNO(touch("d/none/g"), ENOENT);
	CHECK_ERRNO(open("d/f/", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("d/new/", O_CREAT | O_WRONLY, 0600), EISDIR);
	CHECK_ERRNO(open("d", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("d", O_CREAT | O_WRONLY, 0600), EISDIR);
	CHECK_ERRNO(open("d/f", O_DIRECTORY | O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("", O_RDONLY), ENOENT);
	CHECK_ERRNO(open((char *)8, O_RDONLY), EFAULT);
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("d/."), EINVAL);
	CHECK_ERRNO(rmdir("d/e/.."), ENOTEMPTY);
	CHECK_ERRNO(rmdir("d/f"), ENOTDIR);
	CHECK_ERRNO(unlink("d/e"), EISDIR);
	CHECK_ERRNO(unlink("d/f/"), ENOTDIR);
	CHECK_ERRNO(unlink("d/none"), ENOENT);
	CHECK_EQ(rmdir("d/e"), 0);
}

static void long_names(void)
{
	char name[300], path[5000];

	memset(name, 'a', sizeof(name));
	name[255] = 0;
	CHECK_EQ(touch(name), 0);
	CHECK(exists(name));
	CHECK_EQ(unlink(name), 0);
	name[255] = 'a';
	name[256] = 0;
	CHECK_ERRNO(touch(name), ENAMETOOLONG);
	for (int i = 0; i < 2499; i++)
		memcpy(path + 2 * i, "./", 2);
	path[4998] = 0;
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	path[4094] = 0;
	CHECK(open(path, O_RDONLY) >= 0);
}

static void symlinks(void)
{
	char buf[64], name[16];
	struct stat st;

	CHECK_EQ(symlink("d/f", "s"), 0);
	CHECK_ERRNO(symlink("d/f", "s"), EEXIST);
	CHECK_ERRNO(symlink("", "s2"), ENOENT);
	CHECK_EQ(readlink("s", buf, sizeof(buf)), 3);
	CHECK_EQ(readlink("s", buf, 2), 2);
	CHECK_ERRNO(readlink("d", buf, sizeof(buf)), EINVAL);
	CHECK_ERRNO(syscall(SYS_readlink, "s", buf, 0), EINVAL);
	CHECK_EQ(stat("s", &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(lstat("s", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(st.st_size, 3);
	CHECK_ERRNO(open("s", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_EQ(symlink("loop2", "loop1"), 0);
	CHECK_EQ(symlink("loop1", "loop2"), 0);
	CHECK_ERRNO(open("loop1", O_RDONLY), ELOOP);
	CHECK_EQ(symlink("made", "dangling"), 0);
	CHECK_ERRNO(open("dangling", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
	close(open("dangling", O_CREAT | O_WRONLY, 0600));
	CHECK(exists("made"));
	/* A chain of 40 is allowed, of 41 not. */
// libc: gcc
// calls: open openat openat2 mkdir link linkat symlink unlink rename renameat2 rmdir lstat getcwd chdir fchdir
// errors: chdir link mkdir open openat read readlink rename renameat2 rmdir stat symlink unlink
	symlink("d", "c0");
	for (int i = 1; i <= 41; i++) {
		snprintf(buf, sizeof(buf), "c%d", i - 1);
		snprintf(name, sizeof(name), "c%d", i);
		symlink(buf, name);
	}
	CHECK_EQ(stat("c39/f", &st), 0);
	CHECK_ERRNO(stat("c40/f", &st), ELOOP);
	CHECK_EQ(symlink("c3/../d/f", "t"), 0);
	CHECK_EQ(stat("t", &st), 0);
	CHECK_ERRNO(stat("t/", &st), ENOTDIR);
	CHECK_EQ(stat("c1/", &st), 0);
}

static void hard_links(void)
{
	struct stat st;

	CHECK_EQ(link("d/f", "h"), 0);
	CHECK_ERRNO(link("d/f", "h"), EEXIST);
	CHECK_ERRNO(link("d", "hd"), EPERM);
	CHECK_EQ(stat("h", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(unlink("h"), 0);
	CHECK_EQ(stat("d/f", &st), 0);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(linkat(AT_FDCWD, "s", AT_FDCWD, "hs", 0), 0);
	CHECK_EQ(lstat("hs", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
}

static void renames(void)
{
	struct stat st;

	mkdir("r", 0755);
	mkdir("r/x", 0755);
	mkdir("r/x/y", 0755);
	touch("r/f");
	touch("r/g");
	CHECK_EQ(rename("r/f", "r/g"), 0);
	CHECK(!exists("r/f") && exists("r/g"));
	CHECK_ERRNO(rename("r/f", "r/h"), ENOENT);
	CHECK_ERRNO(rename("r/x", "r/x/y/z"), EINVAL);
	CHECK_ERRNO(rename("r/x/y", "r/x"), ENOTEMPTY);
	CHECK_ERRNO(rename("r/g", "r/x"), EISDIR);
	CHECK_ERRNO(rename("r/x", "r/g"), ENOTDIR);
	CHECK_EQ(rename("r/x/y", "y"), 0);
	CHECK_EQ(stat("r/x", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(rename("y", "r/x"), 0);
	CHECK_EQ(syscall(SYS_renameat2, AT_FDCWD, "r/x", AT_FDCWD, "r/g", 2), 0);
	CHECK_EQ(stat("r/g", &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "r/x", AT_FDCWD, "r/g", 1), EEXIST);
	CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "r/x", AT_FDCWD, "r/g", 3), EINVAL);
	CHECK_EQ(rename("r/x", "r/x"), 0);
	link("r/x", "r/z");
	CHECK_EQ(rename("r/x", "r/z"), 0);
	CHECK(exists("r/x"));
}

static void resolve_flags(void)
{
	int d = open("d", O_PATH | O_DIRECTORY), fd;
	char buf[8];

	symlink("/etc", "d/abs");
	symlink("../h2", "d/up");
	symlink("f", "d/in");
	CHECK(d >= 0);
	CHECK_ERRNO(read(d, buf, 1), EBADF);
	CHECK((fd = open2(d, "f", O_RDONLY, RESOLVE_BENEATH)) >= 0);
	CHECK((fd = open2(d, "in", O_RDONLY, RESOLVE_BENEATH)) >= 0);
	CHECK_ERRNO(open2(d, "../s", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open2(d, "abs", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open2(d, "/f", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK((fd = open2(d, "/f", O_RDONLY, RESOLVE_IN_ROOT)) >= 0);
	CHECK((fd = open2(d, "../../f", O_RDONLY, RESOLVE_IN_ROOT)) >= 0);
	CHECK_ERRNO(open2(d, "in", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK_ERRNO(open2(d, "f", O_RDONLY, 1ull << 40), EINVAL);
	CHECK_ERRNO(open2(d, "f", 1ull << 40, 0), EINVAL);
	CHECK_EQ(fchdir(d), 0);
	CHECK((fd = open("../d/./f", O_RDONLY)) >= 0);
	CHECK_EQ(chdir(".."), 0);
	CHECK_ERRNO(openat(fd, "x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(openat(9999, "x", O_RDONLY), EBADF);
}

static void cwd(void)
{
	char buf[256];

	mkdir("gone", 0755);
	CHECK_EQ(chdir("gone"), 0);
	CHECK(getcwd(buf, sizeof(buf)) && strstr(buf, "/gone"));
	errno = 0;
	CHECK(!getcwd(buf, 3) && errno == ERANGE);
	CHECK_EQ(rmdir("../gone"), 0);
	errno = 0;
	CHECK_EQ(syscall(SYS_getcwd, buf, sizeof(buf)), -1);
	CHECK_EQ(errno, ENOENT);
	CHECK_ERRNO(touch("f"), ENOENT);
	CHECK_EQ(chdir(".."), 0);
	CHECK_ERRNO(chdir("d/f"), ENOTDIR);
}

int main(void)
{
	snprintf(dir, sizeof(dir), "/tmp/vfs_path.%d", getpid());
	mkdir("/tmp", 01777);
	if (mkdir(dir, 0755) || chdir(dir))
		return 2;
	umask(0);
	creation();
	long_names();
	symlinks();
	hard_links();
	renames();
	resolve_flags();
	cwd();
	return test_done();
}
