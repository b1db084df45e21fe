/* What /proc/self/fd and fdinfo tell of open files: names, flags, locks. */
// libc: gcc
// calls: pidfd_open
#include "include/proof.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>

#ifdef __aarch64__
#define LARGE 0400000
#else
#define LARGE 0100000		/* O_LARGEFILE, which the library hides */
#endif

static const char *link_of(int fd)
{
	static char text[300];
	char name[40];
	long n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	return text;
}

static const char *info_of(int pid, int fd)
{
	static char text[4096];
	char name[40];
	long n;
	int f;

	snprintf(name, sizeof(name), "/proc/%d/fdinfo/%d", pid, fd);
	f = open(name, O_RDONLY);
	n = read(f, text, sizeof(text) - 1);
	close(f);
	text[n < 0 ? 0 : n] = 0;
	return text;
}

static int has(int fd, const char *text) { return strstr(info_of(getpid(), fd), text) != NULL; }

static void flags(void)
{
	char text[40];
	int fd = open("file", O_RDWR | O_APPEND | O_CREAT, 0600), ends[2], path = open(".", O_PATH);

	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_APPEND | LARGE);
	snprintf(text, sizeof(text), "flags:\t0%o\n", O_RDWR | O_APPEND | LARGE);
	CHECK(has(fd, text));
	CHECK_EQ(fcntl(path, F_GETFL) & LARGE, 0);
	if (pipe(ends))
		exit(2);
	CHECK_EQ(fcntl(ends[0], F_GETFL), O_RDONLY);
	CHECK_EQ(fcntl(ends[1], F_GETFL), O_WRONLY);
	/* What cannot announce itself does not say that it does. */
	CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND | O_ASYNC), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ASYNC, 0);
	CHECK_EQ(fcntl(ends[0], F_SETFL, O_ASYNC), 0);
	CHECK_EQ(fcntl(ends[0], F_GETFL) & O_ASYNC, O_ASYNC);
	CHECK(has(ends[0], "flags:\t020000\n"));
	close(fd);
}

static void names(void)
{
	char text[40];
	struct stat s;
	int fd, ends[2];

	fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	CHECK(strstr(link_of(fd), "[pidfd]") || strstr(link_of(fd), "pidfd:["));
	snprintf(text, sizeof(text), "Pid:\t%d\n", getpid());
	CHECK(has(fd, text));
	CHECK(!strcmp(link_of(eventfd(3, 0)), "anon_inode:[eventfd]"));
	CHECK(!strcmp(link_of(epoll_create1(0)), "anon_inode:[eventpoll]"));
	if (pipe(ends))
		exit(2);
	fstat(ends[1], &s);
	snprintf(text, sizeof(text), "pipe:[%lu]", (unsigned long)s.st_ino);
	CHECK(!strcmp(link_of(ends[0]), text));
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	fstat(fd, &s);
	snprintf(text, sizeof(text), "socket:[%lu]", (unsigned long)s.st_ino);
	CHECK(!strcmp(link_of(fd), text));
	snprintf(text, sizeof(text), "ino:\t%lu\n", (unsigned long)s.st_ino);
	CHECK(has(fd, text));
}

static void locks(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = 3, .l_len = 5 };
	int fd = open("file", O_RDWR), other = open("file", O_RDWR);
	char text[60];
	pid_t child;
	int ends[2];

	CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
	snprintf(text, sizeof(text), "lock:\t1: POSIX  ADVISORY  WRITE %d ", getpid());
	CHECK(has(fd, text));
	CHECK(has(fd, " 3 7\n"));
	CHECK(!has(other, "lock:"));
	CHECK_EQ(flock(other, LOCK_SH), 0);
	CHECK(has(other, "lock:\t1: FLOCK  ADVISORY  READ"));
	CHECK(has(other, " 0 EOF\n"));
	CHECK(!has(fd, "FLOCK"));
	/* A child has the files, and the locks that are the files' own, but not the process's. */
	if (pipe(ends))
		exit(2);
	child = fork();
	if (child == 0) {
		char c;

		close(ends[1]);
		_exit(read(ends[0], &c, 1) != 0);
	}
	CHECK(!strstr(info_of(child, fd), "lock:"));
	CHECK(strstr(info_of(child, other), "FLOCK"));
	close(ends[1]);
	waitpid(child, NULL, 0);
	l.l_type = F_UNLCK;
	CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
	CHECK(!has(fd, "lock:"));
}

int main(void)
{
	own_directory("fd_information");
	flags();
	names();
	locks();
	unlink("file");
	proof_remove();
	return test_done();
}
