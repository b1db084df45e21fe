/* Making, reading, moving and removing names, relative to a directory's descriptor and not. */
// libc: gcc
// calls: creat mknod mkdirat mknodat symlinkat readlink readlinkat unlinkat renameat newfstatat faccessat faccessat2 fstatfs
#include "include/proof.h"

#include <sys/statfs.h>
#include <sys/sysmacros.h>

static struct stat st;
static int dir;

static void making(void)
{
	char buf[64] = "";
	int fd = syscall(SYS_creat, "old", 0666);

	CHECK(fd >= 0);
	GIVES(2, write, fd, "ab", 2l);
	FAILS(EBADF, read, fd, buf, 1l);
	close(fd);
	/* What is there already is cut off. */
	close(syscall(SYS_creat, "old", 0666));
	GIVES(0, stat, "old", &st);
	CHECK(st.st_size == 0 && (st.st_mode & 07777) == 0644);
	GIVES(0, mkdirat, dir, "sub", 0777);
	GIVES(0, newfstatat, dir, "sub", &st, 0);
	CHECK(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0755);
	GIVES(0, mknod, "regular", S_IFREG | 0600, 0);
	GIVES(0, mknodat, dir, "sub/fifo", S_IFIFO | 0622, 0);
	GIVES(0, newfstatat, dir, "sub/fifo", &st, 0);
	CHECK(S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0600);
	GIVES(0, mknodat, dir, "plain", 0600, 0);
	GIVES(0, newfstatat, dir, "plain", &st, 0);
	CHECK(S_ISREG(st.st_mode));
	if (geteuid() == 0 && mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0) {
		fd = open("null", O_RDWR);
		if (fd >= 0) {
			GIVES(5, write, fd, "bytes", 5l);
			GIVES(0, read, fd, buf, 5l);
			close(fd);
		}
		GIVES(0, stat, "null", &st);
		CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
		unlink("null");
	}
}

static void links(void)
{
	char buf[64] = "";

	GIVES(0, symlinkat, "sub/fifo", dir, "link");
	GIVES(8, readlinkat, dir, "link", buf, 64);
	CHECK(!strcmp(buf, "sub/fifo"));
	GIVES(3, readlink, "link", buf, 3);
	/* An open link is read by its descriptor. */
	int fd = open("link", O_PATH | O_NOFOLLOW);

	memset(buf, 0, sizeof(buf));
	GIVES(8, readlinkat, fd, "", buf, 64);
	CHECK(!strcmp(buf, "sub/fifo"));
	close(fd);
	GIVES(0, newfstatat, dir, "link", &st, AT_SYMLINK_NOFOLLOW);
	CHECK(S_ISLNK(st.st_mode) && st.st_size == 8);
	GIVES(0, newfstatat, dir, "link", &st, 0);
	CHECK(S_ISFIFO(st.st_mode));
	GIVES(0, newfstatat, dir, "", &st, AT_EMPTY_PATH);
	CHECK(S_ISDIR(st.st_mode));
}

static void looking(void)
{
	struct statfs a, b;

	GIVES(0, faccessat, dir, "sub", R_OK | X_OK);
	GIVES(0, faccessat2, dir, "link", F_OK, AT_SYMLINK_NOFOLLOW);
	GIVES(0, faccessat2, dir, "", F_OK, AT_EMPTY_PATH);
	GIVES(0, faccessat2, dir, "regular", R_OK, AT_EACCESS);
	GIVES(0, statfs, ".", &a);
	GIVES(0, fstatfs, dir, &b);
	CHECK(a.f_type == b.f_type && a.f_bsize == b.f_bsize && !memcmp(&a.f_fsid, &b.f_fsid, sizeof(a.f_fsid)));
}

/* access(2) asks for the real ids, faccessat2 with AT_EACCESS for the effective ones. */
static void real_ids(void)
{
	chmod("regular", 0600);
	if (setresuid(1000, 0, 0))
		exit(2);
	FAILS(EACCES, faccessat, AT_FDCWD, "regular", R_OK);
	GIVES(0, faccessat2, AT_FDCWD, "regular", R_OK, AT_EACCESS);
}

static void moving(void)
{
	int sub = open("sub", O_PATH);

	GIVES(0, renameat, dir, "regular", sub, "moved");
	FAILS(ENOENT, newfstatat, dir, "regular", &st, 0);
	GIVES(0, newfstatat, dir, "sub/moved", &st, 0);
	GIVES(0, renameat, sub, "moved", dir, "old");
	GIVES(0, unlinkat, dir, "old", 0);
	GIVES(0, unlinkat, sub, "fifo", 0);
	GIVES(0, unlinkat, dir, "sub", AT_REMOVEDIR);
	GIVES(0, unlinkat, dir, "link", 0);
	GIVES(0, unlinkat, AT_FDCWD, "plain", 0);
	close(sub);
}

int main(void)
{
	own_directory("names_at");
	dir = open(".", O_RDONLY);
	making();
	links();
	looking();
	if (geteuid() == 0)
		in_child(real_ids);
	moving();
	proof_remove();
	return test_done();
}
