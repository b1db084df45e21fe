/* Bytes and events between processes, and waiting for them. */
#include "bench.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define BLOCK 65536
#define MANY 100

static int there[2], back[2], fds[MANY], epoll;
static char block[BLOCK];

static void one_pipe(void) { NEED(pipe(there) == 0); }

static void pipe_alone_run(long n)
{
	while (n--)
		NEED(write(there[1], block, 1) == 1 && read(there[0], block, 1) == 1);
}

static void one_eventfd(void) { NEED((there[0] = eventfd(0, 0)) >= 0); }

static void eventfd_run(long n)
{
	unsigned long v = 1;

	while (n--)
		NEED(write(there[0], &v, 8) == 8 && read(there[0], &v, 8) == 8);
}

/* A child that ends with us, and does what it is given. */
static void start_peer(void (*peer)(void))
{
	pid_t child = fork();

	NEED(child >= 0);
	if (child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	peer();
	_exit(0);
}

static void echo(void)
{
	while (read(there[0], block, 1) == 1 && write(back[1], block, 1) == 1)
		;
}

static void swallow(void)
{
	while (read(there[0], block, BLOCK) > 0)
		;
}

static void two_pipes(void) { NEED(pipe(there) == 0 && pipe(back) == 0); start_peer(echo); }

static void two_sockets(void)
{
	int a[2];

	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0);
	there[1] = back[0] = a[0];
	there[0] = back[1] = a[1];
	start_peer(echo);
}

static void there_and_back_run(long n)
{
	while (n--)
		NEED(write(there[1], block, 1) == 1 && read(back[0], block, 1) == 1);
}

static void pipe_to_child(void) { one_pipe(); start_peer(swallow); }

static void socket_to_child(void)
{
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, there) == 0);
	start_peer(swallow);
}

static void send_run(long n) { while (n--) NEED(write(there[1], block, BLOCK) == BLOCK); }

/* Descriptors of which the last one is ready. */
static void many_pipes(void)
{
	for (int i = 0; i < MANY; i++) {
		NEED(pipe(there) == 0);
		fds[i] = there[0];
	}
	NEED(write(there[1], block, 1) == 1);
}

static void poll_some(long n, int count)
{
	struct pollfd p[MANY];

	for (int i = 0; i < count; i++)
		p[i] = (struct pollfd){ .fd = fds[MANY - count + i], .events = POLLIN };
	while (n--)
		NEED(poll(p, (nfds_t)count, 0) == 1);
}

static void poll_10_run(long n) { poll_some(n, 10); }
static void poll_100_run(long n) { poll_some(n, 100); }

static void select_some(long n, int count)
{
	struct timeval zero = { 0, 0 };
	fd_set set;

	while (n--) {
		FD_ZERO(&set);
		for (int i = MANY - count; i < MANY; i++)
			FD_SET(fds[i], &set);
		NEED(select(fds[MANY - 1] + 1, &set, NULL, NULL, &zero) == 1);
	}
}

static void select_10_run(long n) { select_some(n, 10); }
static void select_100_run(long n) { select_some(n, 100); }

static void many_watched(void)
{
	many_pipes();
	NEED((epoll = epoll_create1(0)) >= 0);
	for (int i = 0; i < MANY; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fds[i] };

		NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &e) == 0);
	}
}

static void epoll_run(long n)
{
	struct epoll_event e[8];

	while (n--)
		NEED(epoll_wait(epoll, e, 8, 0) == 1);
}

const struct measure exchange[] = {
	{ "pipe_alone", one_pipe, pipe_alone_run, 5000 },
	{ "eventfd_alone", one_eventfd, eventfd_run, 5000 },
	{ "pipe_there_and_back", two_pipes, there_and_back_run, 1500 },
	{ "pipe_64k", pipe_to_child, send_run, 150 },
	{ "socket_there_and_back", two_sockets, there_and_back_run, 1500 },
	{ "socket_64k", socket_to_child, send_run, 150 },
	{ "poll_10", many_pipes, poll_10_run, 4000 },
	{ "poll_100", many_pipes, poll_100_run, 500 },
	{ "select_10", many_pipes, select_10_run, 3000 },
	{ "select_100", many_pipes, select_100_run, 500 },
	{ "epoll_wait_100", many_watched, epoll_run, 5000 },
	{ 0 },
};
