/* What comes with a signal: data of programs goes through as far as the kernel keeps it, and nothing of its own memory comes with it. */
// calls: rt_sigqueueinfo rt_sigtimedwait tgkill
// errors: rt_sigqueueinfo
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "include/test.h"

#define KEPT 48
#define WHOLE 128

static unsigned char from_frame[WHOLE];
static volatile sig_atomic_t ran;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	memcpy(from_frame, info, WHOLE);
	ran = 1;
}

static int tail_is_zero(const void *info)
{
	const unsigned char *p = info;

	for (int i = KEPT; i < WHOLE; i++)
		if (p[i])
			return 0;
	return 1;
}

static long queue(int code, int fill)
{
	unsigned char bytes[WHOLE];
	siginfo_t *info = (siginfo_t *)bytes;

	memset(bytes, fill, sizeof(bytes));
	info->si_signo = 1;		/* the argument counts */
	info->si_code = code;
	return syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, info);
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	struct timespec now = { 0, 0 };
	unsigned char got[WHOLE];
	sigset_t set;
	pid_t child;
	int status;

	sigaction(SIGUSR1, &sa, NULL);
	/* Known codes: what lies behind is dropped. Others: it must be zero. */
	CHECK(queue(SI_QUEUE, 0x5a) == 0 && ran);
	CHECK(((siginfo_t *)from_frame)->si_signo == SIGUSR1 && ((siginfo_t *)from_frame)->si_code == SI_QUEUE);
	CHECK(from_frame[16] == 0x5a && from_frame[KEPT - 1] == 0x5a && tail_is_zero(from_frame));
	CHECK_ERRNO(queue(-100, 0x5a), E2BIG);
	CHECK(queue(-100, 0) == 0);
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, (void *)16), EFAULT);
	/* The same by a wait, whose buffer is filled to its end. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	memset(got, 0xff, sizeof(got));
	kill(getpid(), SIGUSR1);
	CHECK(syscall(SYS_rt_sigtimedwait, &set, got, &now, 8) == SIGUSR1);
	CHECK(((siginfo_t *)got)->si_pid == getpid() && ((siginfo_t *)got)->si_code == SI_USER && tail_is_zero(got));
	/* A thread's signal that lets a stopped process go on is seen by its parent. */
	child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		_exit(3);
	}
	CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	CHECK(syscall(SYS_tgkill, child, child, SIGCONT) == 0);
	CHECK(waitpid(child, &status, WCONTINUED) == child);
	if (WIFCONTINUED(status))
		CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	return test_done();
}
