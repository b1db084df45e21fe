/* rt_sigreturn with selectors that user mode cannot have: SIGSEGV where they would be in force, with the mask of the frame.
 * What a breakpoint's frame says of the last fault. */
// libc: gcc
// arch: x86_64
// calls: rt_sigreturn
#include "include/proof.h"

#include <setjmp.h>
#include <ucontext.h>

#define STRICT 4			/* UC_STRICT_RESTORE_SS */

static sigjmp_buf back;
static volatile int error, number, code, mask_ok;
static unsigned short new_cs, new_ss;
static int strict;

static void on_usr(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	unsigned short *sel = (void *)&u->uc_mcontext.gregs[REG_CSGSFS];

	(void)sig, (void)info;
	if (new_cs)
		sel[0] = new_cs;
	sel[3] = new_ss;
	if (!strict)
		u->uc_flags &= ~(unsigned long)STRICT;
	sigaddset(&u->uc_sigmask, SIGUSR2);
}

static volatile unsigned long cr2;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	cr2 = (unsigned long)((ucontext_t *)context)->uc_mcontext.gregs[REG_CR2];
}

static void on_segv(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)sig;
	error = (int)u->uc_mcontext.gregs[REG_ERR];
	number = (int)u->uc_mcontext.gregs[REG_TRAPNO];
	code = info->si_code;
	mask_ok = sigismember(&u->uc_sigmask, SIGUSR2) && !sigismember(&u->uc_sigmask, SIGSEGV);
	siglongjmp(back, 1);
}

/* The error of the fault; -1 without one. */
static int try(unsigned short cs, unsigned short ss, int insist)
{
	new_cs = cs, new_ss = ss, strict = insist;
	error = number = code = mask_ok = 0;
	if (sigsetjmp(back, 1))
		return number == 13 && code == SI_KERNEL && mask_ok ? error : -2;
	raise(SIGUSR1);
	return -1;
}

int main(void)
{
	struct sigaction usr = { .sa_sigaction = on_usr, .sa_flags = SA_SIGINFO };
	struct sigaction segv = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
	unsigned short cs, ss;

	asm volatile("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
	sigfillset(&usr.sa_mask);		/* SIGSEGV, too: the frame's mask counts */
	sigaction(SIGUSR1, &usr, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	CHECK_EQ(try(0, ss, 1), -1);
	CHECK_EQ(try(0, cs, 1), cs & ~3);
	CHECK_EQ(try(0, 0x53, 1), 0x50);
	CHECK_EQ(try(0, 0, 0), -1);
	CHECK_EQ(try(0, cs, 0), -1);
	CHECK_EQ(try(0x57, ss, 1), 0x54);
	CHECK_EQ(try(0x57, ss, 0), 0x54);
	CHECK_EQ(try(ss, ss, 1), ss & ~3);
	/* The address of a page fault stays until the next one: a breakpoint has none. */
	segv.sa_sigaction = on_trap;
	segv.sa_flags |= (int)SA_RESETHAND;
	sigaction(SIGTRAP, &segv, NULL);
	asm volatile("int3");
	CHECK_EQ(cr2, 0);
	return test_done();
}
