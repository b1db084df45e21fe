/* Leases: who may have one, what breaks it, that the holder is told, and what happens when he does nothing. */
// calls: fcntl
// errors: fcntl
// timeout: 40
#include "include/proof.h"

#include <time.h>

#ifndef F_SETLEASE
#define F_SETLEASE 1024
#define F_GETLEASE 1025
#endif
#ifndef F_SETSIG
#define F_SETSIG 10
#endif

static volatile int told, told_fd, told_code;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	told = sig;
	told_fd = info->si_fd;
	told_code = info->si_code;
}

static void wait_told(void)
{
	for (int i = 0; i < 3000 && !told; i++)
		usleep(1000);
}

static int lease(int fd, int type) { return fcntl(fd, F_SETLEASE, type) ? errno : 0; }

static void conditions(void)
{
	int a = open("file", O_RDONLY), b;

	CHECK_EQ(fcntl(a, F_GETLEASE), F_UNLCK);
	CHECK_EQ(lease(a, F_UNLCK), EAGAIN);
	CHECK_EQ(lease(a, 7), EINVAL);
	CHECK_EQ(lease(open(".", O_RDONLY), F_RDLCK), EINVAL);
	CHECK_EQ(lease(a, F_RDLCK), 0);
	CHECK_EQ(fcntl(a, F_GETLEASE), F_RDLCK);
	CHECK_EQ(fcntl(dup(a), F_GETLEASE), F_RDLCK);
	b = open("file", O_RDONLY);
	CHECK_EQ(fcntl(b, F_GETLEASE), F_UNLCK);
	CHECK_EQ(lease(b, F_RDLCK), 0);
	CHECK_EQ(lease(b, F_WRLCK), EAGAIN);
	CHECK_EQ(lease(b, F_UNLCK), 0);
	CHECK_EQ(lease(a, F_WRLCK), EAGAIN);
	close(b);
	CHECK_EQ(lease(a, F_WRLCK), 0);
	CHECK_EQ(fcntl(a, F_GETLEASE), F_WRLCK);
	CHECK_EQ(lease(a, F_UNLCK), 0);
	b = open("file", O_WRONLY);
	CHECK_EQ(lease(a, F_RDLCK), EAGAIN);
	CHECK_EQ(lease(b, F_WRLCK), EAGAIN);
	close(b);
	CHECK_EQ(lease(a, F_RDLCK), 0);
	close(a);
	/* A dup lives on, and with it the file and its lease. */
	CHECK_ERRNO(open("file", O_WRONLY | O_NONBLOCK), EAGAIN);
	for (int fd = 3; fd < 20; fd++)
		close(fd);
	b = open("file", O_WRONLY | O_NONBLOCK);
	CHECK(b >= 0);
	close(b);
}

static void stranger(void)
{
	int fd = open("file", O_RDONLY);

	CHECK_EQ(lease(fd, F_RDLCK), EACCES);
}

/* In a child: opens or cuts the file, which the parent has a lease on; how long it took, in hundredths of a second. */
static pid_t breaker(int flags)
{
	pid_t child;

	told = 0;
	child = fork();
	if (child == 0) {
		struct timespec a, b;

		clock_gettime(CLOCK_MONOTONIC, &a);
		for (int fd = 3; fd < 20; fd++)
			close(fd);
		if (flags < 0 ? truncate("file", 3) : open("file", flags) < 0)
			_exit(255);
		clock_gettime(CLOCK_MONOTONIC, &b);
		_exit(((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000) / 10);
	}
	return child;
}

static int took(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

static void breaking(void)
{
	int fd = open("file", O_RDONLY), n;
	pid_t child;

	/* A reader is not in the way of a read lease. */
	CHECK_EQ(lease(fd, F_RDLCK), 0);
	CHECK(took(breaker(O_RDONLY)) < 20);
	CHECK_EQ(told, 0);
	child = breaker(O_WRONLY);
	wait_told();
	CHECK_EQ(told, SIGIO);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	usleep(100000);
	CHECK_EQ(lease(fd, F_UNLCK), 0);
	n = took(child);
	CHECK(n >= 8 && n < 200);
	/* The signal that was chosen, with what it is about. */
	CHECK_EQ(fcntl(fd, F_SETSIG, SIGRTMIN), 0);
	CHECK_EQ(lease(fd, F_WRLCK), 0);
	child = breaker(O_RDONLY);
	wait_told();
	CHECK_EQ(told, SIGRTMIN);
	CHECK_EQ(told_fd, fd);
	CHECK_EQ(told_code, POLL_MSG);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	CHECK_EQ(lease(fd, F_RDLCK), 0);
	n = took(child);
	CHECK(n < 200);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	child = breaker(-1);
	wait_told();
	CHECK_EQ(told, SIGRTMIN);
	close(fd);			/* which ends the lease, too */
	CHECK(took(child) < 200);
}

static int setting(int seconds)
{
	int fd = open("/proc/sys/fs/lease-break-time", O_RDWR);
	char buf[20] = "";
	int old = -1;

	if (read(fd, buf, sizeof(buf) - 1) > 0)
		old = atoi(buf);
	snprintf(buf, sizeof(buf), "%d\n", seconds);
	if (pwrite(fd, buf, strlen(buf), 0) < 0)
		old = -1;
	close(fd);
	return old;
}

static void in_time(void)
{
	int old = setting(1), fd, n;

	if (old < 0)
		return;
	fd = open("file", O_RDONLY);
	CHECK_EQ(lease(fd, F_WRLCK), 0);
	n = took(breaker(O_RDONLY));
	CHECK(n >= 90 && n < 255);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	n = took(breaker(O_RDWR));
	CHECK(n >= 90 && n < 255);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	close(fd);
	setting(old);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };

	own_tmpfs_directory("leases");
	sigaction(SIGIO, &action, NULL);
	sigaction(SIGRTMIN, &action, NULL);
	close(own_file("file", "contents"));
	conditions();
	if (geteuid() == 0)
		as_user(stranger);
	breaking();
	in_time();
	unlink("file");
	proof_remove();
	return test_done();
}
