/* aarch64: registers over calls, signals and threads; faults of instructions and their codes; what user code may and may not do. */
// arch: aarch64
// flags: -pthread -Wno-array-bounds
// linux: no (instructions of the other port)
// calls: kill
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "include/test.h"

#define HWCAP_HAS_PACA (1ul << 30)

static sigjmp_buf back;
static volatile int last, code, has_fp, has_esr;
static void *volatile address;
static volatile uint64_t esr;

struct record {
	uint32_t magic, size;
};

static void find_records(const ucontext_t *uc)
{
	const char *at = (const char *)uc->uc_mcontext.__reserved;

	has_fp = has_esr = 0;
	for (const struct record *r = (const void *)at; r->magic; at += r->size, r = (const void *)at) {
		has_fp |= r->magic == 0x46508001 && r->size == 0x210;
		if (r->magic == 0x45535201 && r->size == 16) {
			has_esr = 1;
			esr = *(const uint64_t *)(at + 8);
		}
	}
}

static void jump(int sig, siginfo_t *info, void *context)
{
	last = sig;
	code = info->si_code;
	address = info->si_addr;
	find_records(context);
	siglongjmp(back, 1);
}

/* Spoils every vector register; the interrupted code's come back. */
static void spoil(int sig, siginfo_t *info, void *context)
{
	(void)info;
	last = sig;
	find_records(context);
	asm volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
		     "movi v\\n\\().16b, #0x5a\n\t.endr" : : : "memory");
}

static void install(int sig, void (*fn)(int, siginfo_t *, void *))
{
	struct sigaction a = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(sig, &a, NULL);
}

#define FAULT(statement) ({ last = 0; if (!sigsetjmp(back, 1)) { statement; } last; })

static void faults(void)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t words[4] __attribute__((aligned(16))) = { 0 };

	install(SIGSEGV, jump);
	install(SIGBUS, jump);
	install(SIGILL, jump);
	install(SIGTRAP, jump);
	CHECK_EQ(FAULT(*(volatile char *)16 = 1), SIGSEGV);
	CHECK(code == SEGV_MAPERR && address == (void *)16 && has_fp && has_esr);
	CHECK(esr >> 26 == 0x24 && (esr & 0x40));
	CHECK_EQ(page[9], 0);
	CHECK_EQ(FAULT(page[9] = 1), SIGSEGV);
	CHECK(code == SEGV_ACCERR && address == page + 9 && (esr & 0x3c) == 0x0c);
	CHECK_EQ(FAULT(((void (*)(void))page)()), SIGSEGV);
	CHECK(code == SEGV_ACCERR && address == page && esr >> 26 == 0x20);
	CHECK_EQ(FAULT((void)*(volatile char *)0xffff800000000000), SIGSEGV);
	CHECK(code == SEGV_MAPERR);
	CHECK_EQ(FAULT(asm volatile(".inst 0")), SIGILL);
	CHECK_EQ(code, ILL_ILLOPC);
	CHECK_EQ(FAULT(asm volatile("brk #7")), SIGTRAP);
	CHECK_EQ(code, TRAP_BRKPT);
	CHECK_EQ(FAULT(asm volatile("ldxr x9, [%0]" : : "r"((char *)words + 1) : "x9")), SIGBUS);
	CHECK(code == BUS_ADRALN && address == (char *)words + 1);
	CHECK_EQ(FAULT(((void (*)(void))((uintptr_t)faults + 2))()), SIGBUS);
	/* The kernel's registers, and SVE, which is not offered. */
	CHECK_EQ(FAULT(asm volatile("mrs x9, sctlr_el1" : : : "x9")), SIGILL);
	CHECK_EQ(FAULT(asm volatile("msr daifset, #2")), SIGILL);
	CHECK_EQ(FAULT(asm volatile(".inst 0x04bf5020" : : : "x0")), SIGILL);	/* rdvl x0, #1 */
	CHECK_EQ(FAULT(asm volatile("hvc #0")), SIGILL);
	CHECK_EQ(getauxval(AT_HWCAP) >> 22 & 1, 0);
	/* Plain accesses need no alignment; the top byte of an address is ignored. */
	CHECK_EQ(FAULT(*(volatile uint64_t *)((char *)words + 3) = 5), 0);
	CHECK_EQ(FAULT(*(volatile uint64_t *)((uintptr_t)words | 0xab00000000000000ul) = 6), 0);
	CHECK_EQ(words[0], 6);
	CHECK_EQ(FAULT(*(volatile char *)(16 | 0xab00000000000000ul) = 1), SIGSEGV);
	CHECK_EQ((long)address & 0x00fffffffffffffful, 16);
}

static void vectors(void)
{
	uint64_t low = 0, high = 0, control = 0;

	install(SIGUSR1, spoil);
	asm volatile("mov x9, #0x1234\n\tmov v7.d[0], x9\n\tmov v31.d[1], x9\n\t"
		     "mov x9, #0x400000\n\tmsr fpcr, x9\n\t"
		     "mov x8, %[kill]\n\tmov x0, %[pid]\n\tmov x1, %[sig]\n\tsvc #0\n\t"
		     "mov %[low], v7.d[0]\n\tmov %[high], v31.d[1]\n\tmrs %[control], fpcr\n\tmsr fpcr, xzr"
		     : [low] "=&r"(low), [high] "=&r"(high), [control] "=&r"(control)
		     : [kill] "r"((long)SYS_kill), [pid] "r"((long)getpid()), [sig] "r"((long)SIGUSR1)
		     : "x0", "x1", "x8", "x9", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",
		       "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
		       "v27", "v28", "v29", "v30", "v31");
	CHECK(last == SIGUSR1 && has_fp);
	CHECK_EQ(low, 0x1234);
	CHECK_EQ(high, 0x1234);
	CHECK_EQ(control, 0x400000);
}

/* Forged frames: a bad mode, or no FP record. */
static int forge;
static void forging(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	if (forge == 0)
		uc->uc_mcontext.pstate |= 5;		/* EL1 */
	else if (forge == 1)
		uc->uc_mcontext.pstate |= 0x10;		/* AArch32 */
	else
		memset(uc->uc_mcontext.__reserved, 0, 16);
}

static void forged(void)
{
	for (forge = 0; forge < 3; forge++) {
		pid_t child;
		int status;

		fflush(stdout);
		child = fork();
		if (child == 0) {
			signal(SIGSEGV, SIG_DFL);
			install(SIGUSR2, forging);
			raise(SIGUSR2);
			_exit(0);
		}
		waitpid(child, &status, 0);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
}

/* paciza and autiza by their numbers: an address signed with the process's key comes back as it was. */
static uint64_t signed_by(uint64_t v)
{
	register uint64_t x0 asm("x0") = v;

	asm volatile(".inst 0xdac123e0" : "+r"(x0));
	return x0;
}

static uint64_t authenticated(uint64_t v)
{
	register uint64_t x0 asm("x0") = v;

	asm volatile(".inst 0xdac133e0" : "+r"(x0));
	return x0;
}

static void *thread_signs(void *arg)
{
	*(uint64_t *)arg = signed_by(0x12345678);
	return NULL;
}

static void keys(void)
{
	uint64_t mine, other = 0, ends[2];
	int pipes[2];
	pthread_t t;

	if (!(getauxval(AT_HWCAP) & HWCAP_HAS_PACA))
		return;
	mine = signed_by(0x12345678);
	CHECK(mine != 0x12345678 && authenticated(mine) == 0x12345678);
	CHECK(authenticated(mine ^ 1ul << 50) != 0x12345678);
	pthread_create(&t, NULL, thread_signs, &other);
	pthread_join(t, NULL);
	CHECK(other == mine);		/* threads share the keys, as children do */
	if (pipe(pipes))
		return;
	fflush(stdout);
	if (fork() == 0) {
		ends[0] = signed_by(0x12345678);
		_exit(write(pipes[1], ends, 8) != 8);
	}
	CHECK(read(pipes[0], ends, 8) == 8 && ends[0] == mine);
	wait(NULL);
}

/* Code made at run time, with the cache maintenance that user code may do. */
static void made_code(void)
{
	uint32_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t zero[64] __attribute__((aligned(256)));

	for (int value = 1; value <= 3; value++) {
		mprotect(page, 4096, PROT_READ | PROT_WRITE);
		page[0] = 0x52800000 | (uint32_t)value << 5;	/* mov w0, #value */
		page[1] = 0xd65f03c0;				/* ret */
		mprotect(page, 4096, PROT_READ | PROT_EXEC);
		__builtin___clear_cache((char *)page, (char *)page + 8);
		CHECK_EQ(((int (*)(void))page)(), value);
	}
	memset(zero, 1, sizeof(zero));
	asm volatile("dc zva, %0" : : "r"(&zero[16]) : "memory");
	CHECK(zero[16] == 0);
	asm volatile("mrs %0, cntvct_el0" : "=r"(zero[0]));
	asm volatile("mrs %0, cntfrq_el0" : "=r"(zero[1]));
	CHECK(zero[0] && zero[1]);
	asm volatile("mrs %0, tpidrro_el0" : "=r"(zero[0]));
	CHECK_EQ(zero[0], 0);
}

int main(void)
{
	faults();
	vectors();
	forged();
	keys();
	made_code();
	return test_done();
}
