/* Mounts: tmpfs with limits, bind, move, busy, lazy, read-only, /proc/mounts. Needs root; skips where it may not mount. */
// calls: mount umount2 chroot statfs
// errors: chmod mount open rmdir stat umount2 unlink
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "include/test.h"

static int listed(const char *where)
{
	char buf[16384], want[128];
	int fd = open("/proc/self/mounts", O_RDONLY);
	long n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	close(fd);
	if (n <= 0)
		return -1;
	buf[n] = 0;
	snprintf(want, sizeof(want), " %s ", where);
	return strstr(buf, want) != NULL;
}

static char dir[64], a[80], b[80], name[96], buf[8192];

/* Options and their limits. Leaves `a` mounted with a file and three names in it. */
static void limits(void)
{
	struct statfs fs;
	struct stat st;
	int fd, written = 0;
	long n;

	CHECK_ERRNO(mount("x", a, "nonesuch", 0, ""), ENODEV);
	CHECK_ERRNO(mount("x", "/nonesuch", "tmpfs", 0, ""), ENOENT);
	CHECK_ERRNO(mount("x", b, "tmpfs", 0, "bad=1"), EINVAL);
	CHECK_EQ(statfs(a, &fs), 0);
	CHECK_EQ(fs.f_type, 0x01021994);
	CHECK_EQ(fs.f_blocks * fs.f_bsize, 65536);
	CHECK_EQ(stat(a, &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0700);
	CHECK(listed(a) != 0);
	snprintf(name, sizeof(name), "%s/f", a);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	while ((n = write(fd, buf, sizeof(buf))) > 0)
		written += n;
	CHECK_EQ(errno, ENOSPC);
	CHECK_EQ(written, 65536);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s/n%d", a, i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	snprintf(name, sizeof(name), "%s/n4", a);
	CHECK_ERRNO(open(name, O_CREAT | O_WRONLY, 0600), ENOSPC);
	CHECK_ERRNO(umount(a), EBUSY);
	close(fd);
}

/* A bind mount, through which the same files are seen, made read-only and taken away while in use. */
static void bind_mount(void)
{
	struct stat st;
	int fd, other;

	CHECK_EQ(mount(a, b, NULL, MS_BIND, NULL), 0);
	snprintf(name, sizeof(name), "%s/f", b);
	CHECK_EQ(stat(name, &st), 0);
	CHECK_EQ(mount(NULL, b, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	CHECK_ERRNO(open(name, O_WRONLY), EROFS);
	CHECK_ERRNO(unlink(name), EROFS);
	CHECK_ERRNO(chmod(name, 0644), EROFS);
	CHECK((fd = open(name, O_RDONLY)) >= 0);
	snprintf(name, sizeof(name), "%s/f", a);
	CHECK((other = open(name, O_WRONLY)) >= 0);
	close(other);
	CHECK_ERRNO(rmdir(b), EBUSY);
	CHECK_EQ(umount2(b, MNT_DETACH), 0);
	CHECK_EQ(read(fd, buf, 10), 10);
	close(fd);
	CHECK_ERRNO(umount(b), EINVAL);
	/* A mount's ".." leads out of it. */
	CHECK_EQ(chdir(a), 0);
	CHECK_EQ(stat("../b", &st), 0);
	CHECK_EQ(chdir("/"), 0);
}

static void moved(void)
{
	struct statfs fs;
	struct stat st;
	int status;

	CHECK_EQ(mount(a, b, NULL, MS_MOVE, NULL), 0);
	snprintf(name, sizeof(name), "%s/f", a);
	CHECK_ERRNO(stat(name, &st), ENOENT);
	snprintf(name, sizeof(name), "%s/f", b);
	CHECK_EQ(stat(name, &st), 0);
	CHECK_EQ(mount(NULL, b, NULL, MS_REMOUNT | MS_NOEXEC, "size=128k"), 0);
	CHECK_EQ(statfs(b, &fs), 0);
	CHECK_EQ(fs.f_blocks * fs.f_bsize, 131072);
	if (fork() == 0) {
		if (chroot(b) || chdir("/"))
			_exit(1);
		if (stat("/f", &st) || stat("/../../f", &st))
			_exit(2);
		_exit(0);
	}
	wait(&status);
	CHECK_EQ(status, 0);
	CHECK_EQ(umount(b), 0);
	CHECK(listed(b) != 1);
}

int main(void)
{
	mkdir("/tmp", 01777);
	snprintf(dir, sizeof(dir), "/tmp/vfs_mount.%d", getpid());
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	mkdir(dir, 0755);
	mkdir(a, 0755);
	mkdir(b, 0755);
	if (mount("tmpfs", a, "tmpfs", 0, "size=64k,mode=0700,nr_inodes=5") < 0) {
		printf("1..0 # SKIP may not mount\n");
		return 0;
	}
	limits();
	bind_mount();
	moved();
	CHECK_EQ(rmdir(a), 0);
	CHECK_EQ(rmdir(b), 0);
	rmdir(dir);
	return test_done();
}
