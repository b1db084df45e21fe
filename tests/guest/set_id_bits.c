/* When set-user-ID and set-group-ID bits go: a change of owner, even one of nothing, and contents that others change. */
// calls: fchownat
// errors: fchownat
#include "include/proof.h"

static int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

static void put(const char *path, int mode, int owner, int group)
{
	close(own_file(path, "contents"));
	if (chown(path, (uid_t)owner, (gid_t)group) || chmod(path, (mode_t)mode))
		exit(2);
}

static void owners(void)
{
	put("f", 06755, 0, 0);
	GIVES(0, fchownat, AT_FDCWD, "f", -1, -1, 0);
	CHECK_EQ(mode_of("f"), 0755);
	put("f", 06745, 0, 0);
	GIVES(0, fchownat, AT_FDCWD, "f", -1, -1, 0);
	CHECK_EQ(mode_of("f"), 02745);		/* root could set it again */
	put("f", 06755, 0, 0);
	GIVES(0, fchownat, AT_FDCWD, "f", 0, 0, 0);
	CHECK_EQ(mode_of("f"), 0755);
	chmod("d", 06755);
	GIVES(0, fchownat, AT_FDCWD, "d", -1, -1, 0);
	CHECK_EQ(mode_of("d"), 06755);
}

static void strangers(void)
{
	FAILS(EPERM, fchownat, AT_FDCWD, "s", -1, -1, 0);
	GIVES(0, fchownat, AT_FDCWD, "plain", -1, -1, 0);
	FAILS(EPERM, fchownat, AT_FDCWD, "plain", 1000, -1, 0);
}

static void my_own(void)
{
	GIVES(0, fchownat, AT_FDCWD, "mine", -1, -1, 0);
	CHECK_EQ(mode_of("mine"), 0745);	/* of a group that is not the owner's */
}

static void writes(void)
{
	int fd = open("s2", O_WRONLY);

	CHECK_EQ(write(fd, "y", 1), 1);
	close(fd);
	CHECK_EQ(truncate("s3", 1), 0);
}

int main(void)
{
	if (geteuid() != 0)
		return test_done();
	own_directory("setid");
	mkdir("d", 0755);
	owners();
	put("s", 04755, 0, 0);
	put("plain", 0666, 0, 0);
	put("mine", 06745, 1000, 77);
	put("s2", 02666, 0, 77);
	put("s3", 06666, 0, 77);
	as_user(strangers);
	CHECK_EQ(mode_of("s"), 04755);
	as_user(my_own);
	as_user(writes);
	CHECK_EQ(mode_of("s2"), 0666);
	CHECK_EQ(mode_of("s3"), 0666);
	put("s2", 06666, 0, 77);
	writes();
	CHECK_EQ(mode_of("s2"), 06666);
	for (const char *const *p = (const char *const[]){ "f", "s", "plain", "mine", "s2", "s3", NULL };
	     *p; p++)
		unlink(*p);
	rmdir("d");
	return test_done();
}
