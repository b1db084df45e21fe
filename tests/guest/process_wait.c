/* Processes: fork, wait and its options, exit codes, orphans, groups and sessions, stops, vfork, clone errors. */
// libc: gcc
// calls: fork vfork clone clone3 wait4 waitid getppid setpgid getpgid setsid getsid kill pidfd_open pidfd_send_signal
// errors: clone clone3 getpgid pidfd_open pidfd_send_signal setpgid wait4 waitid
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "include/test.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void codes(void)
{
	int status;
	struct rusage usage;
	pid_t child = fork();

	if (!child)
		_exit(42);
	CHECK_EQ(wait4(child, &status, 0, &usage), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	CHECK_ERRNO(waitpid(child, &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(-1, &status, 0x100), EINVAL);
	child = fork();
	if (!child)
		for (;;)
			pause();
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void information(void)
{
	siginfo_t info;
	pid_t child = fork();

	if (!child)
		_exit(7);
	memset(&info, 0, sizeof(info));
	CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(info.si_pid, child);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status, 7);
	CHECK_EQ(waitid(P_ALL, 0, &info, WEXITED), 0);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERRNO(waitid((idtype_t)77, 0, &info, WEXITED), EINVAL);
}

static void stops(void)
{
	int status;
	pid_t child = fork();

	if (!child)
		for (;;)
			pause();
	kill(child, SIGSTOP);
	CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQ(waitpid(child, &status, WUNTRACED | WNOHANG), 0);
	kill(child, SIGCONT);
	CHECK_EQ(waitpid(child, &status, WCONTINUED), child);
	CHECK(WIFCONTINUED(status));
	kill(child, SIGSTOP);
	waitpid(child, &status, WUNTRACED);
	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
}

static void groups(void)
{
	int p[2], status, answer[4];
	pid_t child;

	CHECK_EQ(pipe(p), 0);
	child = fork();
	if (!child) {
		answer[0] = setsid() == getpid();
		answer[1] = getpgrp() == getpid() && getsid(0) == getpid();
		answer[2] = setsid() == -1 && errno == EPERM;
		answer[3] = setpgid(0, 0) == -1 && errno == EPERM;
		_exit(write(p[1], answer, sizeof(answer)) != sizeof(answer));
	}
	CHECK_EQ(read(p[0], answer, sizeof(answer)), sizeof(answer));
	for (int i = 0; i < 4; i++)
		CHECK(answer[i]);
	waitpid(child, &status, 0);
	child = fork();
	if (!child)
		for (;;)
			pause();
	CHECK_EQ(setpgid(child, child), 0);
	CHECK_EQ(getpgid(child), child);
	CHECK_EQ(kill(-child, SIGTERM), 0);
	CHECK_EQ(waitpid(-child, &status, 0), child);
	CHECK_ERRNO(getpgid(child), ESRCH);
	CHECK_ERRNO(setpgid(0, -5), EINVAL);
}

/* The grandchild of a dead child belongs to the subreaper. */
static void orphans(void)
{
	int p[2], status, n = 0;
	pid_t got, child;

	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	CHECK_EQ(pipe(p), 0);
	child = fork();
	if (!child) {
		if (!fork()) {
			char c;

			close(p[1]);
			while (read(p[0], &c, 1) == 1)
				;
			_exit(getppid() == 1 ? 9 : 5);
		}
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	close(p[1]);
	got = waitpid(-1, &status, 0);
	CHECK(got > 0 && got != child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	(void)n;
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(p[0]);
}

static void ignored_children(void)
{
	pid_t child;

	signal(SIGCHLD, SIG_IGN);
	child = fork();
	if (!child)
		_exit(0);
	CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
	signal(SIGCHLD, SIG_DFL);
}

static void borrowed_memory(void)
{
	volatile int shared = 0;
	int status;
	pid_t child = vfork();

	if (!child) {
		shared = 17;
		_exit(3);
	}
	CHECK_EQ(shared, 17);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(WEXITSTATUS(status), 3);
}

static void descriptors(void)
{
	struct pollfd p;
	siginfo_t info;
	pid_t child = fork();
	int fd;

	if (!child)
		for (;;)
			pause();
	fd = (int)syscall(SYS_pidfd_open, child, 0);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	p = (struct pollfd){ fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0), 0);
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_EQ(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED), 0);
	CHECK_EQ(info.si_status, SIGKILL);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_pidfd_open, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_open, 999999, 0), ESRCH);
	close(fd);
}

static void refusals(void)
{
	struct clone_args a;

	memset(&a, 0, sizeof(a));
	CHECK_ERRNO(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone3, &a, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone3, 8, sizeof(a)), EFAULT);
	a.exit_signal = 100;
	CHECK_ERRNO(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
	a.exit_signal = 0;
	a.stack = 4096;
	CHECK_ERRNO(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
}

int main(void)
{
	codes();
	information();
	stops();
	groups();
	orphans();
	ignored_children();
	borrowed_memory();
	descriptors();
	refusals();
	return test_done();
}
