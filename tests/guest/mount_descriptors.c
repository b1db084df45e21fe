/* Mounts as descriptors: a file system made step by step, attached, cloned, moved, changed; what was never attached goes with its descriptor. */
// libc: gcc
// calls: fsopen fsconfig fsmount fspick open_tree move_mount mount_setattr
#include "include/proof.h"

#include <linux/mount.h>
#include <sys/statfs.h>

#define MNT_DETACH 2

static int configure(int fd, unsigned int command, const char *key, const void *value)
{
	return (int)syscall(SYS_fsconfig, fd, command, key, value, 0);
}

/* A mount of tmpfs with these options that stands nowhere. */
static int new_mount(const char *size, unsigned int attributes)
{
	int fd = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), mount;

	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(configure(fd, FSCONFIG_SET_STRING, "size", size), 0);
	CHECK_EQ(configure(fd, FSCONFIG_SET_STRING, "source", "here"), 0);
	CHECK_EQ(configure(fd, FSCONFIG_SET_FLAG, "rw", NULL), 0);
	CHECK_EQ(configure(fd, FSCONFIG_CMD_CREATE, NULL, NULL), 0);
	mount = (int)syscall(SYS_fsmount, fd, 0, attributes);
	CHECK(mount >= 0);
	CHECK_EQ(fcntl(mount, F_GETFL) & O_PATH, O_PATH);
	close(fd);
	return mount;
}

static int attach(int fd, const char *where)
{
	return (int)syscall(SYS_move_mount, fd, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH);
}

static unsigned long flags_of(const char *name)
{
	struct statfs fs;

	return statfs(name, &fs) ? ~0ul : (unsigned long)fs.f_flags;
}

static long type_of(const char *name)
{
	struct statfs fs;

	return statfs(name, &fs) ? -1 : (long)fs.f_type;
}

static long blocks_of(const char *name)
{
	struct statfs fs;

	return statfs(name, &fs) ? -1 : (long)(fs.f_blocks * (unsigned long)fs.f_bsize);
}

/* Is there a line of /proc/self/mountinfo with the text? */
static int listed(const char *text)
{
	static char buf[65536];
	int fd = open("/proc/self/mountinfo", O_RDONLY);
	long n = 0, got;

	while (n < (long)sizeof(buf) - 1 && (got = read(fd, buf + n, sizeof(buf) - 1 - (size_t)n)) > 0)
		n += got;
	close(fd);
	buf[n] = 0;
	return strstr(buf, text) != NULL;
}

static void made(void)
{
	int m = new_mount("65536", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME), fd;

	/* It is used before it stands anywhere. */
	fd = openat(m, "f", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "abc", 3), 3);
	close(fd);
	CHECK_EQ(listed("here"), 0);
	CHECK_EQ(attach(m, "a"), 0);
	CHECK_EQ(access("a/f", R_OK), 0);
	CHECK_EQ(listed("/a rw,nosuid,noexec,noatime"), 1);
	CHECK_EQ(listed("tmpfs here rw"), 1);
	CHECK_EQ(blocks_of("a"), 65536);
	CHECK_EQ(flags_of("a") & (2ul | 8ul), 2ul | 8ul);
	/* The descriptor names it; without it, it can be unmounted. */
	CHECK_ERRNO(syscall(SYS_umount2, "a", 0), EBUSY);
	close(m);
	CHECK_EQ(access("a/f", R_OK), 0);
	/* Moved by name. */
	GIVES(0, move_mount, AT_FDCWD, "a", AT_FDCWD, "b", 0);
	CHECK_ERRNO(access("a/f", R_OK), ENOENT);
	CHECK_EQ(access("b/f", R_OK), 0);
	GIVES(0, umount2, "b", 0);
	CHECK_EQ(listed("tmpfs here rw"), 0);
}

/* What is not attached goes with the last descriptor, and what is open in it stays as long as it is open. */
static void dropped(void)
{
	char text[4] = "";
	int m, copy, fd;

	for (int i = 0; i < 50; i++) {
		m = (int)syscall(SYS_fsopen, "proc", 0);
		if (configure(m, FSCONFIG_SET_FLAG, "ro", NULL) || configure(m, FSCONFIG_CMD_CREATE, NULL, NULL))
			break;
		copy = (int)syscall(SYS_fsmount, m, 0, 0);
		fd = openat(copy, "uptime", O_RDONLY);
		if (fd < 0)
			break;
		close(fd);
		close(copy);
		close(m);
		if (i == 49)
			CHECK_EQ(i, 49);
	}
	m = new_mount("64k", 0);
	copy = dup(m);
	fd = openat(m, "f", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(write(fd, "abc", 3), 3);
	close(m);
	CHECK_EQ(faccessat(copy, "f", R_OK, 0), 0);
	close(copy);
	CHECK_EQ(pread(fd, text, 3, 0), 3);
	CHECK(!strcmp(text, "abc"));
	close(fd);
}

static void trees(void)
{
	int t, m = new_mount("64k", 0);

	CHECK_EQ(attach(m, "a"), 0);
	close(m);
	CHECK_EQ(mkdir("a/sub", 0755), 0);
	CHECK_EQ(mkdir("a/other", 0755), 0);
	m = new_mount("128k", 0);
	CHECK_EQ(attach(m, "a/sub"), 0);
	close(m);
	close(open("a/sub/deep", O_RDWR | O_CREAT, 0600));
	/* Names alone. */
	t = (int)syscall(SYS_open_tree, AT_FDCWD, "a", OPEN_TREE_CLOEXEC);
	CHECK(t >= 0);
	CHECK_EQ(fcntl(t, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(faccessat(t, "sub/deep", R_OK, 0), 0);
	close(t);
	CHECK_EQ(access("a/sub/deep", R_OK), 0);
	/* One mount. */
	t = (int)syscall(SYS_open_tree, AT_FDCWD, "a", OPEN_TREE_CLONE);
	CHECK(t >= 0);
	CHECK_EQ(faccessat(t, "sub", R_OK, 0), 0);
	CHECK_ERRNO(faccessat(t, "sub/deep", R_OK, 0), ENOENT);
	CHECK_EQ(attach(t, "b"), 0);
	close(t);
	CHECK_EQ(access("b/other", R_OK), 0);
	CHECK_ERRNO(access("b/sub/deep", R_OK), ENOENT);
	GIVES(0, umount2, "b", 0);
	/* All of them. */
	t = (int)syscall(SYS_open_tree, AT_FDCWD, "a", OPEN_TREE_CLONE | AT_RECURSIVE);
	CHECK(t >= 0);
	CHECK_EQ(faccessat(t, "sub/deep", R_OK, 0), 0);
	CHECK_EQ(attach(t, "b"), 0);
	close(t);
	CHECK_EQ(access("b/sub/deep", R_OK), 0);
	GIVES(0, umount2, "b/sub", 0);
	GIVES(0, umount2, "b", 0);
	/* A part. */
	t = (int)syscall(SYS_open_tree, AT_FDCWD, "a/other", OPEN_TREE_CLONE | AT_RECURSIVE);
	CHECK_EQ(faccessat(t, "../sub", R_OK, 0), -1);
	/* Never attached: the mounts that it was made of stay. */
	close(t);
	t = (int)syscall(SYS_open_tree, AT_FDCWD, "a", OPEN_TREE_CLONE | AT_RECURSIVE);
	close(t);
	CHECK_EQ(access("a/sub/deep", R_OK), 0);
	GIVES(0, umount2, "a/sub", 0);
	GIVES(0, umount2, "a", 0);
}

static void changed(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
	int m = new_mount("64k", 0), fd;

	CHECK_EQ(attach(m, "a"), 0);
	close(m);
	mkdir("a/sub", 0755);
	m = new_mount("64k", 0);
	CHECK_EQ(attach(m, "a/sub"), 0);
	close(m);
	fd = open("a/sub/f", O_RDWR | O_CREAT, 0600);
	/* A writer below: all or nothing. */
	FAILS(EBUSY, mount_setattr, AT_FDCWD, "a", AT_RECURSIVE, &attr, sizeof(attr));
	CHECK_EQ(mkdir("a/x", 0755), 0);
	GIVES(0, mount_setattr, AT_FDCWD, "a", 0, &attr, sizeof(attr));
	CHECK_ERRNO(mkdir("a/y", 0755), EROFS);
	CHECK_EQ(mkdir("a/sub/y", 0755), 0);
	close(fd);
	GIVES(0, mount_setattr, AT_FDCWD, "a", AT_RECURSIVE, &attr, sizeof(attr));
	CHECK_ERRNO(mkdir("a/sub/z", 0755), EROFS);
	CHECK_EQ(listed("/a ro,nodev,relatime"), 1);
	attr = (struct mount_attr){ .attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME, .attr_set = MOUNT_ATTR_NOATIME };
	GIVES(0, mount_setattr, AT_FDCWD, "a", AT_RECURSIVE, &attr, sizeof(attr));
	CHECK_EQ(listed("/a rw,nodev,noatime"), 1);
	CHECK_EQ(listed("/a/sub rw,nodev,noatime"), 1);
	CHECK_EQ(mkdir("a/sub/z", 0755), 0);
	attr = (struct mount_attr){ .propagation = 1 << 18 };
	GIVES(0, mount_setattr, AT_FDCWD, "a", AT_RECURSIVE, &attr, sizeof(attr));
	/* Nothing to do is done whatever the name is. */
	attr = (struct mount_attr){ 0 };
	GIVES(0, mount_setattr, AT_FDCWD, "none", 0, &attr, sizeof(attr));
	/* The file system, picked: one change after the other. */
	fd = (int)syscall(SYS_fspick, AT_FDCWD, "a", FSPICK_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(configure(fd, FSCONFIG_SET_STRING, "size", "128k"), 0);
	CHECK_EQ(configure(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL), 0);
	CHECK_EQ(blocks_of("a"), 131072);
	CHECK_EQ(configure(fd, FSCONFIG_SET_FLAG, "ro", NULL), 0);
	CHECK_EQ(configure(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL), 0);
	CHECK_ERRNO(mkdir("a/y", 0755), EROFS);
	CHECK_EQ(configure(fd, FSCONFIG_SET_FLAG, "rw", NULL), 0);
	CHECK_EQ(configure(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL), 0);
	CHECK_EQ(mkdir("a/y", 0755), 0);
	close(fd);
	GIVES(0, umount2, "a", MNT_DETACH);
}

/* What was wrong is told. */
static void told(void)
{
	char line[200] = "";
	int fd = (int)syscall(SYS_fsopen, "proc", 0);
	long n;

	CHECK_ERRNO(read(fd, line, sizeof(line)), ENODATA);
	CHECK_ERRNO(configure(fd, FSCONFIG_SET_STRING, "hidepid", "seven"), EINVAL);
	CHECK_ERRNO(read(fd, line, 1), EMSGSIZE);
	CHECK_ERRNO(configure(fd, FSCONFIG_SET_STRING, "nosuch", "1"), EINVAL);
	while ((n = read(fd, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		CHECK(!strncmp(line, "e proc: ", 8) && (strstr(line, "seven") || strstr(line, "nosuch")));
	}
	CHECK_ERRNO(read(fd, line, sizeof(line)), ENODATA);
	/* A refused option spoils nothing. */
	CHECK_EQ(configure(fd, FSCONFIG_SET_STRING, "hidepid", "invisible"), 0);
	CHECK_EQ(configure(fd, FSCONFIG_SET_STRING, "subset", "pid"), 0);
	CHECK_EQ(configure(fd, FSCONFIG_CMD_CREATE, NULL, NULL), 0);
	n = syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, 0);
	CHECK_EQ(fcntl((int)n, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(attach((int)n, "a"), 0);
	close((int)n);
	close(fd);
	CHECK_EQ(type_of("a"), 0x9fa0);
	CHECK_EQ(listed("hidepid=invisible,subset=pid"), 1);
	GIVES(0, umount2, "a", 0);
}

static void all(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		syscall(SYS_mount, "none", "/", NULL, 0x44000l, NULL);
	if (mkdir("a", 0755) || mkdir("b", 0755))
		exit(2);
	made();
	dropped();
	trees();
	changed();
	told();
	rmdir("a");
	rmdir("b");
}

int main(void)
{
	own_directory("mount_descriptors");
	if (geteuid() == 0)
		in_child(all);
	proof_remove();
	return test_done();
}
