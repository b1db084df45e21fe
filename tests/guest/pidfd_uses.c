/* Process descriptors: they poll when the process ends, send signals to no other, take descriptors, are waited for. */
// libc: gcc
// calls: pidfd_open pidfd_send_signal pidfd_getfd waitid
#include "include/proof.h"

#include <poll.h>

static volatile int got;
static void on_signal(int sig) { got = sig; }

int main(void)
{
	char buf[16] = "";
	int to[2], from[2], pidfd, other, status;
	struct pollfd p = { .events = POLLIN };
	siginfo_t info = { 0 };
	pid_t child;

	if (pipe(to) || pipe(from))
		return 2;
	child = fork();
	if (child == 0) {
		int mine[2];

		signal(SIGUSR1, on_signal);
		if (pipe(mine) || write(mine[1], "secret", 6) != 6 || write(from[1], mine, 4) != 4)
			_exit(1);
		while (got != SIGUSR1)
			usleep(1000);
		if (write(from[1], "k", 1) != 1)
			_exit(2);
		pause();
	}
	pidfd = syscall(SYS_pidfd_open, child, 0);
	CHECK(pidfd >= 0 && fcntl(pidfd, F_GETFD) == FD_CLOEXEC);
	CHECK_EQ(read(from[0], &other, 4), 4);
	other = syscall(SYS_pidfd_getfd, pidfd, other, 0);
	CHECK(other >= 0 && fcntl(other, F_GETFD) == FD_CLOEXEC);
	GIVES(6, read, other, buf, 16l);
	CHECK(!strcmp(buf, "secret"));
	p.fd = pidfd;
	GIVES(0, poll, &p, 1, 0);
	GIVES(0, pidfd_send_signal, pidfd, 0, NULL, 0);
	GIVES(0, pidfd_send_signal, pidfd, SIGUSR1, NULL, 0);
	GIVES(1, read, from[0], buf, 1l);
	GIVES(0, pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	GIVES(1, poll, &p, 1, 5000);
	CHECK_EQ(p.revents & POLLIN, POLLIN);
	/* A zombie can still be named; once it is waited for it cannot. */
	GIVES(0, pidfd_send_signal, pidfd, 0, NULL, 0);
	GIVES(0, waitid, P_PIDFD, pidfd, &info, WEXITED, NULL);
	CHECK(info.si_pid == child && info.si_code == CLD_KILLED && info.si_status == SIGKILL);
	FAILS(ESRCH, pidfd_send_signal, pidfd, 0, NULL, 0);
	FAILS(ECHILD, waitid, P_PIDFD, pidfd, &info, WEXITED, NULL);
	FAILS(ESRCH, pidfd_getfd, pidfd, 0, 0);
	waitpid(child, &status, WNOHANG);
	return test_done();
}
