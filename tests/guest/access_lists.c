/* POSIX access control lists of tmpfs: what they must look like, whom they let in, what chmod makes of them, what is inherited. */
// calls: setxattr getxattr removexattr listxattr
// errors: setxattr getxattr
#include "include/proof.h"

#include <stdint.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define NONE UINT32_MAX

struct list {
	uint32_t version;
	struct { uint16_t tag, perm; uint32_t id; } e[8];
};

static struct list l;
static int n;

static void begin(int user) { l.version = 2; n = 0; l.e[n].tag = 1; l.e[n].perm = user; l.e[n++].id = NONE; }
static void add(int tag, int perm, uint32_t id) { l.e[n].tag = tag; l.e[n].perm = perm; l.e[n++].id = id; }
static size_t bytes(void) { return 4 + 8 * n; }
static int set(const char *name, const char *what) { return setxattr(name, what, &l, bytes(), 0) ? errno : 0; }

/* Owner, user 1000, group, mask, others. */
static void usual(int user, int group, int mask, int others)
{
	begin(6);
	add(2, user, 1000);
	add(4, group, NONE);
	add(0x10, mask, NONE);
	add(0x20, others, NONE);
}

static int mode(const char *name)
{
	struct stat s;

	return lstat(name, &s) ? -1 : (int)(s.st_mode & 07777);
}

static int entry(const char *name, const char *what, int tag)
{
	struct list got;
	long size = getxattr(name, what, &got, sizeof(got));

	for (int i = 0; size >= 4 && i < (size - 4) / 8; i++)
		if (got.e[i].tag == tag)
			return got.e[i].perm;
	return -1;
}

static void forms(void)
{
	struct list got;
	char names[100];

	CHECK_ERRNO(getxattr("file", ACCESS, NULL, 0), ENODATA);
	usual(4, 0, 4, 0);
	CHECK_EQ(set("file", ACCESS), 0);
	CHECK_EQ(mode("file"), 0640);
	CHECK_EQ(getxattr("file", ACCESS, NULL, 0), 44);
	CHECK_EQ(getxattr("file", ACCESS, &got, sizeof(got)), 44);
	CHECK(!memcmp(&got, &l, 44));
	CHECK_ERRNO(getxattr("file", ACCESS, &got, 43), ERANGE);
	CHECK_EQ(listxattr("file", names, sizeof(names)), sizeof(ACCESS));
	CHECK(!strcmp(names, ACCESS));
	CHECK_ERRNO(listxattr("file", names, sizeof(ACCESS) - 1), ERANGE);
	/* A list of three says what the mode says. */
	begin(7);
	add(4, 5, NONE);
	add(0x20, 1, NONE);
	CHECK_EQ(set("file", ACCESS), 0);
	CHECK_EQ(mode("file"), 0751);
	CHECK_ERRNO(getxattr("file", ACCESS, NULL, 0), ENODATA);
	usual(7, 5, 1, 0);
	CHECK_EQ(set("file", ACCESS), 0);
	CHECK_EQ(mode("file"), 0610);
	CHECK_EQ(removexattr("file", ACCESS), 0);
	CHECK_EQ(removexattr("file", ACCESS), 0);
	CHECK_EQ(mode("file"), 0610);
	begin(6);			/* a named user without a mask */
	add(2, 4, 1000);
	add(4, 0, NONE);
	add(0x20, 0, NONE);
	CHECK_EQ(set("file", ACCESS), EINVAL);
	usual(8, 0, 0, 0);
	CHECK_EQ(set("file", ACCESS), EINVAL);
	usual(4, 0, 0, 0);
	n--;
	CHECK_EQ(set("file", ACCESS), EINVAL);
	usual(4, 0, 0, 0);
	l.version = 1;
	CHECK_EQ(set("file", ACCESS), EOPNOTSUPP);
	usual(4, 0, 0, 0);
	CHECK_ERRNO(setxattr("file", ACCESS, &l, bytes() - 1, 0), EINVAL);
	CHECK_ERRNO(setxattr("file", ACCESS, &l, 3, 0), EINVAL);
	l.e[1].id = NONE;
	CHECK_EQ(set("file", ACCESS), EINVAL);
	usual(4, 0, 0, 0);
	CHECK_EQ(set("file", DEFAULT), EACCES);
	CHECK_EQ(lsetxattr("link", ACCESS, &l, bytes(), 0) ? errno : 0, EOPNOTSUPP);
	CHECK_EQ(setxattr("/proc/self/status", ACCESS, &l, bytes(), 0) ? errno : 0, EOPNOTSUPP);
}

static void stranger(void)
{
	gid_t groups[] = { 2000 };

	if (setgroups(1, groups) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		exit(2);
	CHECK_EQ(open("file", O_RDONLY) >= 0, 1);
	CHECK_ERRNO(open("file", O_WRONLY), EACCES);
	CHECK_EQ(access("file", R_OK), 0);
	CHECK_ERRNO(access("file", X_OK), EACCES);
	usual(7, 7, 7, 7);
	CHECK_EQ(set("file", ACCESS), EPERM);
	CHECK_ERRNO(open("group", O_RDONLY), EACCES);
	CHECK_EQ(open("group", O_WRONLY) >= 0, 1);
	CHECK_ERRNO(open("dir/file", O_RDONLY), EACCES);
	CHECK_EQ(open("dir2/file", O_RDONLY) >= 0, 1);
}

static void permissions(void)
{
	chmod("file", 0600);
	usual(7, 0, 4, 0);
	CHECK_EQ(set("file", ACCESS), 0);
	/* A group that lets in what another refuses; others count for those without a group alone. */
	close(own_file("group", ""));
	begin(6);
	add(4, 0, NONE);
	add(8, 2, 2000);
	add(8, 1, 1000);
	add(0x10, 7, NONE);
	add(0x20, 4, NONE);
	CHECK_EQ(set("group", ACCESS), 0);
	/* Whom a directory keeps out though its mode lets everybody in. */
	mkdir("dir", 0755);
	close(own_file("dir/file", ""));
	usual(4, 7, 7, 7);
	l.e[0].perm = 7;
	CHECK_EQ(set("dir", ACCESS), 0);
	CHECK_EQ(mode("dir"), 0777);
	mkdir("dir2", 0700);
	close(own_file("dir2/file", ""));
	usual(1, 0, 1, 0);
	CHECK_EQ(set("dir2", ACCESS), 0);
	if (geteuid() == 0)
		in_child(stranger);
	unlink("dir/file");
	unlink("dir2/file");
	rmdir("dir");
	rmdir("dir2");
	unlink("group");
}

static void changes(void)
{
	usual(7, 5, 7, 4);
	CHECK_EQ(set("file", ACCESS), 0);
	CHECK_EQ(mode("file"), 0674);
	CHECK_EQ(chmod("file", 0751), 0);
	CHECK_EQ(mode("file"), 0751);
	CHECK_EQ(entry("file", ACCESS, 1), 7);
	CHECK_EQ(entry("file", ACCESS, 2), 7);
	CHECK_EQ(entry("file", ACCESS, 4), 5);
	CHECK_EQ(entry("file", ACCESS, 0x10), 5);
	CHECK_EQ(entry("file", ACCESS, 0x20), 1);
}

static void inheritance(void)
{
	mkdir("dir", 0755);
	umask(077);
	usual(6, 4, 6, 4);
	l.e[0].perm = 7;
	CHECK_EQ(set("dir", DEFAULT), 0);
	CHECK_EQ(mode("dir"), 0755);
	close(open("dir/file", O_CREAT | O_WRONLY, 0644));
	CHECK_EQ(mode("dir/file"), 0644);
	CHECK_EQ(entry("dir/file", ACCESS, 2), 6);
	CHECK_EQ(entry("dir/file", ACCESS, 0x10), 4);
	CHECK_EQ(entry("dir/file", DEFAULT, 2), -1);
	mkdir("dir/sub", 0777);
	CHECK_EQ(mode("dir/sub"), 0764);
	CHECK_EQ(entry("dir/sub", ACCESS, 0x10), 6);
	CHECK_EQ(entry("dir/sub", DEFAULT, 0x10), 6);
	mkfifo("dir/sub/fifo", 0666);
	CHECK_EQ(mode("dir/sub/fifo"), 0664);
	if (symlink("x", "dir/link"))
		exit(2);
	CHECK_EQ(mode("dir/link"), 0777);
	CHECK_EQ(removexattr("dir", DEFAULT), 0);
	close(open("dir/other", O_CREAT | O_WRONLY, 0644));
	CHECK_EQ(mode("dir/other"), 0600);
	/* One that says only what a mode says replaces the umask, and leaves no list. */
	begin(7);
	add(4, 5, NONE);
	add(0x20, 5, NONE);
	CHECK_EQ(set("dir", DEFAULT), 0);
	close(open("dir/third", O_CREAT | O_WRONLY, 0666));
	CHECK_EQ(mode("dir/third"), 0644);
	CHECK_ERRNO(getxattr("dir/third", ACCESS, NULL, 0), ENODATA);
	umask(022);
	unlink("dir/sub/fifo");
	rmdir("dir/sub");
	unlink("dir/file");
	unlink("dir/link");
	unlink("dir/other");
	unlink("dir/third");
	rmdir("dir");
}

int main(void)
{
	own_tmpfs_directory("access_lists");
	close(own_file("file", "contents"));
	if (symlink("file", "link"))
		return 2;
	forms();
	permissions();
	changes();
	inheritance();
	unlink("file");
	unlink("link");
	proof_remove();
	return test_done();
}
