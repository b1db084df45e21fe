/* Limits of kernel memory by user: pipes, watches of epoll, open files, sizes of file systems in memory, and their settings. */
// calls: pipe2 epoll_ctl
// errors: pipe2 epoll_ctl
// linux: no (changes settings of the whole machine)
#include "include/proof.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif

static long get(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return strtol(text, NULL, 10);
}

static int set(const char *path, long value)
{
	char text[32];
	int fd = open(path, O_WRONLY), n = snprintf(text, sizeof(text), "%ld\n", value);
	int ok = fd >= 0 && write(fd, text, (size_t)n) == n;

	close(fd);
	return ok;
}

#define SOFT "/proc/sys/fs/pipe-user-pages-soft"
#define HARD "/proc/sys/fs/pipe-user-pages-hard"
#define MOST "/proc/sys/fs/pipe-max-size"
#define WATCHES "/proc/sys/fs/epoll/max_user_watches"
#define FILES "/proc/sys/fs/file-max"

/* With a soft limit of 40 pages: two whole pipes, then small ones that do not grow. */
static void soft_pipes(void)
{
	int p[4][2];

	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pipe(p[i]), 0);
		CHECK_EQ(fcntl(p[i][0], F_GETPIPE_SZ), i < 2 ? 65536 : 8192);
	}
	CHECK_ERRNO(fcntl(p[3][0], F_SETPIPE_SZ, 65536), EPERM);
	CHECK_EQ(fcntl(p[0][0], F_SETPIPE_SZ, 4096), 4096);
	CHECK_EQ(fcntl(p[3][0], F_SETPIPE_SZ, 32768), 32768);
	CHECK_ERRNO(fcntl(p[3][0], F_SETPIPE_SZ, 1 << 21), EPERM);
}

static void hard_pipes(void)
{
	int p[2], i;

	for (i = 0; i < 40 && !pipe(p); i++)
		;
	CHECK(i == 2);
	CHECK_ERRNO(pipe(p), ENFILE);
}

static void watches(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(0), first = eventfd(0, 0);

	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, first, &event), 0);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, eventfd(0, 0), &event), 0);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, eventfd(0, 0), &event), ENOSPC);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, first, &event), 0);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, first, &event), 0);
}

static void files(void)
{
	FAILS(ENFILE, openat, AT_FDCWD, "/", O_RDONLY);
	CHECK_ERRNO(eventfd(0, 0), ENFILE);
}

static void settings(void)
{
	long soft = get(SOFT), most = get(MOST), count = get(WATCHES), limit = get(FILES);

	CHECK_EQ(soft, 16384);
	CHECK_EQ(get(HARD), 0);
	CHECK_EQ(most, 1048576);
	CHECK(count > 0 && limit >= 8192);
	CHECK(set(SOFT, 40));
	as_user(soft_pipes);
	CHECK(set(HARD, 40) && set(SOFT, 0));
	as_user(hard_pipes);
	CHECK(set(HARD, 0) && set(SOFT, soft));
	CHECK(set(MOST, 5000) && get(MOST) == 8192 && set(MOST, most));
	CHECK(!set(MOST, 0));
	CHECK(set(WATCHES, 2));
	as_user(watches);
	CHECK(set(WATCHES, count));
	CHECK(set(FILES, 2));
	as_user(files);
	CHECK(open("/", O_RDONLY) >= 0);
	CHECK(set(FILES, limit));
}

static void file_systems(void)
{
	char value[600] = "", name[32];
	struct statfs s, root;
	int i;

	CHECK_EQ(statfs("/", &root), 0);
	CHECK(root.f_blocks > 0 && root.f_files > 0 && root.f_bfree <= root.f_blocks);
	mkdir("m", 0755);
	if (mount("none", "m", "tmpfs", 0, NULL))
		return;
	CHECK_EQ(statfs("m", &s), 0);
	CHECK(s.f_blocks == root.f_blocks && s.f_files == root.f_files);
	CHECK_EQ(mount("none", "m", NULL, MS_REMOUNT, "size=64k,nr_inodes=10"), 0);
	CHECK_EQ(statfs("m", &s), 0);
	CHECK(s.f_blocks == 16 && s.f_files == 10 && s.f_ffree == 9);
	close(open("m/a", O_CREAT | O_RDWR, 0600));
	/* A name counts as an inode, attributes by their size. */
	CHECK_EQ(link("m/a", "m/b"), 0);
	statfs("m", &s);
	CHECK_EQ(s.f_ffree, 7);
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "user.%d", i);
		if (setxattr("m/a", name, value, sizeof(value), 0))
			break;
	}
	CHECK(i > 5 && i < 15 && errno == ENOSPC);
	CHECK_ERRNO(link("m/a", "m/c"), ENOSPC);
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "user.%d", i);
		removexattr("m/a", name);
	}
	CHECK_EQ(unlink("m/b"), 0);
	statfs("m", &s);
	CHECK_EQ(s.f_ffree, 8);
	umount("m");
	rmdir("m");
}

int main(void)
{
	if (geteuid() != 0)
		return test_done();
	own_directory("limits");
	settings();
	file_systems();
	return test_done();
}
