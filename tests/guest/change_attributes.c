/* Modes, owners and times, by name, by descriptor and relative to a directory; what else they change. */
// libc: gcc
// calls: fchmod fchmodat fchown lchown fchownat utime utimes futimesat
#include "include/proof.h"

#include <sys/time.h>
#include <utime.h>

static struct stat st;
static int dir, fd;

static int mode(void)
{
	stat("file", &st);
	return st.st_mode & 07777;
}

static void modes(void)
{
	GIVES(0, fchmod, fd, 06711);
	CHECK_EQ(mode(), 06711);
	GIVES(0, fchmodat, dir, "file", 0640);
	CHECK_EQ(mode(), 0640);
	/* Only the bits of a mode count, and a link is followed. */
	GIVES(0, fchmodat, dir, "link", 0177600 | 055);
	CHECK_EQ(mode(), 07655);
	GIVES(0, fchmod, dir, 01777);
	/* Links of others are not followed in such a directory. */
	GIVES(0, fchmod, dir, 0755);
}

static void owners(void)
{
	struct stat link;

	GIVES(0, fchmod, fd, 06755);
	GIVES(0, fchown, fd, 5, 6);
	CHECK_EQ(mode(), 0755);				/* nobody's set-id bits outlive a change of owner */
	CHECK(st.st_uid == 5 && st.st_gid == 6);
	GIVES(0, fchown, fd, -1, 7);
	CHECK(mode() && st.st_uid == 5 && st.st_gid == 7);
	GIVES(0, lchown, "link", 8, 9);
	lstat("link", &link);
	CHECK(mode() && st.st_uid == 5 && link.st_uid == 8 && link.st_gid == 9);
	GIVES(0, fchownat, dir, "link", 10, -1, 0);
	CHECK(mode() && st.st_uid == 10 && st.st_gid == 7);
	GIVES(0, fchownat, dir, "link", 11, -1, AT_SYMLINK_NOFOLLOW);
	lstat("link", &link);
	CHECK(mode() && st.st_uid == 10 && link.st_uid == 11);
	GIVES(0, fchownat, fd, "", 12, 13, AT_EMPTY_PATH);
	CHECK(mode() && st.st_uid == 12 && st.st_gid == 13);
	/* Set-group-id without the right to execute marks a lock and stays. */
	GIVES(0, fchmod, fd, 02644);
	GIVES(0, fchown, fd, 14, 14);
	CHECK_EQ(mode(), 02644);
}

static void times(void)
{
	struct timeval v[2] = { { 10, 20 }, { 30, 40 } };
	struct utimbuf u = { 50, 60 };
	time_t changed;

	GIVES(0, utimes, "file", v);
	mode();
	CHECK(st.st_atim.tv_sec == 10 && st.st_atim.tv_nsec == 20000 && st.st_mtim.tv_sec == 30 && st.st_mtim.tv_nsec == 40000);
	changed = st.st_ctim.tv_sec;
	CHECK(changed > 1000);
	GIVES(0, utime, "file", &u);
	mode();
	CHECK(st.st_atim.tv_sec == 50 && st.st_mtim.tv_sec == 60 && st.st_mtim.tv_nsec == 0);
	v[0].tv_sec = 70;
	GIVES(0, futimesat, dir, "link", v);
	mode();
	CHECK(st.st_atim.tv_sec == 70 && st.st_mtim.tv_sec == 30);
	v[0].tv_sec = 80;
	GIVES(0, futimesat, fd, NULL, v);
	mode();
	CHECK(st.st_atim.tv_sec == 80);
	/* Without times it is now. */
	GIVES(0, utime, "file", NULL);
	mode();
	CHECK(st.st_mtim.tv_sec >= changed && st.st_atim.tv_sec == st.st_mtim.tv_sec);
	v[0].tv_sec = v[1].tv_sec = -5;
	GIVES(0, utimes, "file", v);
	mode();
	CHECK(st.st_mtim.tv_sec == -5 || st.st_mtim.tv_sec == 0);
	GIVES(0, utimes, "file", NULL);
	mode();
	CHECK(st.st_mtim.tv_sec >= changed);
}

int main(void)
{
	own_directory("change_attributes");
	fd = own_file("file", "x");
	dir = open(".", O_RDONLY);
	if (symlink("file", "link"))
		return 2;
	modes();
	if (geteuid() == 0)
		owners();
	times();
	unlink("file");
	unlink("link");
	proof_remove();
	return test_done();
}
