/* signalfd: blocked signals read as records, polled for, the mask changed, and what a child reads. */
// libc: gcc
// calls: signalfd signalfd4
#include "include/proof.h"

#include <poll.h>
#include <stdint.h>
#include <sys/signalfd.h>

int main(void)
{
	struct signalfd_siginfo s[4];
	uint64_t mask = 1ull << (SIGUSR1 - 1) | 1ull << (SIGRTMIN - 1), more = mask | 1ull << (SIGCHLD - 1);
	struct pollfd p = { .events = POLLIN };
	union sigval v = { .sival_int = 42 };
	sigset_t all;
	int fd, status;
	pid_t child;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	fd = syscall(SYS_signalfd, -1, &mask, 8l);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0);
	p.fd = fd;
	GIVES(0, poll, &p, 1, 0);
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, v);
	sigqueue(getpid(), SIGRTMIN, v);
	kill(getpid(), SIGUSR2);
	GIVES(1, poll, &p, 1, 0);
	GIVES(3 * 128, read, fd, s, sizeof(s));
	CHECK(s[0].ssi_signo == SIGUSR1 && s[0].ssi_pid == (unsigned)getpid() && s[0].ssi_code == SI_USER);
	CHECK(s[1].ssi_signo == (unsigned)SIGRTMIN && s[1].ssi_int == 42 && s[1].ssi_code == SI_QUEUE);
	GIVES(0, poll, &p, 1, 0);
	/* The mask of a descriptor can be changed; what is pending counts at once. */
	more |= 1ull << (SIGUSR2 - 1);
	GIVES(fd, signalfd4, fd, &more, 8l, 0);
	GIVES(128, read, fd, s, sizeof(s));
	CHECK_EQ(s[0].ssi_signo, SIGUSR2);
	child = fork();
	if (child == 0)
		_exit(7);
	GIVES(128, read, fd, s, sizeof(s));
	CHECK(s[0].ssi_signo == SIGCHLD && s[0].ssi_pid == (unsigned)child && s[0].ssi_status == 7 && s[0].ssi_code == CLD_EXITED);
	waitpid(child, &status, 0);
	/* A reader gets its own signals, not those of whoever made the descriptor. */
	kill(getpid(), SIGUSR1);
	child = fork();
	if (child == 0) {
		struct pollfd q = { .fd = fd, .events = POLLIN };

		if (poll(&q, 1, 0) != 0)
			_exit(1);
		kill(getpid(), SIGRTMIN);
		_exit(read(fd, s, sizeof(s)) == 128 && s[0].ssi_signo == (unsigned)SIGRTMIN ? 0 : 2);
	}
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	close(fd);
	fd = syscall(SYS_signalfd4, -1, &mask, 8l, SFD_CLOEXEC | SFD_NONBLOCK);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	GIVES(128, read, fd, s, sizeof(s));
	FAILS(EAGAIN, read, fd, s, sizeof(s));
	return test_done();
}
