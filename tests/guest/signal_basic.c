/* Signals: handlers, masks, information, restart rules, alternate stacks, queues of real-time signals. */
// calls: rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack kill pause
// errors: kill rt_sigprocmask rt_sigsuspend rt_sigtimedwait sigaltstack
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "include/test.h"

#ifdef __aarch64__
#define UNDEFINED_INSTRUCTION() asm volatile(".inst 0")
#else
#define UNDEFINED_INSTRUCTION() asm volatile("ud2")
#endif

static volatile sig_atomic_t count, last, code, value;
static volatile void *fault_address;
static sigjmp_buf back;

static void simple(int sig) { count++; last = sig; }

static void with_info(int sig, siginfo_t *info, void *context)
{
	(void)context;
	count++;
	last = sig;
	code = info->si_code;
	value = info->si_value.sival_int;
	fault_address = info->si_addr;
}

static void jump(int sig, siginfo_t *info, void *context)
{
	with_info(sig, info, context);
	siglongjmp(back, 1);
}

static void install(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &a, NULL);
}

static void masks(void)
{
	sigset_t set, old, pending;

	signal(SIGUSR1, simple);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
	CHECK_EQ(sigismember(&old, SIGUSR1), 0);
	count = 0;
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(count, 0);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGUSR1));
	CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	CHECK_EQ(count, 1);
	CHECK_ERRNO(sigprocmask(99, &set, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8), EFAULT);
	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(kill(999999, 0), ESRCH);
	CHECK_EQ(kill(getpid(), 0), 0);
}

static void realtime(void)
{
	union sigval v;
	sigset_t set;
	siginfo_t info;
	struct timespec zero = { 0, 1000000 };

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGRTMIN + 2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (v.sival_int = 1; v.sival_int <= 3; v.sival_int++)
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 2, v), 0);
	v.sival_int = 10;
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, v), 0);
	CHECK_EQ(sigtimedwait(&set, &info, &zero), SIGRTMIN + 1);
	CHECK_EQ(info.si_value.sival_int, 10);
	CHECK_EQ(info.si_code, SI_QUEUE);
	for (int i = 1; i <= 3; i++) {
		CHECK_EQ(sigtimedwait(&set, &info, &zero), SIGRTMIN + 2);
		CHECK_EQ(info.si_value.sival_int, i);
	}
	CHECK_ERRNO(sigtimedwait(&set, &info, &zero), EAGAIN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void faults(void)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile int zero __attribute__((unused)) = 0;

	install(SIGSEGV, jump, 0);
	install(SIGFPE, jump, 0);
	install(SIGILL, jump, 0);
	if (!sigsetjmp(back, 1))
		*(volatile char *)8 = 1;
	CHECK_EQ(last, SIGSEGV);
	CHECK_EQ(code, SEGV_MAPERR);
	CHECK(fault_address == (void *)8);
	if (!sigsetjmp(back, 1))
		*(volatile char *)(page + 5) = 1;
	CHECK_EQ(code, SEGV_ACCERR);
	CHECK(fault_address == page + 5);
#ifndef __aarch64__			/* whose division by zero gives zero */
	if (!sigsetjmp(back, 1))
		zero = 10 / zero;
	CHECK_EQ(last, SIGFPE);
	CHECK_EQ(code, FPE_INTDIV);
#endif
	if (!sigsetjmp(back, 1))
		UNDEFINED_INSTRUCTION();
	CHECK_EQ(last, SIGILL);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGFPE, SIG_DFL);
	signal(SIGILL, SIG_DFL);
}

static void on_altstack(int sig)
{
	stack_t s;

	(void)sig;
	sigaltstack(NULL, &s);
	count = s.ss_flags & SS_ONSTACK ? 1 : -1;
}

static void altstack(void)
{
	static char memory[65536];
	stack_t s = { .ss_sp = memory, .ss_size = sizeof(memory) }, old;
	struct sigaction a = { .sa_handler = on_altstack, .sa_flags = SA_ONSTACK };

	CHECK_EQ(sigaltstack(&s, NULL), 0);
	sigaction(SIGUSR2, &a, NULL);
	count = 0;
	raise(SIGUSR2);
	CHECK_EQ(count, 1);
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK_EQ(old.ss_flags, 0);
	CHECK_EQ(old.ss_size, sizeof(memory));
	s.ss_size = 16;
	CHECK_ERRNO(sigaltstack(&s, NULL), ENOMEM);
	s.ss_size = sizeof(memory);
	s.ss_flags = 0x40;
	CHECK_ERRNO(sigaltstack(&s, NULL), EINVAL);
	s.ss_flags = SS_DISABLE;
	CHECK_EQ(sigaltstack(&s, NULL), 0);
}

/* A read that a signal interrupts: restarted with SA_RESTART, EINTR without. */
static void restart(void)
{
	struct itimerval t = { .it_value = { 0, 50000 } };
	int p[2];
	char c;
	pid_t child;

	CHECK_EQ(pipe(p), 0);
	install(SIGALRM, with_info, 0);
	count = 0;
	setitimer(ITIMER_REAL, &t, NULL);
	CHECK_ERRNO(read(p[0], &c, 1), EINTR);
	CHECK_EQ(count, 1);
	install(SIGALRM, with_info, SA_RESTART);
	child = fork();
	if (!child) {
		usleep(200000);
		_exit(write(p[1], "x", 1) != 1);
	}
	setitimer(ITIMER_REAL, &t, NULL);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(count, 2);
	waitpid(child, NULL, 0);
}

static void suspend(void)
{
	sigset_t set, empty;

	signal(SIGUSR1, simple);
	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	count = 0;
	CHECK_ERRNO(sigsuspend(&empty), EINTR);
	CHECK_EQ(count, 1);
	sigprocmask(SIG_BLOCK, NULL, &set);
	CHECK(sigismember(&set, SIGUSR1));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static volatile double kept;

static void clobber(int sig)
{
	volatile double x = 1.0;

	(void)sig;
	for (int i = 0; i < 100; i++)
		x = x * 1.5 + 0.25;
	kept = x;
}

static void registers(void)
{
	double a = 3.5, b = 7.25;

	signal(SIGUSR1, clobber);
	for (int i = 0; i < 50; i++) {
		raise(SIGUSR1);
		a = a * 1.0 + 0.0;
		b += 0.5;
	}
	CHECK(a == 3.5);
	CHECK(b == 32.25);
}

static void fatal(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		signal(SIGSEGV, SIG_IGN);
		*(volatile char *)8 = 1;
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	kill(child, SIGTERM);
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int main(void)
{
	masks();
	realtime();
	faults();
	altstack();
	restart();
	suspend();
	registers();
	fatal();
	return test_done();
}
