/* pivot_root: the old root goes below the new one, and whoever stood in the old root stands in the new. */
// libc: gcc
// calls: pivot_root chroot mount umount2
#include "include/proof.h"

#include <sys/mount.h>

static void moved(void)
{
	char cwd[200];
	struct stat st;

	if (unshare(CLONE_NEWNS) == 0)
		mount("none", "/", NULL, MS_PRIVATE | MS_REC, NULL);
	mkdir("old", 0700);
	GIVES(0, mount, "none", "old", "tmpfs", 0l, NULL);
	mkdir("old/new", 0700);
	GIVES(0, mount, "none", "old/new", "tmpfs", 0l, NULL);
	mkdir("old/new/put", 0700);
	close(own_file("old/mark", "old"));
	close(own_file("old/new/mark", "newer"));
	GIVES(0, chroot, "old");
	GIVES(0, chdir, "/");
	GIVES(0, stat, "/mark", &st);
	CHECK_EQ(st.st_size, 3);
	GIVES(0, pivot_root, "/new", "/new/put");
	GIVES(0, stat, "/mark", &st);
	CHECK_EQ(st.st_size, 5);
	GIVES(0, stat, "/put/mark", &st);
	CHECK_EQ(st.st_size, 3);
	GIVES(2, getcwd, cwd, sizeof(cwd));
	CHECK(!strcmp(cwd, "/"));
	GIVES(0, stat, "mark", &st);
	CHECK_EQ(st.st_size, 5);
	/* The old root can be given up now. */
	GIVES(0, umount2, "/put", MNT_DETACH);
	FAILS(ENOENT, stat, "/put/mark", &st);
}

int main(void)
{
	own_directory("pivot_root");
	if (geteuid() == 0)
		in_child(moved);
	umount2("old", MNT_DETACH);
	rmdir("old");
	proof_remove();
	return test_done();
}
