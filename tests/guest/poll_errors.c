/* What waiting for descriptors refuses: poll, select, epoll; and the descriptors that count. */
// libc: gcc
// errors: poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
#include "include/proof.h"

#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>

static struct timespec zero;

static void polls(void)
{
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };
	struct timeval wrong = { 0, -1 }, v = { 0, 0 }, minus = { -1, 0 };
	struct pollfd p = { .fd = 9999, .events = POLLIN };
	uint64_t mask = 0;
	fd_set set;
	struct { const void *set; size_t size; } mask6 = { &mask, 7 };

	/* An unknown descriptor is an event, not an error. */
	GIVES(1, poll, &p, 1, 0);
	CHECK_EQ(p.revents, POLLNVAL);
	FAULTS(poll, 0, sizeof(p), 0, 1, 0);
	FAULTS(ppoll, 0, sizeof(p), 0, 1, P(&zero), 0, 8);
	FAULTS(ppoll, 2, sizeof(zero), P(&p), 1, 0, 0, 8);
	FAULTS(ppoll, 3, sizeof(mask), P(&p), 1, P(&zero), 0, 8);
	FAILS(EINVAL, ppoll, &p, 1, &bad, NULL, 8l);
	FAILS(EINVAL, ppoll, &p, 1, &negative, NULL, 8l);
	FAILS(EINVAL, ppoll, &p, 1, &zero, &mask, 7l);
	FD_ZERO(&set);
	FD_SET(50, &set);
	FAILS(EBADF, select, 51, &set, NULL, NULL, &v);
	FAILS(EINVAL, select, -1, NULL, NULL, NULL, &v);
	FAILS(EINVAL, select, 1, NULL, NULL, NULL, &wrong);
	FAILS(EINVAL, select, 1, NULL, NULL, NULL, &minus);
	FAULTS(select, 1, 8, 1, 0, 0, 0, P(&v));
	FAULTS(select, 2, 8, 1, 0, 0, 0, P(&v));
	FAULTS(select, 3, 8, 1, 0, 0, 0, P(&v));
	FAULTS(select, 4, sizeof(v), 1, 0, 0, 0, 0);
	FAILS(EBADF, pselect6, 51, &set, NULL, NULL, &zero, NULL);
	FAILS(EINVAL, pselect6, -1, NULL, NULL, NULL, &zero, NULL);
	FAILS(EINVAL, pselect6, 1, NULL, NULL, NULL, &bad, NULL);
	FAILS(EINVAL, pselect6, 1, NULL, NULL, NULL, &zero, &mask6);
	FAULTS(pselect6, 1, 8, 1, 0, 0, 0, P(&zero), 0);
	FAULTS(pselect6, 4, sizeof(zero), 1, 0, 0, 0, 0, 0);
	FAULTS(pselect6, 5, sizeof(mask6), 1, 0, 0, 0, P(&zero), 0);
}

static void epolls(void)
{
	struct epoll_event e = { .events = EPOLLIN }, exclusive = { .events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT };
	struct timespec bad = { 0, -1 };
	int ep = epoll_create1(0), other = epoll_create1(0), ends[2], file = own_file("file", "x"), dir = open(".", O_RDONLY);
	uint64_t mask = 0;

	if (pipe(ends))
		exit(2);
	FAILS(EINVAL, epoll_create, 0);
	FAILS(EINVAL, epoll_create, -1);
	FAILS(EINVAL, epoll_create1, 1);
	FAILS(EBADF, epoll_ctl, -1, EPOLL_CTL_ADD, ends[0], &e);
	FAILS(EBADF, epoll_ctl, ep, EPOLL_CTL_ADD, 9999, &e);
	FAILS(EINVAL, epoll_ctl, file, EPOLL_CTL_ADD, ends[0], &e);
	FAILS(EINVAL, epoll_ctl, ep, EPOLL_CTL_ADD, ep, &e);
	FAILS(EINVAL, epoll_ctl, ep, 77, ends[0], &e);
	FAILS(EPERM, epoll_ctl, ep, EPOLL_CTL_ADD, file, &e);
	FAILS(EPERM, epoll_ctl, ep, EPOLL_CTL_ADD, dir, &e);
	FAILS(ENOENT, epoll_ctl, ep, EPOLL_CTL_MOD, ends[0], &e);
	FAILS(ENOENT, epoll_ctl, ep, EPOLL_CTL_DEL, ends[0], &e);
	FAULTS(epoll_ctl, 3, sizeof(e), ep, EPOLL_CTL_ADD, ends[0], 0);
	GIVES(0, epoll_ctl, ep, EPOLL_CTL_ADD, ends[0], &e);
	FAILS(EEXIST, epoll_ctl, ep, EPOLL_CTL_ADD, ends[0], &e);
	FAULTS(epoll_ctl, 3, sizeof(e), ep, EPOLL_CTL_MOD, ends[0], 0);
	FAILS(EINVAL, epoll_ctl, ep, EPOLL_CTL_ADD, ends[1], &exclusive);
	e.events = EPOLLIN | EPOLLEXCLUSIVE;
	FAILS(EINVAL, epoll_ctl, ep, EPOLL_CTL_MOD, ends[0], &e);
	FAILS(EINVAL, epoll_ctl, other, EPOLL_CTL_ADD, ep, &e);
	e.events = EPOLLIN;
	GIVES(0, epoll_ctl, other, EPOLL_CTL_ADD, ep, &e);
	FAILS(ELOOP, epoll_ctl, ep, EPOLL_CTL_ADD, other, &e);
	FAILS(EBADF, epoll_wait, -1, &e, 1, 0);
	FAILS(EINVAL, epoll_wait, file, &e, 1, 0);
	FAILS(EINVAL, epoll_wait, ep, &e, 0, 0);
	FAILS(EINVAL, epoll_wait, ep, &e, -1, 0);
	FAILS(EINVAL, epoll_wait, ep, &e, 0x7fffffff, 0);
	FAILS(EBADF, epoll_pwait, 9999, &e, 1, 0, NULL, 8l);
	FAILS(EINVAL, epoll_pwait, ep, &e, 0, 0, NULL, 8l);
	FAILS(EINVAL, epoll_pwait, ep, &e, 1, 0, &mask, 7l);
	FAULTS(epoll_pwait, 4, sizeof(mask), ep, P(&e), 1, 0, 0, 8);
	FAILS(EBADF, epoll_pwait2, 9999, &e, 1, &zero, NULL, 8l);
	FAILS(EINVAL, epoll_pwait2, ep, &e, 1, &bad, NULL, 8l);
	FAILS(EINVAL, epoll_pwait2, ep, &e, 1, &zero, &mask, 7l);
	FAULTS(epoll_pwait2, 3, sizeof(zero), ep, P(&e), 1, 0, 0, 8);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	FAULTS(epoll_wait, 1, sizeof(e), ep, 0, 1, 0);
	FAULTS(epoll_pwait, 1, sizeof(e), ep, 0, 1, 0, 0, 8);
	FAULTS(epoll_pwait2, 1, sizeof(e), ep, 0, 1, P(&zero), 0, 8);
	/* An event that could not be written is not lost. */
	GIVES(1, epoll_wait, ep, &e, 1, 0);
	unlink("file");
}

/* Files of text: those of processes are not for epoll, unless they tell of changes. */
static void texts(void)
{
	static const char *const never[] = { "/proc/self/status", "/proc/self/maps", "/proc/self/limits", "/proc/self/fdinfo/0" };
	static const char *const may[] = { "/proc/self/mounts", "/proc/sys/kernel/hostname", "/proc/version", "/proc/meminfo" };
	struct epoll_event e = { .events = EPOLLIN };
	struct pollfd p = { .events = POLLIN | POLLOUT };
	int ep = epoll_create1(0);

	for (int i = 0; i < 4; i++) {
		p.fd = open(never[i], O_RDONLY);
		FAILS(EPERM, epoll_ctl, ep, EPOLL_CTL_ADD, p.fd, &e);
		GIVES(1, poll, &p, 1, 0);
		CHECK_EQ(p.revents, POLLIN | POLLOUT);
		close(p.fd);
	}
	for (int i = 0; i < 4; i++) {
		p.fd = open(may[i], O_RDONLY);
		GIVES(0, epoll_ctl, ep, EPOLL_CTL_ADD, p.fd, &e);
		close(p.fd);
	}
	close(ep);
}

static void deep(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int last = epoll_create1(0), i;

	for (i = 0; i < 20; i++) {
		int next = epoll_create1(0);

		if (epoll_ctl(next, EPOLL_CTL_ADD, last, &e))
			break;
		last = next;
	}
	CHECK_EQ(errno, ELOOP);
	CHECK_EQ(i, 4);
}

static void counters(void)
{
	uint64_t value = ~0ull;
	int fd = eventfd(0, EFD_NONBLOCK);

	FAILS(EINVAL, eventfd2, 0, 2);
	FAILS(EAGAIN, read, fd, &value, 8l);
	FAILS(EINVAL, read, fd, &value, 7l);
	FAILS(EINVAL, write, fd, &value, 8l);
	FAILS(EINVAL, write, fd, &value, 7l);
	value = ~0ull - 1;
	GIVES(8, write, fd, &value, 8l);
	value = 1;
	FAILS(EAGAIN, write, fd, &value, 8l);
	FAULTS(write, 1, 8, fd, 0, 8);
	close(fd);
}

static void limits(void)
{
	struct rlimit r = { 20, 20 };
	struct pollfd p[21] = { { .fd = 0 } };

	setrlimit(RLIMIT_NOFILE, &r);
	FAILS(EINVAL, poll, p, 21, 0);
	FAILS(EINVAL, ppoll, p, 21, &zero, NULL, 8l);
	while (dup(0) >= 0)
		;
	FAILS(EMFILE, epoll_create, 1);
	FAILS(EMFILE, epoll_create1, 0);
	FAILS(EMFILE, eventfd, 0);
	FAILS(EMFILE, eventfd2, 0, 0);
}

int main(void)
{
	own_directory("poll_errors");
	polls();
	epolls();
	texts();
	deep();
	counters();
	in_child(limits);
	proof_remove();
	return test_done();
}
