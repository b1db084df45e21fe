/* Which descriptor a signal of O_ASYNC tells: the one that switched it on; and that without F_SETSIG it tells nothing. */
// calls: fcntl
#include "include/proof.h"

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

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	int ends[2], other;

	sigaction(SIGIO, &action, NULL);
	sigaction(SIGRTMIN, &action, NULL);
	if (pipe(ends))
		return 2;
	other = dup(ends[0]);
	CHECK_EQ(fcntl(ends[0], F_SETFL, O_ASYNC), 0);
	CHECK_EQ(fcntl(other, F_SETFL, O_ASYNC | O_NONBLOCK), 0);
	CHECK_EQ(fcntl(other, F_SETOWN, getpid()), 0);
	CHECK_EQ(write(ends[1], "a", 1), 1);
	CHECK_EQ(told, SIGIO);
	CHECK_EQ(told_code, SI_KERNEL);
	CHECK_EQ(fcntl(other, F_SETSIG, SIGRTMIN), 0);
	CHECK_EQ(write(ends[1], "b", 1), 1);
	CHECK_EQ(told, SIGRTMIN);
	CHECK_EQ(told_fd, ends[0]);
	CHECK_EQ(told_code, POLL_IN);
	/* Off and on by the other one. */
	CHECK_EQ(fcntl(ends[0], F_SETFL, 0), 0);
	told = 0;
	CHECK_EQ(write(ends[1], "c", 1), 1);
	CHECK_EQ(told, 0);
	CHECK_EQ(fcntl(other, F_SETFL, O_ASYNC), 0);
	CHECK_EQ(write(ends[1], "d", 1), 1);
	CHECK_EQ(told_fd, other);
	return test_done();
}
