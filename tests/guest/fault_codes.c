/* What a floating-point fault tells of its cause, and alternate stacks: the smallest, and changing the one that is stood on. */
// libc: gcc
// arch: x86_64
// calls: rt_sigaction sigaltstack
#include "include/proof.h"

#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static siginfo_t seen;
static long trap;

static void on_fault(int sig, siginfo_t *i, void *context)
{
	ucontext_t *u = context;

	(void)sig;
	seen = *i;
	trap = u->uc_mcontext.gregs[REG_TRAPNO];
	siglongjmp(back, 1);
}

static volatile double zero, one = 1, huge = 1e308, tiny = 1e-308, bad = -1;

/* One x87 operation with one exception unmasked. */
static void x87(unsigned short unmasked, int what)
{
	unsigned short control = 0x37f & (unsigned short)~unmasked;
	double r;

	asm volatile("fninit\n\tfldcw %0" : : "m"(control));
	switch (what) {
	case 0: asm volatile("fldl %1\n\tfsqrt\n\tfwait\n\tfstpl %0" : "=m"(r) : "m"(bad)); break;
	case 1: asm volatile("fldl %1\n\tfdivl %2\n\tfwait\n\tfstpl %0" : "=m"(r) : "m"(one), "m"(zero)); break;
	case 2: asm volatile("fldl %1\n\tfmull %1\n\tfstpl %0\n\tfwait" : "=m"(r) : "m"(huge)); break;
	case 3: asm volatile("fldl %1\n\tfmull %1\n\tfstpl %0\n\tfwait" : "=m"(r) : "m"(tiny)); break;
	}
	asm volatile("fninit");
}

/* QEMU raises no faults of vector instructions, so those are not tried. */
static void expect(unsigned int unmasked, int what, int code)
{
	memset(&seen, 0, sizeof(seen));
	if (!sigsetjmp(back, 1))
		x87((unsigned short)unmasked, what);
	asm volatile("fninit");
	CHECK_EQ(seen.si_signo, SIGFPE);
	CHECK_EQ(seen.si_code, code);
	CHECK_EQ(trap, 16);
}

static char stacks[2][65536];
static int refused;
static stack_t inside;

/* Asks for another stack from a handler that runs on the one there is. */
static void on_stack(int sig, siginfo_t *i, void *context)
{
	ucontext_t *u = context;
	stack_t other = { .ss_sp = stacks[1], .ss_size = sizeof(stacks[1]) };

	(void)i;
	if (sig == SIGUSR2) {			/* from the stack itself, so it does not count */
		u->uc_stack = other;
		return;
	}
	refused = sigaltstack(&other, NULL) ? errno : 0;
	raise(SIGUSR2);
	sigaltstack(NULL, &inside);
}

static void alternate(void)
{
	struct sigaction a = { .sa_sigaction = on_stack, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t s = { .ss_sp = stacks[0], .ss_size = 2047 }, now;

	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	CHECK_ERRNO(sigaltstack(&s, NULL), ENOMEM);
	s.ss_size = 0;
	CHECK_ERRNO(sigaltstack(&s, NULL), ENOMEM);
	s.ss_size = sizeof(stacks[0]);
	CHECK_EQ(sigaltstack(&s, NULL), 0);
	raise(SIGUSR1);
	CHECK_EQ(refused, EPERM);
	CHECK(inside.ss_sp == stacks[0] && inside.ss_flags == SS_ONSTACK);
	CHECK_EQ(sigaltstack(NULL, &now), 0);
	CHECK(now.ss_sp == stacks[0]);
	raise(SIGUSR2);
	CHECK_EQ(sigaltstack(NULL, &now), 0);
	CHECK(now.ss_sp == stacks[0]);
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGFPE, &a, NULL);
	expect(0x01, 0, FPE_FLTINV);
	expect(0x04, 1, FPE_FLTDIV);
	expect(0x08, 2, FPE_FLTOVF);
	expect(0x10, 3, FPE_FLTUND);
	alternate();
	return test_done();
}
