/* Restartable sequences: registration and its refusals, the CPU number, and sections that are aborted. */
// libc: musl
// calls: rseq
// errors: rseq
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/test.h"

#define SIGNATURE 0x53053053
#define UNREGISTER 1

struct area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t rseq_cs;
	uint32_t flags, node_id, mm_cid, pad;
} __attribute__((aligned(32)));

struct section {
	uint32_t version, flags;
	uint64_t start_ip, post_commit_offset, abort_ip;
} __attribute__((aligned(32)));

static struct area area, other;
static volatile int signals;

static long rseq(void *at, uint32_t length, int flags, uint32_t signature)
{
	return syscall(SYS_rseq, at, length, flags, signature);
}

static void on_signal(int sig) { signals++; (void)sig; }

static void refusals(void)
{
	CHECK_ERRNO(rseq(&area, 32, 2, SIGNATURE), EINVAL);
	CHECK_ERRNO(rseq(&area, 31, 0, SIGNATURE), EINVAL);
	CHECK_ERRNO(rseq((char *)&area + 4, 32, 0, SIGNATURE), EINVAL);
	CHECK_ERRNO(rseq((void *)0xffff888000001000ul, 32, 0, SIGNATURE), EFAULT);
	CHECK_ERRNO(rseq(&area, 32, UNREGISTER, SIGNATURE), EINVAL);
}

static void registered(void)
{
	CHECK_ERRNO(rseq(&area, 32, 0, SIGNATURE), EBUSY);
	CHECK_ERRNO(rseq(&area, 32, 0, SIGNATURE + 1), EPERM);
	CHECK_ERRNO(rseq(&other, 32, 0, SIGNATURE), EINVAL);
	CHECK_ERRNO(rseq(&area, 64, 0, SIGNATURE), EINVAL);
	CHECK_ERRNO(rseq(&other, 32, UNREGISTER, SIGNATURE), EINVAL);
	CHECK_ERRNO(rseq(&area, 32, UNREGISTER, SIGNATURE + 1), EPERM);
	CHECK_ERRNO(rseq(&area, 32, UNREGISTER | 2, SIGNATURE), EINVAL);
}

/* On each CPU in turn the area says which one it is. */
static void cpus(void)
{
	cpu_set_t all, one;
	int same = 1, tried = 0;

	sched_getaffinity(0, sizeof(all), &all);
	for (int i = 0; i < 64; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		sched_setaffinity(0, sizeof(one), &one);
		same &= area.cpu_id == (uint32_t)i && area.cpu_id_start == (uint32_t)i;
		tried++;
	}
	sched_setaffinity(0, sizeof(all), &all);
	CHECK(same && tried > 0);
}

/*
 * Spins within a section until `signals` is not zero, and commits then: with a signal the section cannot come to that, as
 * it is aborted before the handler runs. 1 when aborted.
 */
static int spin_in_section(uint32_t bad_signature)
{
	static struct section s;
	int aborted = 0;

#ifdef __aarch64__
	asm volatile(
		"adr x9, 1f\n\t"
		"str x9, [%[section], #8]\n\t"
		"adr x10, 2f\n\t"
		"sub x10, x10, x9\n\t"
		"str x10, [%[section], #16]\n\t"
		"adr x9, 4f\n\t"
		"cbz %w[bad], 9f\n\t"
		"add x9, x9, #4\n"
		"9:\n\t"
		"str x9, [%[section], #24]\n\t"
		"str %[section], [%[pointer]]\n"
		"1:\n\t"
		"yield\n\t"
		"ldr w9, [%[signals]]\n\t"
		"cbz w9, 1b\n"
		"2:\n\t"
		"b 5f\n\t"
		".long 0x53053053\n"
		"4:\n\t"
		"mov %w[aborted], #1\n"
		"5:\n\t"
		: [aborted] "+r"(aborted)
		: [section] "r"(&s), [pointer] "r"(&area.rseq_cs), [signals] "r"(&signals), [bad] "r"(bad_signature)
		: "x9", "x10", "memory", "cc");
#else
	asm volatile(
		"leaq 1f(%%rip), %%rax\n\t"
		"movq %%rax, %[start]\n\t"
		"leaq 2f(%%rip), %%rcx\n\t"
		"subq %%rax, %%rcx\n\t"
		"movq %%rcx, %[length]\n\t"
		"leaq 4f(%%rip), %%rax\n\t"
		"testl %[bad], %[bad]\n\t"
		"jz 9f\n\t"
		"addq $1, %%rax\n"
		"9:\n\t"
		"movq %%rax, %[abort]\n\t"
		"leaq %[section], %%rax\n\t"
		"movq %%rax, %[pointer]\n"
		"1:\n\t"
		"pause\n\t"
		"cmpl $0, %[signals]\n\t"
		"je 1b\n"
		"2:\n\t"
		"jmp 5f\n\t"
		".byte 0x0f, 0xb9, 0x3d\n\t"
		".long 0x53053053\n"
		"4:\n\t"
		"movl $1, %[aborted]\n"
		"5:\n\t"
		: [start] "=m"(s.start_ip), [length] "=m"(s.post_commit_offset), [abort] "=m"(s.abort_ip),
		  [pointer] "=m"(area.rseq_cs), [aborted] "+m"(aborted), [section] "+m"(s)
		: [signals] "m"(signals), [bad] "r"(bad_signature)
		: "rax", "rcx", "memory", "cc");
#endif
	return aborted;
}

static void sections(void)
{
	signal(SIGALRM, on_signal);
	ualarm(20000, 0);
	CHECK_EQ(spin_in_section(0), 1);
	CHECK_EQ(area.rseq_cs, 0);
	/* With the signal seen already it comes to its end, unless the CPU is taken away just then. */
	for (int i = 0; i < 1000 && spin_in_section(0); i++)
		;
	CHECK_EQ(spin_in_section(0) == 0 || spin_in_section(0) == 0, 1);
}

/* An abort address without the signature before it kills. */
static void forged(void)
{
	int status;

	fflush(stdout);
	if (fork() == 0) {
		signals = 0;
		ualarm(20000, 0);
		spin_in_section(1);
		_exit(0);
	}
	wait(&status);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* fork keeps what was registered. */
static void inherited(void)
{
	int status;

	fflush(stdout);
	if (fork() == 0) {
		/* A child keeps the registration; a program does not. */
		_exit(rseq(&area, 32, 0, SIGNATURE) == -1 && errno == EBUSY && area.cpu_id < 1024 ? 0 : 1);
	}
	wait(&status);
	CHECK_EQ(status, 0);
}

int main(void)
{
	refusals();
	area.cpu_id = -1;
	CHECK_EQ(rseq(&area, 32, 0, SIGNATURE), 0);
	CHECK(area.cpu_id < 1024 && area.cpu_id == area.cpu_id_start);
	registered();
	cpus();
	sections();
	forged();
	inherited();
	CHECK_EQ(rseq(&area, 32, UNREGISTER, SIGNATURE), 0);
	CHECK_EQ(area.cpu_id, (uint32_t)-1);
	CHECK_EQ(area.cpu_id_start, 0);
	CHECK_ERRNO(rseq(&area, 32, UNREGISTER, SIGNATURE), EINVAL);
	CHECK_EQ(rseq(&area, 32, 0, SIGNATURE + 1), 0);
	return test_done();
}
