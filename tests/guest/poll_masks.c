/* Waiting with another signal mask: what was blocked comes through for the length of the call only. */
// libc: gcc
// calls: pselect6 ppoll epoll_pwait epoll_pwait2
#include "include/proof.h"

#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>

static int got, ends[2], ep;
static uint64_t none, blocked = 1ull << (SIGUSR1 - 1);
static const struct { const void *set; size_t size; } none6 = { &none, 8 }, blocked6 = { &blocked, 8 };
static struct pollfd p;
static struct epoll_event e;
static struct timespec shortly;

static void on_signal(int sig) { got += sig; }

static long call(int which, const uint64_t *mask)
{
	fd_set set;

	shortly = (struct timespec){ 0, 20000000 };
	p.fd = ends[0];
	p.events = POLLIN;
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	switch (which) {
	case 0: return syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, &shortly, mask == &none ? &none6 : &blocked6);
	case 1: return syscall(SYS_ppoll, &p, 1, &shortly, mask, 8l);
	case 2: return syscall(SYS_epoll_pwait, ep, &e, 1, 20, mask, 8l);
	default: return syscall(SYS_epoll_pwait2, ep, &e, 1, &shortly, mask, 8l);
	}
}

int main(void)
{
	sigset_t set, now;

	if (pipe(ends))
		return 2;
	ep = epoll_create1(0);
	e.events = EPOLLIN;
	epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e);
	signal(SIGUSR1, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 4; i++) {
		got = 0;
		kill(getpid(), SIGUSR1);
		CHECK_EQ(call(i, &blocked), 0);
		CHECK_EQ(got, 0);
		CHECK_ERRNO(call(i, &none), EINTR);
		CHECK_EQ(got, SIGUSR1);
		sigprocmask(SIG_SETMASK, NULL, &now);
		CHECK(sigismember(&now, SIGUSR1));
		/* Ready comes before interrupted: the signal stays pending. */
		CHECK_EQ(write(ends[1], "x", 1), 1);
		kill(getpid(), SIGUSR1);
		CHECK_EQ(call(i, &none), 1);
		CHECK_EQ(got, SIGUSR1);
		CHECK_EQ(read(ends[0], &now, 1), 1);
		CHECK_ERRNO(call(i, &none), EINTR);
		CHECK_EQ(got, 2 * SIGUSR1);
	}
	return test_done();
}
