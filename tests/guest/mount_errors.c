/* What mounting, unmounting and changing the root refuse. In a mount name space of its own where there is such a thing. */
// libc: gcc
// errors: mount umount2 pivot_root
#include "include/proof.h"

#include <sys/mount.h>

static void names(void)
{
	FAILS(ENOENT, mount, "none", "none", "tmpfs", 0l, NULL);
	FAILS(ENOENT, mount, "none", "none/below", "tmpfs", 0l, NULL);
	FAILS(ENOTDIR, mount, "none", "file", "tmpfs", 0l, NULL);
	FAILS(ENOTDIR, mount, "none", "file/below", "tmpfs", 0l, NULL);
	FAILS(ELOOP, mount, "none", "loop", "tmpfs", 0l, NULL);
	FAILS(ENAMETOOLONG, mount, "none", long_name, "tmpfs", 0l, NULL);
	FAILS(ENODEV, mount, "none", "dir", "no such type", 0l, NULL);
	FAILS(EINVAL, mount, "none", "dir", NULL, 0l, NULL);
	FAILS(EINVAL, mount, "none", "dir", "tmpfs", 0l, "nosuchoption=1");
	FAILS(EINVAL, mount, "none", "dir", "tmpfs", 0l, "size=x");
	FAILS(EINVAL, mount, "none", "dir", NULL, MS_REMOUNT, NULL);
	FAILS(EINVAL, mount, NULL, "dir", NULL, MS_BIND, NULL);
	FAILS(ENOENT, mount, "none", "dir", NULL, MS_BIND, NULL);
	FAILS(ENOTDIR, mount, "file", "dir", NULL, MS_BIND, NULL);
	FAILS(ENOTDIR, mount, "dir", "file", NULL, MS_BIND, NULL);
	FAILS(EINVAL, mount, "dir", "dir", NULL, MS_MOVE, NULL);
	FAILS(EINVAL, mount, "none", "dir", NULL, MS_PRIVATE, NULL);
	FAILS(EINVAL, mount, "none", "dir", NULL, MS_PRIVATE | MS_SHARED, NULL);
	FAULTS(mount, 0, 0, 0, P("dir"), P("tmpfs"), 0, 0);
	FAULTS(mount, 1, 0, P("none"), 0, P("tmpfs"), 0, 0);
	FAULTS(mount, 2, 0, P("none"), P("dir"), 0, 0, 0);
	FAULTS(mount, 4, 0, P("none"), P("dir"), P("tmpfs"), 0, 0);
}

static void unmounts(void)
{
	int fd;

	FAILS(ENOENT, umount2, "none", 0);
	FAILS(EINVAL, umount2, "dir", 0);
	FAILS(EINVAL, umount2, "dir", 0x80);
	FAILS(EINVAL, umount2, "dir", MNT_EXPIRE | MNT_FORCE);
	FAILS(ENAMETOOLONG, umount2, long_name, 0);
	FAULTS(umount2, 0, 0, 0, 0);
	GIVES(0, mount, "none", "dir", "tmpfs", 0l, "size=1m");
	FAILS(EINVAL, umount2, "dir/.", 0x80);
	fd = open("dir/file", O_RDWR | O_CREAT, 0600);
	FAILS(EBUSY, umount2, "dir", 0);
	FAILS(EBUSY, mount, "none", "dir", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	close(fd);
	/* First marked, then gone. */
	FAILS(EAGAIN, umount2, "dir", MNT_EXPIRE);
	GIVES(0, umount2, "dir", MNT_EXPIRE);
	if (symlink("dir", "other"))
		exit(2);
	FAILS(EINVAL, umount2, "other", UMOUNT_NOFOLLOW);
	unlink("other");
}

static void roots(void)
{
	FAILS(ENOENT, pivot_root, "none", "dir");
	FAILS(ENOENT, pivot_root, "dir", "none");
	FAILS(ENOTDIR, pivot_root, "file", "dir");
	FAILS(ENOTDIR, pivot_root, "dir", "file");
	FAULTS(pivot_root, 0, 0, 0, P("dir"));
	FAULTS(pivot_root, 1, 0, P("dir"), 0);
	GIVES(0, mount, "none", "dir", "tmpfs", 0l, NULL);
	/* The new one is a mount. */
	mkdir("dir/sub", 0700);
	FAILS(EINVAL, pivot_root, "dir/sub", "dir/sub");
	FAILS(EBUSY, pivot_root, "/", "/");
	GIVES(0, umount2, "dir", 0);
}

static void unprivileged(void)
{
	FAILS(EPERM, mount, "none", "dir", "tmpfs", 0l, NULL);
	FAILS(EPERM, mount, "dir", "dir", NULL, MS_BIND, NULL);
	FAILS(EPERM, umount2, "dir", 0);
	FAILS(EPERM, pivot_root, "dir", "dir");
	FAILS(EPERM, chroot, "dir");
}

static void all(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		mount("none", "/", NULL, MS_PRIVATE | MS_REC, NULL);
	names();
	unmounts();
	roots();
	as_user(unprivileged);
}

int main(void)
{
	own_directory("mount_errors");
	own_names();
	if (geteuid() == 0)
		in_child(all);
	own_names_remove();
	return test_done();
}
