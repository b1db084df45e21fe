/* In directories that all may write to: links that others made, files that others put there; names for files of others anywhere. */
// errors: linkat open
#include "include/proof.h"

#include <sys/utsname.h>

/* A build machine's settings are not for tests to change. */
static int own_machine(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.release, "mortise");
}

static const char *const switches[] = {
	"protected_symlinks", "protected_hardlinks", "protected_fifos", "protected_regular",
};

static void set(int which, const char *value)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/%s", switches[which]);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, 1) != 1)
		exit(2);
	close(fd);
}

static char get(int which)
{
	char path[80], c = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/%s", switches[which]);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, &c, 1) != 1)
		return 0;
	close(fd);
	return c;
}

static int refuse;		/* the errno that is expected, or 0 */

static void links_names(void)
{
	char name[40];

	snprintf(name, sizeof(name), "hard%d", refuse);
	if (refuse) {
		FAILS(EPERM, linkat, AT_FDCWD, "others", AT_FDCWD, name, 0);
		FAILS(EPERM, linkat, AT_FDCWD, "setid", AT_FDCWD, name, 0);
		FAILS(EPERM, linkat, AT_FDCWD, "pipe", AT_FDCWD, name, 0);
		FAILS(EEXIST, linkat, AT_FDCWD, "others", AT_FDCWD, "setid", 0);
	} else {
		GIVES(0, linkat, AT_FDCWD, "others", AT_FDCWD, name, 0);
		unlink(name);
	}
	/* What one may read and write may have a second name. */
	GIVES(0, linkat, AT_FDCWD, "open", AT_FDCWD, name, 0);
	unlink(name);
	close(open("mine", O_CREAT | O_WRONLY | O_EXCL, 0600));
	GIVES(0, linkat, AT_FDCWD, "mine", AT_FDCWD, name, 0);
	unlink(name);
	unlink("mine");
}

static void opened(const char *path, int flags, int expected)
{
	int fd;

	errno = 0;
	fd = open(path, flags | O_NONBLOCK, 0600);
	test_result(expected ? fd < 0 && errno == expected : fd >= 0, path, __FILE__, __LINE__, fd);
	if (fd >= 0)
		close(fd);
}

static void follow_links(void)
{
	struct stat st;

	/* The user's own, and the directory owner's. */
	opened("sticky/my_link", O_RDONLY, geteuid() == 1000 ? 0 : refuse);
	opened("sticky/root_link", O_RDONLY, 0);
	opened("plain/strange_link", O_RDONLY, 0);
	opened("sticky/strange_link", O_RDONLY, refuse);
	opened("sticky/strange_link", O_CREAT | O_RDWR, refuse);
	opened("to_strange_link", O_RDONLY, refuse);
	/* Only the last of a name counts, and only if it is followed. */
	opened("sticky/strange_dir/file", O_RDONLY, 0);
	opened("sticky/strange_dir/", O_RDONLY, refuse);
	CHECK_EQ(lstat("sticky/strange_link", &st), 0);
	CHECK_EQ(stat("sticky/strange_link", &st), refuse ? -1 : 0);
}

static void reuse_files(void)
{
	opened("sticky/file", O_CREAT | O_RDWR, refuse);
	opened("sticky/fifo", O_CREAT | O_RDWR, refuse);
	opened("group/file", O_CREAT | O_RDWR, refuse);
	opened("group/fifo", O_CREAT | O_RDWR, 0);
	opened("sticky/file", O_RDWR, 0);
	opened("sticky/rootfile", O_CREAT | O_RDWR, 0);
	opened("plain/file", O_CREAT | O_RDWR, 0);
	opened("sticky/file", O_CREAT | O_EXCL | O_RDWR, EEXIST);
}

static void put(const char *path, int mode, int owner)
{
	int fd = open(path, O_CREAT | O_RDWR, 0600);

	if (fd < 0 || fchown(fd, (uid_t)owner, (gid_t)owner) || fchmod(fd, (mode_t)mode))
		exit(2);
	close(fd);
}

static void put_fifo(const char *path, int owner)
{
	if (mkfifo(path, 0600) || chown(path, (uid_t)owner, (gid_t)owner) || chmod(path, 0666))
		exit(2);
}

static void put_link(const char *path, const char *text, int owner)
{
	if (symlink(text, path) || lchown(path, (uid_t)owner, (gid_t)owner))
		exit(2);
}

static void put_dir(const char *path, int mode)
{
	if (mkdir(path, 0777) || chmod(path, (mode_t)mode))
		exit(2);
}

static void furnish(void)
{
	put_dir("sticky", 01777);
	put_dir("group", 01770 | 07);
	chmod("group", 01775);
	put_dir("plain", 0777);
	put("others", 0644, 0);
	put("setid", 04777, 0);
	put("open", 0666, 0);
	put_fifo("pipe", 0);
	put("sticky/file", 0666, 2000);
	put("sticky/rootfile", 0666, 0);
	put("plain/file", 0666, 2000);
	put("group/file", 0666, 2000);
	put_fifo("sticky/fifo", 2000);
	put_fifo("group/fifo", 2000);
	put_link("sticky/my_link", "../open", 1000);
	put_link("sticky/root_link", "../open", 0);
	put_link("sticky/strange_link", "../open", 2000);
	put_link("sticky/strange_dir", "../plain", 2000);
	put_link("plain/strange_link", "../open", 2000);
	put_link("to_strange_link", "sticky/strange_link", 1000);
}

static void clean(void)
{
	if (system("rm -rf sticky group plain others setid open pipe to_strange_link"))
		exit(2);
}

int main(void)
{
	char before[4];

	if (geteuid() != 0 || !own_machine() || access("/proc/sys/fs/protected_symlinks", W_OK))
		return test_done();
	own_directory("protected");
	for (int i = 0; i < 4; i++)
		before[i] = get(i);
	for (int i = 0; i < 4; i++)
		CHECK(before[i] >= '1');
	for (int on = 1; on >= 0; on--) {
		furnish();
		set(0, on ? "1" : "0");
		set(1, on ? "1" : "0");
		set(2, on ? "1" : "0");
		set(3, on ? "2" : "0");
		refuse = on ? EPERM : 0;
		as_user(links_names);
		refuse = on ? EACCES : 0;
		as_user(follow_links);
		as_user(reuse_files);
		/* Root falls over them as well. */
		follow_links();
		clean();
	}
	for (int i = 0; i < 4; i++)
		set(i, before + i);
	return test_done();
}
