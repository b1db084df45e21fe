/* memfd and its seals, extended attributes, times, modes, getdents over many names. */
// libc: gcc
// calls: memfd_create fsetxattr getxattr listxattr removexattr utimensat statx chmod chown stat access getdents64 statfs
// errors: access fcntl fsetxattr ftruncate getdents64 getxattr memfd_create pwrite64 removexattr statfs statx utimensat
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <sys/statfs.h>

#include "include/test.h"

static char dir[64], path[128];

static void seals(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC), plain = memfd_create("plain", 0);
	char *m, buf[64];
	struct stat st;

	CHECK(fd >= 0 && plain >= 0);
	CHECK_ERRNO(memfd_create("x", 0x8000), EINVAL);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
	CHECK_EQ(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_ERRNO(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	CHECK_EQ(write(fd, "data", 4), 4);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	CHECK_ERRNO(ftruncate(fd, 3), EPERM);
	CHECK_ERRNO(ftruncate(fd, 5), EPERM);
	CHECK_EQ(pwrite(fd, "D", 1, 0), 1);
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED && m[0] == 'D');
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	munmap(m, 4096);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), 0);
	CHECK_ERRNO(pwrite(fd, "E", 1, 0), EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
	m = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 4);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, buf, sizeof(buf)) > 0)
		CHECK(!strncmp(buf, "/memfd:sealed", 13));
	close(fd);
	close(plain);
}

static void attributes(void)
{
	char buf[64];
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	long n = fsetxattr(fd, "user.a", "one", 3, 0);

	if (n < 0 && errno == EOPNOTSUPP) {
		close(fd);
		return;
	}
	CHECK_EQ(n, 0);
	CHECK_ERRNO(fsetxattr(fd, "user.a", "x", 1, XATTR_CREATE), EEXIST);
	CHECK_ERRNO(fsetxattr(fd, "user.b", "x", 1, XATTR_REPLACE), ENODATA);
	CHECK_ERRNO(fsetxattr(fd, "other.b", "x", 1, 0), EOPNOTSUPP);
	CHECK_EQ(getxattr("f", "user.a", buf, 64), 3);
	CHECK_EQ(getxattr("f", "user.a", NULL, 0), 3);
	CHECK_ERRNO(getxattr("f", "user.a", buf, 2), ERANGE);
	CHECK_ERRNO(getxattr("f", "user.none", buf, 64), ENODATA);
	CHECK(listxattr("f", buf, 64) >= 7);
	CHECK_EQ(removexattr("f", "user.a"), 0);
	CHECK_ERRNO(removexattr("f", "user.a"), ENODATA);
	close(fd);
}

static void times(void)
{
	struct timespec t[2] = { { 1000, 5 }, { 2000, 7 } };
	struct stat st;
	struct statx sx;

	close(open("t", O_CREAT | O_RDWR, 0644));
	CHECK_EQ(utimensat(AT_FDCWD, "t", t, 0), 0);
	CHECK_EQ(stat("t", &st), 0);
	CHECK(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 5 && st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 7);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_nsec = UTIME_NOW;
	CHECK_EQ(utimensat(AT_FDCWD, "t", t, 0), 0);
	CHECK_EQ(stat("t", &st), 0);
	CHECK(st.st_atim.tv_sec == 1000 && st.st_mtim.tv_sec > 1000000);
	t[0].tv_nsec = 1000000000;
	CHECK_ERRNO(utimensat(AT_FDCWD, "t", t, 0), EINVAL);
	CHECK_EQ(statx(AT_FDCWD, "t", 0, STATX_ALL, &sx), 0);
	CHECK_EQ(sx.stx_atime.tv_sec, 1000);
	CHECK_EQ(sx.stx_nlink, 1);
	CHECK_ERRNO(statx(AT_FDCWD, "t", 0x80000, STATX_ALL, &sx), EINVAL);
	CHECK_EQ(chmod("t", 06755), 0);
	CHECK_EQ(stat("t", &st), 0);
	CHECK_EQ(st.st_mode & 07777, 06755);
	if (geteuid() == 0) {
		CHECK_EQ(chown("t", 1, 2), 0);
		CHECK_EQ(stat("t", &st), 0);
		CHECK(st.st_uid == 1 && st.st_gid == 2);
		CHECK_EQ(st.st_mode & 07777, 0755);
		CHECK_EQ(chown("t", -1, 3), 0);
		CHECK_EQ(stat("t", &st), 0);
		CHECK(st.st_uid == 1 && st.st_gid == 3);
	}
	CHECK_EQ(access("t", R_OK), 0);
	CHECK_ERRNO(access("none", F_OK), ENOENT);
	CHECK_ERRNO(access("t", 8), EINVAL);
}

static void directories(void)
{
	char name[32];
	struct dirent *e;
	DIR *d;
	int n = 0, seen[1000] = { 0 }, twice = 0, other = 0;
	long at;

	mkdir("many", 0755);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	d = opendir("many");
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.') {
			other++;
			continue;
		}
		n++;
		if (seen[atoi(e->d_name)]++)
			twice++;
		if (n % 3 == 0) {
			snprintf(name, sizeof(name), "many/%s", e->d_name);
			unlink(name);
		}
	}
	CHECK_EQ(n, 1000);
	CHECK_EQ(twice, 0);
	CHECK_EQ(other, 2);
	rewinddir(d);
	for (n = 0; (e = readdir(d)); n++)
		if (n == 10)
			at = telldir(d);
	CHECK_EQ(n, 2 + 667);
	seekdir(d, at);
	for (n = 0; (e = readdir(d)); n++)
		;
	CHECK_EQ(n, 669 - 11);
	closedir(d);
	CHECK_ERRNO(syscall(SYS_getdents64, open("many", O_RDONLY), name, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_getdents64, open("t", O_RDONLY), name, 32), ENOTDIR);
}

static void figures(void)
{
	struct statfs s;

	CHECK_EQ(statfs(".", &s), 0);
	CHECK(s.f_bsize >= 512 && s.f_namelen == 255);
	CHECK_ERRNO(statfs("none", &s), ENOENT);
}

int main(void)
{
	mkdir("/tmp", 01777);
	snprintf(dir, sizeof(dir), "/tmp/vfs_memory.%d", getpid());
	umask(022);
	if (mkdir(dir, 0755) || chdir(dir))
		return 2;
	seals();
	attributes();
	times();
	directories();
	figures();
	return test_done();
}
