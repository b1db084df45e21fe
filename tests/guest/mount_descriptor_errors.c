/* What the calls that know mounts as descriptors refuse. In a mount name space of its own where there is such a thing. */
// libc: gcc
// errors: fsopen fsconfig fsmount fspick open_tree move_mount mount_setattr
#include "include/proof.h"

#include <linux/mount.h>

#define CONFIG(expected, ...) FAILS(expected, fsconfig, __VA_ARGS__)

static void contexts(void)
{
	static char long_word[400];
	int fd, path = open(".", O_PATH), file = open("file", O_RDONLY);

	FAILS(EINVAL, fsopen, "proc", 2);
	FAILS(ENODEV, fsopen, "no such type", 0);
	FAILS(ENODEV, fsopen, "", 0);
	FAULTS(fsopen, 0, 0, 0, 0);
	fd = (int)syscall(SYS_fsopen, "proc", 0);
	CHECK(fd >= 0);
	memset(long_word, 'k', sizeof(long_word) - 1);
	/* Arguments that do not belong to the command. */
	CONFIG(EINVAL, -1, FSCONFIG_SET_FLAG, "ro", NULL, 0);
	CONFIG(EOPNOTSUPP, fd, 99, NULL, NULL, 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_FLAG, NULL, NULL, 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_FLAG, "ro", "x", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_FLAG, "ro", NULL, 1);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, NULL, "x", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "gid", NULL, 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "gid", "1", 1);
	CONFIG(EINVAL, fd, FSCONFIG_SET_BINARY, "gid", "1", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_BINARY, "gid", "1", (1 << 20) + 1);
	CONFIG(EINVAL, fd, FSCONFIG_SET_PATH, "gid", "/", -1);
	CONFIG(EINVAL, fd, FSCONFIG_SET_PATH, NULL, "/", AT_FDCWD);
	CONFIG(EINVAL, fd, FSCONFIG_SET_FD, "gid", "1", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_FD, "gid", NULL, -1);
	CONFIG(EINVAL, fd, FSCONFIG_CMD_CREATE, "x", NULL, 0);
	CONFIG(EINVAL, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 1);
	CONFIG(EINVAL, fd, FSCONFIG_CMD_RECONFIGURE, NULL, "x", 0);
	/* Kinds of options that the file system does not have, and options. */
	CONFIG(EINVAL, fd, FSCONFIG_SET_FLAG, "nosuch", NULL, 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_FLAG, "hidepid", NULL, 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "hidepid", "3", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "hidepid", "", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "hidepid", "1,gid=3", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "nosuch", "3", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "", "3", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "hidepid=1", "", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_BINARY, "hidepid", "\2\0\0", 4);
	CONFIG(EINVAL, fd, FSCONFIG_SET_PATH, "hidepid", "/", AT_FDCWD);
	CONFIG(EINVAL, fd, FSCONFIG_SET_PATH_EMPTY, "hidepid", "", path);
	CONFIG(EINVAL, fd, FSCONFIG_SET_FD, "hidepid", NULL, file);
	CONFIG(EBADF, fd, FSCONFIG_SET_FD, "hidepid", NULL, 999);
	CONFIG(ENOENT, fd, FSCONFIG_SET_PATH, "hidepid", "", AT_FDCWD);
	CONFIG(EINVAL, fd, FSCONFIG_SET_FLAG, long_word, NULL, 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "hidepid", long_word, 0);
	FAULTS(fsconfig, 2, 0, fd, FSCONFIG_SET_FLAG, 0, 0, 0);
	FAULTS(fsconfig, 3, 0, fd, FSCONFIG_SET_STRING, P("gid"), 0, 0);
	FAULTS(fsconfig, 3, 0, fd, FSCONFIG_SET_BINARY, P("gid"), 0, 1);
	FAULTS(fsconfig, 3, 0, fd, FSCONFIG_SET_PATH, P("gid"), 0, AT_FDCWD);
	close(fd);
	close(path);
	close(file);
}

static void steps(void)
{
	int fd = (int)syscall(SYS_fsopen, "proc", 0), path = open(".", O_PATH), file = open("file", O_RDONLY);

	/* Descriptors of something else. */
	CONFIG(EBADF, 999, FSCONFIG_SET_FLAG, "ro", NULL, 0);
	CONFIG(EBADF, path, FSCONFIG_SET_FLAG, "ro", NULL, 0);
	CONFIG(EINVAL, file, FSCONFIG_SET_FLAG, "ro", NULL, 0);
	/* One source. */
	GIVES(0, fsconfig, fd, FSCONFIG_SET_STRING, "source", "one", 0);
	CONFIG(EINVAL, fd, FSCONFIG_SET_STRING, "source", "two", 0);
	/* One step after the other. */
	CONFIG(EBUSY, fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
	FAILS(EINVAL, fsmount, fd, 0, 0);
	GIVES(0, fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	CONFIG(EBUSY, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	CONFIG(EBUSY, fd, FSCONFIG_SET_STRING, "gid", "1", 0);
	FAILS(EINVAL, fsmount, fd, 2, 0);
	FAILS(EINVAL, fsmount, fd, 0, 0x80000000);
	FAILS(EINVAL, fsmount, fd, 0, MOUNT_ATTR_IDMAP);
	FAILS(EINVAL, fsmount, fd, 0, MOUNT_ATTR__ATIME);
	FAILS(EBADF, fsmount, 999, 0, 0);
	FAILS(EINVAL, fsmount, file, 0, 0);
	path = (int)syscall(SYS_fsmount, fd, 0, 0);
	CHECK(path >= 0);
	FAILS(EBUSY, fsmount, fd, 0, 0);
	CONFIG(EBUSY, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	/* A mount that stands nowhere. */
	FAILS(ENOENT, move_mount, path, "", AT_FDCWD, "dir", 0);
	FAILS(EINVAL, move_mount, path, "self", AT_FDCWD, "dir", 0);
	FAILS(EINVAL, move_mount, path, "", AT_FDCWD, "file", MOVE_MOUNT_F_EMPTY_PATH);
	FAILS(ENOENT, move_mount, path, "", AT_FDCWD, "none", MOVE_MOUNT_F_EMPTY_PATH);
	FAILS(ENOENT, move_mount, path, "", AT_FDCWD, "", MOVE_MOUNT_F_EMPTY_PATH);
	close(path);
	close(fd);
	close(file);
}

static void trees(void)
{
	struct mount_attr attr[2] = { { .attr_set = MOUNT_ATTR_RDONLY } };
	struct mount_attr bad;

	FAILS(EINVAL, open_tree, AT_FDCWD, "dir", 0x2);
	FAILS(EINVAL, open_tree, AT_FDCWD, "dir", AT_RECURSIVE);
	FAILS(ENOENT, open_tree, AT_FDCWD, "none", 0);
	FAILS(ENOENT, open_tree, AT_FDCWD, "", OPEN_TREE_CLONE);
	FAILS(ENOTDIR, open_tree, AT_FDCWD, "file/below", 0);
	FAILS(ELOOP, open_tree, AT_FDCWD, "loop", OPEN_TREE_CLONE);
	FAILS(EBADF, open_tree, 999, "dir", 0);
	FAILS(ENAMETOOLONG, open_tree, AT_FDCWD, long_name, 0);
	FAULTS(open_tree, 1, 0, AT_FDCWD, 0, 0);

	FAILS(EINVAL, move_mount, AT_FDCWD, "dir", AT_FDCWD, "dir", 0x80000000);
	FAILS(EINVAL, move_mount, AT_FDCWD, "dir", AT_FDCWD, "closed", 0);
	FAILS(ENOENT, move_mount, AT_FDCWD, "none", AT_FDCWD, "dir", 0);
	FAILS(EBADF, move_mount, 999, "dir", AT_FDCWD, "dir", 0);
	FAULTS(move_mount, 1, 0, AT_FDCWD, 0, AT_FDCWD, P("dir"), 0);
	FAULTS(move_mount, 3, 0, AT_FDCWD, P("dir"), AT_FDCWD, 0, 0);
	GIVES(0, mount, "none", "dir", "tmpfs", 0l, NULL);
	mkdir("dir/sub", 0700);
	FAILS(ELOOP, move_mount, AT_FDCWD, "dir", AT_FDCWD, "dir/sub", 0);
	FAILS(EINVAL, move_mount, AT_FDCWD, "dir/sub", AT_FDCWD, "closed", 0);
	FAILS(EINVAL, move_mount, AT_FDCWD, "dir", AT_FDCWD, "file", 0);
	FAILS(EINVAL, move_mount, AT_FDCWD, "dir", AT_FDCWD, "closed", MOVE_MOUNT_SET_GROUP);

	FAILS(EINVAL, fspick, AT_FDCWD, "dir", 0x10);
	FAILS(EINVAL, fspick, AT_FDCWD, "dir/sub", 0);
	FAILS(ENOENT, fspick, AT_FDCWD, "none", 0);
	FAILS(EBADF, fspick, 999, "dir", 0);
	FAULTS(fspick, 1, 0, AT_FDCWD, 0, 0);

	FAILS(EINVAL, mount_setattr, AT_FDCWD, "dir", 0x2, attr, sizeof(*attr));
	FAILS(E2BIG, mount_setattr, AT_FDCWD, "dir", 0, attr, 4097l);
	FAILS(EINVAL, mount_setattr, AT_FDCWD, "dir", 0, attr, 31l);
	memset(&attr[1], 1, sizeof(attr[1]));
	FAILS(E2BIG, mount_setattr, AT_FDCWD, "dir", 0, attr, sizeof(attr));
	FAILS(EINVAL, mount_setattr, AT_FDCWD, "dir/sub", 0, attr, sizeof(*attr));
	FAILS(ENOENT, mount_setattr, AT_FDCWD, "none", 0, attr, sizeof(*attr));
	FAULTS(mount_setattr, 3, sizeof(*attr), AT_FDCWD, P("dir"), 0, 0, sizeof(*attr));
	FAULTS(mount_setattr, 1, 0, AT_FDCWD, 0, 0, P(attr), sizeof(*attr));
	bad = (struct mount_attr){ .attr_set = 1ull << 40 };
	FAILS(EINVAL, mount_setattr, AT_FDCWD, "dir", 0, &bad, sizeof(bad));
	bad = (struct mount_attr){ .attr_set = MOUNT_ATTR_NOATIME };
	FAILS(EINVAL, mount_setattr, AT_FDCWD, "dir", 0, &bad, sizeof(bad));
	bad = (struct mount_attr){ .attr_clr = MOUNT_ATTR_NOATIME };
	FAILS(EINVAL, mount_setattr, AT_FDCWD, "dir", 0, &bad, sizeof(bad));
	bad = (struct mount_attr){ .propagation = 1 };
	FAILS(EINVAL, mount_setattr, AT_FDCWD, "dir", 0, &bad, sizeof(bad));
	bad = (struct mount_attr){ .propagation = 3 << 18 };
	FAILS(EINVAL, mount_setattr, AT_FDCWD, "dir", 0, &bad, sizeof(bad));
	GIVES(0, umount2, "dir", 0);
}

static int made = -1;

static void unprivileged(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	FAILS(EPERM, fsopen, "proc", 0);
	FAILS(EPERM, fsmount, made, 0, 0);
	FAILS(EPERM, fspick, AT_FDCWD, "dir", 0);
	FAILS(EPERM, open_tree, AT_FDCWD, "dir", OPEN_TREE_CLONE);
	FAILS(EPERM, move_mount, AT_FDCWD, "dir", AT_FDCWD, "dir", 0);
	FAILS(EPERM, mount_setattr, AT_FDCWD, "dir", 0, &attr, sizeof(attr));
	/* A context that was passed on takes options, but makes nothing. */
	GIVES(0, fsconfig, made, FSCONFIG_SET_STRING, "hidepid", "1", 0);
	CONFIG(EPERM, made, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static void all(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		syscall(SYS_mount, "none", "/", NULL, 0x44000l, NULL);
	contexts();
	steps();
	trees();
	made = (int)syscall(SYS_fsopen, "proc", 0);
	as_user(unprivileged);
}

int main(void)
{
	own_directory("mount_descriptor_errors");
	own_names();
	if (geteuid() == 0)
		in_child(all);
	own_names_remove();
	return test_done();
}
