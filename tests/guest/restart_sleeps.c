/*
 * Sleeps that a stop and a continuation interrupt go on to their first end, without telling the caller (restart_syscall where
 * the kernel needs it); handlers end them, and what is left is told.
 */
// libc: gcc
// calls: restart_syscall nanosleep clock_nanosleep poll
#include "include/proof.h"

#include <poll.h>
#include <stdint.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static volatile int got;
static void on_signal(int sig) { got = sig; }

#define WAYS 5
#define SECONDS 3

/* So many seconds in one of several ways; 0 if it ended well. */
static int sleep_so(int how)
{
	struct timespec t = { SECONDS, 0 }, at;
	struct pollfd p = { .fd = -1 };
	uint32_t word = 0;

	switch (how) {
	case 0: return syscall(SYS_nanosleep, &t, NULL);
	case 1: return syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &t, NULL);
	case 2:
		clock_gettime(CLOCK_REALTIME, &at);
		at.tv_sec += SECONDS;
		return syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL);
#ifndef LEGACY_SUCCESSORS		/* ppoll begins anew with what was left when it was stopped */
	case 3: return syscall(SYS_poll, &p, 1, SECONDS * 1000);
#else
	case 3: return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL) + p.revents;
#endif
	default: return syscall(SYS_futex, &word, 0, 0, &t, NULL, 0) == -1 && errno == ETIMEDOUT ? 0 : 1;
	}
}

/*
 * All ways at once: stopped soon after they began, continued when their time is over. Waiting all of it again would end almost
 * three seconds later than going on to the first end does.
 */
static void stopped(void)
{
	double begun = now();
	pid_t child[WAYS];
	int status;

	fflush(stdout);
	for (int how = 0; how < WAYS; how++) {
		child[how] = fork();
		if (child[how] == 0) {
			int error = sleep_so(how);
			double took = now() - begun;

			_exit(error ? 1 : took < SECONDS - 0.01 ? 2 : took > 2 * SECONDS - 0.1 ? 3 : 0);
		}
	}
	usleep(300000);
	for (int how = 0; how < WAYS; how++) {
		kill(child[how], SIGSTOP);
		waitpid(child[how], &status, WUNTRACED);
		CHECK(WIFSTOPPED(status));
	}
	while (now() < begun + SECONDS + 0.2)
		usleep(50000);
	for (int how = 0; how < WAYS; how++)
		kill(child[how], SIGCONT);
	for (int how = 0; how < WAYS; how++) {
		waitpid(child[how], &status, 0);
		CHECK_EQ(status, 0);
	}
}

static void interrupted(void)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct timespec t = { 10, 0 }, left = { 0, 0 };
	struct pollfd p = { .fd = -1 };

	sigaction(SIGALRM, &a, NULL);
	ualarm(30000, 0);
	FAILS(EINTR, nanosleep, &t, &left);
	CHECK(left.tv_sec == 9 && left.tv_nsec > 0);
	ualarm(30000, 0);
	FAILS(EINTR, clock_nanosleep, CLOCK_MONOTONIC, 0, &t, &left);
	CHECK(left.tv_sec == 9);
	ualarm(30000, 0);
	FAILS(EINTR, poll, &p, 1, 10000);
	CHECK_EQ(got, SIGALRM);
	/* Nothing to go on with. */
	FAILS(EINTR, restart_syscall);
}

int main(void)
{
	stopped();
	interrupted();
	return test_done();
}
