/* What stood in the result register when a signal came is there again afterwards, also if it looks like an error of the kernel's own. */
// calls: kill
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>

#include "include/test.h"

static volatile long planted;
static volatile sig_atomic_t handled;

static void plant(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)sig;
	(void)info;
#ifdef __x86_64__
	u->uc_mcontext.gregs[13] = planted;	/* REG_RAX */
#else
	u->uc_mcontext.regs[0] = (unsigned long)planted;
#endif
	handled++;
}

static void count(int sig)
{
	(void)sig;
	handled++;
}

/* Spins with a value in the register until a signal has come after `before`: the value then. */
static long spin(long value, sig_atomic_t before)
{
#ifdef __x86_64__
	register long result asm("rax") = value;

	asm volatile("1: movl %1, %%ecx\n\tcmpl %%ecx, %2\n\tje 1b" : "+r"(result) : "m"(handled), "r"(before) : "ecx", "cc");
#else
	register long result asm("x0") = value;

	asm volatile("1: ldr w1, %1\n\tcmp w1, %w2\n\tb.eq 1b" : "+r"(result) : "m"(handled), "r"(before) : "x1", "cc");
#endif
	return result;
}

static long raw_kill(int sig)
{
#ifdef __x86_64__
	long r;

	asm volatile("syscall" : "=a"(r) : "a"(SYS_kill), "D"((long)getpid()), "S"((long)sig) : "rcx", "r11", "memory");
	return r;
#else
	register long r asm("x0") = getpid();
	register long s asm("x1") = sig, n asm("x8") = SYS_kill;

	asm volatile("svc 0" : "+r"(r) : "r"(s), "r"(n) : "memory");
	return r;
#endif
}

int main(void)
{
	static const long values[] = { 0, 1, -1, -4, -14, -512, -513, -514, -516, -520, -4095, -4096, 1l << 62 };
	struct sigaction a = { .sa_sigaction = plant, .sa_flags = SA_SIGINFO };
	sig_atomic_t before;
	struct itimerval soon = { { 0, 0 }, { 0, 3000 } };

	sigaction(SIGUSR1, &a, NULL);
	signal(SIGALRM, count);
	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		planted = values[i];
		CHECK_EQ(raw_kill(SIGUSR1), values[i]);
		before = handled;
		setitimer(ITIMER_REAL, &soon, NULL);
		CHECK_EQ(spin(values[i], before), values[i]);
	}
	return test_done();
}
