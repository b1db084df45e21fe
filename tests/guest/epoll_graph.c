/* Epolls that watch epolls: loops, chains, how many ways up a file may have, edges through them. */
// calls: epoll_ctl epoll_wait epoll_create1
// errors: epoll_ctl
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "include/test.h"

static int add(int ep, int fd, unsigned int events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static int made(void) { return epoll_create1(0); }

static int wait_for(int ep, int ms)
{
	struct epoll_event e;

	return epoll_wait(ep, &e, 1, ms);
}

static void tell(int fd)
{
	uint64_t one = 1;

	CHECK_EQ(write(fd, &one, sizeof(one)), sizeof(one));
}

static void close_all(int *fds, int n)
{
	for (int i = 0; i < n; i++)
		close(fds[i]);
}

/* Five are the longest chain, from whichever end it grows. */
static void chains(void)
{
	int e[7], fd = eventfd(0, EFD_NONBLOCK);

	for (int i = 0; i < 7; i++)
		e[i] = made();
	CHECK_EQ(add(e[0], fd, EPOLLIN), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(add(e[i + 1], e[i], EPOLLIN), 0);
	CHECK_ERRNO(add(e[5], e[4], EPOLLIN), ELOOP);
	CHECK_ERRNO(add(e[0], e[5], EPOLLIN), ELOOP);
	CHECK_ERRNO(add(e[0], e[4], EPOLLIN), ELOOP);
	CHECK_ERRNO(add(e[1], e[3], EPOLLIN), ELOOP);
	CHECK_ERRNO(add(e[1], e[1], EPOLLIN), EINVAL);
	CHECK_EQ(wait_for(e[4], 0), 0);
	tell(fd);
	CHECK_EQ(wait_for(e[4], 1000), 1);
	/* Two chains joined in the middle. */
	CHECK_EQ(epoll_ctl(e[2], EPOLL_CTL_DEL, e[1], NULL), 0);
	CHECK_EQ(add(e[5], e[4], EPOLLIN), 0);
	CHECK_EQ(add(e[6], e[5], EPOLLIN), 0);
	CHECK_ERRNO(add(e[2], e[1], EPOLLIN), ELOOP);
	CHECK_EQ(add(e[3], e[0], EPOLLIN), 0);
	CHECK_EQ(wait_for(e[6], 1000), 1);
	close_all(e, 7);
	close(fd);
}

/* A file below a chain of `depth` epolls that `limit` others watch: one more is refused. */
static void ways(int depth, int limit)
{
	static int top[502];
	int e[4], fd = eventfd(1, EFD_NONBLOCK), failed = 0;

	for (int i = 0; i < depth; i++)
		e[i] = made();
	for (int i = 1; i < depth; i++)
		CHECK_EQ(add(e[i], e[i - 1], EPOLLIN), 0);
	CHECK_EQ(add(e[0], fd, EPOLLIN), 0);
	for (int i = 0; i < limit; i++) {
		top[i] = made();
		failed += add(top[i], e[depth - 1], EPOLLIN) != 0;
	}
	CHECK_EQ(failed, 0);
	top[limit] = made();
	CHECK_ERRNO(add(top[limit], e[depth - 1], EPOLLIN), EINVAL);
	CHECK_ERRNO(epoll_ctl(top[limit], EPOLL_CTL_DEL, e[depth - 1], NULL), ENOENT);
	CHECK_EQ(wait_for(top[0], 1000), 1);
	/* Without a file it may be watched; then no file may come. */
	CHECK_EQ(epoll_ctl(e[0], EPOLL_CTL_DEL, fd, NULL), 0);
	CHECK_EQ(add(top[limit], e[depth - 1], EPOLLIN), 0);
	CHECK_ERRNO(add(e[0], fd, EPOLLIN), EINVAL);
	CHECK_EQ(epoll_ctl(top[3], EPOLL_CTL_DEL, e[depth - 1], NULL), 0);
	CHECK_EQ(add(e[0], fd, EPOLLIN), 0);
	close_all(top, limit + 1);
	close_all(e, depth);
	close(fd);
}

/* Directly above a file there may be any number. */
static void many(void)
{
	static int e[700];
	int fd = eventfd(0, EFD_NONBLOCK), failed = 0, top = made();

	for (int i = 0; i < 700; i++) {
		e[i] = made();
		failed += add(e[i], fd, EPOLLIN) != 0;
	}
	CHECK_EQ(failed, 0);
	tell(fd);
	CHECK_EQ(wait_for(e[0], 1000) + wait_for(e[699], 1000), 2);
	for (int i = 0; i < 500; i++)
		failed += add(top, e[i], EPOLLIN) != 0;
	CHECK_EQ(failed, 0);
	CHECK_ERRNO(add(top, e[500], EPOLLIN), EINVAL);
	close_all(e, 700);
	close(top);
	close(fd);
}

/* Layers of epolls, each watching all of the one below: the file at the bottom is refused. */
static void layers(int width)
{
	static int e[4][32];
	int fd = eventfd(0, EFD_NONBLOCK), failed = 0;

	for (int l = 0; l < 4; l++)
		for (int i = 0; i < width; i++)
			e[l][i] = made();
	for (int l = 3; l; l--)
		for (int i = 0; i < width; i++)
			for (int k = 0; k < width; k++)
				failed += add(e[l][i], e[l - 1][k], EPOLLIN) != 0;
	CHECK_EQ(failed, 0);
	for (int k = 0; k < width; k++)
		failed += add(e[0][k], fd, EPOLLIN) == -1 && errno == EINVAL;
	CHECK_EQ(failed, width);
	tell(fd);
	CHECK_EQ(wait_for(e[3][0], 0), 0);
	for (int l = 0; l < 4; l++)
		close_all(e[l], width);
	close(fd);
}

/* Every event below is an edge above, read or not. */
static void edges(void)
{
	int fd = eventfd(0, EFD_NONBLOCK), inner = made(), middle = made(), outer = made();

	CHECK_EQ(add(inner, fd, EPOLLIN), 0);
	CHECK_EQ(add(middle, inner, EPOLLIN), 0);
	CHECK_EQ(add(outer, middle, EPOLLIN | EPOLLET), 0);
	for (int i = 0; i < 3; i++) {
		tell(fd);
		CHECK_EQ(wait_for(outer, 1000), 1);
		CHECK_EQ(wait_for(outer, 0), 0);
	}
	CHECK_EQ(wait_for(inner, 0), 1);
	close(outer);
	close(middle);
	close(inner);
	close(fd);
}

static void exclusive(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int fd = eventfd(0, EFD_NONBLOCK), ep = made(), inner = made();

	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e), EINVAL);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, inner, &e), EINVAL);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
	e.events = EPOLLIN;
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e), EINVAL);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL), 0);
	e.events = EPOLLIN | EPOLLONESHOT | EPOLLEXCLUSIVE;
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), EINVAL);
	e.events = EPOLLIN | EPOLLPRI | EPOLLEXCLUSIVE;
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), EINVAL);
	e.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLEXCLUSIVE;
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
	e.events = EPOLLIN;
	CHECK_ERRNO(epoll_ctl(ep, 77, fd, &e), EINVAL);
	close(inner);
	close(ep);
	close(fd);
}

int main(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 1024 ? files.rlim_max : 1024;
	setrlimit(RLIMIT_NOFILE, &files);
	chains();
	ways(1, 500);
	ways(2, 100);
	ways(3, 50);
	ways(4, 10);
	many();
	layers(8);
	layers(32);
	edges();
	exclusive();
	return test_done();
}
