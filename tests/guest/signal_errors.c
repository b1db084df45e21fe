/* What the calls on signals refuse. */
// libc: gcc
// errors: rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigsuspend rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack kill tkill tgkill signalfd signalfd4 rt_sigreturn restart_syscall pidfd_send_signal
#include "include/proof.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>

#define NOBODY 0x7ffffff

static uint64_t mask;

static void masks(void)
{
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } a = { SIG_DFL };
	struct timespec zero = { 0, 0 }, bad = { 0, 1000000000 }, negative = { -1, 0 };

	FAILS(EINVAL, rt_sigaction, 0, NULL, &a, 8l);
	FAILS(EINVAL, rt_sigaction, 65, NULL, &a, 8l);
	FAILS(EINVAL, rt_sigaction, -1, NULL, &a, 8l);
	FAILS(EINVAL, rt_sigaction, SIGKILL, &a, NULL, 8l);
	FAILS(EINVAL, rt_sigaction, SIGSTOP, &a, NULL, 8l);
	GIVES(0, rt_sigaction, SIGKILL, NULL, &a, 8l);
	FAILS(EINVAL, rt_sigaction, SIGUSR1, NULL, &a, 4l);
	FAULTS(rt_sigaction, 1, sizeof(a), SIGUSR1, 0, 0, 8);
	FAULTS(rt_sigaction, 2, sizeof(a), SIGUSR1, 0, 0, 8);
	FAILS(EINVAL, rt_sigprocmask, 3, &mask, NULL, 8l);
	FAILS(EINVAL, rt_sigprocmask, -1, &mask, NULL, 8l);
	GIVES(0, rt_sigprocmask, 3, NULL, &mask, 8l);
	FAILS(EINVAL, rt_sigprocmask, SIG_BLOCK, &mask, NULL, 16l);
	FAULTS(rt_sigprocmask, 1, 8, SIG_BLOCK, 0, 0, 8);
	FAULTS(rt_sigprocmask, 2, 8, SIG_BLOCK, 0, 0, 8);
	FAILS(EINVAL, rt_sigpending, &mask, 16l);
	FAULTS(rt_sigpending, 0, 8, 0, 8);
	FAILS(EINVAL, rt_sigsuspend, &mask, 4l);
	FAULTS(rt_sigsuspend, 0, 8, 0, 8);
	FAILS(EINVAL, rt_sigtimedwait, &mask, NULL, &zero, 4l);
	FAILS(EINVAL, rt_sigtimedwait, &mask, NULL, &bad, 8l);
	FAILS(EINVAL, rt_sigtimedwait, &mask, NULL, &negative, 8l);
	FAILS(EAGAIN, rt_sigtimedwait, &mask, NULL, &zero, 8l);
	FAULTS(rt_sigtimedwait, 0, 8, 0, 0, P(&zero), 8);
	FAULTS(rt_sigtimedwait, 2, sizeof(zero), P(&mask), 0, 0, 8);
}

static void stacks(void)
{
	static char memory[16384];
	struct { void *sp; int flags; size_t size; } s = { memory, 0, 16 }, old;

	FAILS(ENOMEM, sigaltstack, &s, NULL);
	s.size = sizeof(memory);
	s.flags = 4;
	FAILS(EINVAL, sigaltstack, &s, NULL);
	s.flags = -1;
	FAILS(EINVAL, sigaltstack, &s, NULL);
	FAULTS(sigaltstack, 0, sizeof(s), 0, 0);
	FAULTS(sigaltstack, 1, sizeof(s), 0, 0);
	GIVES(0, sigaltstack, NULL, &old);
	CHECK_EQ(old.flags, SS_DISABLE);
}

static void sending(void)
{
	siginfo_t info = { .si_code = SI_QUEUE }, kernel = { .si_code = SI_USER };

	FAILS(EINVAL, kill, getpid(), 65);
	FAILS(EINVAL, kill, getpid(), -1);
	FAILS(ESRCH, kill, NOBODY, 0);
	FAILS(ESRCH, kill, -NOBODY, SIGTERM);
	FAILS(ESRCH, kill, 0x80000000, SIGTERM);
	FAILS(EINVAL, tkill, 0, 0);
	FAILS(EINVAL, tkill, -1, 0);
	FAILS(EINVAL, tkill, getpid(), 65);
	FAILS(ESRCH, tkill, NOBODY, 0);
	FAILS(EINVAL, tgkill, 0, getpid(), 0);
	FAILS(EINVAL, tgkill, getpid(), -1, 0);
	FAILS(EINVAL, tgkill, getpid(), getpid(), 65);
	FAILS(ESRCH, tgkill, getpid(), NOBODY, 0);
	FAILS(ESRCH, tgkill, getppid(), getpid(), 0);
	FAILS(EINVAL, rt_sigqueueinfo, getpid(), 65, &info);
	FAILS(ESRCH, rt_sigqueueinfo, NOBODY, SIGUSR1, &info);
	FAILS(EPERM, rt_sigqueueinfo, getppid(), SIGUSR1, &kernel);
	FAULTS(rt_sigqueueinfo, 2, 48, getpid(), 0, 0);
	FAILS(EINVAL, rt_tgsigqueueinfo, 0, getpid(), 0, &info);
	FAILS(EINVAL, rt_tgsigqueueinfo, getpid(), -1, 0, &info);
	FAILS(EINVAL, rt_tgsigqueueinfo, getpid(), getpid(), 65, &info);
	FAILS(ESRCH, rt_tgsigqueueinfo, getpid(), NOBODY, 0, &info);
	FAILS(EPERM, rt_tgsigqueueinfo, getppid(), getppid(), 0, &kernel);
	FAULTS(rt_tgsigqueueinfo, 3, 48, getpid(), getpid(), 0, 0);
	/* A signal number of nothing only asks. */
	GIVES(0, kill, getpid(), 0);
	GIVES(0, tkill, getpid(), 0);
	GIVES(0, tgkill, getpid(), getpid(), 0);
	GIVES(0, rt_sigqueueinfo, getpid(), 0, &info);
}

static void descriptors(void)
{
	int fd, file = open("/dev/null", O_RDONLY), pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	siginfo_t info = { .si_code = SI_QUEUE, .si_signo = SIGUSR2 };
	char buf[200];

	FAILS(EINVAL, signalfd4, -1, &mask, 8l, 1);
	FAILS(EINVAL, signalfd4, -1, &mask, 4l, 0);
	FAILS(EINVAL, signalfd, -1, &mask, 16l);
	FAILS(EBADF, signalfd4, 9999, &mask, 8l, 0);
	FAILS(EBADF, signalfd, -2, &mask, 8l);
	FAILS(EINVAL, signalfd4, file, &mask, 8l, 0);
	FAULTS(signalfd, 1, 8, -1, 0, 8);
	FAULTS(signalfd4, 1, 8, -1, 0, 8, 0);
	fd = signalfd(-1, (sigset_t *)&mask, SFD_NONBLOCK);
	FAILS(EAGAIN, read, fd, buf, 200l);
	FAILS(EINVAL, read, fd, buf, 100l);
	FAILS(EINVAL, write, fd, buf, 200l);
	FAILS(EINVAL, pidfd_send_signal, pidfd, 0, NULL, 0x80);
	FAILS(EINVAL, pidfd_send_signal, pidfd, 65, NULL, 0);
	FAILS(EINVAL, pidfd_send_signal, pidfd, SIGUSR1, &info, 0);
	FAILS(EBADF, pidfd_send_signal, file, 0, NULL, 0);
	FAILS(EBADF, pidfd_send_signal, 9999, 0, NULL, 0);
	FAULTS(pidfd_send_signal, 2, 48, pidfd, SIGUSR1, 0, 0);
	close(fd);
	close(file);
	close(pidfd);
}

static void foreign(void)
{
	siginfo_t info = { .si_code = SI_QUEUE };
	int pidfd = syscall(SYS_pidfd_open, getppid(), 0);

	FAILS(EPERM, kill, getppid(), 0);
	FAILS(EPERM, kill, 1, SIGTERM);
	FAILS(EPERM, tkill, getppid(), 0);
	FAILS(EPERM, tgkill, getppid(), getppid(), SIGTERM);
	FAILS(EPERM, rt_sigqueueinfo, getppid(), SIGTERM, &info);
	FAILS(EPERM, rt_tgsigqueueinfo, getppid(), getppid(), SIGTERM, &info);
	FAILS(EPERM, pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	/* Of the same session, SIGCONT may be sent to anybody. */
	GIVES(0, kill, getppid(), SIGCONT);
}

static void full(void)
{
	struct rlimit r = { 2, 2 };
	union sigval v = { 0 };

	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setrlimit(RLIMIT_SIGPENDING, &r);
	become_user(4321);
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, v), 0);
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, v), 0);
	CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, v), EAGAIN);
	/* kill never fails for want of room. */
	GIVES(0, kill, getpid(), SIGUSR1);
	GIVES(0, kill, getpid(), SIGRTMIN + 1);
}

static void wrong_return(void)
{
	/* No frame stands where the stack is. */
#ifdef __aarch64__
	asm volatile("mov sp, %0\n\tmov x8, %1\n\tsvc #0" : : "r"(0x1000l), "r"((long)SYS_rt_sigreturn) : "x0", "x8", "memory");
#else
	register long sp asm("r12") = 0x1000;

	asm volatile("mov %%rsp, %%r13; mov %0, %%rsp; syscall; mov %%r13, %%rsp"
		     : : "r"(sp), "a"(SYS_rt_sigreturn) : "rcx", "r11", "r13", "memory");
#endif
	_exit(0);
}

static void returns(void)
{
	pid_t child;
	int status;

	FAILS(EINTR, restart_syscall);
	child = fork();
	if (child == 0)
		wrong_return();
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(void)
{
	masks();
	stacks();
	sending();
	descriptors();
	if (geteuid() == 0) {
		as_user(foreign);
		in_child(full);
	}
	returns();
	return test_done();
}
