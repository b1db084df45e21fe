/*
 * The extended state of signal frames: registers survive a handler that uses them, what a handler writes into the frame is there
 * after it (sigreturn), and states that are smaller or elsewhere are taken as far as they go.
 */
// arch: x86_64
// calls: rt_sigreturn
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "include/test.h"

static int mode;
static uint64_t seen[2];
static char *elsewhere;

static void write_xmm7(const uint64_t *v) { __asm__ volatile("movdqu %0, %%xmm7" : : "m"(*(const char(*)[16])v) : "xmm7"); }

enum { CLOBBER, CHANGE, NO_MAGIC, NO_STATE, MOVED };

static void handler(int sig, siginfo_t *info, void *context)
{
	static const uint64_t junk[2] = { 0xdeadbeefdeadbeef, 0x1122334455667788 };
	ucontext_t *uc = context;
	char *state = (char *)uc->uc_mcontext.fpregs;
	uint64_t *xmm7 = (uint64_t *)(state + 160 + 16 * 7);

	(void)sig;
	(void)info;
	memcpy(seen, xmm7, 16);
	switch (mode) {
	case CHANGE:
		xmm7[0] = 42;
		break;
	case NO_MAGIC:
		xmm7[0] = 43;
		memset(state + 464, 0, 48);
		break;
	case NO_STATE:
		uc->uc_mcontext.fpregs = NULL;
		break;
	case MOVED:
		memcpy(elsewhere, state, ((uint32_t *)(state + 464))[1] ? ((uint32_t *)(state + 464))[1] : 512);
		((uint64_t *)(elsewhere + 160 + 16 * 7))[0] = 44;
		uc->uc_mcontext.fpregs = (void *)elsewhere;
		break;
	}
	write_xmm7(junk);
}

/* Sends the signal with a value in XMM7 and returns what is there afterwards. */
static uint64_t round_trip(uint64_t value)
{
	uint64_t before[2] = { value, ~value }, after[2];
	long result;

	__asm__ volatile("movdqu %[before], %%xmm7\n\t"
			 "syscall\n\t"
			 "movdqu %%xmm7, %[after]"
			 : "=a"(result), [after] "=m"(*(char(*)[16])after)
			 : "a"(62L), "D"((long)getpid()), "S"((long)SIGUSR1), [before] "m"(*(const char(*)[16])before)
			 : "rcx", "r11", "xmm7", "memory");
	CHECK(result == 0 && seen[0] == value && seen[1] == ~value);
	return after[0];
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	elsewhere = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGUSR1, &sa, NULL);
	mode = CLOBBER;
	for (uint64_t i = 1; i < 20; i++)
		CHECK(round_trip(i * 0x0101010101010101) == i * 0x0101010101010101);
	mode = CHANGE;
	CHECK(round_trip(7) == 42);		/* what the handler writes into the frame counts */
	mode = NO_MAGIC;
	CHECK(round_trip(7) == 43);		/* without magic words the legacy part counts */
	mode = NO_STATE;
	CHECK(round_trip(7) == 0);		/* no state: the initial one */
	mode = MOVED;
	CHECK(round_trip(7) == 44);		/* a state elsewhere counts */
	mode = CLOBBER;
	CHECK(round_trip(9) == 9);		/* and all is well afterwards */
	return test_done();
}
