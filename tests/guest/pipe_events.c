/* What is an event of a pipe for those who wait for edges, and that vmsplice gives what fits. */
// calls: vmsplice epoll_wait
// errors: vmsplice fcntl
#include "include/proof.h"

#include <sys/epoll.h>
#include <sys/uio.h>

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif

static char big[131072] __attribute__((aligned(4096)));
static int ep, p[2];

static int event(void)
{
	struct epoll_event e;

	return epoll_wait(ep, &e, 1, 0);
}

static void watch(int fd, int events)
{
	struct epoll_event e = { .events = events | EPOLLET };

	close(ep);
	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static void edges(void)
{
	if (pipe2(p, O_NONBLOCK))
		exit(2);
	watch(p[0], EPOLLIN);
	CHECK_EQ(event(), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(write(p[1], "abcd", 4), 4);
		CHECK_EQ(event(), 1);
		CHECK_EQ(event(), 0);
	}
	CHECK_EQ(read(p[0], big, 3), 3);
	CHECK_EQ(event(), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(event(), 1);
	/* Room that was there is no event when something is written. */
	watch(p[1], EPOLLOUT);
	CHECK_EQ(event(), 1);
	CHECK_EQ(write(p[1], "y", 1), 1);
	CHECK_EQ(event(), 0);
	CHECK_EQ(read(p[0], big, 5), 5);
	CHECK_EQ(event(), 0);
	close(p[0]);
	close(p[1]);
}

static void one_page(void)
{
	if (pipe2(p, O_NONBLOCK))
		exit(2);
	GIVES(4096, fcntl, p[1], F_SETPIPE_SZ, 0);
	GIVES(4096, fcntl, p[1], F_SETPIPE_SZ, 1);
	GIVES(8192, fcntl, p[1], F_SETPIPE_SZ, 4097);
	FAILS(EINVAL, fcntl, p[1], F_SETPIPE_SZ, 0x80000001l);
	GIVES(4096, fcntl, p[1], F_SETPIPE_SZ, 0);
	watch(p[1], EPOLLOUT);
	CHECK_EQ(event(), 1);
	CHECK_EQ(write(p[1], big, 4096), 4096);
	CHECK_EQ(event(), 0);
	CHECK_EQ(read(p[0], big, 2048), 2048);
	CHECK_EQ(event(), 0);
	CHECK_EQ(read(p[0], big, 2048), 2048);
	CHECK_EQ(event(), 1);
	close(p[0]);
	close(p[1]);
}

/* Two sleepers and room for both: the first lets the second know, which needs no event. */
static void sleepers(void)
{
	int status, ended = 0;

	if (pipe(p))
		exit(2);
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			char c;

			_exit(read(p[0], &c, 1) != 1);
		}
	}
	usleep(20000);
	CHECK_EQ(write(p[1], "ab", 2), 2);
	while (wait(&status) > 0)
		ended += status == 0;
	CHECK_EQ(ended, 2);
	while (fcntl(p[1], F_SETFL, O_NONBLOCK), write(p[1], big, 4096) > 0)
		;
	fcntl(p[1], F_SETFL, 0);
	for (int i = 0; i < 2; i++) {
		if (fork() == 0)
			_exit(write(p[1], big, 4096) != 4096);
	}
	usleep(20000);
	CHECK_EQ(read(p[0], big, 8192), 8192);
	ended = 0;
	while (wait(&status) > 0)
		ended += status == 0;
	CHECK_EQ(ended, 2);
	close(p[0]);
	close(p[1]);
}

static void splices(void)
{
	struct iovec v = { big, sizeof(big) };

	if (pipe(p))
		exit(2);
	alarm(10);		/* one who waits for room that he would make himself */
	GIVES(65536, vmsplice, p[1], P(&v), 1L, 0);
	FAILS(EAGAIN, vmsplice, p[1], P(&v), 1L, 2);
	CHECK_EQ(read(p[0], big, 10000), 10000);
	GIVES(8192, vmsplice, p[1], P(&v), 1L, 2);
	alarm(0);
	GIVES(63728, vmsplice, p[0], P(&v), 1L, 0);
	FAILS(EAGAIN, vmsplice, p[0], P(&v), 1L, 2);
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	FAILS(EPIPE, vmsplice, p[1], P(&v), 1L, 0);
	close(p[1]);
}

int main(void)
{
	edges();
	one_page();
	sleepers();
	splices();
	return test_done();
}
