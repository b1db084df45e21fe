/* Flags and hints of inodes by ioctl and fcntl, and what nobody here has: clones and extents. */
// libc: gcc
// calls: ioctl fcntl flock
// errors: ioctl fcntl
#include "include/proof.h"

#include <stdint.h>

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>

static int flags_of(int fd)
{
	int flags = -1;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) ? -errno : flags;
}

static int set_flags(int fd, int flags) { return ioctl(fd, FS_IOC_SETFLAGS, &flags) ? errno : 0; }

static void flags(void)
{
	int fd = open("file", O_RDWR), dir = open(".", O_RDONLY), value = 0, made;
	struct fsxattr x;
	struct stat s;

	CHECK_EQ(flags_of(fd), 0);
	CHECK_EQ(set_flags(fd, FS_NODUMP_FL), 0);
	CHECK_EQ(flags_of(fd), FS_NODUMP_FL);
	CHECK_EQ(ioctl(fd, FS_IOC_FSGETXATTR, &x), 0);
	CHECK_EQ(x.fsx_xflags, FS_XFLAG_NODUMP);
	x.fsx_xflags = 0;
	CHECK_EQ(ioctl(fd, FS_IOC_FSSETXATTR, &x), 0);
	CHECK_EQ(flags_of(fd), 0);
	CHECK_EQ(set_flags(fd, FS_COMPR_FL), EOPNOTSUPP);
	FAILS(EFAULT, ioctl, fd, FS_IOC_GETFLAGS, 8);
	CHECK_EQ(set_flags(fd, FS_APPEND_FL), 0);
	CHECK_ERRNO(open("file", O_WRONLY), EPERM);
	CHECK_ERRNO(unlink("file"), EPERM);
	CHECK_EQ(set_flags(fd, FS_IMMUTABLE_FL), 0);
	CHECK_ERRNO(open("file", O_WRONLY | O_APPEND), EPERM);
	CHECK_ERRNO(link("file", "second"), EPERM);
	CHECK_ERRNO(chmod("file", 0600), EPERM);
	CHECK_ERRNO(rename("file", "second"), EPERM);
	CHECK_EQ(set_flags(fd, 0), 0);
	CHECK_EQ(stat("file", &s), 0);
	/* A directory hands on what is only kept. */
	CHECK_EQ(set_flags(dir, FS_NODUMP_FL), 0);
	close(made = open("made", O_CREAT | O_RDWR, 0600));
	made = open("made", O_RDONLY);
	CHECK_EQ(flags_of(made), FS_NODUMP_FL);
	CHECK_EQ(set_flags(dir, 0), 0);
	unlink("made");
	FAILS(ENOTTY, ioctl, open("/proc/self/status", O_RDONLY), FS_IOC_GETFLAGS, P(&value));
}

static void as_stranger(void)
{
	int fd = open("file", O_RDONLY), own = open("own", O_CREAT | O_RDWR, 0600);

	CHECK_EQ(flags_of(fd), 0);
	CHECK_EQ(set_flags(fd, FS_NODUMP_FL), EPERM);
	CHECK_EQ(set_flags(own, FS_NODUMP_FL), 0);
	CHECK_EQ(set_flags(own, FS_IMMUTABLE_FL), EPERM);
	CHECK_EQ(set_flags(own, FS_APPEND_FL), EPERM);
	unlink("own");
}

static void extents(void)
{
	int fd = open("file", O_RDWR), other = own_file("other", ""), pipes[2];
	struct fiemap map = { .fm_length = 4096 };

	FAILS(EOPNOTSUPP, ioctl, fd, FS_IOC_FIEMAP, P(&map));
	FAILS(EOPNOTSUPP, ioctl, other, FICLONE, fd);
	FAILS(EBADF, ioctl, other, FICLONE, 999);
	FAILS(EXDEV, ioctl, other, FICLONE, open("/proc/self/status", O_RDONLY));
	if (pipe(pipes))
		exit(2);
	FAILS(EXDEV, ioctl, other, FICLONE, pipes[0]);
	unlink("other");
}

static void hints(void)
{
	int fd = open("file", O_RDWR);
	uint64_t hint = 77;

	CHECK_EQ(fcntl(fd, F_GET_RW_HINT, &hint), 0);
	CHECK_EQ(hint, 0);
	hint = 3;
	CHECK_EQ(fcntl(fd, F_SET_RW_HINT, &hint), 0);
	hint = 0;
	CHECK_EQ(fcntl(open("file", O_RDONLY), F_GET_RW_HINT, &hint), 0);
	CHECK_EQ(hint, 3);
	hint = 6;
	CHECK_ERRNO(fcntl(fd, F_SET_RW_HINT, &hint), EINVAL);
	FAILS(EFAULT, fcntl, fd, F_GET_RW_HINT, 8);
	/* Mandatory locks are asked for without effect. */
	CHECK_EQ(flock(fd, 32 | 64), 0);
	CHECK_EQ(flock(open("file", O_RDONLY), LOCK_EX | LOCK_NB), 0);
}

int main(void)
{
	own_tmpfs_directory("inode_flags");
	close(own_file("file", "contents"));
	if (geteuid() == 0)
		flags();
	as_user(as_stranger);
	extents();
	hints();
	unlink("file");
	proof_remove();
	return test_done();
}
