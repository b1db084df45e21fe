/* Instructions that tell of the processor's tables give programs nothing of the kernel's, and work with every kind of operand. */
// arch: x86_64
#include "include/proof.h"

#include <stdint.h>

struct table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* No processor of the last years lets this through: 0xffffffff8... is the kernel's half, Linux's stand-ins lie at its very end. */
static int tells(uint64_t base)
{
	return base < 0xfffffffffffe0000ul;
}

static int forbidden;		/* UMIP is there */

static void tables(void)
{
	struct { char before[8]; struct table t[4]; } x = { 0 };
	struct table *p = x.t + 1;
	long index = 1;

	__asm__ volatile("sgdt %0" : "=m"(x.t[0]));
	if (forbidden)
		CHECK_EQ(x.t[0].base, 0xfffffffffffe0000ul);
	CHECK(!forbidden || !tells(x.t[0].base));
	__asm__ volatile("sidt (%0)" : : "r"(p) : "memory");
	CHECK(!forbidden || (x.t[1].base == 0xffffffffffff0000ul && !x.t[1].limit));
	memset(&x, 0, sizeof(x));
	__asm__ volatile("sidt 10(%0)" : : "r"(p) : "memory");
	CHECK(!x.t[1].base && x.t[2].base);
	__asm__ volatile("sidt 200(%0)" : : "r"((char *)x.t - 200) : "memory");
	CHECK(x.t[0].base);
	memset(&x, 0, sizeof(x));
	__asm__ volatile("movq %0, %%r12\n\tmovq %1, %%r13\n\tsidt 2(%%r12,%%r13,8)"
			 : : "r"((char *)x.t), "r"(index) : "r12", "r13", "memory");
	CHECK(x.t[1].base && !x.t[0].base && !x.t[2].base);
	__asm__ volatile("movq %0, %%r13\n\tsgdt (%%r13)" : : "r"(x.t) : "r13", "memory");
	CHECK(x.t[0].base);
}

static struct table far_one;

static void relative(void)
{
	__asm__ volatile("sidt far_place(%%rip)\n\t.pushsection .data\n\tfar_place: .zero 16\n\t.popsection\n\t"
			 "movq 2+far_place(%%rip), %0" : "=r"(far_one.base) : : "memory");
	CHECK(!forbidden || far_one.base == 0xffffffffffff0000ul);
}

static void words(void)
{
	uint64_t whole = ~0ul;
	uint32_t half = 0;
	uint16_t word = 0;
	uint64_t eight = 0x1111111111111111ul;

	__asm__ volatile("smsw %0" : "=r"(whole));
	CHECK((whole & 0x80000001) == 0x80000001 || (whole & 1));
	__asm__ volatile("smsw %w0" : "+r"(eight));
	CHECK_EQ(eight >> 16, 0x111111111111ul);
	CHECK(eight & 1);
	eight = 0x1111111111111111ul;
	__asm__ volatile("smsw %0" : "+m"(*(uint16_t *)&eight));
	CHECK_EQ(eight >> 16, 0x111111111111ul);
	__asm__ volatile("str %k0" : "=r"(half));
	CHECK(!forbidden || half == 0x40);
	__asm__ volatile("sldt %0" : "=m"(word));
	CHECK_EQ(word, 0);
	__asm__ volatile("movq $-1, %%r9\n\tsldt %%r9d\n\tmovq %%r9, %0" : "=r"(whole) : : "r9");
	/* The processor clears the upper half; Linux, where it has to answer for it, leaves it. */
	CHECK_EQ(whole & 0xffffffff, 0);
}

static siginfo_t seen;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	seen = *info;
	_exit(info->si_code == SEGV_MAPERR && info->si_addr == (void *)0x10 ? 0 : 3);
}

/* A bad operand is a fault at its address; what else is privileged stays so. */
static void refused(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	pid_t child = fork();
	int status;

	if (!child) {
		sigaction(SIGSEGV, &a, NULL);
		__asm__ volatile("sidt (%0)" : : "r"(0x10l) : "memory");
		_exit(1);
	}
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	child = fork();
	if (!child) {
		struct table t = { 0 };

		__asm__ volatile("lidt %0" : : "m"(t));
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	child = fork();
	if (!child) {
		__asm__ volatile("sidt (%0)" : : "r"(0xffffffff80000000ul) : "memory");
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* The instruction at the end of a page with nothing behind. */
static void at_the_edge(void)
{
	static const unsigned char code[] = { 0x0f, 0x01, 0xe0, 0xc3 };	/* smsw %eax; ret */
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long result;

	munmap(p + 4096, 4096);
	memcpy(p + 4092, code, 4);
	__asm__ volatile("call *%1" : "=a"(result) : "r"(p + 4092) : "memory");
	CHECK(result & 1);
}

int main(void)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		forbidden |= strstr(line, " umip") != NULL;
	if (f)
		fclose(f);
	tables();
	relative();
	words();
	refused();
	at_the_edge();
	return test_done();
}
