/* What making, joining, grouping and comparing processes refuses. */
// libc: gcc
// errors: clone clone3 fork vfork wait4 waitid setpgid getpgid getsid setsid unshare kcmp pidfd_open pidfd_getfd set_tid_address
#include "include/proof.h"

#include <linux/kcmp.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/resource.h>

#define NOBODY 0x7ffffff

static void cloning(void)
{
	struct clone_args a = { .exit_signal = SIGCHLD };
	struct { struct clone_args a; char more[100]; } big = { .more = "x" };
	pid_t tids[2] = { 1, 1 };

	FAILS(EINVAL, clone, CLONE_SIGHAND, NULL, NULL, NULL, NULL);
	FAILS(EINVAL, clone, CLONE_THREAD, NULL, NULL, NULL, NULL);
	FAILS(EINVAL, clone, CLONE_THREAD | CLONE_SIGHAND, NULL, NULL, NULL, NULL);
	FAILS(EINVAL, clone, CLONE_NEWNS | CLONE_FS, NULL, NULL, NULL, NULL);
	FAILS(EINVAL, clone, CLONE_PIDFD | CLONE_PARENT_SETTID, NULL, NULL, NULL, NULL);
	FAILS(EINVAL, clone, CLONE_PIDFD | CLONE_DETACHED, NULL, NULL, NULL, NULL);
	FAILS(EINVAL, clone3, &a, 63l);
	FAILS(E2BIG, clone3, &a, 5000l);
	big.a = a;
	FAILS(E2BIG, clone3, &big, sizeof(big));
	FAULTS(clone3, 0, sizeof(a), 0, sizeof(a));
	a.flags = 1ull << 40;
	FAILS(EINVAL, clone3, &a, sizeof(a));
	a.flags = CLONE_DETACHED;
	FAILS(EINVAL, clone3, &a, sizeof(a));
	a.flags = SIGCHLD;
	FAILS(EINVAL, clone3, &a, sizeof(a));
	a.flags = 0;
	a.exit_signal = 65;
	FAILS(EINVAL, clone3, &a, sizeof(a));
	a.exit_signal = SIGCHLD;
	a.stack = (uintptr_t)tids;
	FAILS(EINVAL, clone3, &a, sizeof(a));
	a.stack = 0;
	a.stack_size = 4096;
	FAILS(EINVAL, clone3, &a, sizeof(a));
	a.stack_size = 0;
	a.set_tid = (uintptr_t)tids;
	FAILS(EINVAL, clone3, &a, sizeof(a));
	a.set_tid_size = 1;
	if (geteuid() == 0)
		FAILS(EEXIST, clone3, &a, sizeof(a));
	a.set_tid_size = 100;
	FAILS(EINVAL, clone3, &a, sizeof(a));
	a.set_tid = a.set_tid_size = 0;
	FAILS(EINVAL, unshare, 1l);
	FAILS(EINVAL, unshare, 0x100000000l);
	/* The only thread there is: it shares nothing. */
	GIVES(0, unshare, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_FS);
	GIVES(0, unshare, 0l);
	/* What the address of a thread's end is, is not looked at before it. */
	GIVES(getpid(), set_tid_address, 8l);
	GIVES(getpid(), set_tid_address, 0l);
}

static void crowded(void)
{
	struct rlimit r = { 1, 1 };

	setrlimit(RLIMIT_NPROC, &r);
	become_user(4322);
	FAILS(EAGAIN, fork);
	FAILS(EAGAIN, vfork);
	FAILS(EAGAIN, clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void waiting(void)
{
	siginfo_t info;
	struct rusage usage;
	int status;
	pid_t child;

	FAILS(ECHILD, wait4, -1, &status, 0, NULL);
	FAILS(ECHILD, wait4, NOBODY, &status, 0, NULL);
	FAILS(ECHILD, wait4, getpid(), &status, 0, NULL);
	FAILS(ECHILD, wait4, -NOBODY, &status, WNOHANG, NULL);
	FAILS(EINVAL, wait4, -1, &status, 0x100, NULL);
	FAILS(ESRCH, wait4, 0x80000000, &status, 0, NULL);
	FAILS(ECHILD, waitid, P_ALL, 0, &info, WEXITED, NULL);
	FAILS(ECHILD, waitid, P_PID, NOBODY, &info, WEXITED, NULL);
	FAILS(EINVAL, waitid, P_ALL, 0, &info, 0, NULL);
	FAILS(EINVAL, waitid, P_ALL, 0, &info, WNOHANG, NULL);
	FAILS(EINVAL, waitid, P_ALL, 0, &info, WEXITED | 0x100, NULL);
	FAILS(EINVAL, waitid, 7, 0, &info, WEXITED, NULL);
	FAILS(EINVAL, waitid, P_PID, 0, &info, WEXITED, NULL);
	FAILS(EINVAL, waitid, P_PID, -1, &info, WEXITED, NULL);
	FAILS(EINVAL, waitid, P_PGID, -1, &info, WEXITED, NULL);
	FAILS(EINVAL, waitid, P_PIDFD, -1, &info, WEXITED, NULL);
	FAILS(EBADF, waitid, P_PIDFD, 9999, &info, WEXITED, NULL);
	FAILS(EBADF, waitid, P_PIDFD, 0, &info, WEXITED, NULL);
	/* A bad address is found when the child is gone already. */
	for (int i = 0; i < 3; i++) {
		child = fork();
		if (child == 0)
			_exit(0);
		if (i == 0)
			FAILS(EFAULT, wait4, child, (void *)8, 0, NULL);
		else if (i == 1)
			FAILS(EFAULT, wait4, child, NULL, 0, (void *)8);
		else
			FAILS(EFAULT, waitid, P_PID, child, (void *)8, WEXITED, NULL);
		FAILS(ECHILD, wait4, child, NULL, 0, &usage);
	}
}

static void groups(void)
{
	int ends[2], status;
	char c;
	pid_t child;

	FAILS(ESRCH, getpgid, NOBODY);
	FAILS(ESRCH, getpgid, -1);
	FAILS(ESRCH, getsid, NOBODY);
	FAILS(ESRCH, getsid, -1);
	FAILS(EINVAL, setpgid, 0, -1);
	FAILS(ESRCH, setpgid, NOBODY, 0);
	FAILS(ESRCH, setpgid, getppid(), 0);
	FAILS(EPERM, setpgid, 0, NOBODY);
	if (pipe(ends))
		exit(2);
	child = fork();
	if (child == 0) {
		setsid();
		/* A leader of a session neither leaves nor founds. */
		if (syscall(SYS_setpgid, 0, getppid()) != -1 || errno != EPERM)
			_exit(1);
		if (syscall(SYS_setsid) != -1 || errno != EPERM)
			_exit(2);
		c = 'x';
		if (write(ends[1], &c, 1) != 1)
			_exit(3);
		pause();
	}
	CHECK_EQ(read(ends[0], &c, 1), 1);
	FAILS(EPERM, setpgid, child, child);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status));
	/* After its exec a child cannot be moved. */
	child = fork();
	if (child == 0) {
		char *args[] = { "self", "sleep", NULL };

		execv("/proc/self/exe", args);
		_exit(127);
	}
	for (int i = 0; i < 2000; i++) {
		if (setpgid(child, child) == -1)
			break;
		usleep(1000);
	}
	FAILS(EACCES, setpgid, child, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void comparing(void)
{
	int pidfd, file = open("/dev/null", O_RDONLY);

	FAILS(ESRCH, kcmp, NOBODY, getpid(), KCMP_VM, 0l, 0l);
	FAILS(ESRCH, kcmp, getpid(), NOBODY, KCMP_VM, 0l, 0l);
	FAILS(EINVAL, kcmp, getpid(), getpid(), 99, 0l, 0l);
	FAILS(EINVAL, kcmp, getpid(), getpid(), -1, 0l, 0l);
	FAILS(EBADF, kcmp, getpid(), getpid(), KCMP_FILE, 9999l, 0l);
	FAILS(EBADF, kcmp, getpid(), getpid(), KCMP_FILE, 0l, 9999l);
	FAILS(EINVAL, pidfd_open, 0, 0);
	FAILS(EINVAL, pidfd_open, -1, 0);
	FAILS(EINVAL, pidfd_open, getpid(), 0x10000);
	FAILS(ESRCH, pidfd_open, NOBODY, 0);
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	FAILS(EINVAL, pidfd_getfd, pidfd, 0, 1);
	FAILS(EBADF, pidfd_getfd, 9999, 0, 0);
	FAILS(EBADF, pidfd_getfd, file, 0, 0);
	FAILS(EBADF, pidfd_getfd, pidfd, 9999, 0);
	close(pidfd);
	close(file);
}

static void foreign(void)
{
	int pidfd = syscall(SYS_pidfd_open, getppid(), 0);
	struct clone_args a = { .exit_signal = SIGCHLD };
	pid_t tid = 1;

	FAILS(EPERM, kcmp, getpid(), getppid(), KCMP_VM, 0l, 0l);
	FAILS(EPERM, kcmp, getppid(), getpid(), KCMP_VM, 0l, 0l);
	FAILS(EPERM, pidfd_getfd, pidfd, 0, 0);
	a.set_tid = (uintptr_t)&tid;
	a.set_tid_size = 1;
	tid = 30000;
	FAILS(EPERM, clone3, &a, sizeof(a));
}

static void limited(void)
{
	struct rlimit r = { 20, 20 };
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0);

	setrlimit(RLIMIT_NOFILE, &r);
	while (dup(0) >= 0)
		;
	FAILS(EMFILE, pidfd_open, getpid(), 0);
	FAILS(EMFILE, pidfd_getfd, pidfd, 0, 0);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		for (;;)
			pause();
	}
	cloning();
	waiting();
	groups();
	comparing();
	in_child(limited);
	if (geteuid() == 0) {
		as_user(foreign);
		in_child(crowded);
	}
	return test_done();
}
