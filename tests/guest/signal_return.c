/* rt_sigreturn: every register, the flags, the vector registers, the mask and the stack come back as they were or as the handler left them. */
// libc: gcc
// arch: x86_64
// calls: rt_sigreturn rt_sigaction
#include "include/proof.h"

#include <stdint.h>
#include <ucontext.h>

static volatile int handled;
static int change;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)info;
	handled++;
	/* Destroys what it can. */
	asm volatile("pxor %%xmm0, %%xmm0; pxor %%xmm15, %%xmm15; fninit" : : : "xmm0", "xmm15");
	if (change) {
		u->uc_mcontext.gregs[REG_R12] = 0x1212;
		sigaddset(&u->uc_sigmask, SIGUSR2);
	}
	(void)sig;
}

static uint64_t in[6] = { 0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666 }, out[6];
static double x[2] = { 1.5, -2.5 }, y[2];
static uint64_t flags;

static int registers_survive(void)
{
	memset(out, 0, sizeof(out));
	memset(y, 0, sizeof(y));
	asm volatile(
		"movq %[in], %%rbx\n\t"
		"movq 8+%[in], %%r12\n\t"
		"movq 16+%[in], %%r13\n\t"
		"movq 24+%[in], %%r14\n\t"
		"movq 32+%[in], %%r8\n\t"
		"movq 40+%[in], %%r9\n\t"
		"movupd %[x], %%xmm15\n\t"
		"std\n\t"
		"syscall\n\t"
		"pushfq\n\t"
		"cld\n\t"
		"popq %[flags]\n\t"
		"movq %%rbx, %[out]\n\t"
		"movq %%r12, 8+%[out]\n\t"
		"movq %%r13, 16+%[out]\n\t"
		"movq %%r14, 24+%[out]\n\t"
		"movq %%r8, 32+%[out]\n\t"
		"movq %%r9, 40+%[out]\n\t"
		"movupd %%xmm15, %[y]\n\t"
		: [out] "=m"(out), [y] "=m"(y), [flags] "=m"(flags)
		: [in] "m"(in), [x] "m"(x), "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
		: "rbx", "rcx", "r8", "r9", "r11", "r12", "r13", "r14", "xmm15", "memory", "cc");
	if (!(flags & 0x400) || y[0] != x[0] || y[1] != x[1])
		return 0;
	return change ? out[1] == 0x1212 && out[0] == in[0] : !memcmp(in, out, sizeof(in));
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	sigset_t now;

	sigaction(SIGUSR1, &a, NULL);
	CHECK(registers_survive());
	CHECK_EQ(handled, 1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	CHECK(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
	change = 1;
	CHECK(registers_survive());
	CHECK_EQ(handled, 2);
	sigprocmask(SIG_SETMASK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR2) && !sigismember(&now, SIGUSR1));
	/* The library's way back is the call's number, as debuggers expect. */
	sigaction(SIGUSR1, NULL, &a);
	CHECK(a.sa_flags & SA_SIGINFO);
	CHECK_EQ(SYS_rt_sigreturn, 15);
	return test_done();
}
