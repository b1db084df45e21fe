/* poll, select, epoll, eventfd. */
// calls: poll ppoll select epoll_create epoll_create1 epoll_ctl epoll_wait eventfd2
// errors: epoll_create epoll_ctl epoll_wait eventfd2 poll ppoll select
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "include/test.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void polling(void)
{
	int p[2];
	struct pollfd f[3];
	double start;
	char c;

	CHECK_EQ(pipe(p), 0);
	f[0] = (struct pollfd){ p[0], POLLIN, 99 };
	f[1] = (struct pollfd){ p[1], POLLOUT, 99 };
	f[2] = (struct pollfd){ -1, POLLIN, 99 };
	CHECK_EQ(poll(f, 3, 0), 1);
	CHECK_EQ(f[0].revents, 0);
	CHECK_EQ(f[1].revents, POLLOUT);
	CHECK_EQ(f[2].revents, 0);
	write(p[1], "x", 1);
	CHECK_EQ(poll(f, 2, -1), 2);
	read(p[0], &c, 1);
	start = now();
	CHECK_EQ(poll(f, 1, 50), 0);
	CHECK(now() - start >= 0.049);
	if (fork() == 0) {
		usleep(30000);
		write(p[1], "y", 1);
		_exit(0);
	}
	CHECK_EQ(poll(f, 1, 5000), 1);
	CHECK_EQ(f[0].revents, POLLIN);
	wait(NULL);
	close(p[1]);
	read(p[0], &c, 1);
	CHECK_EQ(poll(f, 1, 0), 1);
	CHECK_EQ(f[0].revents, POLLHUP);
	f[0].fd = 9999;
	CHECK_EQ(poll(f, 1, 0), 1);
	CHECK_EQ(f[0].revents, POLLNVAL);
	CHECK_ERRNO(poll((struct pollfd *)8, 1, 0), EFAULT);
	f[0].fd = open("/tmp", O_RDONLY);
	f[0].events = POLLIN | POLLOUT;
	CHECK_EQ(poll(f, 1, 0), 1);
	CHECK_EQ(f[0].revents, POLLIN | POLLOUT);
	close(f[0].fd);
	close(p[0]);
}

static int got;
static void on_usr1(int sig) { got = sig; }

static void masks(void)
{
	struct timespec ts = { 5, 0 };
	sigset_t block, none;
	int p[2];
	struct pollfd f;

	signal(SIGUSR1, on_usr1);
	pipe(p);
	f = (struct pollfd){ p[0], POLLIN, 0 };
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	CHECK_EQ(got, 0);
	CHECK_ERRNO(ppoll(&f, 1, &ts, &none), EINTR);
	CHECK_EQ(got, SIGUSR1);
	got = 0;
	raise(SIGUSR1);
	write(p[1], "x", 1);
	CHECK_EQ(ppoll(&f, 1, &ts, &none), 1);
	CHECK_EQ(got, 0);
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	CHECK_EQ(got, SIGUSR1);
	close(p[0]);
	close(p[1]);
}

static void selecting(void)
{
	int p[2];
	fd_set r, w;
	struct timeval tv = { 0, 40000 };
	char c;

	pipe(p);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	CHECK_EQ(select(p[1] + 1, &r, &w, NULL, &tv), 1);
	CHECK(!FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
	FD_SET(p[0], &r);
	tv.tv_sec = 0;
	tv.tv_usec = 40000;
	CHECK_EQ(syscall(SYS_select, p[0] + 1, &r, NULL, NULL, &tv), 0);
	CHECK(!FD_ISSET(p[0], &r));
	CHECK_EQ(tv.tv_usec, 0);
	write(p[1], "x", 1);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	CHECK_EQ(select(p[1] + 1, &r, &w, NULL, NULL), 2);
	read(p[0], &c, 1);
	close(p[0]);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	tv.tv_usec = 0;
	CHECK_ERRNO(select(p[0] + 1, &r, NULL, NULL, &tv), EBADF);
	CHECK_ERRNO(select(-1, NULL, NULL, NULL, &tv), EINVAL);
	tv.tv_sec = -1;
	CHECK_ERRNO(select(0, NULL, NULL, NULL, &tv), EINVAL);
	close(p[1]);
}

static void eventfds(void)
{
	uint64_t v = 5;
	int e = eventfd(3, EFD_NONBLOCK), s = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);

	CHECK_EQ(write(e, &v, 8), 8);
	CHECK_EQ(read(e, &v, 8), 8);
	CHECK_EQ(v, 8);
	CHECK_ERRNO(read(e, &v, 8), EAGAIN);
	CHECK_ERRNO(read(e, &v, 7), EINVAL);
	v = ~0ull;
	CHECK_ERRNO(write(e, &v, 8), EINVAL);
	v = ~0ull - 1;
	CHECK_EQ(write(e, &v, 8), 8);
	v = 1;
	CHECK_ERRNO(write(e, &v, 8), EAGAIN);
	CHECK_EQ(read(s, &v, 8), 8);
	CHECK_EQ(v, 1);
	CHECK_EQ(read(s, &v, 8), 8);
	CHECK_ERRNO(read(s, &v, 8), EAGAIN);
	CHECK_ERRNO(eventfd(0, 0x40), EINVAL);
	close(e);
	close(s);
}

static void epolls(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 7 }, out[8];
	int ep = epoll_create1(EPOLL_CLOEXEC), p[2], q[2], fd;
	uint64_t one = 1;
	char c;

	CHECK(ep >= 0);
	CHECK_ERRNO(syscall(SYS_epoll_create, 0), EINVAL);
	pipe2(p, O_NONBLOCK);
	pipe2(q, O_NONBLOCK);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), 0);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), EEXIST);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, q[0], &ev), ENOENT);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_DEL, q[0], &ev), ENOENT);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(p[0], EPOLL_CTL_ADD, q[0], &ev), EINVAL);
	fd = open("/tmp", O_RDONLY);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), EPERM);
	close(fd);
	CHECK_ERRNO(epoll_wait(ep, out, 0, 0), EINVAL);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 0);
	write(p[1], "ab", 2);
	CHECK_EQ(epoll_wait(ep, out, 8, -1), 1);
	CHECK_EQ(out[0].data.u64, 7);
	CHECK_EQ(out[0].events, EPOLLIN);
	read(p[0], &c, 1);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 1);
	read(p[0], &c, 1);
	CHECK_EQ(epoll_wait(ep, out, 8, 10), 0);
	/* Edge-triggered: once for each arrival. */
	ev.events = EPOLLIN | EPOLLET;
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev), 0);
	write(p[1], "x", 1);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 1);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 0);
	write(p[1], "y", 1);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 1);
	ev.events = EPOLLIN | EPOLLONESHOT;
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev), 0);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 1);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 0);
	write(p[1], "z", 1);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 0);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev), 0);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 1);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), 0);
	/* Closing takes the interest away; a hang-up is always told. */
	ev.events = EPOLLIN;
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), 0);
	close(p[0]);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 0);
	ev.events = 0;
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, q[0], &ev), 0);
	close(q[1]);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 1);
	CHECK_EQ(out[0].events, EPOLLHUP);
	close(q[0]);
	/* Nesting and loops. */
	int e2 = epoll_create1(0), ev1 = eventfd(0, 0);
	ev.events = EPOLLIN;
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, e2, &ev), 0);
	CHECK_ERRNO(epoll_ctl(e2, EPOLL_CTL_ADD, ep, &ev), ELOOP);
	CHECK_EQ(epoll_ctl(e2, EPOLL_CTL_ADD, ev1, &ev), 0);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 0);
	write(ev1, &one, 8);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 1);
	CHECK_EQ(epoll_wait(e2, out, 8, 0), 1);
	read(ev1, &one, 8);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 0);
	if (fork() == 0) {
		usleep(30000);
		one = 1;
		write(ev1, &one, 8);
		_exit(0);
	}
	CHECK_EQ(epoll_wait(ep, out, 8, 5000), 1);
	wait(NULL);
	close(e2);
	CHECK_EQ(epoll_wait(ep, out, 8, 0), 0);
	close(ep);
}

static void many(void)
{
	int pipes[200][2], ep = epoll_create1(0), n, total = 0;
	struct epoll_event ev = { .events = EPOLLIN }, out[64];
	struct pollfd f[200];
	struct rlimit r = { 4096, 4096 };

	setrlimit(RLIMIT_NOFILE, &r);
	for (int i = 0; i < 200; i++) {
		if (pipe(pipes[i]))
			return;
		f[i] = (struct pollfd){ pipes[i][0], POLLIN, 0 };
		ev.data.u32 = i;
		epoll_ctl(ep, EPOLL_CTL_ADD, pipes[i][0], &ev);
	}
	for (int i = 0; i < 200; i += 2)
		write(pipes[i][1], "x", 1);
	CHECK_EQ(poll(f, 200, 0), 100);
	while ((n = epoll_wait(ep, out, 64, 0)) > 0 && total < 1000) {
		for (int i = 0; i < n; i++) {
			char c;

			read(pipes[out[i].data.u32][0], &c, 1);
			total++;
		}
	}
	CHECK_EQ(total, 100);
}

int main(void)
{
	polling();
	masks();
	selecting();
	eventfds();
	epolls();
	many();
	return test_done();
}
