/* Record locks of both kinds, flock, deadlock detection, and what close does to them. */
// calls: flock fcntl
// errors: flock fcntl
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "include/test.h"

static char name[64];

static int lock(int fd, int cmd, int type, long start, long len)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return fcntl(fd, cmd, &l);
}

/* The type that stands in the way of a write lock, seen by a child. */
static int probe(long start, long len)
{
	int status;

	if (fork() == 0) {
		struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
		int fd = open(name, O_RDWR);

		if (fcntl(fd, F_GETLK, &l))
			_exit(99);
		_exit(l.l_type);
	}
	wait(&status);
	return WEXITSTATUS(status);
}

static void ranges(void)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600), other;

	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
	CHECK_EQ(probe(0, 10), F_UNLCK);
	CHECK_EQ(probe(5, 6), F_WRLCK);
	CHECK_EQ(probe(20, 0), F_UNLCK);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 13, 2), 0);
	CHECK_EQ(probe(13, 2), F_UNLCK);
	CHECK_EQ(probe(12, 1), F_WRLCK);
	CHECK_EQ(probe(15, 1), F_WRLCK);
	CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 15, 100), 0);
	CHECK_EQ(probe(15, 1), F_RDLCK);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	CHECK_EQ(probe(0, 0), F_UNLCK);
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
	CHECK_ERRNO(lock(fd, F_SETLK, 77, 0, 1), EINVAL);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
	/* Any close of the file by the process drops its record locks. */
	other = open(name, O_RDONLY);
	CHECK_EQ(probe(0, 0), F_WRLCK);
	close(other);
	CHECK_EQ(probe(0, 0), F_UNLCK);
	other = open(name, O_RDONLY);
	CHECK_ERRNO(lock(other, F_SETLK, F_WRLCK, 0, 1), EBADF);
	close(other);
	close(fd);
}

static void ofd(void)
{
	int a = open(name, O_RDWR), b = open(name, O_RDWR), c;

	CHECK_EQ(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	CHECK_ERRNO(lock(b, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN);
	CHECK_EQ(lock(b, F_OFD_SETLK, F_WRLCK, 10, 10), 0);
	c = dup(a);
	close(a);
	CHECK_ERRNO(lock(b, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN);
	close(c);
	CHECK_EQ(lock(b, F_OFD_SETLK, F_WRLCK, 0, 1), 0);
	close(b);
}

static void whole(void)
{
	int a = open(name, O_RDWR), b = open(name, O_RDWR);

	CHECK_EQ(flock(a, LOCK_SH), 0);
	CHECK_EQ(flock(b, LOCK_SH | LOCK_NB), 0);
	CHECK_ERRNO(flock(a, LOCK_EX | LOCK_NB), EAGAIN);
	CHECK_EQ(flock(b, LOCK_UN), 0);
	CHECK_EQ(flock(a, LOCK_EX | LOCK_NB), 0);
	CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EAGAIN);
	CHECK_ERRNO(flock(a, 0), EINVAL);
	close(a);
	CHECK_EQ(flock(b, LOCK_EX | LOCK_NB), 0);
	close(b);
}

static void waiting(void)
{
	int fd = open(name, O_RDWR), p[2], q[2], status;
	char c;

	pipe(p);
	pipe(q);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	if (fork() == 0) {
		if (lock(fd, F_SETLK, F_WRLCK, 1, 1))
			_exit(1);
		write(p[1], "x", 1);
		/* Waits for the parent's byte; the parent then closes the circle. */
		if (lock(fd, F_SETLKW, F_WRLCK, 0, 1))
			_exit(2);
		_exit(0);
	}
	read(p[0], &c, 1);
	usleep(100000);
	CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	wait(&status);
	CHECK_EQ(status, 0);
	close(fd);
}

static void on_usr1(int sig) { (void)sig; }

static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	int a = open(name, O_RDWR), b = open(name, O_RDWR);
	pid_t parent = getpid();

	sigaction(SIGUSR1, &sa, NULL);
	CHECK_EQ(flock(a, LOCK_EX), 0);
	if (fork() == 0) {
		usleep(50000);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	CHECK_ERRNO(flock(b, LOCK_EX), EINTR);
	wait(NULL);
}

int main(void)
{
	mkdir("/tmp", 01777);
	snprintf(name, sizeof(name), "/tmp/vfs_lock.%d", getpid());
	ranges();
	ofd();
	whole();
	waiting();
	interrupted();
	unlink(name);
	return test_done();
}
